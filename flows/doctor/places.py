"""Bucket and dataset: there, labelled, where they should be, and as infra/ makes them; from what the APIs answered."""

from typing import Any

from flows.doctor.apis import BIGQUERY, STORAGE, said
from flows.doctor.finding import Finding, ok, problem, skipped, warning
from flows.doctor.seen import Answer, Seen

_DAY_S = 86400
# multi-regions, and how the names of the regions begin that are in them
_WITHIN = {"US": "us-", "EU": "europe-"}


def bucket(seen: Seen) -> Finding:
    """Look at the lake's bucket."""
    return _there(f"gs://{seen.lake.bucket}", "storage.buckets.get", seen.answers[STORAGE], seen)


def dataset(seen: Seen) -> Finding:
    """Look at the warehouse's dataset."""
    name = f"{seen.warehouse.gcp_credentials.project}.{seen.settings.dataset}"
    return _there(name, "bigquery.datasets.get", seen.answers[BIGQUERY], seen)


def _there(what: str, permission: str, answer: Answer, seen: Seen) -> Finding:
    if answer.status == 200:
        return ok(f"{what} in {answer.body.get('location')}")
    if answer.status == 404:
        return problem(f"{what}: not there", f"{seen.make_apply}; on a laptop {seen.make_blocks} makes it as well")
    if answer.status == 403:
        return problem(
            f"{what}: this account may not look at it ({permission}): {said(answer)}",
            "act as the run's account (docs/google-cloud.md, Run by hand), or is the name another project's?",
        )
    return problem(f"{what}: answers {answer.status}: {said(answer)}", "wait, and ask again: landfall doctor")


def labels(seen: Seen) -> Finding:
    """Compare the labels by which a run refuses another environment's bucket or dataset."""
    environment = seen.settings.environment
    found = {
        f"gs://{seen.lake.bucket}": _labels(seen.answers[STORAGE]).get("environment"),
        seen.settings.dataset: _labels(seen.answers[BIGQUERY]).get("environment"),
    }
    wrong = [f"{what} has environment={label or '(none)'}" for what, label in found.items() if label != environment]
    if wrong:
        return problem(
            f"{', '.join(wrong)}, expected {environment}: each run refuses that",
            f"are LANDFALL_ENVIRONMENT and the blocks of the same environment? Then {seen.make_apply}; never relabel to"
            " get on",
        )
    return ok(f"bucket and dataset have environment={environment}")


def locations(seen: Seen) -> Finding:
    """Compare where bucket, dataset and jobs are."""
    places = (seen.answers[STORAGE].body["location"], seen.answers[BIGQUERY].body["location"], seen.region)
    return judge_locations(*places)


def judge_locations(bucket: str, dataset: str, region: str | None) -> Finding:
    """Tell whether BigQuery can load from the bucket, and whether jobs pay for traffic."""
    found = f"bucket in {bucket}, dataset in {dataset}" + (f", jobs in {region}" if region else "")
    if not _within(bucket, dataset):
        return problem(
            f"{found}: BigQuery loads from a bucket in the dataset's own location, or within it",
            "neither can move: set `location` in infra/envs/*.tfvars, make a new environment, and land anew",
        )
    if region and not _within(region, bucket):
        return warning(
            f"{found}: each byte of a run is paid for as traffic",
            f"set `region` in infra/envs/*.tfvars to one within {bucket}, make apply, make blocks",
        )
    return ok(found)


def _within(place: str, other: str) -> bool:
    place, other = place.upper(), other.upper()
    return place == other or place.startswith(_WITHIN.get(other, "-").upper())


def bucket_settings(seen: Seen) -> list[Finding] | Finding:
    """Compare the bucket's settings with what infra/lake.tf says of each."""
    answer = seen.answers[STORAGE]
    if _labels(answer).get("application") != "landfall":
        return skipped(
            f"gs://{seen.lake.bucket} was not made by infra/ (it has no label application=landfall)", seen.make_apply
        )
    return judge_settings(answer.body, seen.make_apply)


def judge_settings(body: dict[str, Any], make_apply: str) -> list[Finding]:
    """Judge versions, lifecycle, soft delete and who may read."""
    found = []
    if body.get("versioning", {}).get("enabled"):
        found.append(warning("versions are kept: of objects that never change, but are deleted on purpose", make_apply))
    rules = body.get("lifecycle", {}).get("rule", [])
    ages = [
        rule["condition"]["age"]
        for rule in rules
        if rule.get("action", {}).get("type") == "Delete"
        and rule.get("condition", {}).get("matchesPrefix") == ["superseded/"]
        and "age" in rule["condition"]
    ]
    if not ages:
        found.append(
            warning("no lifecycle rule deletes superseded/: what newer files replaced is paid for", make_apply)
        )
    broad = [
        rule
        for rule in rules
        if rule.get("action", {}).get("type") == "Delete"
        and not all(prefix.startswith("superseded/") for prefix in rule.get("condition", {}).get("matchesPrefix", [""]))
    ]
    if broad:
        found.append(problem(f"a lifecycle rule deletes more than superseded/: {broad[0]['condition']}", make_apply))
    seconds = int(body.get("softDeletePolicy", {}).get("retentionDurationSeconds", 0))
    if not seconds:
        found.append(warning("no soft delete: what is deleted by mistake is gone", make_apply))
    access = body.get("iamConfiguration", {})
    if access.get("publicAccessPrevention") != "enforced":
        found.append(warning("public access is not prevented", make_apply))
    if not access.get("uniformBucketLevelAccess", {}).get("enabled"):
        found.append(warning("objects can have access lists of their own", make_apply))
    kept = f"superseded/ is deleted after {min(ages)} days, " if ages else ""
    return found or [ok(f"{kept}soft delete keeps {seconds // _DAY_S} days, no versions, not public")]


def _labels(answer: Answer) -> dict[str, str]:
    return answer.body.get("labels") or {}
