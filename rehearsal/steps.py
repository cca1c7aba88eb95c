"""The steps from nothing to landed rows and back, each by the command that a user types."""

import base64
import re
import shlex
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal import reconciliation
from rehearsal.commands import Shell
from rehearsal.frame import Step, StepFailed
from rehearsal.processes import left_running
from rehearsal.reconciliation import Line
from rehearsal.services import Services

CONTRACT = "flights"
PARTITIONS = ("2013-01", "2013-02", "2013-03")
POOL = "landfall-local"
IMAGE = "landfall:local"
WORKER_ACCOUNT = "landfall-local-worker@local.iam.gserviceaccount.com"
DEPLOYMENT = f"web-to-bigquery/{CONTRACT}-local"
SECRET = "landfall-local-prefect-api"  # noqa: S105  # its name
# on a machine that does nothing else they take 5 s and 25 s
WORKER_TIMEOUT_S = 120.0
RUNS_TIMEOUT_S = 400.0
_POLL_S = 0.3
_RUN_ID = "PREFECT__FLOW_RUN_ID"
_FLOW_RUN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ENDED = re.compile(r"localcloud: attempt \d+: ([^;]+); exit code \d+; peak memory ([\d.]+) of")


@dataclass(slots=True)
class Rehearsal:
    """A cloud of its own in `data`, and what the steps have seen so far."""

    shell: Shell
    data: Path
    background: ExitStack = field(default_factory=ExitStack)
    known: Services | None = None
    flow_runs: list[str] = field(default_factory=list)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The Cloud Run jobs that were seen while the runs were at work, by name."""
    lines: list[Line] = field(default_factory=list)

    def steps(self) -> list[Step]:
        """Give the steps in their order."""
        return [
            Step("up", self.up),
            Step("apply", self.apply, needs="terraform"),
            Step("blocks", self.blocks),
            Step("deploy", self.deploy),
            Step("worker", self.worker),
            Step("runs", self.runs),
            Step("reconcile", self.reconcile),
            Step("secret", self.secret),
            Step("apply again", self.apply_again, needs="terraform"),
            Step("destroy", self.destroy, needs="terraform"),
        ]

    def end(self) -> Step:
        """Give the step that comes last, whatever happens."""
        return Step("down", self.down)

    @property
    def services(self) -> Services:
        """Where the services answer, once they are up."""
        if self.known is None:
            raise StepFailed("the services are not up")
        return self.known

    def make(self, target: str, *variables: str, log: str | None = None) -> str:
        """Run a make target on the rehearsal's own cloud."""
        return self.shell.run(log or target, self._make(target, *variables))

    def up(self) -> str:
        """Start everything."""
        said = self.make("up")
        found = dict(re.findall(r"^(\w+) +(http://\S+) +healthy$", said, re.MULTILINE))
        exported = (shlex.split(line) for line in self.make("env").splitlines())
        variables = dict(words[1].split("=", 1) for words in exported if words[0] == "export")
        self.shell.log("env").unlink()  # holds the auth string
        self.known = Services(variables, found["run"])
        return ", ".join(found)

    def apply(self) -> str:
        """Make the infrastructure, Prefect's auth string in its secret included."""
        return _line(self.make("apply"), "Apply complete!")

    def blocks(self) -> str:
        """Register blocks and work pool."""
        return f"{_count(self.make('blocks'), 'created')} created: blocks, the work pool {POOL} and its queue"

    def deploy(self) -> str:
        """Register the deployments by Prefect's command; ours makes the image, and finds nothing else to do."""
        variables = {"LANDFALL_IMAGE": IMAGE, "LANDFALL_WORKER_ACCOUNT": WORKER_ACCOUNT}
        self.shell.run("prefect-deploy", self._prefect("deploy", "--all", **variables))
        said = self.make("deploy")
        if differing := [line for line in said.splitlines() if line.startswith(("created ", "updated ", "left over "))]:
            raise StepFailed("\n".join(["`make deploy` found these to differ, expected none:", *differing]))
        return f"prefect deploy --all; `make deploy` finds {_count(said, 'unchanged')} deployments and changes none"

    def worker(self) -> str:
        """Start the worker, and wait until Prefect has heard of it."""
        child = self.background.enter_context(self.shell.started("worker", self._make("worker")))
        deadline = time.monotonic() + WORKER_TIMEOUT_S
        while not self.services.worker_is_online(POOL):
            if child.poll() is not None or time.monotonic() > deadline:
                raise StepFailed("the worker did not come online", self.shell.log("worker"))
            time.sleep(_POLL_S)
        return f"Prefect's Cloud Run worker asks {POOL} for runs"

    def runs(self) -> str:
        """Run the deployment once a partition, all at once, and watch the Cloud Run jobs meanwhile."""
        with ExitStack() as running:
            watched = {
                partition: running.enter_context(self.shell.started(f"run-{partition}", self._run(partition)))
                for partition in PARTITIONS
            }
            deadline = time.monotonic() + RUNS_TIMEOUT_S
            found: dict[str, Any] = {}
            # a run ends a little before its container does, and then the worker removes the job
            while any(child.poll() is None for child in watched.values()) or found:
                found = {job["name"]: job for job in self.services.jobs()}
                self.jobs |= found
                if time.monotonic() > deadline:
                    raise StepFailed(
                        f"not all runs ended, with their jobs removed, within {RUNS_TIMEOUT_S:.0f} s",
                        self.shell.log("worker"),
                    )
                time.sleep(_POLL_S)
        for partition, child in watched.items():
            log = self.shell.log(f"run-{partition}")
            if child.returncode:
                raise StepFailed(f"the run of {partition} did not complete", log)
            self.flow_runs.append(_flow_run(log.read_text(), log))
        # schedules may have started others
        self.jobs = {
            name: job for name, job in self.jobs.items() if _variable(job, _RUN_ID).get("value") in self.flow_runs
        }
        if len(self.jobs) != len(self.flow_runs):
            raise StepFailed(
                f"found {len(self.jobs)} Cloud Run jobs, expected one for each of {len(self.flow_runs)} runs"
            )
        return f"{len(self.flow_runs)} runs of {DEPLOYMENT}, in {len(self.jobs)} Cloud Run jobs"

    def reconcile(self) -> str:
        """Hold publisher, ledger, table and Prefect against each other."""
        ledger = {str(row["partition"]): row for row in self.services.ask(_LEDGER)}
        counted = {str(row["partition"]): _number(row["n"]) for row in self.services.ask(_TABLE)}
        if sorted(ledger) != sorted(counted) or sorted(counted) != sorted(PARTITIONS):
            raise StepFailed(
                f"found {sorted(ledger)} in the ledger and {sorted(counted)} in the table, expected {list(PARTITIONS)}"
            )
        self.lines = [
            self._line(partition, ledger[partition], counted[partition], flow_run)
            for partition, flow_run in zip(PARTITIONS, self.flow_runs, strict=True)
        ]
        if found := reconciliation.wrong(self.lines):
            raise StepFailed("\n".join(["these do not agree:", *found]))
        return f"{CONTRACT}: publisher = ledger = table\n{reconciliation.table(self.lines)}"

    def secret(self) -> str:
        """Show that jobs had the auth string from the secret, and that it is written down nowhere else."""
        auth = self.services.auth
        for name, job in self.jobs.items():
            reference = {"secretKeyRef": {"secret": SECRET, "version": "latest"}}
            if _variable(job, "PREFECT_API_AUTH_STRING").get("valueSource") != reference or auth in str(job):
                raise StepFailed(
                    f"{name}: found no reference to {SECRET}, or a plain value, for PREFECT_API_AUTH_STRING"
                )
        spellings = (auth.encode(), base64.b64encode(auth.encode()))
        files = [path for path in sorted(self.data.parent.rglob("*")) if path.is_file()]
        holding = {path for path in files if any(each in _content(path) for each in spellings)}
        own = self.data / "prefect" / "auth-string"
        elsewhere = {path for path in holding - {own} if self.data / "secretmanager" not in path.parents}
        if elsewhere:
            raise StepFailed(f"found the auth string in {', '.join(map(str, sorted(elsewhere)))}, expected it nowhere")
        return f"jobs took the auth string from {SECRET}; of {len(files)} files none else holds it"

    def apply_again(self) -> str:
        """Apply what is applied."""
        said = _line(self.make("apply", log="apply-again"), "Apply complete!")
        if "0 added, 0 changed, 0 destroyed" not in said:
            raise StepFailed(f"{said} Expected no changes", self.shell.log("apply-again"))
        return said

    def destroy(self) -> str:
        """Remove the infrastructure."""
        return _line(self.make("destroy"), "Destroy complete!")

    def down(self) -> str:
        """Stop everything, and see that nothing runs any more."""
        self.background.close()
        self.make("down")
        if left := left_running():
            raise StepFailed("\n".join(["found these still running, and ended them; expected none:", *left]))
        return "nothing is left running"

    def proven(self) -> str:
        """Say what the rehearsal has shown."""
        rows = sum(line.counted for line in self.lines)
        return (
            f"{rows:,} published rows of {len(self.lines)} partitions are in the warehouse once each, landed by"
            f" {len(self.jobs)} Cloud Run jobs"
        )

    def _line(self, partition: str, row: dict[str, str | None], counted: int, flow_run: str) -> Line:
        if row["flow_run_id"] != flow_run:
            raise StepFailed(f"{partition}: landed by the flow run {row['flow_run_id']}, expected {flow_run}")
        found = self.services.flow_run(flow_run)
        execution, peak_mib = self._execution(found["infrastructure_pid"])
        return Line(
            contract=CONTRACT,
            partition=partition,
            published=self.services.published_rows(partition),
            source=_number(row["source_rows"]),
            quarantined=_number(row["quarantined_rows"]),
            lake=_number(row["lake_rows"]),
            ledger=_number(row["warehouse_rows"]),
            counted=counted,
            execution=execution,
            state=found["state"]["type"],
            peak_mib=peak_mib,
        )

    def _execution(self, job: str) -> tuple[str, float]:
        """Find a job's one execution and its peak memory in MiB, in what the local Cloud Run wrote of it."""
        logs = list((self.data / "logs" / "run").glob(f"{job[:57]}-?????.log"))
        ends = [_ENDED.search(log.read_text(errors="replace")) for log in logs]
        if len(ends) != 1 or ends[0] is None or ends[0][1] != "succeeded":
            raise StepFailed(
                f"{job}: found {len(logs)} executions, expected one that succeeded", next(iter(logs), None)
            )
        return logs[0].stem, float(ends[0][2])

    def _make(self, target: str, *variables: str) -> list[str]:
        # ENV and OPTIONS could come from the user's environment
        return ["make", "--silent", target, f"DATA={self.data}", "ENV=local", "OPTIONS=", *variables]

    def _run(self, partition: str) -> list[str]:
        parameters = [f"--param=first={partition}", f"--param=last={partition}"]
        return self._prefect("deployment", "run", DEPLOYMENT, *parameters, "--watch")

    def _prefect(self, *arguments: str, **variables: str) -> list[str]:
        """Give Prefect's command as it is typed in a shell with the local cloud's environment."""
        given = shlex.join(f"{name}={value}" for name, value in variables.items())
        prefect = shlex.join([str(Path(sys.executable).with_name("prefect")), "--no-prompt", *arguments])
        return ["sh", "-c", f'eval "$({shlex.join(self._make("env"))})" && exec env {given} {prefect}']


