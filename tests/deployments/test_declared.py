"""prefect.yaml, as everybody gets it, and what is refused of one that does not hold."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule
from prefect.utilities.templating import apply_values

from blocks import work_pool
from blocks.outputs import CloudRun, Outputs
from deployments import declared
from deployments.declared import Declared
from deployments.errors import DeclarationError
from flows import settings
from flows.etl import contract

FILE = Path(__file__).parents[2] / "prefect.yaml"
VARIABLES = {
    "LANDFALL_ENVIRONMENT": "dev",
    "LANDFALL_IMAGE": "example.org/flows:7",
    "LANDFALL_WORKER_ACCOUNT": "worker@p.iam",
}
CONTRACTS = {path.stem: contract.read(settings.CONTRACTS, path.stem) for path in settings.CONTRACTS.glob("*.toml")}
LANDING = "flows/web_to_bigquery.py:web_to_bigquery"


@pytest.fixture(scope="module")
def ours() -> list[Declared]:
    return declared.read(FILE, "dev", VARIABLES)


def one(text: str) -> str:
    """A file with one deployment, which these lines change or add to."""
    lines = {
        "name": "d",
        "entrypoint": LANDING,
        "work_pool": {"name": "landfall-dev", "job_variables": {"image": "{{ $LANDFALL_IMAGE }}"}},
        "tags": declared.tags("dev"),
        "parameters": {"contract": "flights"},
    }
    changes: dict[str, Any] = yaml.safe_load(text) or {}
    return str(yaml.safe_dump({"pull": [], "deployments": [{**lines, **changes}]}))


def read(tmp_path: Path, text: str, **variables: str) -> list[Declared]:
    file = tmp_path / "prefect.yaml"
    file.write_text(text)
    return declared.read(file, "dev", {**VARIABLES, **variables})


def refusal(tmp_path: Path, text: str, **variables: str) -> str:
    with pytest.raises(DeclarationError) as refused:
        read(tmp_path, text, **variables)
    return str(refused.value).replace(f"{tmp_path}/", "")


def test_every_data_set_with_periods_has_a_deployment_of_its_name(ours: list[Declared]) -> None:
    named = {each.name: each for each in ours if each.fields["parameters"]}
    wanted = {f"{name}-dev": {"contract": name} for name, each in CONTRACTS.items() if each.partition != "none"}
    assert {name: each.fields["parameters"] for name, each in named.items()} == wanted
    assert {each.flow for each in named.values()} == {"web-to-bigquery"}


def test_every_snapshot_that_the_web_serves_is_a_schedule_of_one_deployment(ours: list[Declared]) -> None:
    snapshots = next(each for each in ours if each.name == "snapshots-dev")
    wanted = {name for name, each in CONTRACTS.items() if each.partition == "none" and "{publisher}" not in each.source}
    assert {each.slug: each.parameters for each in snapshots.schedules} == {name: {"contract": name} for name in wanted}


def test_nothing_that_the_local_publisher_serves_is_scheduled(ours: list[Declared]) -> None:
    scheduled = {
        each.parameters.get("contract", deployment.fields["parameters"].get("contract"))
        for deployment in ours
        for each in deployment.schedules
    } - {None}
    assert [name for name in scheduled if "{publisher}" in CONTRACTS[name].source] == []


def test_each_half_and_the_whole_can_be_asked_for_in_the_form(ours: list[Declared]) -> None:
    asked = {each.full_name: each.fields["parameter_openapi_schema"] for each in ours if each.name == "any-dev"}
    assert {name: (schema["required"], [*schema["properties"]]) for name, schema in asked.items()} == {
        "web-to-bigquery/any-dev": (["contract"], ["contract", "first", "last", "source", "as_of"]),
        "web-to-gcs/any-dev": (["contract"], ["contract", "first", "last", "source"]),
        "gcs-to-bigquery/any-dev": (["contract"], ["contract", "first", "last"]),
        "web-to-postgres/any-dev": (["contract"], ["contract", "first", "last", "source"]),
        "backfill/any-dev": (["contracts"], ["contracts", "first", "last", "at_once", "on"]),
    }
    described = [part["description"] for schema in asked.values() for part in schema["properties"].values()]
    assert [text for text in described if not text] == []


def test_every_deployment_runs_our_image_in_the_environments_pool_with_what_the_pool_takes(
    ours: list[Declared],
) -> None:
    cloud_run = CloudRun("us-central1", "run@p.iam", "s", "api_key", "INFO", "landfall-dev", 4)
    template = work_pool.template(Outputs("dev", "p", "b", cloud_run=cloud_run), cloud_run, "id")
    for each in ours:
        variables = each.fields["job_variables"]
        assert each.fields["work_pool_name"] == "landfall-dev"
        assert {*variables} <= {*template["variables"]["properties"]}
        big = each.name == "yellow_trips_parquet-dev"
        recovers, long = each.flow == "recover", each.flow == "backfill"
        assert variables == {
            "image": "example.org/flows:7",
            "cpu": "1000m",
            "memory": "2Gi" if big or long else "1Gi" if each.name == "any-dev" else "512Mi",
            "timeout": 14400 if big else 86400 if long else 900 if recovers else 3600,
            **({"service_account_name": "worker@p.iam"} if recovers else {}),
        }


def test_what_a_deployment_says_reaches_the_cloud_run_job(tmp_path: Path) -> None:
    cloud_run = CloudRun("us-central1", "run@p.iam", "s", "api_key", "INFO", "landfall-dev", 4)
    template = work_pool.template(Outputs("dev", "p", "b", cloud_run=cloud_run), cloud_run, "id")
    usual = {name: each["default"] for name, each in template["variables"]["properties"].items() if each.get("default")}

    def job(job_variables: str) -> dict[str, Any]:
        """Fill the template in, as Prefect's worker does."""
        given = read(tmp_path, one(f"work_pool: {{name: p, job_variables: {job_variables}}}"))[0].fields[
            "job_variables"
        ]
        filled = apply_values(template["job_configuration"]["job_body"], usual | given)
        task: dict[str, Any] = filled["template"]["template"]
        container = task["containers"][0]
        limits = container["resources"]["limits"]
        return {"image": container["image"], **limits, "timeout": task["timeout"], "account": task["serviceAccount"]}

    assert job("{image: i}") == {
        "image": "i",
        "cpu": "1000m",
        "memory": "512Mi",
        "timeout": 3600,
        "account": "run@p.iam",
    }
    assert job("{image: i, cpu: 2000m, memory: 2Gi, timeout: 7200, service_account_name: own@p.iam}") == {
        "image": "i",
        "cpu": "2000m",
        "memory": "2Gi",
        "timeout": 7200,
        "account": "own@p.iam",
    }


