"""Numbers as people read them, short enough for a column."""

import datetime as dt


def many(count: int) -> str:
    """Write a count in at most five characters: 999, 1.2k, 337k, 8.2M."""
    return _scaled(count, 1000, ("", "k", "M", "G", "T", "P"), "")


def size(count: int) -> str:
    """Write a number of bytes in at most seven characters: 999 B, 1.2 kB, 8.3 MB."""
    return _scaled(count, 1000, ("B", "kB", "MB", "GB", "TB", "PB"), " ")


def lasting(seconds: float) -> str:
    """Write a duration in at most six characters: 0.4 s, 12 s, 3 min, 2 h, 5 d."""
    if seconds < 9.95:  # 9.96 would be written 10.0
        return f"{max(seconds, 0):.1f} s"
    for limit, unit_s, unit in ((99.5, 1, "s"), (99.5 * 60, 60, "min"), (47.5 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit_s:.0f} {unit}"
    return f"{seconds / 86400:.0f} d"


def moment(when: dt.datetime) -> str:
    """Write a moment to the minute, in UTC."""
    return f"{when.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def _scaled(count: int, step: int, units: tuple[str, ...], space: str) -> str:
    scaled, power = float(count), 0
    while scaled >= step - 0.5 and power < len(units) - 1:
        scaled, power = scaled / step, power + 1
    digits = 1 if power and scaled < 9.95 else 0
    return f"{scaled:.{digits}f}{space if units[power] else ''}{units[power]}"
