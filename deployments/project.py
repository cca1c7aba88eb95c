"""A project's flows, from files, modules and specs to deployments at Prefect: each outcome said, none stops another.

A project is what it was in Prefect 1, a group of flows that a team looks after. Its deployments bear its name: before
their own, as a tag, and as the work queue that their runs wait in.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blocks.change import Change, Known
from blocks.server import Refused, Server, answered
from deployments import finding, registration
from deployments.declared import Declared
from deployments.errors import DeclarationError, expect
from deployments.found import Found
from deployments.looking import Looked, Outcome, Wanted, What, failed, look
from deployments.schedules import Schedule
from deployments.spec import Spec
from deployments.storage import Storage

REGISTERED = "registered"
"""The tag of whatever `landfall register` made, so that it removes nothing else."""


@dataclass(frozen=True, slots=True)
class Order:
    """What shall become of them."""

    project: str
    pool: str
    labels: Sequence[str] = ()
    storage: Storage | None = None
    """None: the working directory for a pool of processes, else the image."""
    image: str | None = None
    """What jobs run, where the pool takes an image."""
    active: bool | None = None
    """Whether schedules shall be at work; None leaves those that are there as they are."""
    force: bool = False
    prune: bool = False


def named(project: str) -> str:
    """Take a project's name.

    Raises:
        DeclarationError: Prefect takes no such name for a deployment.
    """
    expect(
        project.strip() == project and project and not {*project} & {*"/%&<>"},
        f"--project: found {project!r}, expected a name without / % & < > and without a blank at its ends",
    )
    return project


def labelled(labels: Sequence[str], where: str = "--label") -> Sequence[str]:
    """Take labels, or a deployment's own tags.

    Raises:
        DeclarationError: one is a tag by which deployments are known to be a project's, or an environment's.
    """
    for label in labels:
        expect(
            label and label != REGISTERED and not label.startswith(("project:", "environment:")),
            f"{where}: found {label!r}, expected a tag of your own: what is whose is told by this one",
        )
    return labels


def register(server: Server, wanted: Wanted, order: Order) -> Iterator[Outcome]:
    """Register what is wanted, and give the outcomes as they come.

    Raises:
        DeclarationError: the pool is not there; nothing was written.
        ServerError: Prefect does not answer; what was given before is done.
    """
    pools = _Pools(server)
    to_do = "name another with --pool, or make it: `make blocks` makes Landfall's, `prefect work-pool create` yours"
    usual, _ = pools.get(order.pool, to_do)
    default = order.storage or _default(usual)
    looked = look(wanted, default)
    yield from looked.outcomes
    known = Known(server)
    for found, root, own in looked.found:
        name = f"{found.flow}/{_name(order.project, found.name)}"
        try:
            pool, queues = pools.get(found.work_pool or order.pool, "or name another in the flow's deployment")
            steps = (order.storage or own or default).steps(root)
            declared = _declared(found, steps, pool, order, _queue(pool["name"], queues, order))
            registration.check_job_variables(declared, pool)
            with answered():
                for change in registration.changes(server, declared, force=order.force):
                    yield _carry_out(change, known, prune=order.prune)
        except (DeclarationError, Refused) as error:
            yield failed(name, error)
    yield from _left_over(server, looked, wanted, order, known)
    roots = sorted({root for _, root, _ in looked.found})
    yield from (Outcome("note", said) for root in roots if (said := default.note(root)))


def build(wanted: Wanted, labels: Sequence[str], kind: Storage | None) -> tuple[Spec, list[Outcome]]:
    """Give the spec of what is wanted, and what became of the rest.

    Args:
        wanted: files and modules, below the working directory.
        labels: added to each flow's tags.
        kind: where runs take the code from; None leaves it to who registers the spec.
    """
    looked = look(wanted, kind or Storage(kind="image"))
    flows = [each.model_copy(update={"tags": _tags(each.tags, labels)}) for each, _, _ in looked.found]
    return Spec(storage=kind, flows=flows), looked.outcomes


def _name(project: str, name: str) -> str:
    return f"{project}-{name}"


def _tags(own: Sequence[str], labels: Sequence[str]) -> list[str]:
    return [*dict.fromkeys([*own, *labels])]


def _marks(project: str) -> list[str]:
    return [REGISTERED, f"project:{project}"]


def _default(pool: Mapping[str, Any]) -> Storage:
    """Choose where the code is from: a worker that starts processes has folders, others start what is in an image."""
    return Storage(kind="local" if pool["type"] == "process" else "image")


@dataclass(slots=True)
class _Pools:
    """Work pools, each asked for once, with the names of their queues."""

    server: Server
    known: dict[str, tuple[dict[str, Any], list[str]]] = field(default_factory=dict)

    def get(self, name: str, to_do: str) -> tuple[dict[str, Any], list[str]]:
        if name not in self.known:
            pool = registration.pool(self.server, name, to_do)
            queues = self.server.pages(f"/work_pools/{name}/queues/filter", {})
            self.known[name] = pool, [queue["name"] for queue in queues]
        return self.known[name]


def _declared(found: Found, steps: list[dict[str, Any]], pool: Mapping[str, Any], order: Order, queue: str) -> Declared:
    """Put together what the flow's file says, and what the project does."""
    takes = pool["base_job_template"].get("variables", {}).get("properties", {})
    image = {"image": order.image} if order.image and "image" in takes else {}
    return Declared(
        found.flow,
        _name(order.project, found.name),
        {
            "description": found.description,
            "tags": _tags([*_marks(order.project), *labelled(found.tags, "tags")], order.labels),
            "parameters": found.parameters,
            "job_variables": {**image, **found.job_variables},
            "work_pool_name": pool["name"],
            "work_queue_name": found.work_queue or queue,
            "entrypoint": found.entrypoint,
            "pull_steps": steps,
            "concurrency_limit": found.concurrency_limit,
            "concurrency_options": found.concurrency_options,
            "parameter_openapi_schema": found.parameter_openapi_schema,
            "enforce_parameter_schema": found.enforce_parameter_schema,
            "version": found.source,
        },
        [Schedule(each.slug, each.when, each.parameters, each.active) for each in found.schedules],
        {"paused": True} if found.paused else {},
        order.active,
    )