_LEDGER = f"""
    SELECT `partition`, source_rows, quarantined_rows, lake_rows, warehouse_rows, flow_run_id
    FROM landfall_local.landings_current WHERE contract = '{CONTRACT}'
"""  # noqa: S608  # no outside values
_TABLE = f"""
    SELECT FORMAT_DATE('%Y-%m', file_month) AS `partition`, COUNT(*) AS n FROM landfall_local.{CONTRACT} GROUP BY 1
"""  # noqa: S608


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # a draft that has got its name since
        return b""


def _variable(job: dict[str, Any], name: str) -> dict[str, Any]:
    """Return what a job declares for a variable of its container."""
    (container,) = job["template"]["template"]["containers"]
    return next((each for each in container["env"] if each["name"] == name), {})


def _number(text: str | None) -> int:
    return int(text or 0)


def _line(said: str, start: str) -> str:
    return next((line.strip() for line in said.splitlines() if line.strip().startswith(start)), start)


def _count(said: str, word: str) -> int:
    return sum(line.startswith(f"{word} ") for line in said.splitlines())


def _flow_run(said: str, log: Path) -> str:
    found = _FLOW_RUN.search(said.partition("UUID")[2])
    if found is None:
        raise StepFailed("found no flow run's id in what Prefect said", log)
    return found[0]
