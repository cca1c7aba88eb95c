"""Schedules by cron, interval and rrule, each known by its slug.

A slug says that a schedule is the file's: one that a person added has none, and is left alone. Prefect's own
`prefect deploy` changes a schedule in place only where all have slugs, and otherwise makes all of them anew.
"""

import re
from dataclasses import dataclass
from typing import Any

from prefect.cli.deploy._models import RawScheduleConfig
from prefect.cli.deploy._schedules import _schedule_config_to_deployment_schedule
from prefect.client.schemas.schedules import SCHEDULE_TYPES
from pydantic import TypeAdapter, ValidationError

from deployments.errors import DeclarationError, expect

BY_HAND = "by-hand-"
"""With it begin the slugs that `deployments.steps.keep` gives to schedules that people added."""

_OFFSET = re.compile(r"(Z|[+-]\d\d:\d\d)$")
_SERVERS_START = "DTSTART:20200101T000000\n"  # it adds this to a rule without a start

KINDS: TypeAdapter[Any] = TypeAdapter(SCHEDULE_TYPES)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When runs are due, and what differs in their parameters."""

    slug: str
    when: dict[str, Any]
    parameters: dict[str, Any]
    active_at_first: bool = True
    """When it is registered; whether it stays so, people decide."""


def read(raw: Any, where: str) -> list[Schedule]:
    """Read a deployment's schedules.

    Raises:
        DeclarationError: one does not hold, has no slug, no time zone or another's slug, or says whether it is active.
    """
    if raw is None:
        return []
    expect(isinstance(raw, list), f"{where}: schedules: found {raw!r}, expected a list")
    found = [_schedule(each, f"{where}: schedules[{index}]") for index, each in enumerate(raw)]
    slugs = [each.slug for each in found]
    twice = sorted({slug for slug in slugs if slugs.count(slug) > 1})
    expect(not twice, f"{where}: schedules: found the slug {', '.join(twice)} twice, expected once")
    return found


def normal(when: dict[str, Any]) -> dict[str, Any]:
    """Give a schedule as the server has it in the form in which two of them compare."""
    dumped: dict[str, Any] = KINDS.validate_python(when).model_dump(mode="json")
    if "rrule" in dumped:
        dumped["rrule"] = dumped["rrule"].removeprefix(_SERVERS_START)
    return dumped


def _schedule(raw: Any, where: str) -> Schedule:
    try:
        config = RawScheduleConfig.model_validate(raw)
        made = _schedule_config_to_deployment_schedule(config.model_dump(exclude_unset=True))["schedule"]
    except ValueError as error:  # pydantic's is one
        raise DeclarationError(
            f"{where}: found {_said(error)}, expected cron, interval (seconds) or rrule, with slug and timezone;"
            " nothing was written"
        ) from error
    for key in ("slug", "timezone"):
        expect(getattr(config, key), f"{where}: {key}: found nothing, expected one")
    expect(
        config.active is None,
        f"{where}: active: found {config.active}, expected nothing: it would undo what a person paused or started",
    )
    expect(
        config.interval is None or _OFFSET.search(config.anchor_date or ""),
        f"{where}: anchor_date: found {config.anchor_date!r}, expected a time with its offset, such as"
        " 2026-01-05T07:00:00-05:00: without one, the interval would begin anew with each deployment, or in UTC",
    )
    return Schedule(str(config.slug), made.model_dump(mode="json"), config.parameters)


def _said(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(f"{'.'.join(map(str, each['loc']))} {each['msg']}".strip() for each in error.errors())
