"""Dockerfile and .dockerignore, as far as ours use them: what is not known here is refused, never skipped."""

import json
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

KNOWN = {"FROM", "RUN", "COPY", "ENV", "WORKDIR", "USER", "CMD"}
# of a RUN: a cache is a folder that is not part of the image
KNOWN_FLAGS = {"RUN": r"--mount=type=cache,target=\S+", "COPY": r"--from=\w+"}


@dataclass(frozen=True)
class Instruction:
    """One instruction: its name, its flags, and the rest as one line."""

    name: str
    flags: tuple[str, ...]
    rest: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.rest)

    @property
    def array(self) -> list[str]:
        """The exec form's words; the shell form is refused, for its shell would take the signals."""
        found: list[str] = json.loads(self.rest)
        return found


def parse(text: str) -> list[Instruction]:
    """Read a Dockerfile's instructions.

    Raises:
        ValueError: an instruction or a flag is none of those that tests/image goes through.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [_instruction(line) for line in whole.splitlines()]


def _instruction(line: str) -> Instruction:
    name, _, rest = line.partition(" ")
    if name not in KNOWN:
        raise ValueError(f"Dockerfile: found {name}, expected one of {', '.join(sorted(KNOWN))}")
    flags = []
    while (rest := rest.strip()).startswith("--"):
        flag, _, rest = rest.partition(" ")
        if not re.fullmatch(KNOWN_FLAGS.get(name, "$^"), flag):
            raise ValueError(f"Dockerfile: found {name} {flag}, which tests/image does not go through")
        flags.append(flag)
    return Instruction(name, tuple(flags), rest)


def taken(ignore: str, paths: Iterable[str]) -> list[str]:
    """Give those of a context's files that .dockerignore leaves in.

    The last line decides that matches a path or a folder above it: https://docs.docker.com/build/concepts/context/#dockerignore-files
    """
    lines = [line.strip() for line in ignore.splitlines() if line.strip() and not line.startswith("#")]
    rules = [(not line.startswith("!"), _pattern(line.removeprefix("!"))) for line in lines]
    return [path for path in paths if not _ignored(PurePosixPath(path), rules)]


def _ignored(path: PurePosixPath, rules: list[tuple[bool, re.Pattern[str]]]) -> bool:
    ignored = False
    for ignores, pattern in rules:
        if any(pattern.fullmatch(str(part)) for part in (path, *path.parents)):
            ignored = ignores
    return ignored


def _pattern(line: str) -> re.Pattern[str]:
    if re.search(r"[\[\]?\\]", line):
        raise ValueError(f".dockerignore: found {line}, which tests/image does not read")
    parts = (re.escape(part) for part in line.strip("/").split("**/"))
    return re.compile("(?:.*/)?".join(part.replace(r"\*", "[^/]*") for part in parts))
