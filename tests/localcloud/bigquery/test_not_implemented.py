"""What this server does not know answers 501 and its name; what it knows are Google's own names."""

import json
from importlib.resources import files
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import bigquery

from localcloud.bigquery import configurations, resources
from localcloud.bigquery.job_records import JobRecord
from localcloud.bigquery.resources import Resource

LOAD = {
    "destinationTable": {"projectId": "local", "datasetId": "trips", "tableId": "t"},
    "sourceUris": ["gs://lake/a.parquet"],
}
QUERY = {"query": "SELECT 1", "useLegacySql": False}
REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "/jobs", {"configuration": {"load": {**LOAD, "dateFormat": "x"}}}, "configuration.load.dateFormat"),
    ("POST", "/jobs", {"configuration": {"load": {**LOAD, "sourceFormat": "AVRO"}}}, "configuration.load.sourceFormat"),
    ("POST", "/jobs", {"configuration": {"load": {**LOAD, "maxBadRecords": 3}}}, "configuration.load.maxBadRecords"),
    (
        "POST",
        "/jobs",
        {"configuration": {"load": {**LOAD, "schema": {"fields": [{"name": "x", "type": "INT64", "policyTags": {}}]}}}},
        "configuration.load.schema.fields.0.policyTags",
    ),
    ("POST", "/jobs", {"configuration": {"load": LOAD, "jobTimeoutMs": "1"}}, "configuration.jobTimeoutMs"),
    ("POST", "/jobs", {"configuration": {"query": {"query": "SELECT 1"}}}, "configuration.query.useLegacySql"),
    ("POST", "/jobs", {"configuration": {"query": {**QUERY, "createSession": True}}}, "query.createSession"),
    ("POST", "/jobs", {"configuration": {"copy": {**LOAD, "operationType": "CLONE"}}}, "copy"),
    ("POST", "/jobs", {"configuration": {"load": LOAD}, "surprise": 1}, "surprise"),
    ("POST", "/queries", {**QUERY, "continuous": True}, "continuous"),
    (
        "POST",
        "/datasets",
        {"datasetReference": {"datasetId": "d"}, "access": [{"role": "READER", "condition": {}}]},
        "access.0.condition",
    ),
    ("PATCH", "/datasets/trips", {"maxTimeTravelHours": "48"}, "maxTimeTravelHours"),
    (
        "POST",
        "/datasets/trips/tables",
        {"tableReference": {"datasetId": "trips", "tableId": "t"}, "externalDataConfiguration": {}},
        "externalDataConfiguration",
    ),
    (
        "POST",
        "/datasets/trips/tables",
        {"tableReference": {"datasetId": "trips", "tableId": "t"}, "requirePartitionFilter": True},
        "requirePartitionFilter",
    ),
    ("GET", "/jobs?parentJobId=x", {}, "parentJobId"),
    ("GET", "/datasets/trips?datasetView=FULL", {}, "datasetView"),
    ("GET", "/datasets/trips/routines", {}, "GET /bigquery/v2/projects/local/datasets/trips/routines"),
    ("DELETE", "/jobs/x/delete", {}, "DELETE /bigquery/v2/projects/local/jobs/x/delete"),
]


@pytest.mark.parametrize(("verb", "path", "body", "named"), REFUSED, ids=[case[3] for case in REFUSED])
def test_an_unknown_field_parameter_or_method_is_501_and_named(
    client: bigquery.Client, verb: str, path: str, body: dict[str, Any], named: str
) -> None:
    request = client._connection.api_request  # noqa: SLF001 - the client itself cannot send these
    with pytest.raises(exceptions.MethodNotImplemented) as refused:
        request(method=verb, path=f"/projects/local{path}", data=body or None)  # type: ignore[no-untyped-call]
    assert named in refused.value.message
    assert refused.value.errors[0]["reason"] == "notImplemented"


def test_every_field_that_is_understood_is_one_of_googles() -> None:
    documents = files("googleapiclient") / "discovery_cache" / "documents" / "bigquery.v2.json"
    schemas = json.loads(documents.read_text())["schemas"]
    understood: dict[type[Resource], str] = {
        resources.Dataset: "Dataset",
        resources.Table: "Table",
        resources.Column: "TableFieldSchema",
        resources.TimePartitioning: "TimePartitioning",
        resources.RangePartitioning: "RangePartitioning",
        resources.Clustering: "Clustering",
        resources.View: "ViewDefinition",
        configurations.Configuration: "JobConfiguration",
        configurations.Load: "JobConfigurationLoad",
        configurations.Query: "JobConfigurationQuery",
        configurations.Copy: "JobConfigurationTableCopy",
        configurations.Extract: "JobConfigurationExtract",
        configurations.QueryRequest: "QueryRequest",
        configurations.QueryParameter: "QueryParameter",
        configurations.ParquetOptions: "ParquetOptions",
        configurations.InsertAllRequest: "TableDataInsertAllRequest",
        JobRecord: "Job",
    }
    strange = {
        name: sorted(ours)
        for model, name in understood.items()
        if (ours := {str(field.alias) for field in model.model_fields.values()} - set(schemas[name]["properties"]))
    }
    assert strange == {}


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("DECLARE x INT64; SELECT x", "DECLARE"),
        ("CREATE TABLE trips.u CLONE trips.t", "CLONE"),
        ("CREATE TABLE trips.u (x BIGNUMERIC)", "BIGNUMERIC"),
        ("SELECT * FROM `trips.t_*`", "wildcard"),
        ("SELECT DATE_TRUNC(CURRENT_TIMESTAMP(), DAY, 'Europe/Paris')", "DATE_TRUNC"),
        ("SELECT EXTRACT(MICROSECOND FROM CURRENT_TIMESTAMP())", "MICROSECOND"),
        ("SELECT FORMAT('%t', 1)", "FORMAT"),
        ("SELECT FARM_FINGERPRINT('a')", "farm_fingerprint"),
    ],
)
def test_sql_that_is_not_understood_is_501_and_named(client: bigquery.Client, sql: str, named: str) -> None:
    with pytest.raises(exceptions.MethodNotImplemented) as refused:
        client.query(sql).result()
    assert named.lower() in refused.value.message.lower()
