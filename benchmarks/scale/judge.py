"""What must hold in the end: every row once, by content, log, ledger and load jobs, whatever Prefect says of runs."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from google.cloud import bigquery, storage

from benchmarks.scale.world import CONTRACT, ROWS, rows


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, and in words what is wrong with it; `inserts` is the most in any ten seconds."""

    lost: int
    doubled: int
    claims: int
    load_jobs: int
    inserts: int
    wrong: tuple[str, ...]


def judge(lake: storage.Bucket, warehouse: bigquery.Client, dataset: str, number: int) -> Verdict:
    """Hold table, log, ledger, lake and jobs against what was published."""
    published = rows(number)
    query = f"SELECT CAST(file_date AS STRING), parcel, grams FROM `local.{dataset}.{CONTRACT}`"  # noqa: S608 - our own
    found = Counter(tuple(row.values()) for row in warehouse.query(query).result())
    wanted = Counter((day, *row) for day, content in published.items() for row in content)
    lost, doubled = (wanted - found).total(), (found - wanted).total()
    wrong = [f"{lost} rows lost, {doubled} too many"] if found != wanted else []

    claims = {blob.name: json.loads(blob.download_as_bytes()) for blob in lake.list_blobs(prefix=f"log/{CONTRACT}/")}
    by_partition = Counter(claim["partition"] for claim in claims.values())
    wrong += _unequal("claims", by_partition, dict.fromkeys(published, 1))
    objects = {f"gs://{lake.name}/{blob.name}" for blob in lake.list_blobs(prefix="lake/")}
    wrong += _unequal("objects in the lake", objects, {claim["lake_uri"] for claim in claims.values()})

    query = f"SELECT `partition`, n, status, source_rows, lake_rows, warehouse_rows FROM `local.{dataset}.landings`"  # noqa: S608 - our own
    ledger = Counter(tuple(row.values()) for row in warehouse.query(query).result())
    wrong += _unequal("the ledger", ledger, {(day, 0, "loaded", ROWS, ROWS, ROWS): 1 for day in published})

    jobs = [job for job in warehouse.list_jobs(all_users=True) if job.job_id.startswith("landfall-")]
    loads = Counter(job.destination.table_id for job in jobs if job.job_type == "load")
    wrong += _unequal("load jobs", loads, {f"{CONTRACT}${day.replace('-', '')}": 1 for day in published})
    wrong += [f"{job.job_id}: {job.error_result}" for job in jobs if job.error_result]
    inserts = [job.created for job in jobs if job.job_type == "query"]
    return Verdict(lost, doubled, len(claims), loads.total(), _most_in(inserts, 10), tuple(wrong))


def _unequal(what: str, found: object, expected: object) -> list[str]:
    if found == expected:
        return []
    if isinstance(found, Mapping) and isinstance(expected, Mapping):
        differing = [key for key in {*found, *expected} if found.get(key) != expected.get(key)]
        return [f"{what}: {len(differing)} differ, such as {differing[:3]}"]
    return [f"{what}: not as expected"]


def _most_in(moments: Iterable[dt.datetime], seconds: float) -> int:
    """Count how many fall into the fullest window of that length."""
    ordered = sorted(moment.timestamp() for moment in moments)
    most = first = 0
    for last, moment in enumerate(ordered):
        while moment - ordered[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most
