"""Variables of the environment in prefect.yaml, `{{ $NAME }}`."""

from collections.abc import Iterator, Mapping
from typing import Any

from prefect.utilities.templating import PlaceholderType, find_placeholders

from deployments.errors import expect


def fill(declared: dict[str, Any], variables: Mapping[str, str], where: str) -> dict[str, Any]:
    """Put the variables in. Prefect stores an empty text for one that is not set; here that is an error.

    Raises:
        DeclarationError: one is not set or empty, or what stands there is no variable.
    """
    texts = dict(_texts(declared))
    missing = []
    for path, text in texts.items():
        for placeholder in sorted(find_placeholders(text)):
            name = placeholder.name.removeprefix("$")
            expect(
                placeholder.type is PlaceholderType.ENV_VAR,
                f"{where}: {path}: found {placeholder.full_match}, expected a variable of the environment, as"
                " {{ $NAME }}: what a block holds would be stored in clear, and nothing else has a value",
            )
            if not variables.get(name):
                missing.append(f"{name} (for {path})")
    expect(not missing, f"{where}: found no value of {', '.join(missing)}, expected one; set it")
    filled: dict[str, Any] = _filled(declared, variables)
    return filled


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, variables) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, variables) for each in value]
    if isinstance(value, str):
        for placeholder in find_placeholders(value):
            value = value.replace(placeholder.full_match, variables[placeholder.name.removeprefix("$")])
    return value


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _texts(each, f"{path}[{index}]")
