"""Specs: data that comes from elsewhere, and what is refused of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deployments import spec
from deployments.errors import DeclarationError
from deployments.found import Found
from deployments.spec import Spec
from deployments.storage import Storage
from tests.publisher import Publisher

FOUND = Found(
    flow="f",
    variable="f",
    name="f",
    entrypoint="flows/f.py:f",
    source=f"source:{'0' * 16}",
    parameter_openapi_schema={},
)
SPEC = Spec(storage=Storage(kind="image"), flows=[FOUND])


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher() as started:
        yield started


def refusal(tmp_path: Path, *path: str | int, value: Any) -> str:
    """Put a value at a path of a spec, and give what is said of it."""
    raw = SPEC.model_dump(mode="json")
    place: Any = raw
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(raw))
    with pytest.raises(DeclarationError) as refused:
        spec.read(str(file))
    return str(refused.value).removeprefix(f"{file}: ")


def test_a_spec_that_was_written_is_read_back_from_a_file_and_from_an_address(
    tmp_path: Path, publisher: Publisher
) -> None:
    spec.write(SPEC, tmp_path / "spec.json")
    publisher.serve("/spec.json", (tmp_path / "spec.json").read_bytes())
    assert spec.read(str(tmp_path / "spec.json")) == SPEC
    assert spec.read(f"{publisher.url}/spec.json") == SPEC


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("pull",), [], "pull: found []: Extra inputs are not permitted, expected a spec of `landfall build`"),
        (("flows", 0, "pull_steps"), [], "flows.0.pull_steps: found []: Extra inputs are not permitted"),
        (("storage", "steps"), [], "storage.steps: found []: Extra inputs are not permitted"),
        (("storage", "kind"), "shell", "storage.kind: found 'shell': Input should be 'local', 'git', 'gcs', 's3' or "),
        (("landfall_spec",), 2, "landfall_spec: found 2: Input should be 1"),
        (("flows", 0, "paused"), "yes", "flows.0.paused: found 'yes': Input should be a valid boolean"),
        (("flows", 0, "entrypoint"), "../f.py:f", "flow f: entrypoint: found '../f.py:f', expected <file>.py:<flow>"),
        (("flows", 0, "entrypoint"), "/f.py:f", "flow f: entrypoint: found '/f.py:f', expected"),
        (("flows", 0, "entrypoint"), "a/../f.py:f", "flow f: entrypoint: found 'a/../f.py:f', expected"),
        (("flows", 0, "entrypoint"), "f.sh:f", "flow f: entrypoint: found 'f.sh:f', expected"),
        (("flows", 0, "name"), "a/b", "flows.0.name: found 'a/b': String should match pattern"),
        (
            ("flows", 0, "job_variables"),
            {"env": {"KEY": "{{ prefect.blocks.secret.key }}"}},
            "flow f: found '{{ prefect.blocks.secret.key }}', expected a value: a spec is data",
        ),
        (
            ("flows", 0, "parameters"),
            {"a": {"__prefect_kind": "jinja", "template": "x"}},
            "flow f: found '__prefect_kind', expected a value: a spec is data",
        ),
        (
            ("storage",),
            {"kind": "git", "place": "file:///srv/x"},
            "storage: found the repository file:///srv/x, expected https://",
        ),
    ],
)
def test_a_spec_that_is_more_than_data_or_has_an_unknown_key_is_refused(
    tmp_path: Path, path: tuple[str | int, ...], value: Any, said: str
) -> None:
    assert refusal(tmp_path, *path, value=value).startswith(said)


def test_what_is_no_spec_cannot_be_fetched_or_is_not_encrypted_is_refused(tmp_path: Path, publisher: Publisher) -> None:
    (tmp_path / "page.html").write_text("<html>")
    publisher.serve("/big.json", b" " * 2000)
    for place, said in [
        (str(tmp_path / "page.html"), "page.html: found no JSON, expected a spec of `landfall build`"),
        (
            str(tmp_path / "none.json"),
            "none.json: found No such file or directory, expected a spec of `landfall build`",
        ),
        (f"{publisher.url}/none.json?key=1", "/none.json?...: found 404 Not Found, expected 200; expected a spec of"),
        (f"{publisher.url}/big.json", "/big.json: found more than 1,000 bytes, expected a spec"),
        ("http://example.org/x.json", "x.json: found the address 'http://example.org/x.json' without encryption"),
        ("https://169.254.169.254/x", "found the host 169.254.169.254 at 169.254.169.254, a cloud's metadata service"),
    ]:
        with pytest.raises(DeclarationError) as refused:
            spec.read(place, size_at_most=1000)
        assert said in str(refused.value)
