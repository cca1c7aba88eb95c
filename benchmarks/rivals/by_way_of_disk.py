"""What the rivals without a way of their own to the web and to Cloud Storage do before and after their work."""

import shutil
import urllib.request
from pathlib import Path

from benchmarks.lake import bucket


def fetched(address: str, folder: Path) -> Path:
    """Copy the file at *address* into *folder*; it keeps its name, which says how it is compressed."""
    path = folder / address.rpartition("/")[2]
    with urllib.request.urlopen(address) as body, path.open("wb") as file:  # noqa: S310 - the local publisher
        shutil.copyfileobj(body, file, 1 << 20)
    return path


def uploaded(path: Path, name: str) -> str:
    """Upload a file into the bucket `lake`, and give the object's name."""
    bucket().blob(name).upload_from_filename(path)
    return name
