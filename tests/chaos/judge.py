"""What must hold after a fault and a repeat: the same for all scenarios."""

import datetime as dt
import itertools
from collections import Counter
from dataclasses import dataclass
from typing import Any

from google.api_core.exceptions import NotFound

from flows.etl.sweep import sweep
from tests.chaos.content import Content, digest
from tests.chaos.reader import Reader
from tests.end_to_end.place import Place


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong, in words; `lost` and `doubled` count rows. `is_unseen`: no question fell into its load."""

    wrong: tuple[str, ...]
    lost: int
    doubled: int
    reads_in_load: int
    reads: int
    is_unseen: bool


def judge(place: Place, expected: Content, seen: Reader, versions: list[Content | None]) -> Verdict:
    """Hold warehouse, log, ledger, lake and what the reader saw against what was published.

    `versions` are the contents that a reader may see, in their order; None is an empty table.
    """
    wrong: list[str] = []
    month = expected.month
    found = rows(place, month)
    lost = sum((Counter(expected.rows) - Counter(found)).values())
    doubled = sum((Counter(found) - Counter(expected.rows)).values())
    if digest(found) != expected.digest:
        wrong.append(f"the table holds {len(found)} rows, {lost} lost and {doubled} too many, expected {expected}")
    claims = place.claims(month, "parcels")
    wrong += _log(claims, expected)
    if claims:
        wrong += ledger(place, claims[-1], expected)
        wrong += _lake(place, claims, month)
    published = len([version for version in versions if version])
    if len(claims) > published:
        wrong.append(f"the log has {len(claims)} claims, expected one for each of {published} contents at most")
    jobs = _loads(place, month)
    wrong += _jobs(jobs, month)
    wrong += _answers(seen, versions)
    in_load, is_unseen = _in_load(seen, jobs)
    return Verdict(tuple(wrong), lost, doubled, in_load, len(seen.polls), is_unseen)


def rows(place: Place, month: str) -> list[tuple[Any, ...]]:
    """Read a month; without a table there are none."""
    if "parcels" not in place.tables():
        return []
    table = f"`local.{place.dataset}.parcels`"
    query = f"SELECT parcel, grams, note FROM {table} WHERE file_month = DATE '{month}-01'"
    return [tuple(row.values()) for row in place.bigquery.query(query).result()]


def _log(claims: list[dict[str, Any]], expected: Content) -> list[str]:
    wrong = []
    numbers = [claim["n"] for claim in claims]
    if numbers != list(range(len(numbers))) or not numbers:
        wrong.append(f"the log has the numbers {numbers}, expected 0, 1, ... without a gap")
    elif claims[-1]["source_sha256"] != expected.sha256:
        wrong.append(f"the log's newest claim {numbers[-1]} is of another content than the publisher serves")
    return wrong


def ledger(place: Place, newest: dict[str, Any], expected: Content) -> list[str]:
    """The ledger has one current row of a month, equal to the newest claim, and no claim twice."""
    wrong = []
    month, dataset = expected.month, f"local.{place.dataset}"
    where = f"WHERE contract = 'parcels' AND `partition` = '{month}'"
    query = f"SELECT n, lake_uri, lake_generation, source_rows, lake_rows, warehouse_rows, status FROM `{dataset}.landings_current` {where}"  # noqa: E501
    current = [tuple(row.values()) for row in place.bigquery.query(query).result()]
    count = len(expected.rows)
    wanted = (newest["n"], newest["lake_uri"], newest["lake_generation"], count, count, count, "loaded")
    if current != [wanted]:
        wrong.append(f"the ledger's current rows are {current}, expected one: {wanted}")
    if more := twice(place, month):
        wrong.append(f"the ledger has claims more than once: {more}")
    return wrong


def twice(place: Place, month: str) -> dict[int, int]:
    """Count the ledger's rows by claim, where there is more than one."""
    if "landings" not in place.tables():
        return {}
    table = f"`local.{place.dataset}.landings`"
    query = f"SELECT n, COUNT(*) FROM {table} WHERE `partition` = '{month}' GROUP BY n, status"
    counts = (tuple(row.values()) for row in place.bigquery.query(query).result())
    return {n: times for n, times in counts if times > 1}


