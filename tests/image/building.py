"""Goes through a Dockerfile without a daemon: its steps run with the image's paths below a folder."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from tests.image.dockerfile import Instruction, parse, taken

# the base image's own, as Docker recorded them with its digest
BASE_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}
# how this machine reaches its package index, and where it keeps what it has read
MACHINE = re.compile(r"HOME|PIP_.*|.*_proxy|.*_PROXY|SSL_CERT_FILE|REQUESTS_CA_BUNDLE|XDG_CACHE_HOME")
# folders of the image, below the test's folder
OURS = ("/opt", "/tmp", "/usr/local")  # noqa: S108 - the image's
# of the machine, for these are its shell and tools
SYSTEM = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")


@dataclass
class Image:
    """What a stage came to: a folder, and how a container of it would start."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: dict(BASE_ENVIRONMENT))
    folder: str = "/"
    user: str = "root"
    command: list[str] = field(default_factory=list)

    def inside(self, text: str) -> str:
        """Say a text's absolute paths as they are below the folder.

        Raises:
            ValueError: a path is neither the image's nor the system's.
        """

        def moved(found: re.Match[str]) -> str:
            path = found[0]
            if any(path == ours or path.startswith(f"{ours}/") for ours in OURS):
                return f"{self.root}{path}"
            if any(path == system or path.startswith(f"{system}/") for system in SYSTEM):
                return path
            raise ValueError(f"Dockerfile: found {path}, expected a path below {', '.join(OURS)}")

        return re.sub(r"(?<![\w.*/@{}])/\w[\w./-]*", moved, text)

    def variables(self) -> dict[str, str]:
        """Give the image's environment, and nothing of this process's."""
        return {name: self.inside(value) for name, value in self.environment.items()}

    def run(self, *command: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run a command, the image's own without one, as a container would: its folder, its environment and `more`."""
        return subprocess.run(
            command or self.command,
            cwd=self.inside(self.folder),
            env={**self.variables(), **more},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )


class Building:
    """One build; each stage is made in the same folder, so that what a step wrote of its paths holds in the next."""

    def __init__(self, context: Path, into: Path) -> None:
        self._context, self._into = context, into
        self._kept: dict[str, Image] = {}
        self._image = Image(into / "root")
        self._stage = ""

    def build(self) -> Image:
        """Go through all instructions."""
        for step in parse((self._context / "Dockerfile").read_text(encoding="utf-8")):
            getattr(self, f"_{step.name.lower()}")(step)
        return self._image

    def _from(self, step: Instruction) -> None:
        base, *name = step.words
        if self._stage:
            self._image.root.rename(self._into / self._stage)
            self._kept[self._stage] = self._image
        self._image = Image(self._into / "root")
        if below := self._kept.get(base):
            self._image.environment = dict(below.environment)
            _link(self._into / base, self._image.root)
        else:
            _make_base(self._image.root)
        self._stage = name[1] if name else "last"

    def _run(self, step: Instruction) -> None:
        machine = {name: value for name, value in os.environ.items() if MACHINE.fullmatch(name)}
        done = subprocess.run(
            ["/bin/sh", "-c", self._image.inside(step.rest)],
            cwd=self._image.inside(self._image.folder),
            env={**machine, **self._image.variables()},
            capture_output=True,
            text=True,
            timeout=540,
            check=False,
        )
        assert done.returncode == 0, f"{step.rest}\n{done.stdout}{done.stderr}"

    def _copy(self, step: Instruction) -> None:
        *sources, into = step.words
        target = Path(os.path.normpath(f"{self._image.root}{Path(self._image.folder, into)}"))
        for source in sources:
            if step.flags:
                _link(self._into / step.flags[0].removeprefix("--from=") / source.lstrip("/"), target)
            else:
                self._copy_of_context(source, target / source if into.endswith("/") else target)

    def _copy_of_context(self, source: str, target: Path) -> None:
        found = self._context / source
        files = [found] if found.is_file() else [path for path in found.rglob("*") if path.is_file()]
        names = [str(path.relative_to(self._context)) for path in files]
        left = taken((self._context / ".dockerignore").read_text(encoding="utf-8"), names)
        assert left, f"COPY {source}: .dockerignore leaves nothing of it"
        for name in left:
            copied = target / Path(name).relative_to(source)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self._context / name, copied)

    def _env(self, step: Instruction) -> None:
        before = dict(self._image.environment)
        for word in step.words:
            name, _, value = word.partition("=")
            self._image.environment[name] = Template(value).substitute(before)

    def _workdir(self, step: Instruction) -> None:
        self._image.folder = step.rest
        Path(self._image.inside(step.rest)).mkdir(parents=True, exist_ok=True)

    def _user(self, step: Instruction) -> None:
        self._image.user = step.rest

    def _cmd(self, step: Instruction) -> None:
        self._image.command = step.array


def _make_base(root: Path) -> None:
    """Make what the steps use of the base image: a Python with pip in /usr/local, and /tmp."""
    (root / "tmp").mkdir(parents=True)
    subprocess.run([sys.executable, "-m", "venv", root / "usr" / "local"], check=True, timeout=120)


def _link(source: Path, target: Path) -> None:
    """Copy a folder's content by hard links: what is copied is replaced, never written into."""
    shutil.copytree(source, target, symlinks=True, copy_function=os.link, dirs_exist_ok=True)
