import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from blocks.compare import differences
from blocks.database import connection
from blocks.documents import wanted
from blocks.outputs import CloudRun, Outputs, OutputsError, ask_terraform, parse

VALUES: dict[str, Any] = {
    "environment": "dev",
    "project_id": "acme-data",
    "lake_bucket": "acme-data-landfall-dev-lake",
    "region": "europe-west4",
    "run_service_account": "run@acme-data.iam.gserviceaccount.com",
    "prefect_api_secret": "landfall-dev-prefect-api",
    "prefect_auth": "api_key",
    "log_level": "INFO",
    "work_pool": "landfall-dev",
    "work_pool_concurrency": 4,
}


def printed(**changes: Any) -> str:
    """What `terraform output -json` prints: an output that is null is left out."""
    values = {name: value for name, value in (VALUES | changes).items() if value is not None}
    return json.dumps({name: {"sensitive": False, "type": "string", "value": value} for name, value in values.items()})


def refusal(text: str, environment: str | None = None) -> str:
    with pytest.raises(OutputsError) as caught:
        parse(text, "infra", environment)
    return str(caught.value)


ALL = Outputs(
    "dev",
    "acme-data",
    "acme-data-landfall-dev-lake",
    None,
    CloudRun(
        "europe-west4",
        "run@acme-data.iam.gserviceaccount.com",
        "landfall-dev-prefect-api",
        "api_key",
        "INFO",
        "landfall-dev",
        4,
    ),
)


def test_outputs_are_taken_by_name_and_others_are_ignored() -> None:
    assert parse(printed(another=["thing"]), "infra", "dev") == ALL


def test_an_environment_without_a_work_pool_has_no_cloud_run() -> None:
    assert parse(printed(work_pool=None, region=None), "infra") == replace(ALL, cloud_run=None)


@pytest.mark.parametrize("name", sorted(VALUES.keys() - {"work_pool"}))
def test_a_missing_output_is_named(name: str) -> None:
    assert refusal(printed(**{name: None})) == (
        f"infra: found no output {name!r}, expected one; run `make apply`, nothing was written"
    )


def test_a_state_that_was_never_applied_is_refused() -> None:
    assert refusal("{}") == (
        "infra: found no output 'environment', expected one; run `make apply`, nothing was written"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "",
            (
                "infra: found no JSON (Expecting value: line 1 column 1 (char 0)), expected `terraform output -json`;"
                " nothing was written"
            ),
        ),
        ("[1]", "infra: found no outputs, expected what `terraform output -json` prints; nothing was written"),
        ('{"a": 1}', "infra: found no outputs, expected what `terraform output -json` prints; nothing was written"),
        (
            printed(work_pool_concurrency="4"),
            "infra: found the output work_pool_concurrency = '4', expected a whole number; nothing was written",
        ),
        (
            printed(work_pool_concurrency=True),
            "infra: found the output work_pool_concurrency = True, expected a whole number; nothing was written",
        ),
        (
            printed(project_id=["acme"]),
            "infra: found the output project_id = ['acme'], expected a text; nothing was written",
        ),
        (
            printed(prefect_auth="token"),
            "infra: found the output prefect_auth = 'token', expected api_key or auth_string; nothing was written",
        ),
        (
            printed(environment="Dev"),
            "infra: found the environment 'Dev', expected lower case, digits and hyphens; nothing was written",
        ),
    ],
)
def test_outputs_that_do_not_hold_are_refused(text: str, message: str) -> None:
    assert refusal(text) == message


def test_the_outputs_of_another_environment_are_refused() -> None:
    assert refusal(printed(), "prod") == (
        "infra: found the outputs of environment 'dev', expected 'prod'; run `make apply ENV=prod`, nothing was written"
    )


def test_without_terraform_on_the_path_one_line_says_where_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OutputsError) as caught:
        ask_terraform(tmp_path)
    assert str(caught.value) == (
        "terraform: not found on the PATH, expected 1.11 or newer; get it from"
        " https://developer.hashicorp.com/terraform/install, nothing was written"
    )


def test_terraforms_own_refusal_becomes_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "terraform"
    program.write_text("#!/bin/sh\nprintf '╷\\n│ Error: Backend initialization\\n│ required\\n╵\\n' >&2; exit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OutputsError) as caught:
        ask_terraform(Path("infra"))
    assert str(caught.value) == (
        "infra: terraform output answered: Error: Backend initialization required; nothing was written"
    )


def test_a_databases_address_becomes_a_connection_without_password() -> None:
    assert connection("postgresql+psycopg2://etl@db.example.org:5432/trips?sslmode=require") == {
        "driver": "postgresql+psycopg2",
        "database": "trips",
        "username": "etl",
        "host": "db.example.org",
        "port": 5432,
        "query": {"sslmode": "require"},
    }


@pytest.mark.parametrize(
    ("address", "found"),
    [("postgresql://etl:hunter2@db/trips", "found a password in it"), ("etl:hunter2@db", "found no address")],
)
def test_a_databases_password_in_the_outputs_is_refused_and_not_repeated(address: str, found: str) -> None:
    with pytest.raises(OutputsError, match=found) as caught:
        connection(address)
    assert "hunter2" not in str(caught.value)


def test_differences_name_their_path_and_hide_secrets() -> None:
    found = {
        "project": "a",
        "same": {"x": 1},
        "info": {"key": "hunter2", "host": "h"},
        "keys": {"k": "hunter2"},
        "more": "m",
    }
    wanted = {
        "project": "b",
        "same": {"x": 1},
        "info": {"key": "hunter3", "host": "i"},
        "keys": {"k": "hunter3"},
        "more": None,
    }
    assert differences(found, wanted, ["info.key", "keys.*", "more.*"]) == [
        "info.host: 'h' -> 'i'",
        "info.key: (a secret) -> (a secret)",
        "keys.k: (a secret) -> (a secret)",
        "more: (a secret) -> None",
        "project: 'a' -> 'b'",
    ]


def test_a_databases_address_in_the_environment_stands_in_for_the_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANDFALL_DATABASE_URL", "postgresql+psycopg://me@127.0.0.1:5433/taxis")
    for given in (printed(), printed(database_url="postgresql+psycopg://etl@db.example.org/trips")):
        made = wanted(parse(given, "outputs"))[-1]
        assert (made.name, made.data["connection_info"]["database"]) == ("landfall-dev-database", "taxis")
    monkeypatch.setenv("LANDFALL_DATABASE_URL", "postgresql+psycopg://me:pw@127.0.0.1/taxis")
    with pytest.raises(OutputsError, match="LANDFALL_DATABASE_URL: found a password in it"):
        wanted(parse(printed(), "outputs"))
