"""The JSON file that `landfall build` writes and `landfall register --json` reads: data, and never code.

What a run does is decided by where its code is from; so who serves a spec is trusted with what the flows do. It cannot
name a step to run, cannot reach out of the folder that runs begin in, and cannot ask Prefect for a block's secret.
"""

import json
import re
from pathlib import Path
from typing import Any, Literal

from prefect.utilities.templating import find_placeholders
from pydantic import ValidationError

from deployments.declared import said
from deployments.errors import DeclarationError
from deployments.found import Found, Part
from deployments.storage import Storage
from flows.etl.address import shown
from flows.etl.errors import LandfallError
from flows.etl.reach import Reach
from flows.etl.request import ask

SIZE_AT_MOST = 16 << 20  # bytes; a thousand flows are two million
ENTRYPOINT = re.compile(r"(?:(?!\.\.?/|/)[^:\\/]+/)*[^:\\/]+\.py:[^\W\d]\w*|[^\W\d]\w*(?:\.[^\W\d]\w*)+")


class Spec(Part):
    """What the file holds."""

    landfall_spec: Literal[1] = 1
    """The form's number: another one may have other keys."""
    storage: Storage | None = None
    """Where runs take the code from, if it was said."""
    flows: list[Found]


def write(spec: Spec, file: Path) -> None:
    """Write a spec, the same bytes for the same flows."""
    text = json.dumps(spec.model_dump(mode="json", exclude_defaults=False), indent=2, sort_keys=True)
    file.write_text(f"{text}\n", encoding="utf-8")


def read(place: str, size_at_most: int = SIZE_AT_MOST) -> Spec:
    """Read a spec from a file, or from an address.

    Args:
        place: a path; or an address, https, or http on this machine. Whoever runs this typed it: it may be anywhere.
        size_at_most: in bytes, of what an address gives.

    Raises:
        DeclarationError: it cannot be read, is no spec, or has in it what a spec must not have.
    """
    is_address = "://" in place
    where = shown(place) if is_address else place
    try:
        raw = _fetched(place, where, size_at_most) if is_address else Path(place).read_bytes()
        spec = Spec.model_validate_json(raw)
    except OSError as error:
        raise DeclarationError(f"{where}: found {error.strerror}, expected a spec of `landfall build`") from error
    except LandfallError as error:
        found, _, _ = str(error).partition(";")  # what to do about a publisher's file comes after it
        raise DeclarationError(f"{found}; expected a spec of `landfall build`") from error
    except ValidationError as error:
        is_json = error.errors()[0]["type"] != "json_invalid"  # else the whole file would be in the message
        why = said(error) if is_json else "found no JSON"
        raise DeclarationError(f"{where}: {why}, expected a spec of `landfall build`") from error
    for each in spec.flows:
        _check(each, f"{where}: flow {each.flow}")
    if spec.storage and spec.storage.kind == "git" and not spec.storage.place.startswith("https://"):
        raise DeclarationError(f"{where}: storage: found the repository {spec.storage.place}, expected https://")
    return spec


def _fetched(address: str, where: str, size_at_most: int) -> bytes:
    with ask("GET", address, reach=Reach.of(address, (), [address])) as response:
        found = b""
        for piece in response.iter_content(1 << 16):
            found += piece
            if len(found) > size_at_most:
                raise DeclarationError(f"{where}: found more than {size_at_most:,} bytes, expected a spec")
        return found


def _check(found: Found, where: str) -> None:
    if not ENTRYPOINT.fullmatch(found.entrypoint):
        raise DeclarationError(
            f"{where}: entrypoint: found {found.entrypoint!r}, expected <file>.py:<flow> below the folder that runs"
            " begin in, or <module>.<flow>"
        )
    schedules = [[each.parameters, each.when] for each in found.schedules]
    for text in _texts([found.parameters, found.job_variables, schedules]):
        if find_placeholders(text) or text == "__prefect_kind":
            raise DeclarationError(
                f"{where}: found {text!r}, expected a value: a spec is data, and Prefect would put something else there"
            )


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for key, each in value.items() for text in [str(key), *_texts(each)]]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []
