"""Run Terraform on a copy of a configuration, with the stand-in for its google provider, against the local cloud.

Nothing of the user's is touched: the copy, its lock file, its state and the mirror that serves the stand-in are in
the data folder.
"""

import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localcloud import environment, supervisor
from localcloud.auth import auth_string
from localcloud.command import run
from localcloud.lock import Lock
from localcloud.services import CLOUD
from localcloud.state import LocalCloudError, State
from localcloud.terraform.kinds import ADDRESS
from localcloud.terraform.provider import BIGQUERY, RECORDS, SCHEMAS, SECRETS, STORAGE
from localcloud.terraform.server import RESIDENT

_ROOT = Path(__file__).parents[2]  # where `-m localcloud` is found, installed or not
INSTALL = "https://developer.hashicorp.com/terraform/install"
# what asks the provider about resources, and so needs the local cloud
_ASKING = frozenset({"apply", "console", "destroy", "import", "plan", "refresh", "test"})
# what works in a folder that was never initialised, or does it itself
_UNPREPARED = frozenset({"", "init", "version"})
_COPIED = (".tf", ".tf.json", ".tfvars", ".tfvars.json", ".tfbackend", ".tftest.hcl", ".tftest.json")
_LEFT = (".terraform", ".terraform.lock.hcl", "*.tfstate", "*.tfstate.*", ".git", "crash.log")
# what would lead Terraform to other folders, providers or workspaces
_REMOVED = ("TF_DATA_DIR", "TF_REATTACH_PROVIDERS", "TF_WORKSPACE", "TF_PLUGIN_CACHE_DIR", "TF_CLI_CONFIG_FILE")


@dataclass(frozen=True, slots=True)
class _Place:
    """What belongs to one configuration in the data folder."""

    home: Path

    @property
    def work(self) -> Path:
        return self.home / "work"

    @property
    def mirror(self) -> Path:
        return self.home / "providers"

    @property
    def settings(self) -> Path:
        return self.home / "terraform.rc"


def terraform(data: Path, config: Path, arguments: Sequence[str]) -> int:
    """Run one command of Terraform's and return its exit code.

    Services of the local cloud that a command needs and that are not running are started for it.

    Raises:
        LocalCloudError: there is no Terraform, no configuration, or it cannot be initialised; nothing was applied.
    """
    command = next((word for word in arguments if not word.startswith("-")), "")
    program = _program()
    _check(config, command, arguments)
    place = _Place(data / "terraform" / config.name)
    with Lock(place.home, f"terraform {command}") as lock:
        lock.keep()
        _copy(config, place)
        _install(place)
        variables = {key: value for key, value in os.environ.items() if key not in _REMOVED}
        variables |= {"TF_CLI_CONFIG_FILE": str(place.settings), "CHECKPOINT_DISABLE": "1"}
        _prepare(program, place, command, variables)
        whole = [program, f"-chdir={place.work}", *arguments]
        if command not in _ASKING:
            return run(State(data), whole, variables)
        with supervisor.running(data, (CLOUD,), f"terraform {command}"):
            addresses = supervisor.addresses_of(data)
            for_provider = _for_provider(data, addresses, variables)
            if command != "test":
                return run(State(data), whole, for_provider)
            with _resident(for_provider) as attached:
                return run(State(data), whole, for_provider | attached)


def _program() -> str:
    program = shutil.which("terraform")
    if program is None:
        raise LocalCloudError(f"terraform: not found on the PATH; install it: {INSTALL}; nothing was done")
    return program


def _check(config: Path, command: str, arguments: Sequence[str]) -> None:
    if not list(config.glob("*.tf")):
        raise LocalCloudError(
            f"{config}: no *.tf file, expected a configuration; name it with --config; nothing was done"
        )
    if any(word.startswith("-chdir") for word in arguments):
        raise LocalCloudError("-chdir: not possible here; name the configuration with --config; nothing was done")
    if command == "fmt":
        raise LocalCloudError(
            f"fmt: would format a copy; run `terraform -chdir={config} fmt`, which needs no provider; nothing was done"
        )


