"""From a plan to what was done, said line by line."""

# ruff: noqa: T201  # this is what commands print

import sys
from collections.abc import Callable

from blocks.change import Change, Known
from blocks.server import Server, ServerError, connect

DIFFERENT = 2
"""The exit code of --check when there is something to do, as of `terraform plan -detailed-exitcode`."""

DONE = {"create": "created", "update": "updated", "keep": "unchanged", "remove": "removed"}
TO_DO = {"create": "to create", "update": "to update", "keep": "unchanged", "remove": "to remove"}

Plan = Callable[[Server], tuple[list[Change], Known]]


def bring_about(plan: Plan, refusal: type[Exception], *, prune: bool, check: bool) -> int:
    """Plan, make the changes in their order, say each, and return the exit code.

    Args:
        plan: compares everything, and writes nothing.
        refusal: what it raises when nothing may be written.
        prune: also remove what is left over; otherwise it is listed.
        check: write nothing, and say what would be done.
    """
    written = False
    try:
        with connect() as server:
            changes, known = plan(server)
            wanted = [change for change in changes if prune or change.action != "remove"]
            for change in wanted:
                if not check and change.action != "keep":
                    change.make(known)
                    written = True
                _say((TO_DO if check else DONE)[change.action], change)
    except refusal as error:
        print(error, file=sys.stderr)
        return 1
    except ServerError as error:
        print(f"{error}; {'the lines above were written' if written else 'nothing was written'}", file=sys.stderr)
        return 1
    for change in changes:
        if change not in wanted:
            print(f"left over {change.name} ({change.kind}): --prune removes it")
    return DIFFERENT if check and any(change.action != "keep" for change in wanted) else 0


def _say(word: str, change: Change) -> None:
    print(f"{word:<9} {change.name} ({change.kind})")
    for line in change.differences:
        print(f"          {line}")