KINDS = {"cron": CronSchedule, "interval": IntervalSchedule, "rrule": RRuleSchedule}
NEW_YORK = ZoneInfo("America/New_York")


def dates(schedule: CronSchedule | IntervalSchedule | RRuleSchedule, start: dt.datetime) -> list[dt.datetime]:
    """The next three dates, by the server's own reckoning."""
    return [*asyncio.run(schedule.get_dates(3, start=start))]


@pytest.mark.parametrize("month", [1, 7])
def test_every_schedule_is_due_early_in_new_yorks_day_in_winter_and_in_summer(ours: list[Declared], month: int) -> None:
    kinds = set()
    for deployment in (each for each in ours if each.flow != "recover"):
        for each in deployment.schedules:
            kind = next(name for name in KINDS if name in each.when)
            kinds.add(kind)
            start = dt.datetime(2027, month, 1, tzinfo=dt.UTC)
            due = dates(KINDS[kind](**each.when), start)
            local = {date.astimezone(NEW_YORK).time() for date in due}
            assert len(due) == 3
            assert len(local) == 1
            # an interval is elapsed time: at seven in winter, at eight in summer
            assert dt.time(3) <= local.pop() <= (dt.time(8) if kind == "interval" and month == 7 else dt.time(7))
    assert kinds == {*KINDS}


