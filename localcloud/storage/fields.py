"""Partial responses: `fields=items(name,metadata/run),nextPageToken`.

Source: https://cloud.google.com/storage/docs/json_api#partial-response
"""

import re
from typing import Any, TypeAlias

from localcloud.storage.errors import Invalid

Mask: TypeAlias = dict[str, "Mask"]  # an empty mask keeps everything below


def select(document: dict[str, Any], mask: Mask) -> dict[str, Any]:
    """Keep what a mask names; a name that the document has not is left out, as Google does."""
    if "*" in mask:
        mask = {**dict.fromkeys(document, mask["*"]), **mask}
    return {name: _selected(document[name], mask[name]) for name in document if name in mask}


def parse_mask(text: str) -> Mask:
    """Read a `fields` parameter.

    Raises:
        Invalid: it does not follow the grammar.
    """
    tokens = re.findall(r"[^\s,()/]+|[,()/]", text)
    mask = _names(tokens)
    if tokens or not mask:
        raise Invalid(f"Invalid field selection {text!r}")
    return mask


def _selected(value: Any, mask: Mask) -> Any:
    if not mask:
        return value
    if isinstance(value, list):
        return [_selected(each, mask) for each in value]
    return select(value, mask) if isinstance(value, dict) else value


def _names(tokens: list[str]) -> Mask:
    """Take `a,b/c,d(e,f)` off the tokens; what is left does not belong to it."""
    mask: Mask = {}
    while tokens and tokens[0] not in ",()/":
        name = tokens.pop(0)
        mask.setdefault(name, {}).update(_below(tokens))
        if tokens[:1] != [","]:
            break
        tokens.pop(0)
    return mask


def _below(tokens: list[str]) -> Mask:
    if tokens[:1] == ["/"]:
        tokens.pop(0)
        if not tokens or tokens[0] in ",()/":
            raise Invalid("Invalid field selection: a name must follow '/'")
        return {tokens.pop(0): _below(tokens)}
    if tokens[:1] == ["("]:
        tokens.pop(0)
        inner = _names(tokens)
        if tokens[:1] != [")"]:
            raise Invalid("Invalid field selection: unbalanced parentheses")
        tokens.pop(0)
        return inner
    return {}
