"""The fixtures for other projects' tests, in a session of pytest of their own."""

import pytest

pytest_plugins = ["pytester"]

TESTS = """
import os
import subprocess
import sys

import pytest
from google.cloud import bigquery, storage

seen = {}


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_has_an_empty_bucket_and_dataset(local_bucket, local_dataset, turn):
    lake, warehouse = storage.Client().bucket(local_bucket), bigquery.Client()
    lake.blob("a name/with a slash.csv").upload_from_string("1")
    job = warehouse.load_table_from_uri(
        f"gs://{local_bucket}/*", f"{local_dataset}.t", job_config=bigquery.LoadJobConfig(
            source_format="CSV", schema=[bigquery.SchemaField("x", "INT64")]))
    assert job.result().output_rows == 1
    assert len(list(storage.Client().list_buckets())) == 1
    assert len(list(warehouse.list_datasets())) == 1
    seen[turn] = (local_bucket, local_dataset)
    assert len(set(seen.values())) == len(seen)


def test_what_they_left_is_gone_and_child_processes_find_the_cloud(local_cloud):
    ask = "from google.cloud import storage; print(len(list(storage.Client().list_buckets())))"
    assert subprocess.check_output([sys.executable, "-c", ask], text=True) == "0\\n"
    assert {name: os.environ[name] for name in local_cloud.environment} == dict(local_cloud.environment)
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in os.environ
    assert os.environ["PREFECT_API_URL"] == "http://mine"
    assert "PREFECT_HOME" not in local_cloud.environment


def test_a_bucket_that_the_test_removed_is_no_error(local_bucket):
    storage.Client().bucket(local_bucket).delete()
"""


def test_a_projects_tests_have_a_cloud_of_their_own_and_leave_nothing_running(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/a key")
    monkeypatch.setenv("PREFECT_API_URL", "http://mine")
    pytester.makeconftest('pytest_plugins = ["localcloud.pytest_plugin"]')
    pytester.makepyfile(
        TESTS,
        test_after="def test_one():\n    pass",
    )

    result = pytester.runpytest_subprocess("--basetemp", str(pytester.path / "temp"))

    result.assert_outcomes(passed=5)
    data = pytester.path / "temp" / "local-cloud0"
    assert list((data / "run").glob("*.json")) == []
    assert (data / "logs" / "bigquery.log").exists()


def test_without_a_test_that_asks_nothing_is_started(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_one():\n    pass")

    result = pytester.runpytest_subprocess("-p", "localcloud.pytest_plugin", "--basetemp", str(pytester.path / "temp"))

    result.assert_outcomes(passed=1)
    assert list((pytester.path / "temp").glob("local-cloud*")) == []
