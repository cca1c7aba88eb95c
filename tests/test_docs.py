import inspect
import re
from pathlib import Path

import httpx
import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from docs import commands
from docs import contracts as generator
from flows import foreseen, settings
from flows.etl import contract, jobs
from flows.etl.contract import consistency
from flows.etl.decode import LIMITS
from flows.etl.errors import ContractError
from flows.etl.formats import jsonl, records, text
from flows.recover import recover

ROOT = Path(__file__).parents[1]


def test_the_page_on_contracts_is_what_the_models_say() -> None:
    assert generator.PAGE.read_text(encoding="utf-8") == generator.page(), "run make docs"


def test_the_page_on_commands_is_what_the_command_says_of_itself() -> None:
    assert commands.PAGE.read_text(encoding="utf-8") == commands.page(), "run make docs"


def test_the_threat_model_names_files_that_exist() -> None:
    page = ROOT / "docs" / "threat-model.md"
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`([a-z_]+/[a-zA-Z_/.]+)`", text) + [
        f"docs/{link}" for link in re.findall(r"\]\(([^)]+)\)", text)
    ]
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_contract_in_the_readme_holds(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "zones.toml").write_text(re.sub(r"^ {3}", "", example, flags=re.MULTILINE), encoding="utf-8")
    assert contract.read(tmp_path, "zones").columns[0].name == "zone_id"


def test_the_messages_in_the_faq_are_what_landfall_says(monkeypatch: pytest.MonkeyPatch) -> None:
    page = (ROOT / "docs" / "faq.md").read_text(encoding="utf-8")
    quoted = re.findall(r"```text\n(.*?)\n```", page, re.DOTALL)
    monkeypatch.delenv("LANDFALL_ENVIRONMENT", raising=False)
    with pytest.raises(settings.SettingsError) as no_environment:
        settings.read()
    with pytest.raises(ContractError) as no_period:
        contract.read(settings.CONTRACTS, "yellow_trips").period("2021-09")
    server = "http://127.0.0.1:34757/api"
    refused = httpx.Response(401, request=httpx.Request("POST", server))
    with temporary_settings({PREFECT_API_URL: server}):
        no_access = foreseen.line(httpx.HTTPStatusError("", request=refused.request, response=refused))
    assert {str(no_environment.value), str(no_period.value), no_access} <= set(quoted)
    contracts = generator.PAGE.read_text(encoding="utf-8")  # its messages are made by the code
    rest = set(quoted) - {str(no_environment.value), str(no_period.value), no_access}
    assert [message for message in rest if message not in contracts and "block document" not in message] == []


def test_the_limits_on_their_page_are_the_codes() -> None:
    rows = dict(
        re.findall(
            r"^\| ([^|]+) \| ([^|]+) \|$", (ROOT / "docs" / "limits.md").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    assert {what: rows[what].split(" (")[0] for what in list(rows)[1:10]} == {
        "a file as it is sent, compressed": f"{LIMITS.compressed >> 30} GiB",
        "a file, decompressed": f"{LIMITS.decompressed >> 30} GiB",
        f"decompressed over compressed, from {LIMITS.free >> 20} MiB on": str(LIMITS.ratio),
        "one record of text": f"{records.RECORD_BYTES >> 20} MiB",
        "one value of text": f"{text.FIELD_BYTES >> 20} MiB",
        "columns": f"{jsonl.COLUMNS:,}",
        "partitions of a table": f"{consistency.PARTITIONS:,}",
        "new load jobs for one claim in a run, after passing trouble": str(jobs.ATTEMPTS),
        "repeats of a run that Cloud Run killed": str(inspect.signature(recover).parameters["repeats"].default),
    }
