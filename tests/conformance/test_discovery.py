"""The judge itself: what it lets pass and what it finds."""

import json
from typing import Any

import pytest

from tests.conformance.discovery import Exchange, Judge

JSON = {"content-type": "application/json"}
TABLES = "/bigquery/v2/projects/p/datasets/d/tables"
REFUSED = {"error": {"code": 404, "message": "gone", "errors": [{"reason": "notFound"}]}}


def exchange(verb: str, target: str, sent: Any, status: int, said: Any) -> Exchange:
    body = b"" if sent is None else json.dumps(sent).encode()
    return Exchange(verb, target, JSON, body, status, JSON, b"" if said is None else json.dumps(said).encode())


@pytest.fixture(scope="module")
def bigquery() -> Judge:
    return Judge("bigquery.v2")


@pytest.mark.parametrize(
    ("verb", "target", "sent", "status", "said"),
    [
        ("GET", f"{TABLES}/t", None, 200, {"id": "p:d.t", "numRows": "3", "schema": {"fields": [{"name": "x"}]}}),
        ("POST", TABLES, {"labels": {"a": "b"}, "expirationTime": 5}, 200, {"labels": {"a": "b"}}),
        ("PATCH", f"{TABLES}/t?fields=etag", {"description": None}, 200, {"etag": "e"}),
        ("GET", f"{TABLES}/t", None, 404, REFUSED),
        ("POST", TABLES, {"surprise": 1}, 404, REFUSED),
        ("GET", "/elsewhere", None, 200, {"surprise": 1}),
    ],
)
def test_what_google_has_passes(bigquery: Judge, verb: str, target: str, sent: Any, status: int, said: Any) -> None:
    assert bigquery.deviations(exchange(verb, target, sent, status, said)) == []


@pytest.mark.parametrize(
    ("verb", "target", "sent", "status", "said", "found"),
    [
        ("GET", f"{TABLES}/t", None, 200, {"numRows": 3}, "answer.numRows is 3, expected string"),
        ("GET", f"{TABLES}/t", None, 200, {"numRows": "three"}, "answer.numRows is 'three', expected digits"),
        ("GET", f"{TABLES}/t", None, 200, {"rows": "3"}, "answer.rows is no field of Google's Table"),
        ("GET", f"{TABLES}/t", None, 200, {"description": None}, "answer.description is null"),
        ("GET", f"{TABLES}?maxResults=many", None, 200, {}, "the parameter maxResults is 'many', expected an integer"),
        ("GET", f"{TABLES}?limit=3", None, 200, {}, "the parameter limit is none of Google's"),
        ("POST", TABLES, {"schema": {"fields": [{"kind": "x"}]}}, 200, {}, "request.schema.fields[0].kind is no field"),
        ("GET", f"{TABLES}/t", None, 404, {"error": "gone"}, "expected Google's error"),
        ("GET", f"{TABLES}/t", None, 404, {"error": {**REFUSED["error"], "code": 400}}, "expected code, message"),
        ("GET", "/bigquery/v2/surprise", None, 200, {}, "no method of Google's"),
    ],
)
def test_what_google_lacks_is_found(
    bigquery: Judge, verb: str, target: str, sent: Any, status: int, said: Any, found: str
) -> None:
    (deviation,) = bigquery.deviations(exchange(verb, target, sent, status, said))
    assert found in deviation


def test_the_metadata_of_a_multipart_upload_is_judged() -> None:
    body = (
        b'--e\r\nContent-Type: application/json\r\n\r\n{"name": "a", "surprise": 1}\r\n'
        b"--e\r\nContent-Type: text/plain\r\n\r\nbytes\r\n--e--\r\n"
    )
    headers = {"content-type": 'multipart/related; boundary="e"'}
    target = "/upload/storage/v1/b/lake/o?uploadType=multipart"
    said = json.dumps({"name": "a", "size": "5"}).encode()
    (deviation,) = Judge("storage.v1").deviations(Exchange("POST", target, headers, body, 200, JSON, said))
    assert "request.surprise is no field of Google's Object" in deviation