def test_the_months_first_weekday_is_what_the_rule_says(ours: list[Declared]) -> None:
    when = next(each.schedules[0].when for each in ours if each.name == "fhv_trips-dev")
    due = dates(RRuleSchedule(**when), dt.datetime(2026, 7, 15, tzinfo=dt.UTC))
    assert [date.astimezone(NEW_YORK).isoformat() for date in due] == [
        "2026-08-03T07:00:00-04:00",
        "2026-09-01T07:00:00-04:00",
        "2026-10-01T07:00:00-04:00",
    ]


def test_a_run_a_day_at_least_is_due_for_the_alert_waits_no_longer(ours: list[Declared]) -> None:
    landing = [deployment for deployment in ours if deployment.flow.startswith("web-to-")]  # the alert counts no others
    crons = [each.when.get("cron", "") for deployment in landing for each in deployment.schedules]
    assert [cron for cron in crons if cron.endswith("* * *")] != []


@pytest.mark.parametrize("variable", list(VARIABLES))
def test_a_variable_that_is_not_set_or_empty_is_an_error(variable: str) -> None:
    for without in ({name: VARIABLES[name] for name in VARIABLES if name != variable}, {**VARIABLES, variable: ""}):
        with pytest.raises(
            DeclarationError, match=rf"found no value of {variable} \(for .*set it; nothing was written$"
        ):
            declared.read(FILE, "dev", without)


def test_what_a_deployment_leaves_out_comes_from_the_flow_and_the_file(tmp_path: Path) -> None:
    found = read(tmp_path, one("concurrency_limit: 3"))[0]
    schema = found.fields.pop("parameter_openapi_schema")
    assert schema["required"] == ["contract"]
    assert (found.full_name, found.schedules) == ("web-to-bigquery/d", [])
    assert found.fields == {
        "description": found.fields["description"],
        "tags": ["landfall", "environment:dev"],
        "parameters": {"contract": "flights"},
        "job_variables": {"image": "example.org/flows:7"},
        "work_pool_name": "landfall-dev",
        "work_queue_name": "default",
        "entrypoint": LANDING,
        "pull_steps": [],
        "concurrency_limit": 3,
        "concurrency_options": None,
        "enforce_parameter_schema": True,
    }
    assert found.fields["description"].startswith("Land the partitions of a contract that are not up to date.")


