"""What Google does and the local cloud does not is refused by name, never half done."""

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("method", "target", "named"),
    [
        ("GET", "/storage/v1/b/lake/notificationConfigs", "GET /storage/v1/b/lake/notificationConfigs"),
        ("POST", "/storage/v1/b/lake/o/x/restore?generation=1", "POST /storage/v1/b/lake/o/x/restore"),
        ("PUT", "/lake/x", "PUT /lake/x"),
        ("GET", "/storage/v1/b/lake/o?versions=true", "versions=true"),
        ("GET", "/storage/v1/b/lake/o?softDeleted=true", "softDeleted=true"),
        ("GET", "/storage/v1/b/lake/o?filter=x", "filter=x of GET /storage/v1/b/lake/o"),
        ("DELETE", "/storage/v1/b/lake/o/x?overrideUnlockedRetention=true", "overrideUnlockedRetention=true"),
        ("POST", "/upload/storage/v1/b/lake/o?uploadType=media&name=x&predefinedAcl=private", "predefinedAcl=private"),
        (
            "POST",
            "/storage/v1/b/lake/o/x/rewriteTo/b/lake/o/y?rewriteToken=1",
            "rewriteToken=1",
        ),
    ],
)
def test_what_is_not_implemented_is_named(http: Any, method: str, target: str, named: str) -> None:
    http.media("x", b"x")
    refused = http.send(method, target, b"")
    error = refused.json()["error"]
    assert (refused.status, error["code"], error["errors"][0]["reason"]) == (501, 501, "notImplemented")
    assert named in error["message"]
    assert http.names() == ["x"]


def test_what_is_switched_off_is_no_reason_to_refuse(http: Any) -> None:
    http.media("x", b"x")
    assert http.send("GET", "/storage/v1/b/lake/o?versions=False&softDeleted=false").status == 200
    assert http.object("GET", "x", softDeleted="False").status == 200


@pytest.mark.parametrize(
    ("field", "value"), [("temporaryHold", True), ("retention", {"mode": "Locked"}), ("acl", [{"entity": "allUsers"}])]
)
def test_a_field_that_would_be_ignored_is_refused(http: Any, field: str, value: Any) -> None:
    http.media("x", b"x")
    for refused in (
        http.object("PATCH", "x", body={field: value}),
        http.multipart("y", b"y", metadata={field: value}),
        http.begin("y", {field: value}),
    ):
        assert refused.status == 501
        assert f"{field!r}" in refused.json()["error"]["message"]
    assert http.names() == ["x"]


@pytest.mark.parametrize("header", ["X-Goog-Encryption-Key", "Content-Encoding", "If-Match"])
def test_a_header_that_would_be_ignored_is_refused(http: Any, header: str) -> None:
    refused = http.media("x", b"x", {header: "gzip"})
    assert refused.status == 501
    assert header.lower() in refused.json()["error"]["message"].lower()
    assert http.names() == []


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(http: Any, body: bytes) -> None:
    http.media("x", b"x")
    assert http.object("PATCH", "x", body=body).status == 400


@pytest.mark.parametrize("body", [{"contentType": 7}, {"metadata": {"run": 7}}, {"metadata": "run"}])
def test_a_value_of_the_wrong_type_is_refused(http: Any, body: Any) -> None:
    http.media("x", b"x")
    assert http.object("PATCH", "x", body=body).status == 400


def test_a_missing_object_is_named_in_the_refusal(http: Any) -> None:
    error = http.object("GET", "a/b").json()["error"]
    assert error == {
        "code": 404,
        "message": "No such object: lake/a/b",
        "errors": [{"domain": "global", "reason": "notFound", "message": "No such object: lake/a/b"}],
    }


def test_a_custom_time_never_goes_back(http: Any) -> None:
    http.media("x", b"x")
    assert http.object("PATCH", "x", body={"customTime": "2021-02-01T00:00:00Z"}).status == 200
    for earlier in ("2021-01-01T00:00:00Z", None):
        assert http.object("PATCH", "x", body={"customTime": earlier}).status == 400


@pytest.mark.parametrize("fields", ["name,", "items(name", "a/", "(", "a)b"])
def test_a_malformed_selection_is_refused_before_anything_is_done(http: Any, fields: str) -> None:
    refused = http.media("x", b"x", fields=fields)
    assert refused.status == (200 if fields == "name," else 400)
    assert http.names() == (["x"] if refused.status == 200 else [])


@pytest.mark.parametrize("query", [{"maxResults": "0"}, {"maxResults": "-1"}, {"pageToken": "not ours"}])
def test_a_page_that_cannot_be_is_refused(http: Any, query: dict[str, str]) -> None:
    assert http.send("GET", "/storage/v1/b/lake/o", **query).status == 400
