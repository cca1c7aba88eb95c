"""What pip-audit says of a lock, and whether it says enough."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

PIP_AUDIT = "pip-audit==2.10.1"
KNOWN = "jinja2==2.4.1"  # CVE-2014-0012, CVE-2016-10745, ...
# known vulnerabilities that do not reach us: its number, and why not
REASONED: Mapping[str, str] = {}

Answer = list[dict[str, Any]]


class NotAudited(Exception):
    """Nobody has looked, or not at all of it."""


def ask(requirements: Path, *options: str) -> Answer:
    """Ask pip-audit, in an environment of its own, about what a file pins.

    Raises:
        NotAudited: it could not look.
    """
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    done = subprocess.run(
        [
            *(uv, "tool", "run", "--quiet", "--from", PIP_AUDIT, "pip-audit", "--requirement", str(requirements)),
            *("--strict", "--disable-pip", "--format", "json", "--progress-spinner", "off", *options),
        ],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    try:
        answer: Answer = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        said = [line for line in done.stderr.splitlines() if line.strip()] or ["nothing"]
        raise NotAudited(f"pip-audit says {said[-1]!r} of {requirements.name}, expected an answer") from None
    return answer


def judge(answer: Answer, wanted: set[str], known: Answer) -> dict[str, list[str]]:
    """Give the vulnerabilities by package; those with a reason are left out.

    Raises:
        NotAudited: a package is without an answer, or the release that is known to be vulnerable was not found so.
    """
    if not any(package.get("vulns") for package in known):
        raise NotAudited(
            f"found no vulnerability in {KNOWN}, expected those that are known; whoever answers does not know"
        )
    looked = {package["name"].lower() for package in answer if isinstance(package.get("vulns"), list)}
    if missing := sorted(wanted - looked):
        raise NotAudited(f"found no answer for {', '.join(missing)}, expected one for each of {len(wanted)} packages")
    found = {package["name"]: [each["id"] for each in package["vulns"]] for package in answer}
    kept = {name: [number for number in numbers if number not in REASONED] for name, numbers in found.items()}
    return {name: numbers for name, numbers in kept.items() if numbers}


def locked(text: str) -> set[str]:
    """Give the names that a lock pins for a machine like this one."""
    lines = (line.removesuffix("\\") for line in text.splitlines() if line and not line.startswith((" ", "#")))
    pinned = [Requirement(line) for line in lines]
    return {each.name.lower() for each in pinned if each.marker is None or each.marker.evaluate()}
