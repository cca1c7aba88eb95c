"""One data set: where its files are, what is in them, and a fingerprint of what a change of it would change."""

import datetime as dt
import hashlib
import ipaddress
import json
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, StringConstraints, model_validator

from flows.etl.address import shown
from flows.etl.clean import Hook
from flows.etl.contract import consistency
from flows.etl.contract.checks import Check
from flows.etl.contract.column import Column, ColumnName
from flows.etl.contract.dialect import Dialect
from flows.etl.contract.part import Part
from flows.etl.contract.policy import Drift, Quarantine
from flows.etl.errors import ContractError
from flows.etl.partition import Grain, Partition, latest_complete

CONVERTER = 1  # raised whenever the same source and contract would give other Parquet rows than before


def _network(text: str) -> str:
    """See that a text is a network in CIDR; ValueError says what is wrong with it."""
    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"found {text!r} ({error}), expected a network such as '10.20.0.0/16'") from error
    return text


# BigQuery's own rule: https://cloud.google.com/bigquery/docs/labels-intro
LabelText = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{0,63}$")]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$")]
NetworkText = Annotated[str, AfterValidator(_network)]
BlockName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+$")]


class Contract(Part):
    """One data set: where its files are, what is in them, and how the table is laid out."""

    name: str = Field(description="the file's name without .toml; it is the data set's and the table's")
    revision: Annotated[
        int,
        Field(
            ge=1,
            description="raised with each change of what lands: columns, format, dialect, drift, partition, clean hook;"
            " all periods land again then, and a run with an older revision refuses",
            examples=[1],
        ),
    ]
    description: str = Field(description="shown in BigQuery as the table's", examples=["Where taxi zones are"])
    owner: str = Field(description="who answers for it", examples=["data-team"])
    source: str = Field(
        description="the file's address, beginning with https:// (http:// for this machine alone); {yyyy} {mm} {dd}"
        " {hh} are filled in with the period, {publisher} with the setting LANDFALL_PUBLISHER",
        examples=["https://example.org/zones_{yyyy}-{mm}.csv.gz"],
    )
    allowed_networks: list[NetworkText] = Field(
        [],
        description="networks that are not public and that the file, or a redirect to it, may come from; public ones"
        " need no word, and a cloud's metadata service stays out of reach",
        examples=[["10.20.0.0/16"]],
    )
    headers: dict[HeaderName, BlockName] = Field(
        {},
        description="request headers: the name of each, and of the Prefect Secret block that holds its value",
        examples=[{"X-Api-Key": "zones-api-key"}],
    )
    format: Literal["csv", "jsonl", "parquet"] = Field(description="jsonl: one JSON object a line", examples=["csv"])
    compression: Literal["none", "gzip", "zip"] = Field(
        "none", description="gzip may have several members; zip: an archive with one file", examples=["gzip"]
    )
    partition: Grain = Field(
        description="the period of one file, which is a partition of the table; none: a snapshot, replaced as a whole",
        examples=["month"],
    )
    first_partition: str | None = Field(
        None, description="the first period that the publisher serves; needed but for a snapshot", examples=["2024-01"]
    )
    last_partition: str | None = Field(None, description="for a data set that has ended", examples=["2026-06"])
    published_after_days: Annotated[int, Field(ge=0)] = Field(
        0,
        description="how long after a period's end its file may appear; a run without periods ends before those",
        examples=[75],
    )
    expires_after_days: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="BigQuery drops a partition when its period is this old; an hourly contract must say",
        examples=[400],
    )
    clustering: Annotated[list[ColumnName], Field(max_length=4)] = Field(
        [],
        description="what rows are filtered by, besides the period: BigQuery stores them together",
        examples=[["borough"]],
    )
    labels: dict[LabelText, LabelText] = Field({}, description="of the table", examples=[{"domain": "taxi"}])
    dialect: Dialect = Field(Dialect(), description="how text is written")
    columns: Annotated[list[Column], Field(min_length=1)] = Field(description="in the table's order")
    drift: Drift = Field(Drift(), description="what happens when a file's columns differ")
    clean: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.py$")] | None = Field(
        None,
        description="a Python file beside the contract; its function `clean` gets a batch as a pandas DataFrame and"
        " gives the same rows back",
        examples=["weather.py"],
    )
    quarantine: Quarantine = Field(Quarantine(), description="how many bad rows are put aside before a file is refused")
    checks: list[Check] = Field([], description="what is expected of a partition as a whole")
    _hook: Hook | None = PrivateAttr(None)  # what `clean` names, as its file held it when the contract was read

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        consistency.check(self)
        return self

    @property
    def hook(self) -> Hook | None:
        """The clean hook's file; None without one.

        Raises:
            ValueError: the contract names one and was not read from a file, so that nothing attached it.
        """
        if self.clean and self._hook is None:
            raise ValueError(f"{self.name}: names the clean hook {self.clean} and has none attached")
        return self._hook if self.clean else None

    def attach(self, hook: Hook) -> None:
        """Give the contract the hook that it names; before its fingerprint is asked for."""
        self._hook = hook

    @cached_property
    def fingerprint(self) -> str:
        """Hash what decides a row's content: a landing under another fingerprint lands again.

        `<converter>-<content>`, and behind a second hyphen what runs the clean hook, if there is one. The content is
        the contract's own, which may change with its revision only; the two others are versions of code, which may
        grow under one revision. All of it fits a label of BigQuery's.
        """
        deciding: dict[str, Any] = {
            "columns": [
                [column.name, column.type, column.nullable, *_more(column.aliases, column.since)]
                for column in self.columns
            ],
            "format": [self.format, self.compression],
            # what is left out has its default: keys that later versions add do not land everything again
            "dialect": self.dialect.model_dump(exclude_defaults=True),
            "drift": self.drift.model_dump(exclude_defaults=True),
            "partition": self.partition,
        }
        if self.hook:
            deciding["clean"] = hashlib.sha256(self.hook.source).hexdigest()
        digest = hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()
        runs_the_hook = f"-{self.hook.environment}" if self.hook else ""
        return f"{CONVERTER}-{digest[:16]}{runs_the_hook}"

    @cached_property
    def checks_fingerprint(self) -> str | None:
        """Hash the checks: landed partitions are checked again when it changes; None without checks."""
        if not self.checks:
            return None
        # what is left out has its default: keys that later versions add do not check everything again
        checks = [check.model_dump(mode="json", exclude_defaults=True) for check in self.checks]
        dumped = json.dumps(checks, sort_keys=True)
        return hashlib.sha256(dumped.encode()).hexdigest()[:16]

    def period(self, text: str) -> Partition:
        """Read one period, and hold it against the contract's first and last.

        Raises:
            ContractError: another grain, or a period that the publisher does not serve.
        """
        try:
            partition = Partition.parse(self.partition, text)
        except ContractError as error:
            raise ContractError(f"{self.name}: {error}; nothing was written") from error
        first, last = self.first_partition or text, self.last_partition or text
        if not Partition.parse(self.partition, first) <= partition <= Partition.parse(self.partition, last):
            raise ContractError(
                f"{self.name}: found the period {partition}, expected one from the contract's first_partition {first}"
                f" to its last_partition {self.last_partition or '(none)'}; nothing was written"
            )
        return partition

    def periods(self, first: str | None, last: str | None, now: dt.datetime) -> list[Partition]:
        """List the periods from *first* to *last*: one if only *first* is given, all that are over if neither is.

        Raises:
            ContractError: a period of another grain, outside the contract, that begins after *now* (UTC), or in the
                wrong order.
        """
        if self.partition == "none":
            return [self.period(text) for text in {first or "all", last or "all"}]
        if first is None:
            start = self._earliest(now)
            end = self.period(last) if last else self._latest(now)
        else:
            start = self.period(first)
            end = self.period(last or first)
        for each in (start, end):
            if each.start and each.start > now.replace(tzinfo=None):
                raise ContractError(
                    f"{self.name}: found the period {each}, which begins after now ({now:%Y-%m-%d %H:%M} UTC), expected"
                    " one that has begun; nothing was written"
                )
        if start < (alive := self._earliest(now)):
            raise ContractError(
                f"{self.name}: found the period {start}, expected {alive} or a later one: BigQuery has dropped what is"
                f" older than expires_after_days {self.expires_after_days}; nothing was written"
            )
        if end < start:
            raise ContractError(f"{self.name}: found {start} to {end}, expected the earlier first; nothing was written")
        return list(start.through(end))

    def _earliest(self, now: dt.datetime) -> Partition:
        """Give the first period that BigQuery would not drop at once."""
        first = Partition.parse(self.partition, str(self.first_partition))
        if self.expires_after_days is None:
            return first
        # a partition expires so long after its period's start, which the running period has behind it
        oldest = latest_complete(self.partition, now - dt.timedelta(days=self.expires_after_days)).next.next
        return max(first, oldest)

    def _latest(self, now: dt.datetime) -> Partition:
        """Give the last period that is over and that the publisher serves."""
        over = latest_complete(self.partition, now - dt.timedelta(days=self.published_after_days))
        if self.last_partition:
            over = min(over, Partition.parse(self.partition, self.last_partition))
        if over < Partition.parse(self.partition, str(self.first_partition)):
            raise ContractError(
                f"{self.name}: found {over} as the last period that is published, expected the contract's"
                f" first_partition {self.first_partition} or a later one; name a period, or run again later, nothing"
                " was written"
            )
        return over

    def address(self, partition: Partition, publisher: str | None) -> str:
        """Fill in the address of one period's file.

        Raises:
            ContractError: the address names a publisher and none was given.
        """
        if "{publisher}" in self.source and not publisher:
            raise ContractError(
                f"{self.name}: the source is {shown(self.source)!r} and no publisher is set, expected its address;"
                " set LANDFALL_PUBLISHER (on a laptop: make env), nothing was written"
            )
        return partition.fill(self.source).replace("{publisher}", (publisher or "").rstrip("/"))


def _more(aliases: list[str], since: str | None) -> list[Any]:
    """Give what a column says beyond name, type and nullable, or nothing."""
    return [sorted(alias.lower() for alias in aliases), since] if aliases or since else []
