import datetime as dt
import io
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from flows.etl import contract, convert, formats
from flows.etl.arrow import ARROW
from flows.etl.clean import Hook
from flows.etl.contract import COLUMN_TYPES, Column, Contract
from flows.etl.errors import ContractError, Outdated
from flows.etl.landing_log import Claim
from flows.etl.partition import Partition
from flows.etl.quarantine import Quarantine
from flows.etl.revision import check_revision

ALL = Partition.parse("none", "all")
TOML = """\
revision = 1
description = "Winds"
owner = "data-team"
source = "https://example.org/winds.csv"
format = "csv"
partition = "none"
clean = "winds.py"
columns = [
    { name = "id", type = "INT64", nullable = false },
    { name = "wind", type = "FLOAT64" },
    { name = "note", type = "STRING" },
]
"""
ROWS = "id,wind,note\n9007199254740993,1.5,a\n2,300,b\n3,,\n"


def contract_with(folder: Path, body: str, before: str = "") -> Contract:
    """Give a contract whose hook's function has this body."""
    (folder / "winds.toml").write_text(TOML)
    (folder / "winds.py").write_text(f"{before}\ndef clean(batch):\n    {body}\n")
    return contract.read(folder, "winds")


def cleaned(agreed: Contract, text: str = ROWS) -> list[dict[str, Any]]:
    with formats.read(io.BytesIO(text.encode()), agreed, ALL, "file") as reader:
        tables = convert.tables(reader, agreed, ALL, Quarantine(agreed.quarantine, "file"))
        return list(pa.concat_tables(tables).to_pylist())


def test_a_hook_changes_the_values_that_it_means_to_and_no_other(tmp_path: Path) -> None:
    agreed = contract_with(tmp_path, "batch['wind'] = batch['wind'].where(batch['wind'] < 253)\n    return batch")
    assert cleaned(agreed) == [
        {"id": 2**53 + 1, "wind": 1.5, "note": "a"},
        {"id": 2, "wind": None, "note": "b"},
        {"id": 3, "wind": None, "note": None},
    ]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return None", "gave NoneType, expected a pandas DataFrame"),
        ("return batch[1:]", "gave 2 rows, expected all 3 in their order"),
        ("batch.index = [3, 4, 5]\n    return batch", "gave rows under another index, expected all 3 in their order"),
        ("return batch.sort_values('id')", "gave rows under another index, expected all 3 in their order"),
        ("return batch[['id', 'wind']]", "gave id, wind, expected the columns id, wind, note"),
        ("return batch[['wind', 'id', 'note']]", "gave wind, id, note, expected the columns id, wind, note"),
        ("return batch.assign(more=1)", "gave id, wind, note, more, expected the columns id, wind, note"),
        ("return batch.assign(id=batch['wind'])", "gave in column id: Float value 1.500000 was truncated"),
        ("return batch.assign(wind='calm')", "gave large_string in column wind, expected double"),
        ("return batch.assign(note=1)", "gave int64 in column note, expected string"),
        ("return batch['nothing']", "raised KeyError: 'nothing', expected the batch's rows"),
    ],
)
def test_a_hook_that_gives_other_than_the_same_rows_is_refused(tmp_path: Path, body: str, why: str) -> None:
    with pytest.raises(ContractError) as refused:
        cleaned(contract_with(tmp_path, body))
    message = str(refused.value)
    assert message.startswith(f"winds all, records 1 to 3: the clean hook winds.py {why}"), message
    assert message.endswith("correct the hook, nothing was written")


@pytest.mark.parametrize(
    ("body", "wind"),
    [
        ("return batch.assign(wind=batch['wind'].astype('float64'))", [1.5, 300.0, None]),
        ("return batch.assign(wind=None)", [None, None, None]),
        ("return batch.assign(wind=batch['wind'].notna().astype('int32'))", [1.0, 1.0, 0.0]),
    ],
)
def test_a_hook_may_change_a_columns_type_where_nothing_is_lost(tmp_path: Path, body: str, wind: list[Any]) -> None:
    assert [row["wind"] for row in cleaned(contract_with(tmp_path, body))] == wind


def test_a_hook_that_changes_nothing_keeps_every_type_and_null(tmp_path: Path) -> None:
    values = {
        "STRING": ["", None, "x"],
        "INT64": [2**63 - 1, None, -(2**63)],
        "FLOAT64": [0.1, None, -0.0],
        "NUMERIC": [Decimal("12345678901234567890123456789.123456789"), None, Decimal(0)],
        "BOOL": [True, None, False],
        "DATE": [dt.date(1, 1, 1), None, dt.date(9999, 12, 31)],
        "TIME": [dt.time(23, 59, 59, 999999), None, dt.time(0)],
        "DATETIME": [dt.datetime(1, 1, 1), None, dt.datetime(9999, 12, 31, 23, 59, 59, 999999)],
        "TIMESTAMP": [dt.datetime(1, 1, 1, tzinfo=dt.UTC), None, dt.datetime(9999, 12, 31, tzinfo=dt.UTC)],
    }
    assert set(values) == set(COLUMN_TYPES)
    table = pa.table({kind: pa.array(values[kind], ARROW[kind]) for kind in COLUMN_TYPES})
    (tmp_path / "same.py").write_text("def clean(batch):\n    return batch\n")
    again = Hook.read(tmp_path / "same.py").load()(table, "here")
    assert again.equals(table)