def _copy(config: Path, place: _Place) -> None:
    """Bring the copy up to date; saved plans in it stay."""
    place.work.mkdir(parents=True, exist_ok=True)
    for folder, folders, files in os.walk(place.work):
        folders[:] = [name for name in folders if name != ".terraform"]
        for name in files:
            if name.endswith(_COPIED):
                Path(folder, name).unlink()
    shutil.copytree(config, place.work, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*_LEFT))
    # an override file wins: a backend in the cloud is none of the local cloud's
    backend = f'backend "local" {{\n    path = {_quoted(place.home / "terraform.tfstate")}\n  }}'
    (place.work / "localcloud_override.tf").write_text(f"terraform {{\n  {backend}\n}}\n")


def _quoted(path: Path) -> str:
    """Return a path as a string of Terraform's language."""
    return json.dumps(str(path), ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def _install(place: _Place) -> None:
    """Offer the stand-in under the real provider's name, and no other provider."""
    version = SCHEMAS["version"]
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    folder = place.mirror / ADDRESS / version / f"{platform.system().lower()}_{machine}"
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / f"terraform-provider-google_v{version}"
    text = (
        "#!/bin/sh\n"
        f"PYTHONPATH={shlex.quote(str(_ROOT))}${{PYTHONPATH:+:$PYTHONPATH}} \\\n"
        f"  exec {shlex.quote(sys.executable)} -P -m localcloud.terraform.server\n"
    )
    if not program.exists() or program.read_text() != text:
        draft = program.with_suffix(".draft")
        draft.write_text(text)
        draft.chmod(0o755)
        draft.replace(program)
    mirror = f"filesystem_mirror {{\n    path    = {_quoted(place.mirror)}\n    include = [{json.dumps(ADDRESS)}]\n  }}"
    place.settings.write_text(f"provider_installation {{\n  {mirror}\n}}\n")


def _prepare(program: str, place: _Place, command: str, variables: Mapping[str, str]) -> None:
    """Run `terraform init` in the copy if its providers, its backend or the stand-in are not those of the last time."""
    mark = place.home / "initialised"
    seen = hashlib.sha256()
    for path in sorted((*place.work.glob("*.tf"), *place.mirror.rglob("terraform-provider-*"))):
        seen.update(path.read_bytes())
    if mark.exists() and mark.read_text() == seen.hexdigest():
        return
    (place.work / ".terraform.lock.hcl").unlink(missing_ok=True)  # knows another stand-in's hash
    if command in _UNPREPARED:
        return
    done = subprocess.run(
        [program, f"-chdir={place.work}", "init", "-input=false", "-no-color", "-reconfigure"],
        env=dict(variables),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise LocalCloudError(f"{done.stderr.strip()}\nterraform init: failed, see above; nothing was applied")
    mark.write_text(seen.hexdigest())


@contextmanager
def _resident(variables: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Have one provider for all runs of `terraform test`, and yield what leads there.

    Terraform starts three processes for each run, which took 37 s for the 48 runs of infra/ and takes 9 s so.
    """
    paths = [str(_ROOT), *variables.get("PYTHONPATH", "").split(os.pathsep)]
    provider = subprocess.Popen(
        [sys.executable, "-P", "-m", "localcloud.terraform.server", RESIDENT],
        env={**variables, "PYTHONPATH": os.pathsep.join(path for path in paths if path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with provider:
        try:
            # a provider that could not start says nothing, and Terraform then starts its own
            yield {"TF_REATTACH_PROVIDERS": provider.stdout.readline() if provider.stdout else ""}
        finally:
            provider.terminate()


def _for_provider(data: Path, addresses: Mapping[str, str], base: Mapping[str, str]) -> dict[str, str]:
    return {
        # what infra/ puts into the secret that jobs read: on a real cloud the user gives it
        "TF_VAR_prefect_api_secret": auth_string(data),
        **environment.for_command(data, addresses, base),
        STORAGE: f"{addresses['storage']}/storage/v1/",
        BIGQUERY: f"{addresses['bigquery']}/bigquery/v2/",
        SECRETS: f"{addresses['secretmanager']}/v1/",
        RECORDS: str(data / "terraform" / "resources.json"),
    }
