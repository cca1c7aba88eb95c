"""From a contract's file to the contract, with errors that say where in the file."""

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flows.etl.clean import Hook
from flows.etl.contract.contract import Contract
from flows.etl.errors import ContractError

CONTRACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def names(folder: Path) -> list[str]:
    """List the contracts of a folder."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def read(folder: Path, name: str) -> Contract:
    """Read the contract *name* from its file.

    Raises:
        ContractError: there is none of that name, or the file does not hold; it says where, in the file's words.
    """
    path = folder / f"{name}.toml"
    if not CONTRACT_NAME.fullmatch(name) or not path.is_file():
        raise ContractError(
            f"contract: found {name!r}, expected one of {', '.join(names(folder))}; nothing was written"
        )
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        agreed = Contract.model_validate({**found, "name": name})
        if agreed.clean:
            agreed.attach(Hook.read(folder / agreed.clean))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContractError(f"{path}: not TOML: {error}; nothing was written") from error
    except ValidationError as error:
        raise ContractError("\n".join(_say(path, found, each) for each in error.errors())) from error
    except ContractError as error:
        raise ContractError(f"{path}: {error}; nothing was written") from error
    return agreed


def _say(path: Path, found: dict[str, Any], error: Any) -> str:
    """Word one of pydantic's findings: which place in which file, what is there, what should be."""
    place = ".".join(str(part) for part in error["loc"])
    match error["loc"]:
        case ("columns", int(index), *_) if isinstance(found["columns"][index], dict):
            place += f" (column {found['columns'][index].get('name', 'without a name')!r})"
    message = error["msg"].removeprefix("Value error, ")
    seen = "" if error["type"] in ("value_error", "missing") else f": found {error['input']!r}"
    return f"{path}{': ' if place else ''}{place}{seen}: {message}; nothing was written"
