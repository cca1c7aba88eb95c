"""When a schedule is due next, by Prefect's own reckoning."""

import asyncio
import datetime as dt
from typing import Any

from prefect.server.schemas.schedules import SCHEDULE_TYPES
from pydantic import TypeAdapter

_KINDS: TypeAdapter[Any] = TypeAdapter(SCHEDULE_TYPES)


def next_run(when: dict[str, Any], now: dt.datetime) -> dt.datetime | None:
    """Give the first time after *now* at which a schedule, as the server has it, is due; None if there is none."""
    found: list[dt.datetime] = asyncio.run(_KINDS.validate_python(when).get_dates(n=1, start=now))
    return found[0] if found else None


def shown(when: dict[str, Any]) -> str:
    """Write a schedule as in prefect.yaml."""
    zone = when.get("timezone") or "UTC"
    if "cron" in when:
        return f"cron {when['cron']} {zone}"
    if "interval" in when:
        return f"every {float(when['interval']):g} s from {str(when.get('anchor_date', ''))[:19]}"
    return f"rrule {str(when['rrule']).rpartition(chr(10))[2]} {zone}"
