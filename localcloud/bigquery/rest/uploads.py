"""Load jobs whose file comes with the request: in one multipart body, or a piece at a time."""

from __future__ import annotations

import asyncio
import re
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from localcloud.bigquery.configurations import JobRequest
from localcloud.bigquery.faults import Fault, not_implemented
from localcloud.bigquery.parsing import parse
from localcloud.bigquery.rest.jobs import settled
from localcloud.bigquery.rest.methods import PREFIX, answered, check_parameters
from localcloud.bigquery.warehouse import Warehouse

_NAME = "bigquery.jobs.insert"
_PARAMETERS = frozenset({"uploadType", "upload_id"})


@dataclass(slots=True)
class _Session:
    """A resumable upload: the job that it is for, and the bytes that have arrived."""

    request: JobRequest
    path: Path
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class _Uploads:
    """The uploads that are going on. They are lost with the process; clients begin again."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._sessions: dict[str, _Session] = {}

    async def receive(self, request: Request) -> Response:
        check_parameters(_NAME, request.query_params, _PARAMETERS)
        upload_id = request.query_params.get("upload_id")
        if upload_id is not None:
            return await self._piece(request, upload_id)
        kind = request.query_params.get("uploadType")
        if kind == "resumable":
            return await self._begin(request)
        if kind == "multipart":
            return await self._whole(request)
        raise not_implemented(f"{_NAME}: uploadType = {kind!r}")

    async def _begin(self, request: Request) -> Response:
        session = _Session(_job(await request.body()), self._new_path())
        session.path.touch()
        upload_id = uuid.uuid4().hex
        self._sessions[upload_id] = session
        return Response(headers={"Location": str(request.url.include_query_params(upload_id=upload_id))})

    async def _piece(self, request: Request, upload_id: str) -> Response:
        session = self._sessions.get(upload_id)
        if session is None:
            raise Fault("notFound", "Not found: upload session")
        async with session.lock:
            start, total = _content_range(request.headers.get("content-range"))
            have = session.path.stat().st_size
            if start is not None and start != have:
                await request.body()  # not the piece that is missing: say which one is
                return _incomplete(have)
            with session.path.open("ab") as file:
                async for piece in request.stream():
                    file.write(piece)
            have = session.path.stat().st_size
            if total is None or have < total:
                return _incomplete(have)
            del self._sessions[upload_id]
        return await self._submit(request, session.request, session.path)

    async def _whole(self, request: Request) -> Response:
        described, content = _parts(request.headers.get("content-type", ""), await request.body())
        job = _job(described)
        path = self._new_path()
        path.write_bytes(content)
        return await self._submit(request, job, path)

    async def _submit(self, request: Request, job: JobRequest, path: Path) -> Response:
        project = request.path_params["project"]
        try:
            record = await run_in_threadpool(
                self._warehouse.submit, project, job.job_reference, job.configuration, path
            )
        except Fault:
            await run_in_threadpool(path.unlink)
            raise
        return JSONResponse(await settled(self._warehouse, record))

    def _new_path(self) -> Path:
        return self._warehouse.uploads / uuid.uuid4().hex


def routes(warehouse: Warehouse) -> list[BaseRoute]:
    """Serve both of the paths that Google documents."""
    uploads = _Uploads(warehouse)

    async def endpoint(request: Request) -> Response:
        return await answered(uploads.receive(request))

    path = f"/upload{PREFIX}/projects/{{project}}/jobs"
    return [Route(start + path, endpoint, methods=["POST", "PUT"]) for start in ("", "/resumable")]


def _job(raw: bytes) -> JobRequest:
    job = parse(JobRequest, raw, _NAME)
    if job.configuration.load is None:
        raise Fault("invalid", "Only a load job takes an uploaded file")
    return job


def _incomplete(have: int) -> Response:
    return Response(status_code=308, headers={"Range": f"bytes=0-{have - 1}"} if have else {})


def _content_range(header: str | None) -> tuple[int | None, int | None]:
    """Read where a piece starts, and how long the whole is, as far as that is said."""
    if header is None:
        return None, 0
    found = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", header)
    if found is None:
        raise Fault("invalid", f"Invalid Content-Range: {header!r}")
    start, total = found.groups()
    return int(start) if start else None, None if total == "*" else int(total)


def _parts(content_type: str, body: bytes) -> tuple[bytes, bytes]:
    """Split a multipart/related body into the job and the file."""
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    pieces = body.split(b"--" + found[1].strip("'").encode()) if found else []
    if len(pieces) < 4:  # before, job, file, after
        raise Fault("invalid", "Invalid multipart body")
    job, content = (piece.split(b"\r\n\r\n", 1)[-1].removesuffix(b"\r\n") for piece in pieces[1:3])
    return job, content
