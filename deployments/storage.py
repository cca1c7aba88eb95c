"""Where a run takes the flows' code from: what Prefect 1 called storage, as Prefect 3's pull steps."""

import re
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import model_validator
from urllib3.util import parse_url

from deployments.errors import DeclarationError
from deployments.found import Part

FORMS = (
    "local[:FOLDER], git[:REPOSITORY[@BRANCH]], github:OWNER/NAME[@BRANCH], gcs:BUCKET/FOLDER, s3:BUCKET/FOLDER"
    " or image"
)

REPOSITORY = re.compile(
    r"""([a-z+]+://[^/]*/[^@]*     # https://github.com/owner/name.git
       |[^@/:]+@[^@/:]+:[^@]+      # git@github.com:owner/name.git
       |/[^@]+)                    # /srv/git/name.git
       (?:@(.+))?                  # @branch""",
    re.VERBOSE,
)

Installed = Callable[[str], object]


class Storage(Part):
    """A choice, and what it needs."""

    kind: Literal["local", "git", "gcs", "s3", "image"]
    place: str = ""
    """A folder of the machine that runs the flow, a repository's address, or a bucket; of `local` it may be empty."""
    branch: str | None = None
    folder: str | None = None
    """In the bucket."""
    token_block: str | None = None
    """The Secret block with a private repository's token."""

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.kind in {"git", "gcs", "s3"} and not self.place:
            raise ValueError(f"{self.kind} needs a place")
        if self.kind != "git" and (self.branch or self.token_block):
            raise ValueError("a branch and a token's block are for git")
        return self

    def steps(self, root: Path) -> list[dict[str, Any]]:
        """Give the pull steps of code that lies, here, in the folder *root*."""
        match self.kind:
            case "local":
                return [_set_working_directory(self.place or str(root.resolve()))]
            case "image":  # without a step Prefect would copy the folder
                return [_set_working_directory(".")]
            case "git":
                asked: dict[str, Any] = {"repository": self.place}
                if self.branch:
                    asked["branch"] = self.branch
                if self.token_block:
                    asked["access_token"] = f"{{{{ prefect.blocks.secret.{self.token_block} }}}}"
                return [{"prefect.deployments.steps.git_clone": asked}]
            case "gcs":
                return [{"prefect_gcp.deployments.steps.pull_from_gcs": self._bucket()}]
            case "s3":
                return [{"prefect_aws.deployments.steps.pull_from_s3": self._bucket()}]

    def _bucket(self) -> dict[str, Any]:
        return {"bucket": self.place, "folder": f"{(self.folder or '').strip('/')}/".removeprefix("/")}

    def note(self, root: Path) -> str | None:
        """Say what has still to be done by hand before a run finds the code there; None if nothing has."""
        folder = f"{self.place}/{(self.folder or '').strip('/')}".rstrip("/")
        match self.kind:
            case "gcs":
                return (
                    "runs take the code from the bucket as it is then; fill it:"
                    f" gcloud storage rsync --recursive {root} gs://{folder}"
                )
            case "s3":
                return f"runs take the code from the bucket as it is then; fill it: aws s3 sync {root} s3://{folder}"
            case "git":
                changed = len(_git(root, "status", "--porcelain").splitlines())
                # what no remote's branch has, as far as git here knows; without a remote that is nothing to go by
                ahead = _git(root, "rev-list", "--count", "HEAD", "--not", "--remotes") if _git(root, "remote") else ""
                left = [f"files in {root} that are not committed: {changed}"] if changed else []
                left += [f"commits that are not pushed: {ahead}"] if ahead.strip("0") else []
                return f"runs take what is pushed to {self.place}; {', '.join(left)}" if left else None
            case _:
                return None


def parse(text: str, token_block: str | None = None, is_installed: Installed = find_spec) -> Storage:
    """Read what was chosen.

    Args:
        text: as FORMS says; `git` alone is the repository of the working directory, at its branch.
        token_block: the Secret block with a private repository's token.
        is_installed: tells whether a package is there.

    Raises:
        DeclarationError: it is none of FORMS, or its integration is not installed.
    """
    kind, _, rest = text.partition(":")
    kind, rest = {"gs": "gcs"}.get(kind, kind), rest.removeprefix("//") if kind in {"gs", "s3"} else rest
    if token_block and kind not in {"git", "github"}:
        raise DeclarationError(
            f"--token-block: found {token_block} with the storage {text}, expected it with git or github alone"
        )
    match kind:
        case "local":
            return Storage(kind="local", place=rest)
        case "image" if not rest:
            return Storage(kind="image")
        case "git":
            return _repository(rest, token_block)
        case "github" if re.fullmatch(r"[\w.-]+/[\w.-]+(@.+)?", rest):
            name, _, branch = rest.partition("@")
            return _repository(f"https://github.com/{name.removesuffix('.git')}.git@{branch}".rstrip("@"), token_block)
        case "gcs" | "s3" if rest.strip("/"):
            bucket, _, folder = rest.partition("/")
            if kind == "s3" and not is_installed("prefect_aws"):
                raise DeclarationError(
                    f"--storage {text}: found no prefect-aws here, expected it, for runs pull from S3 with it;"
                    " pip install prefect-aws, here and where the flows run; nothing was written"
                )
            return Storage(kind="gcs" if kind == "gcs" else "s3", place=bucket, folder=folder or None)
        case _:
            raise DeclarationError(f"--storage: found {text!r}, expected {FORMS}; nothing was written")


def root_of(storage: Storage | None, here: Path) -> Path:
    """Give the folder of this machine that has the code as a run will have it: of git, the repository's."""
    top = _git(here, "rev-parse", "--show-toplevel") if storage and storage.kind == "git" else ""
    return Path(top) if top else here


def _set_working_directory(folder: str) -> dict[str, Any]:
    return {"prefect.deployments.steps.set_working_directory": {"directory": folder}}


def _repository(rest: str, token_block: str | None) -> Storage:
    """Take address and branch; what is left out is the working directory's own."""
    found = REPOSITORY.fullmatch(rest)
    address, branch = (found[1], found[2] or "") if found else ("", "")
    if not rest:
        address = _public(_git(Path.cwd(), "remote", "get-url", "origin"))
        branch = _git(Path.cwd(), "branch", "--show-current")
        if not address:
            raise DeclarationError(
                "--storage git: found no remote `origin` in the working directory's repository, expected one, or"
                " git:REPOSITORY; nothing was written"
            )
    if not address:
        raise DeclarationError(f"--storage git: found {rest!r}, expected git:REPOSITORY[@BRANCH]; nothing was written")
    if _has_password(address):
        raise DeclarationError(
            "--storage git: found a name or password in the address, expected neither, for Prefect shows it; put a"
            " token into a Secret block and name that with --token-block; nothing was written"
        )
    return Storage(kind="git", place=address, branch=branch or None, token_block=token_block)


def _has_password(address: str) -> bool:
    return address.startswith("http") and parse_url(address).auth is not None


def _public(address: str) -> str:
    """Give a repository's address as others reach it: without a name in it, and GitHub's over https."""
    if ssh := re.fullmatch(r"(?:ssh://)?git@([\w.-]+)[:/](.+)", address):
        return f"https://{ssh[1]}/{ssh[2]}"
    return re.sub(r"^(https?://)[^/@]*@", r"\1", address)


def _git(folder: Path, *arguments: str) -> str:
    """Ask git; nothing if there is none, or no repository."""
    try:
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
