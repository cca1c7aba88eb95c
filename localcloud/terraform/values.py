"""Terraform's values: as Python's own, and on the wire as MessagePack; and walks over a value by its schema.

A block's value is a dict by the names in its schema; nested blocks are lists, or one dict or None for `single`.
"""

import json
from collections.abc import Iterator
from typing import Any

import msgpack

from localcloud.terraform.messages import CLASSES

Value = dict[str, Any]
Block = dict[str, Any]  # as in `terraform providers schema -json`


class _Unknown:
    """What is not known before apply."""

    def __repr__(self) -> str:
        return "(known after apply)"


UNKNOWN = _Unknown()


def unpack(dynamic: Any) -> Any:
    """Read a value from the wire; None stands for a resource that is not there."""
    if dynamic.json:
        return json.loads(dynamic.json)
    if not dynamic.msgpack:
        return None
    return msgpack.unpackb(dynamic.msgpack, strict_map_key=False, ext_hook=lambda _code, _data: UNKNOWN)


def pack(value: Any) -> Any:
    """Write a value for the wire."""
    return CLASSES["DynamicValue"](msgpack=msgpack.packb(value, default=_extension))


def _extension(value: object) -> msgpack.ExtType:
    if value is UNKNOWN:
        return msgpack.ExtType(0, b"\0")
    raise TypeError(f"{value!r}: not a value of Terraform's")


def attributes(block: Block) -> dict[str, Any]:
    """Return a block's attributes by name."""
    found: dict[str, Any] = block.get("attributes", {})
    return found


def blocks(block: Block) -> dict[str, Any]:
    """Return a block's nested blocks by name."""
    found: dict[str, Any] = block.get("block_types", {})
    return found


def elements(value: Any) -> Iterator[tuple[int, Value]]:
    """Yield what a nested block's value holds, with its position."""
    if isinstance(value, dict):
        yield 0, value
    elif isinstance(value, list):
        yield from ((index, each) for index, each in enumerate(value) if isinstance(each, dict))


def shaped(block: Block, value: Value) -> Value:
    """Keep the names that a schema has, and add those that are missing as null."""
    made: Value = {name: value.get(name) for name in attributes(block)}
    for name, nested in blocks(block).items():
        found = [shaped(nested["block"], each) for _index, each in elements(value.get(name))]
        made[name] = next(iter(found), None) if nested["nesting_mode"] == "single" else found
    return made


def with_unknowns(block: Block, value: Value, prior: Value | None = None) -> Value:
    """Let what the provider decides and nothing has decided yet be unknown.

    Args:
        block: the schema.
        value: what is proposed.
        prior: what there is; what it leaves null stays null, or every plan would show a change.
    """
    made = dict(value)
    for name, attribute in attributes(block).items():
        if attribute.get("computed") and value.get(name) is None and prior is None:
            made[name] = UNKNOWN
    for name, nested in blocks(block).items():
        old = [each for _index, each in elements((prior or {}).get(name))]
        old_set = nested["nesting_mode"] == "set"

        def filled(
            index: int, each: Value, block: Block = nested["block"], old: Any = old, unordered: Any = old_set
        ) -> Value:
            if unordered:
                return each if each in old else with_unknowns(block, each)
            return with_unknowns(block, each, old[index] if index < len(old) else None)

        if isinstance(value.get(name), list):
            made[name] = [
                filled(index, each) if isinstance(each, dict) else each for index, each in enumerate(value[name])
            ]
        elif isinstance(value.get(name), dict):
            made[name] = filled(0, value[name])
    return made


def without_unknowns(block: Block, value: Value) -> Value:
    """Let what nothing has decided be null: after apply nothing may be unknown."""
    made = {name: None if value.get(name) is UNKNOWN else value.get(name) for name in attributes(block)}
    for name, nested in blocks(block).items():
        found = value.get(name)
        if isinstance(found, list):
            made[name] = [without_unknowns(nested["block"], each) for _index, each in elements(found)]
        elif isinstance(found, dict):
            made[name] = without_unknowns(nested["block"], found)
        else:
            made[name] = None if nested["nesting_mode"] == "single" else []
    return made