DAILY = 'slug: a, cron: "0 6 * * *", timezone: UTC'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nmae: d", "prefect.yaml: deployments[0] d: found the key nmae, expected one of build, concurrency_limit, "),
        ("tags: 7", "prefect.yaml: deployments[0] d: tags.str: found 7: Input should be a valid string"),
        ("name: null", "prefect.yaml: deployments[0]: name: found nothing, expected one"),
        ("work_pool: landfall-dev", "deployments[0] d: work_pool: found 'landfall-dev', expected a mapping"),
        (
            "work_pool: {name: p, jobvariables: {}}",
            "work_pool: found the key jobvariables, expected one of job_variables,",
        ),
        ("work_pool: {job_variables: {}}", "deployments[0] d: work_pool.name: found nothing, expected one"),
        (
            "paused: false",
            "paused: found False, expected nothing: it would undo what a person paused or started; leave",
        ),
        (
            "description: '{{ prefect.blocks.secret.key }}'",
            "description: found {{ prefect.blocks.secret.key }}, expected",
        ),
        ("description: '{{ step.output }}'", "description: found {{ step.output }}, expected a variable of the"),
        (
            "entrypoint: flows/gone.py:gone",
            "entrypoint: found flows/gone.py:gone, which does not load (FileNotFoundError",
        ),
        (
            "entrypoint: flows/sweep.py:gone",
            "entrypoint: found flows/sweep.py:gone, which does not load (AttributeError",
        ),
        (
            "entrypoint: flows/sweep.py:tasks",
            "entrypoint: found flows/sweep.py:tasks, which does not load (MissingFlow",
        ),
        (
            "parameters: {contarct: flights}",
            "parameters: found contarct, expected one of contract, first, last, source, as_of;",
        ),
        (
            "tags: [landfall]",
            "tags: found ['landfall'], expected environment:dev among them: by these it is known when",
        ),
        ("schedules: {}", "deployments[0] d: schedules: found {}, expected a list"),
        (
            "schedules: [{slug: a, cron: '61 * * * *', timezone: UTC}]",
            "d: schedules[0]: found cron Value error, Invalid cron string",
        ),
        (
            "schedules: [{slug: a, rrule: 'FREQ=NEVER', timezone: UTC}]",
            "d: schedules[0]: found rrule Value error, Invalid RRule",
        ),
        (
            "schedules: [{slug: a, cron: '@daily', timezone: Mars/North}]",
            "d: schedules[0]: found timezone Value error, Invalid timezone",
        ),
        (
            "schedules: [{slug: a, crom: '@daily', timezone: UTC}]",
            "d: schedules[0]: found crom Extra inputs are not permitted, exp",
        ),
        (
            "schedules: [{slug: a, cron: '@daily'}]",
            "deployments[0] d: schedules[0]: timezone: found nothing, expected one",
        ),
        (
            "schedules: [{cron: '@daily', timezone: UTC}]",
            "deployments[0] d: schedules[0]: slug: found nothing, expected one",
        ),
        (
            f"schedules: [{{{DAILY}, active: true}}]",
            "schedules[0]: active: found True, expected nothing: it would undo",
        ),
        (
            f"schedules: [{{{DAILY}}}, {{{DAILY}}}]",
            "deployments[0] d: schedules: found the slug a twice, expected once",
        ),
        (
            "schedules: [{slug: a, interval: 3600, timezone: UTC}]",
            "schedules[0]: anchor_date: found None, expected a time with its offset, such as 2026-01-05T07:00:00-05:00",
        ),
        (
            "schedules: [{slug: a, interval: 3600, anchor_date: '2026-01-05T07:00:00', timezone: UTC}]",
            "schedules[0]: anchor_date: found '2026-01-05T07:00:00', expected a time with its offset",
        ),
        (
            f"{{parameters: {{}}, schedules: [{{{DAILY}}}]}}",
            "schedule a: found no value of contract, expected one, for each run needs it",
        ),
        (
            f"schedules: [{{{DAILY}, parameters: {{form: x}}}}]",
            "schedule a: parameters: found form, expected one of contract, first, last, source",
        ),
    ],
)
def test_what_prefect_would_ignore_drop_or_store_is_refused_with_its_place(
    tmp_path: Path, text: str, said: str
) -> None:
    refused = refusal(tmp_path, one(text))
    assert said in refused
    assert refused.endswith("; nothing was written")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("deployments: [", "prefect.yaml: found no YAML: while parsing"),
        ("[]", "prefect.yaml: found [], expected a mapping"),
        ("deployment: []", "prefect.yaml: found the key deployment, expected one of build, definitions, deployments,"),
        ("push: [{a: {}}]", "prefect.yaml: push: found steps, expected none: who builds the image pushes it"),
        ("build: [{a: {}}]", "prefect.yaml: build: found [{'a': {}}], expected [{'deployments.steps.keep':"),
        ("deployments: [7]", "prefect.yaml: deployments[0]: found 7, expected a mapping"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str, said: str) -> None:
    refused = refusal(tmp_path, text)
    assert refused.startswith(said)
    assert refused.endswith("; nothing was written")


def test_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(
        DeclarationError, match=r"prefect\.yaml: not found, expected the deployments; nothing was written"
    ):
        declared.read(tmp_path / "prefect.yaml", "dev", VARIABLES)


def test_two_deployments_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = yaml.safe_load(one(""))
    twice["deployments"] *= 2
    assert refusal(tmp_path, yaml.safe_dump(twice)) == (
        "prefect.yaml: deployment web-to-bigquery/d: found twice, expected once; nothing was written"
    )
