"""bigquery.jobs: insert, get, list, cancel, query, getQueryResults."""

from __future__ import annotations

import hashlib
from itertools import islice

from starlette.concurrency import run_in_threadpool

from localcloud.bigquery import cells
from localcloud.bigquery.configurations import FormatOptions, JobReference, JobRequest, QueryRequest
from localcloud.bigquery.faults import Fault
from localcloud.bigquery.job_records import JobKey, JobRecord
from localcloud.bigquery.parsing import parse
from localcloud.bigquery.rest.methods import Call, Json, Method
from localcloud.bigquery.rest.tabledata import FORMATS, format_options
from localcloud.bigquery.results import BATCH_ROWS
from localcloud.bigquery.warehouse import Warehouse

SHORT_S = 0.3  # a job that ends within this answers its insert as DONE
_LISTED = {"kind", "id", "job_reference", "configuration", "status", "statistics", "user_email"}
_LONGEST_S = 200.0  # Google's own limit for one request


class _Jobs:
    """The methods, over one warehouse."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    async def insert(self, call: Call) -> Json:
        request = parse(JobRequest, call.body, call.method)
        record = await run_in_threadpool(
            self._warehouse.submit, call.project, request.job_reference, request.configuration
        )
        return await settled(self._warehouse, record)

    def get(self, call: Call) -> Json:
        return self._warehouse.jobs.get(_key(call), call.query.get("location")).to_json()

    def list_all(self, call: Call) -> Json:
        start, limit = call.number("pageToken") or 0, call.number("maxResults")
        found = (record for record in self._warehouse.jobs.recent(call.project) if _asked_for(call, record))
        end = None if limit is None else start + limit + 1
        listed = [{**record.to_json(_LISTED), "state": record.status.state} for record in islice(found, start, end)]
        answer: Json = {"kind": "bigquery#jobList", "jobs": listed[:limit]}
        if limit is not None and len(listed) > limit:
            answer["nextPageToken"] = str(start + limit)
        return answer

    def cancel(self, call: Call) -> Json:
        record = self._warehouse.jobs.cancel(_key(call), call.query.get("location"))
        return {"kind": "bigquery#jobCancelResponse", "job": record.to_json()}

    async def query(self, call: Call) -> Json:
        request = parse(QueryRequest, call.body, call.method)
        record = await run_in_threadpool(_submit_query, self._warehouse, call, request)
        if request.dry_run:
            return _checked(record)
        await self._warehouse.jobs.wait(record.key, min(request.timeout_ms / 1000, _LONGEST_S))
        answer = await run_in_threadpool(
            _rows, self._warehouse, record.key, 0, request.max_results, request.format_options
        )
        return {**answer, "kind": "bigquery#queryResponse"}

    async def get_query_results(self, call: Call) -> Json:
        key = _key(call)
        record = await run_in_threadpool(self._warehouse.jobs.get, key, call.query.get("location"))
        if record.configuration.query is None:
            raise Fault("invalid", f"Job {key} is not a query job")
        timeout_ms = call.number("timeoutMs")
        await self._warehouse.jobs.wait(key, min((10_000 if timeout_ms is None else timeout_ms) / 1000, _LONGEST_S))
        start = call.number("pageToken") or call.number("startIndex") or 0
        return await run_in_threadpool(
            _rows, self._warehouse, key, start, call.number("maxResults"), format_options(call)
        )


def methods(warehouse: Warehouse) -> list[Method]:
    """Declare the methods."""
    jobs = _Jobs(warehouse)
    every = "/projects/{project}/jobs"
    one = every + "/{job}"
    results = "/projects/{project}/queries"
    located = frozenset({"location", "projection"})
    listing = frozenset(
        {"allUsers", "maxResults", "minCreationTime", "maxCreationTime", "pageToken", "projection", "stateFilter"}
    )
    paging = frozenset({"location", "maxResults", "pageToken", "startIndex", "timeoutMs"})
    return [
        Method("bigquery.jobs.insert", "POST", every, jobs.insert),
        Method("bigquery.jobs.list", "GET", every, jobs.list_all, listing),
        Method("bigquery.jobs.get", "GET", one, jobs.get, located),
        Method("bigquery.jobs.cancel", "POST", one + "/cancel", jobs.cancel, located),
        Method("bigquery.jobs.query", "POST", results, jobs.query),
        Method("bigquery.jobs.getQueryResults", "GET", results + "/{job}", jobs.get_query_results, paging | FORMATS),
    ]


def _asked_for(call: Call, record: JobRecord) -> bool:
    """Say whether a job passes the filters of jobs.list."""
    state = call.query.get("stateFilter")
    earliest, latest = call.number("minCreationTime"), call.number("maxCreationTime")
    created = record.statistics.creation_time or 0
    return (
        (state is None or record.status.state.lower() == state.lower())
        and (earliest is None or created >= earliest)
        and (latest is None or created <= latest)
    )


async def settled(warehouse: Warehouse, record: JobRecord) -> Json:
    """Answer a new job, done already if it is short."""
    if record.configuration.dry_run:
        return record.to_json()
    if not warehouse.jobs.delayed():
        await warehouse.jobs.wait(record.key, SHORT_S)
    latest = await run_in_threadpool(warehouse.jobs.get, record.key, record.location)
    return latest.to_json()


def _key(call: Call) -> JobKey:
    return JobKey(call.project, call.path["job"])


def _submit_query(warehouse: Warehouse, call: Call, request: QueryRequest) -> JobRecord:
    """Start the job of jobs.query; the same request sent again finds the job that it started."""
    job_id = None
    if request.request_id:
        sent = f"{call.project} {request.model_dump_json(exclude={'timeout_ms'})}"
        job_id = f"request_{hashlib.sha256(sent.encode()).hexdigest()}"
    reference = JobReference(job_id=job_id, location=request.location)
    try:
        return warehouse.submit(call.project, reference, request.configuration())
    except Fault as fault:
        if fault.reason != "duplicate" or job_id is None:
            raise
        known = warehouse.jobs.find(JobKey(call.project, job_id))
        if known is None:
            raise
        return known


def _checked(record: JobRecord) -> Json:
    """Word a dry run as the answer of jobs.query."""
    job = record.to_json()
    statistics = record.statistics.query
    return {
        "kind": "bigquery#queryResponse",
        "jobComplete": True,
        "jobReference": job["jobReference"],
        **(statistics.to_json() if statistics else {}),
    }


def _rows(warehouse: Warehouse, key: JobKey, start: int, limit: int | None, options: FormatOptions) -> Json:
    """Answer a query's rows, or that they are not there yet.

    Raises:
        Fault: the one that the job failed with.
    """
    record = warehouse.jobs.find(key)
    if record is None:
        raise Fault("notFound", f"Not found: Job {key}")
    answer: Json = {
        "kind": "bigquery#getQueryResultsResponse",
        "jobReference": record.job_reference.to_json(),
        "jobComplete": record.status.state == "DONE",
    }
    if record.status.state != "DONE":
        return answer
    if record.status.error_result:
        raise Fault(record.status.error_result.reason, record.status.error_result.message)
    statistics = record.statistics.query
    if statistics is None:
        return answer
    answer |= {
        "cacheHit": statistics.cache_hit,
        "totalBytesProcessed": str(statistics.total_bytes_processed),
        "totalRows": "0",
        "schema": {"fields": []},
    }
    if statistics.num_dml_affected_rows is not None:
        answer["numDmlAffectedRows"] = str(statistics.num_dml_affected_rows)
    if statistics.statement_type != "SELECT" and not warehouse.results.kept(str(key)):
        return answer
    page = warehouse.results.page(str(key), start, BATCH_ROWS if limit is None else min(limit, BATCH_ROWS))
    answer["schema"] = page.schema.to_json()
    answer["totalRows"] = str(page.total_rows)
    if limit != 0:  # the client asks for no rows to learn the schema; an empty list would end its paging
        answer["rows"] = cells.rows(page.table, page.schema.fields, options)
    end = start + page.table.num_rows
    if end < page.total_rows and limit != 0:
        answer["pageToken"] = str(end)
    return answer
