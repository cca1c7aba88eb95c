"""What commands that only look import, and how they find bucket and dataset without Prefect's library."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.cli import lookout
from flows.settings import Settings
from tests.end_to_end.place import Place
from tests.publisher import Publisher

ROOT = Path(__file__).parents[1]
PLAIN = {"project": "local", "service_account_info": None, "service_account_file": None}
SETTINGS = Settings(environment="t")


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """Prefect's API, as far as it gives blocks' documents."""
    for name in [*os.environ]:
        if name.startswith("PREFECT_"):
            monkeypatch.delenv(name)
    with Publisher() as started:
        monkeypatch.setenv("PREFECT_API_URL", f"{started.url}/api")
        monkeypatch.setenv("PREFECT_API_AUTH_STRING", "local:secret")
        put(started)
        yield started


def put(api: Publisher, lake: object = PLAIN, warehouse: object = PLAIN) -> None:
    kinds = {"gcs-bucket": ("lake", lake), "bigquery-warehouse": ("warehouse", warehouse)}
    for kind, (name, credentials) in kinds.items():
        document = {"data": {"bucket": "b", "gcp_credentials": credentials}}
        path = f"/api/block_types/slug/{kind}/block_documents/name/landfall-t-{name}"
        api.serve(path, json.dumps(document).encode())


def test_blocks_without_a_key_are_read_from_the_api_by_who_asks(api: Publisher) -> None:
    found = lookout._documents(SETTINGS)  # noqa: SLF001
    assert found == ({"bucket": "b", "gcp_credentials": PLAIN},) * 2
    assert {each["Authorization"] for each in api.headers} == {"Basic bG9jYWw6c2VjcmV0"}
    assert set(api.queries) == {"include_secrets=true"}


@pytest.mark.parametrize(
    "credentials", [{**PLAIN, "service_account_info": {"type": "service_account"}}, {"project": None}, {}, None]
)
def test_a_block_with_a_key_or_of_another_form_is_left_to_prefect(api: Publisher, credentials: object) -> None:
    put(api, warehouse=credentials)
    assert lookout._documents(SETTINGS) is None  # noqa: SLF001


@pytest.mark.parametrize(
    ("name", "value"),
    [("PREFECT_API_URL", "http://127.0.0.1:1/api"), ("PREFECT_PROFILE", "mine"), ("PREFECT_API_TLS_INSECURE", "1")],
)
def test_an_api_that_does_not_answer_or_is_asked_in_another_way_is_left_to_prefect(
    api: Publisher, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    assert api.url
    monkeypatch.setenv(name, value)
    assert lookout._documents(SETTINGS) is None  # noqa: SLF001


def test_a_missing_block_is_left_to_prefect(api: Publisher) -> None:
    assert lookout._documents(Settings(environment="other")) is None  # noqa: SLF001
    assert len(api.requests) == 1


@pytest.mark.parametrize("command", ["status", "history"])
def test_looking_imports_neither_prefect_nor_pandas(place: Place, cloud: dict[str, str], command: str) -> None:
    script = (
        f"import sys; sys.argv = ['landfall', '{command}', 'flights', '--json']; from flows.cli.main import main\n"
        "try: main()\n"
        "finally: sys.stderr.write(' '.join(sys.modules))"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=ROOT, env={**os.environ, **cloud, **place.settings}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    heavy = {"prefect", "prefect_gcp", "pandas"} & set(ended.stderr.split())
    assert (ended.returncode in (0, 1), heavy) == (True, set()), ended.stderr[-2000:]
    assert "Error" not in ended.stderr