def test_a_null_that_a_hook_makes_is_held_against_the_contract(tmp_path: Path) -> None:
    agreed = contract_with(tmp_path, "batch['id'] = batch['id'].where(batch['id'] != 2)\n    return batch")
    with pytest.raises(Exception, match="column id: found no value, expected INT64"):
        cleaned(agreed)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "winds.py: No such file or directory, expected the contract's clean hook"),
        ("def clean(batch:\n", "winds.py: not Python: "),
        ("clean = 1\n", "winds.py: found no def clean, expected `def clean(batch: pd.DataFrame) -> pd.DataFrame`"),
        ("def clean(batch, more):\n    return batch\n", "winds.py: found def clean with other arguments, expected"),
    ],
)
def test_a_hook_that_is_none_is_refused_when_the_contract_is_read(tmp_path: Path, text: str | None, why: str) -> None:
    (tmp_path / "winds.toml").write_text(TOML)
    if text is not None:
        (tmp_path / "winds.py").write_text(text)
    with pytest.raises(ContractError) as refused:
        contract.read(tmp_path, "winds")
    assert why in str(refused.value)
    assert str(refused.value).endswith("nothing was written")


def test_reading_a_contract_runs_nothing_of_its_hook(tmp_path: Path) -> None:
    agreed = contract_with(tmp_path, "return batch", before="raise RuntimeError('run')")
    assert agreed.hook
    with pytest.raises(ContractError, match=r"winds\.py: found RuntimeError: run, expected a file that runs"):
        cleaned(agreed)


def test_what_runs_is_what_the_fingerprint_names_also_when_the_file_has_changed_since(tmp_path: Path) -> None:
    agreed = contract_with(tmp_path, "return batch.assign(note='first')")
    (tmp_path / "winds.py").write_text("def clean(batch):\n    return batch.assign(note='second')\n")
    assert {row["note"] for row in cleaned(agreed)} == {"first"}


def test_the_fingerprint_changes_with_the_hooks_bytes_and_says_which_pandas_runs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contract_with(tmp_path, "return batch").fingerprint
    assert before.split("-")[2] == "pandas3_1_1"
    assert contract_with(tmp_path, "return batch  # as it is").fingerprint != before
    monkeypatch.setattr("flows.etl.clean.version", lambda _: "3.2.0rc1+local")
    after = contract_with(tmp_path, "return batch").fingerprint
    assert (after.split("-")[:2], after.split("-")[2]) == (before.split("-")[:2], "pandas3_2_0rc1_local")


@pytest.mark.parametrize(
    ("landed", "revision", "why"),
    [
        ("3.1.1", 1, None),
        ("3.0.9", 1, None),  # an upgrade alone: lands again
        ("3.1.1rc0", 1, None),
        ("3.2.0", 1, "cleaned with pandas3_2_0, expected none newer than this environment's pandas3_1_1"),
        ("3.2.0", 0, None),  # the contract was changed since: its revision says so
    ],
)
def test_an_upgrade_of_pandas_lands_again_and_an_older_one_does_not_land_in_turn(
    tmp_path: Path, landed: str, revision: int, why: str | None
) -> None:
    ours = contract_with(tmp_path, "return batch")
    theirs = f"{ours.fingerprint.rpartition('-')[0]}-pandas{landed.replace('.', '_')}"
    claim = replace(CLAIM, contract_fingerprint=theirs, contract_revision=revision)
    if why:
        with pytest.raises(Outdated, match=why):
            check_revision(ours, claim)
    else:
        check_revision(ours, claim)


def test_another_hook_under_the_same_revision_is_refused(tmp_path: Path) -> None:
    landed = contract_with(tmp_path, "return batch").fingerprint
    changed = contract_with(tmp_path, "return batch.copy()")
    with pytest.raises(Outdated, match="under the same revision 1"):
        check_revision(changed, replace(CLAIM, contract_fingerprint=landed))


def test_a_contract_that_was_not_read_from_a_file_has_no_hook_to_run() -> None:
    agreed = Contract(
        name="winds",
        revision=1,
        description="",
        owner="",
        source="https://publisher.test/x",
        format="csv",
        partition="none",
        clean="winds.py",
        columns=[Column(name="id", type="INT64")],
    )
    with pytest.raises(ValueError, match=r"names the clean hook winds\.py and has none attached"):
        _ = agreed.fingerprint


CLAIM = Claim(
    contract="winds",
    partition="all",
    n=0,
    kind="landing",
    source_uri="",
    etag=None,
    last_modified=None,
    source_bytes=0,
    source_sha256="",
    source_rows=0,
    quarantined_rows=0,
    lake_uri="",
    lake_generation=0,
    lake_crc32c="",
    lake_rows=0,
    contract_fingerprint="",
    contract_revision=1,
    flow_run_id=None,
)