def _queue(pool: str, queues: Sequence[str], order: Order) -> str:
    """Choose the work queue: a label's, or the project's, which the server makes if it is not there.

    Raises:
        DeclarationError: several labels are queues.
    """
    labelled = [label for label in order.labels if label in queues]
    expect(
        len(labelled) <= 1,
        f"--label: found {' and '.join(labelled)}, each a queue of the work pool {pool}, expected one of them at most",
    )
    return labelled[0] if labelled else order.project


WORDS: Mapping[str, What] = {
    "create": "registered",
    "update": "updated",
    "keep": "unchanged",
    "remove": "removed",
}


def _carry_out(change: Change, known: Known, *, prune: bool) -> Outcome:
    if change.action == "remove" and not prune:
        return Outcome("left over", change.name, f"no flow has this {change.kind} any more; --prune removes it")
    if change.action != "keep":
        change.make(known)
    return Outcome(WORDS[change.action], change.name, "", change.differences)


def _left_over(server: Server, looked: Looked, wanted: Wanted, order: Order, known: Known) -> Iterator[Outcome]:
    """Find the project's deployments whose flows are gone, as far as was looked."""
    expected = {f"{flow}/{_name(order.project, name)}" for flow, name in looked.before_names}
    there = registration.with_tags(server, _marks(order.project))
    for name in sorted({*there} - expected):
        if _is_gone(there[name], looked, wanted):
            yield _carry_out(registration.removal(name, there[name]), known, prune=order.prune)


def _is_gone(deployment: Mapping[str, Any], looked: Looked, wanted: Wanted) -> bool:
    """Tell whether a deployment is of a file or module that was loaded without it, or of a file that is not there."""
    entrypoint = deployment["entrypoint"] or ""
    place, _, variable = entrypoint.rpartition(":" if ":" in entrypoint else ".")
    root = looked.loaded.get(place, looked.here)
    if not _is_from(deployment["pull_steps"] or [], root):
        return False
    if place in looked.loaded:
        return True
    if place in looked.skipped:
        return variable not in looked.skipped[place]
    file = root / place
    return ":" in entrypoint and not file.exists() and any(finding.covers(path, file) for path in wanted.paths)


def _is_from(steps: Sequence[Mapping[str, Any]], root: Path) -> bool:
    """Tell whether code may be a folder's: what was registered in another one may have files of the same names."""
    folders = [Path(step.get("directory", ".")) for each in steps for step in each.values() if isinstance(step, dict)]
    return all(not folder.is_absolute() or folder == root.resolve() for folder in folders)
