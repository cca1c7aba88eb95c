"""A mutant: a patch of the shipped code, with what it breaks and which scenarios are to notice it."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[2]
LEFT_OUT = (".git", ".venv", ".local", ".mypy_cache", ".ruff_cache", "__pycache__", "*.egg-info", "node_modules")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A patch by its name; its header says why, and `Noticed-by: <scenario>` on lines of their own."""

    name: str
    why: str
    noticed_by: tuple[str, ...]
    patch: Path

    @classmethod
    def read(cls, patch: Path) -> "Mutant":
        header = patch.read_text().partition("--- a/")[0].strip().splitlines()
        by = tuple(line.removeprefix("Noticed-by: ") for line in header if line.startswith("Noticed-by: "))
        return cls(patch.stem, header[0], by, patch)

    def apply(self, tree: Path) -> None:
        """Break a copy of the tree.

        Raises:
            subprocess.CalledProcessError: the patch does not fit the code any more.
        """
        subprocess.run(
            ["git", "apply", "--whitespace=nowarn", "-C1", str(self.patch)],
            cwd=tree,
            check=True,
            capture_output=True,
            text=True,
            env={"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_CEILING_DIRECTORIES": str(tree.parent)},
        )


def mutants() -> list[Mutant]:
    """Read all patches."""
    return [Mutant.read(patch) for patch in sorted(FOLDER.glob("*.patch"))]


def copy(to: Path, *folders: str) -> Path:
    """Copy the tree, or these folders of it."""
    for each in folders or (".",):
        shutil.copytree(
            ROOT / each, to / each, ignore=shutil.ignore_patterns(*LEFT_OUT), dirs_exist_ok=True, symlinks=True
        )
    return to
