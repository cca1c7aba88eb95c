"""Flows in Python files and modules: each is loaded as Prefect loads it for a run, and then forgotten.

The next one finds nothing of what this one imported, so that two files may each have their own `helpers.py`.
"""

import datetime as dt
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from prefect import Flow
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ScriptError
from prefect.utilities.callables import parameter_schema
from prefect.utilities.importtools import load_script_as_module
from pydantic import ValidationError

import blocks
import deployments
import flows
from deployments import finding
from deployments.declared import check_parameters, said
from deployments.errors import DeclarationError, expect
from deployments.found import Found, FoundSchedule
from deployments.schedules import Schedule, normal

OURS = ("flows", "blocks", "deployments")
"""Landfall's packages, whose names a project may have as well."""

ANCHOR = "2020-01-01T00:00:00Z"
"""From when an interval counts that says nothing of it: Prefect would say "now", each time anew."""


def from_file(file: Path, root: Path) -> list[Found]:
    """Load a file, and give the deployments of its flows.

    Args:
        file: below the root.
        root: the folder that runs begin in; entry points are relative to it.

    Raises:
        DeclarationError: it does not load, or declares what cannot be registered.
    """
    shown, file, root = str(file), file.resolve(), root.resolve()  # the working directory is another while it loads
    entry = file.relative_to(root).as_posix()
    began = dt.datetime.now(dt.UTC)
    with _apart(root, file.parent):
        try:
            module = load_script_as_module(entry)
        except ScriptError as error:
            raise DeclarationError(_why(shown, file, error.user_exc)) from error
        except SystemExit as error:
            raise DeclarationError(_why(shown, file, error)) from error
        return _take(module, _Place(shown, f"{entry}:", finding.fingerprint(file, root), began), file)


def from_module(name: str, root: Path) -> list[Found]:
    """Import a module, or the module of `module.flow`, and give the deployments of its flows, or of that flow.

    Raises:
        DeclarationError: there is none, it does not load, or has no such flow.
    """
    file, module_name, only = finding.module_file(name, root), name, ""
    if file is None:
        module_name, _, only = name.rpartition(".")
        file = finding.module_file(module_name, root) if module_name else None
    if file is None:
        raise DeclarationError(
            f"{name}: found no such module, expected one in the working directory or installed, or a flow in one"
        )
    began, file = dt.datetime.now(dt.UTC), file.resolve()
    with _apart(root, root):
        try:
            module = import_module(module_name)
        except (Exception, SystemExit) as error:
            raise DeclarationError(_why(module_name, file, error)) from error
        found = _take(module, _Place(module_name, f"{module_name}.", finding.fingerprint(file, root), began), file)
    if not only:
        return found
    chosen = [each for each in found if each.variable == only]
    if not chosen:
        others = ", ".join(sorted({each.variable for each in found}))
        expected = f"expected one of {others}" if others else "and no other"
        raise DeclarationError(f"{name}: found no flow {only} in the module {module_name}, {expected}")
    return chosen


@contextmanager
def _apart(root: Path, folder: Path) -> Iterator[None]:
    """Work in the folder that runs begin in, and undo what an import leaves: modules, the search path, its output."""
    path, before = [*sys.path], dict(sys.modules)
    ours = [name for name in before if _is_shadowed(name, before, (folder, root))]
    for name in ours:
        del sys.modules[name]
    sys.path.insert(0, str(root.resolve()))
    try:
        with chdir(root), redirect_stdout(sys.stderr):  # what is printed here is for programs too
            yield
    finally:
        sys.path[:] = path
        for name in {*sys.modules} - {*before}:
            if not _stays(sys.modules[name]):
                del sys.modules[name]
        sys.modules.update({name: before[name] for name in ours})


def _is_shadowed(name: str, modules: Mapping[str, ModuleType], folders: tuple[Path, ...]) -> bool:
    """Tell whether a project has another module of a name that is Landfall's, such as `flows`."""
    top = name.partition(".")[0]
    if top not in OURS:
        return False
    ours = Path(str(modules[top].__file__)).parent
    places = [place for folder in folders for place in (folder / top, folder / f"{top}.py")]
    return any(place.exists() and place.resolve() != ours.resolve() for place in places)


def _stays(module: ModuleType) -> bool:
    """Tell what is installed, Python's or Landfall's from what is a project's."""
    places = [module.__file__] if getattr(module, "__file__", None) else [*getattr(module, "__path__", [])]
    ours = [str(Path(each.__file__).parent) for each in (flows, blocks, deployments) if each.__file__]
    return all(
        "site-packages" in place or place.startswith((sys.base_prefix, *ours)) for place in places if place is not None
    )


def _why(shown: str, file: Path, error: BaseException) -> str:
    """Say what an import ended with, and in which line of the file."""
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).name == file.name
    ]
    if isinstance(error, SyntaxError):
        lines = []  # its text says where
    where = f", line {lines[-1]}" if lines else ""
    top = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    hint = (
        f"; Landfall has a package {top}, too: with an empty {top}/__init__.py yours comes first" if top in OURS else ""
    )
    return f"{shown}{where}: {type(error).__name__}: {error}{hint}"


