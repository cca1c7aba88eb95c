import re
from pathlib import Path

from docs import contracts as generator
from flows.etl import contract

ROOT = Path(__file__).parents[1]


def test_the_page_on_contracts_is_what_the_models_say() -> None:
    assert generator.PAGE.read_text(encoding="utf-8") == generator.page(), "run make docs"


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
