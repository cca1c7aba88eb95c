"""Images on a laptop: a name stands for a folder, an interpreter, and the image's own environment.

There is no registry and nothing is built. `python -m localcloud image NAME --folder DIR` says what a name stands for.
"""

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from localcloud.state import read_json, replace_json

SYSTEM_PATHS = ("/usr/local/bin", "/usr/bin", "/bin")


@dataclass(frozen=True, slots=True)
class Image:
    """Where a container works, with which Python, and what the image itself sets."""

    folder: str
    python: str
    environment: Mapping[str, str]

    def variables(self) -> dict[str, str]:
        """Return the image's ENV: its interpreter's programs first, and the folder importable."""
        found = [str(Path(self.python).parent), *SYSTEM_PATHS]
        return {
            "LANG": "C.UTF-8",
            "PATH": ":".join(dict.fromkeys(found)),
            "PYTHONPATH": self.folder,
            "PYTHONUNBUFFERED": "1",
            **self.environment,
        }


class Images:
    """What is known in one data folder, by reference."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, reference: str) -> Image | None:
        """Return what a reference stands for, or None."""
        found = (read_json(self._path) or {}).get(reference)
        return None if found is None else Image(**found)

    def put(self, reference: str, image: Image) -> None:
        """Let a reference stand for an image from now on; containers that run stay as they are."""
        replace_json(self._path, {**(read_json(self._path) or {}), reference: asdict(image)})


def of_folder(folder: Path, environment: Mapping[str, str]) -> Image:
    """Describe a folder, run with this interpreter."""
    return Image(str(folder), sys.executable, dict(environment))
