"""The period in a file's address: found, and taken out, so that other periods can be filled in."""

import datetime as dt
import re
from dataclasses import dataclass

from flows.etl.partition import Grain, Partition, latest_complete

YEAR, MONTH, DAY, HOUR = (
    r"(?P<yyyy>(?:19|20)[0-9]{2})",
    r"(?P<mm>0[1-9]|1[0-2])",
    r"(?P<dd>0[1-9]|[12][0-9]|3[01])",
    r"(?P<hh>[01][0-9]|2[0-3])",
)
BETWEEN = r"(?:[-_.]|/(?:[A-Za-z_]+=)?)"  # also as `year=2021/month=01`
# the finest first; digits around would make another number of it
WRITTEN: tuple[tuple[Grain, str], ...] = (
    ("hour", BETWEEN.join((YEAR, MONTH, DAY)) + rf"(?:{BETWEEN}|T){HOUR}"),
    ("hour", f"{YEAR}{MONTH}{DAY}[-_T]?{HOUR}"),
    ("day", BETWEEN.join((YEAR, MONTH, DAY))),
    ("day", f"{YEAR}{MONTH}{DAY}"),
    ("month", BETWEEN.join((YEAR, MONTH))),
    ("month", f"{YEAR}{MONTH}"),
    ("year", YEAR),
)
PATTERNS = tuple((grain, re.compile(rf"(?<![0-9]){written}(?![0-9])")) for grain, written in WRITTEN)
# what stands beside a year and makes a period of it that no placeholder writes: 2021-Q1, 2021W05, jan-2021
MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
PART = rf"(?:q[1-4]|[wh][0-9]{{1,2}}|{MONTHS})"
UNWRITABLE = re.compile(rf"[-_/.]?{PART}(?![A-Za-z0-9])", re.IGNORECASE)
UNWRITABLE_BEFORE = re.compile(rf"(?<![A-Za-z0-9]){PART}[-_/.]?\Z", re.IGNORECASE)
ENDINGS = re.compile(r"(?:\.(?:csv|tsv|txt|jsonl?|ndjson|parquet|pq|gz|gzip|zip))+\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Dated:
    """An address without its period; `notes` say what a person should see to."""

    template: str
    period: Partition
    notes: list[str]


@dataclass(frozen=True, slots=True)
class _Found:
    grain: Grain
    match: re.Match[str]

    @property
    def parts(self) -> dict[str, str]:
        return self.match.groupdict()

    @property
    def period(self) -> Partition:
        digits = self.parts
        year, month, day = (int(digits.get(each) or 1) for each in ("yyyy", "mm", "dd"))
        hour = int(digits.get("hh") or 0)
        return Partition(self.grain, dt.datetime(year, month, day, hour))  # noqa: DTZ001 - a period has no zone

    def is_part_of(self, other: "_Found") -> bool:
        return all(other.parts.get(name) == digits for name, digits in self.parts.items())


def find(address: str, now: dt.datetime) -> Dated:
    """Find the period of a file by its address: the finest that is written there, the last if there are several.

    Args:
        address: Without a query.
        now: A period that has not begun by then (UTC) is none.
    """
    start = address.find("/", address.find("//") + 2 if "//" in address else 0)
    host, path = (address, "") if start < 0 else (address[:start], address[start:])
    found, notes = _candidates(path, now)
    if not found:
        return Dated(
            address, Partition("none", None), [*notes, "no period in the address: each file replaces the table"]
        )
    chosen = max(found, key=lambda each: (_fineness(each.grain), each.match.start()))
    same = [each for each in found if each.is_part_of(chosen)]
    others = [each.match[0] for each in found if each not in same]
    if others:
        notes.append(f"{chosen.match[0]} was taken for the period, and not {', '.join(others)}")
    for each in sorted(same, key=lambda each: -each.match.start()):
        path = path[: each.match.start()] + _placeholders(each) + path[each.match.end() :]
    return Dated(host + path, chosen.period, notes)


def _fineness(grain: Grain) -> int:
    return ("none", "year", "month", "day", "hour").index(grain)


def _candidates(path: str, now: dt.datetime) -> tuple[list[_Found], list[str]]:
    found: list[_Found] = []
    notes: list[str] = []
    for grain, pattern in PATTERNS:
        for match in pattern.finditer(path):
            if any(match.start() < each.match.end() and each.match.start() < match.end() for each in found):
                continue
            each = _Found(grain, match)
            try:
                begins = each.period
            except ValueError:  # the 31st of February
                continue
            if grain == "year" and (
                UNWRITABLE.match(path, match.end()) or UNWRITABLE_BEFORE.search(path[: match.start()])
            ):
                notes.append(f"the period at {match[0]} is written in a way that no placeholder can fill in")
            elif begins > latest_complete(grain, now).next:
                notes.append(f"{match[0]} is not taken for a period, as it has not begun")
            else:
                found.append(each)
    return found, notes


def _placeholders(found: _Found) -> str:
    """Write a match with placeholders in place of its digits."""
    text, begin = found.match[0], found.match.start()
    for name in ("hh", "dd", "mm", "yyyy"):  # from the end, as each changes what follows
        if found.parts.get(name):
            low, high = (place - begin for place in found.match.span(name))
            text = f"{text[:low]}{{{name}}}{text[high:]}"
    return text


def name_of(template: str) -> str:
    """Make a contract's name of an address: the file's name or its folder's, without period and endings; or empty."""
    for segment in reversed(template.partition("//")[2].split("/")[1:] or template.split("/")[1:]):
        stem = ENDINGS.sub("", segment)
        plain = re.sub(r"[^a-z0-9]+", "_", re.sub(r"\{[a-z]+\}", "_", stem).lower()).strip("_")
        if plain:
            return plain[:63].strip("_")
    return ""