def _is_file(name: str, file: Path) -> bool:
    return Path(name).resolve() == file.resolve()


@dataclass(frozen=True, slots=True)
class _Place:
    """What all flows of a file or module have in common."""

    where: str
    prefix: str
    """Of their entry points."""
    source: str
    began: dt.datetime
    """When it was loaded: an interval's anchor that is later was not given."""


def _take(module: ModuleType, place: _Place, file: Path) -> list[Found]:
    """Give the deployments that a module declares, and one of each flow of its own that has none."""
    own = finding.read(file).names
    everything = vars(module)
    values = {**{name: everything[name] for name in own if name in everything}, **everything}  # its own come first
    named = {name: value for name, value in values.items() if isinstance(value, Flow)}
    seen: set[int] = set()
    found = []
    for deployment in (each for name in own for each in _deployments(everything.get(name))):
        name = _name_of(deployment, named)
        seen.add(id(named[name]))
        found.append(_declared(deployment, name, named[name], place))
    for name in (name for name in own if name in named):
        if id(named[name]) not in seen:
            seen.add(id(named[name]))
            found.append(_plain(named[name], name, place))
    return found


def _deployments(value: Any) -> list[RunnerDeployment]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return [each for each in values if isinstance(each, RunnerDeployment)]


def _name_of(deployment: RunnerDeployment, named: Mapping[str, Flow[..., Any]]) -> str:
    for name, flow in named.items():
        if flow.name == deployment.flow_name:
            return name
    raise DeclarationError(
        f"deployment {deployment.full_name}: found no name of its flow in the file, expected a variable that holds it"
    )


def _of_flow(flow: Flow[..., Any], name: str, place: _Place) -> dict[str, Any]:
    return {
        "flow": flow.name,
        "variable": name,
        "name": flow.name,
        "entrypoint": f"{place.prefix}{name}",
        "source": place.source,
        "description": flow.description,
        "parameter_openapi_schema": parameter_schema(flow).model_dump(mode="json", exclude_unset=True),
    }


def _plain(flow: Flow[..., Any], name: str, place: _Place) -> Found:
    return _made(place, _of_flow(flow, name, place))


def _declared(deployment: RunnerDeployment, name: str, flow: Flow[..., Any], place: _Place) -> Found:
    """Give what `flow.to_deployment(...)` says."""
    where = f"{place.where}: deployment {deployment.full_name}"
    expect(not deployment.triggers, f"{where}: found triggers, expected none: automations are in automations.yaml")
    expect(deployment.storage is None, f"{where}: found a storage of its own, expected none: --storage says it")
    plain = deployment.model_dump(mode="json")
    schedules = _schedules(deployment, plain, place.began, where)
    planned = [Schedule(each.slug, each.when, each.parameters) for each in schedules]
    check_parameters(plain["parameters"], parameter_schema(flow), planned, where)
    return _made(
        place,
        {
            **_of_flow(flow, name, place),
            **{key: plain[key] for key in ("name", "tags", "parameters", "job_variables")},
            **{key: plain[key] for key in ("concurrency_limit", "concurrency_options", "enforce_parameter_schema")},
            "description": deployment.description or flow.description,
            "work_pool": deployment.work_pool_name,
            "work_queue": deployment.work_queue_name,
            "paused": bool(deployment.paused),
            "schedules": schedules,
        },
    )


def _schedules(
    deployment: RunnerDeployment, plain: Mapping[str, Any], began: dt.datetime, place: str
) -> list[FoundSchedule]:
    """Give each schedule a slug, by its place where it has none, and an interval its anchor."""
    found = []
    for number, (each, raw) in enumerate(zip(deployment.schedules or [], plain["schedules"] or [], strict=True), 1):
        when = normal(raw["schedule"])
        anchor = getattr(each.schedule, "anchor_date", None)
        if anchor is not None and anchor >= began:
            when["anchor_date"] = ANCHOR
        slug = raw["slug"] or ("schedule" if number == 1 else f"schedule-{number}")
        active = raw["active"] is not False
        found.append(_schedule(place, {"slug": slug, "when": when, "parameters": raw["parameters"], "active": active}))
    slugs = [each.slug for each in found]
    expect(len({*slugs}) == len(slugs), f"{place}: schedules: found the slugs {', '.join(slugs)}, expected each once")
    return found


def _schedule(place: str, fields: dict[str, Any]) -> FoundSchedule:
    try:
        return FoundSchedule.model_validate(fields)
    except ValidationError as error:
        raise DeclarationError(f"{place}: schedules: {said(error)}") from error


def _made(place: _Place, fields: dict[str, Any]) -> Found:
    try:
        return Found.model_validate(fields)
    except ValidationError as error:
        raise DeclarationError(f"{place.where}: {said(error)}") from error