def _lake(place: Place, claims: list[dict[str, Any]], month: str) -> list[str]:
    """The newest claim's object is there; of all others under `lake/`, none is claimed."""
    wrong = []
    prefix = f"lake/parcels/{month}/"
    there = {f"gs://{place.bucket}/{b.name}": b for b in place.storage.list_blobs(place.bucket, prefix=prefix)}
    own = there.get(claims[-1]["lake_uri"])
    if own is None:
        wrong.append(f"the newest claim's object {claims[-1]['lake_uri']} is gone")
    elif (own.generation, own.crc32c) != (claims[-1]["lake_generation"], claims[-1]["lake_crc32c"]):
        wrong.append(f"{claims[-1]['lake_uri']} is at generation {own.generation} ({own.crc32c}), unlike its claim")
    if older := sorted({claim["lake_uri"] for claim in claims[:-1]} & set(there)):
        wrong.append(f"older claims' objects are still in reach: {older}")
    return wrong


def unclaimed(place: Place, month: str) -> list[str]:
    """Name what no claim names."""
    claimed = {claim["lake_uri"] for claim in place.claims(month, "parcels")}
    names = [f"gs://{place.bucket}/{name}" for name in place.objects(f"lake/parcels/{month}/")]
    return [name for name in names if name not in claimed]


def sweep_now(place: Place) -> None:
    """Sweep what no claim names, however young."""
    sweep(place.destination, "parcels", dt.timedelta(0))


def sweep_up(place: Place, month: str) -> list[str]:
    """Sweep what no claim names, however young; then the month must have one object, and nothing put aside."""
    sweep_now(place)
    left = place.objects(f"lake/parcels/{month}/") + place.objects(f"quarantine/parcels/{month}/")
    claimed = place.claims(month, "parcels")[-1]["lake_uri"].removeprefix(f"gs://{place.bucket}/")
    return [] if left == [claimed] else [f"after a sweep the lake holds {left}, expected {claimed} alone"]


def lake_bytes(place: Place, month: str) -> dict[str, tuple[str, int]]:
    """Give MD5 and length of the lake's objects, by month: swept, it has one each."""
    blobs = place.storage.list_blobs(place.bucket, prefix=f"lake/parcels/{month}")
    return {blob.name.split("/")[2]: (blob.md5_hash, blob.size) for blob in blobs}


def _loads(place: Place, month: str) -> list[Any]:
    """Fetch the month's load jobs by their ids; a list of all jobs that there ever were takes seconds."""
    found = []
    for entry in place.storage.list_blobs(place.bucket, prefix=f"log/parcels/{month}/"):
        n = int(entry.name.rpartition("/")[2].removesuffix(".json"))
        for attempt in itertools.count():
            job_id = f"landfall-{place.dataset}-parcels-{month}-{n}-{entry.generation}-{attempt}"
            try:
                found.append(place.bigquery.get_job(job_id))
            except NotFound:
                break
    return found


def _jobs(jobs: list[Any], month: str) -> list[str]:
    done = Counter(job.job_id.split(f"-{month}-")[1].split("-")[0] for job in jobs if job.error_result is None)
    more = {int(n): times for n, times in done.items() if times > 1}
    return [f"claims were loaded by more than one job: {more}"] if more else []


def _answers(seen: Reader, versions: list[Content | None]) -> list[str]:
    """Every answer is one whole content, and they follow each other."""
    outlines = [version.outline if version else digest([]) for version in versions]
    last = 0
    for poll in seen.polls:
        if poll.outline not in outlines:
            return [f"a reader saw {poll.rows} rows, which are no whole content"]
        if poll.outline not in outlines[last:]:
            return [f"a reader saw {versions[outlines.index(poll.outline)]} after {versions[last]}"]
        last = outlines.index(poll.outline, last)
    return []


def _in_load(seen: Reader, jobs: list[Any]) -> tuple[int, bool]:
    """Count the answers that were given while a job loaded, and say whether there was a load and none was.

    Where the publisher takes a content back before it is claimed there is no load at all.
    """
    spans = [(_s(job.created), _s(job.ended)) for job in jobs if job.ended]
    first = seen.polls[0].began if seen.polls else 0
    in_load = sum(
        any(p.began <= ended and p.ended >= made for made, ended in spans if made > first) for p in seen.polls
    )
    # a question that a restart cut off was asked, too
    cut_off = any(began <= ended and over >= made for began, over, _ in seen.trouble for made, ended in spans)
    return in_load, bool(spans) and max(ended for _, ended in spans) > first and not in_load and not cut_off


def _s(moment: dt.datetime) -> float:
    return moment.timestamp()
