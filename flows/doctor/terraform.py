"""Terraform's outputs, and whether Prefect has what follows from them."""

import shutil
import subprocess

from blocks import outputs as terraform
from blocks import registration
from blocks.outputs import OutputsError
from flows.doctor.finding import Finding, ok, problem, skipped, warning
from flows.doctor.seen import Seen

_TERRAFORM_S = 6.0


def outputs(seen: Seen) -> Finding:
    """Compare blocks and work pool with Terraform's outputs, as `make blocks OPTIONS=--check` does."""
    text = _given(seen)
    if isinstance(text, Finding):
        return text
    environment = seen.settings.environment
    try:
        given = terraform.parse(text, str(seen.outputs or "infra"))
        if given.environment != environment:
            return skipped(
                f"infra/ is initialised for {given.environment}, and this is {environment}",
                f"make plan ENV={environment}",
            )
        changes, _ = registration.plan(seen.server, given)
    except OutputsError as error:
        return problem(str(error).removesuffix(", nothing was written"), seen.make_apply)
    differ = [change for change in changes if change.action in ("create", "update")]
    if differ:
        lines = [f"{change.name}: {'; '.join(change.differences) or 'not registered'}" for change in differ]
        return problem(f"blocks differ from the outputs: {' | '.join(lines)}", seen.make_blocks)
    return ok(f"{len(changes)} blocks, pools and queues are as the outputs say")


def _given(seen: Seen) -> str | Finding:
    """Get the outputs, or why there are none."""
    if seen.outputs:
        return seen.outputs.read_text(encoding="utf-8")
    infra = seen.root / "infra"
    if not shutil.which("terraform"):
        return skipped("there is no terraform on the PATH", "https://developer.hashicorp.com/terraform/install")
    if not (infra / ".terraform").is_dir():
        return skipped(
            f"{infra} has no state: it is not initialised; --outputs FILE takes what `terraform output -json` printed"
        )
    try:
        done = subprocess.run(
            ["terraform", f"-chdir={infra}", "output", "-json"],
            capture_output=True,
            text=True,
            check=False,
            timeout=_TERRAFORM_S,
        )
    except subprocess.TimeoutExpired:
        return skipped(f"terraform output did not end within {_TERRAFORM_S:.0f} s")
    if done.returncode:
        said = " ".join(line.strip(" │╷╵") for line in done.stderr.splitlines() if line.strip(" │╷╵"))
        return warning(f"terraform output answered: {said[:300]}", f"make plan ENV={seen.settings.environment}")
    return done.stdout
