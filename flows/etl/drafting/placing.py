"""A draft's files put where they belong, and never over others."""

from pathlib import Path

from flows.etl.drafting.draft import Draft
from flows.etl.errors import ContractError


def check_free(path: Path) -> None:
    """Refuse a place that is taken, or that is in no folder.

    Raises:
        ContractError: it says which.
    """
    if path.exists():
        raise ContractError(
            f"{path}: found a file, expected none; remove it, or choose another name with --name, nothing was written"
        )
    if not path.parent.is_dir():
        raise ContractError(f"{path}: found no folder {path.parent}, expected one; make it, nothing was written")


def place(made: Draft, file: Path, fixtures: Path | None) -> list[Path]:
    """Write a contract's file, and its fixture where there is a folder of fixtures; give what was written.

    Raises:
        ContractError: there is a file already, or the folder cannot be written to; nothing of it is left.
    """
    wanted = {file: made.text.encode()}
    if fixtures is not None:
        wanted[fixtures / made.fixture_name] = made.fixture
    for path in wanted:
        check_free(path)
    written: list[Path] = []
    try:
        for path, data in wanted.items():
            with path.open("xb") as opened:
                written.append(path)
                opened.write(data)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise ContractError(
            f"{path}: cannot be written ({error.strerror or error}), expected a folder with room; nothing was written"
        ) from error
    return written
