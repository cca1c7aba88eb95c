"""The calls of Terraform's plugin protocol, answered for the schemas in schemas.json."""

import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from localcloud.environment import LOOPBACK
from localcloud.terraform.cloud import ATTRIBUTION, Cloud, Settings
from localcloud.terraform.kinds import RESOURCES, data_sources
from localcloud.terraform.messages import CLASSES, ERROR, NESTING, WARNING
from localcloud.terraform.rest import Refused
from localcloud.terraform.values import (
    UNKNOWN,
    Block,
    Value,
    attributes,
    blocks,
    elements,
    pack,
    shaped,
    unpack,
    with_unknowns,
    without_unknowns,
)

SCHEMAS: dict[str, Any] = json.loads((Path(__file__).parent / "schemas.json").read_text())
RECORDS = "LOCALCLOUD_TERRAFORM_RECORDS"  # the variable that names the file
STORAGE = "GOOGLE_STORAGE_CUSTOM_ENDPOINT"  # the real provider reads these three as well
BIGQUERY = "GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT"
SECRETS = "GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT"

_Path = tuple[str | int, ...]


def _diagnosing(answer: str) -> Callable[[Callable[["Provider", Any], Any]], Callable[["Provider", Any], Any]]:
    """Let what is raised be an error in the answer, as Terraform shows it."""

    def wrapped(method: Callable[["Provider", Any], Any]) -> Callable[["Provider", Any], Any]:
        @wraps(method)
        def call(self: "Provider", request: Any) -> Any:
            try:
                return method(self, request)
            except Refused as refused:
                return CLASSES[answer](diagnostics=[_diagnostic(ERROR, refused.summary, refused.detail)])
            except Exception as error:  # noqa: BLE001  # the process must live on and Terraform must hear of it
                summary = f"The stand-in google provider has a defect: {error!r}"
                return CLASSES[answer](diagnostics=[_diagnostic(ERROR, summary, traceback.format_exc())])

        return call

    return wrapped


class Provider:
    """One provider process: it is asked for its schemas, then configured once, then asked about resources."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._configured: Cloud | None = None

    @property
    def _cloud(self) -> Cloud:
        if self._configured is None:
            raise Refused("The provider was asked about a resource before it was configured")
        return self._configured

    def GetMetadata(self, _request: Any) -> Any:  # noqa: N802  # the protocol's names, here and below
        """Name the types."""
        named = CLASSES["TypeName"]
        return CLASSES["Metadata"](
            server_capabilities={"plan_destroy": True},
            resources=[named(type_name=name) for name in SCHEMAS["resources"]],
            data_sources=[named(type_name=name) for name in SCHEMAS["data_sources"]],
        )

    def GetProviderSchema(self, _request: Any) -> Any:  # noqa: N802
        """Describe the types."""
        return CLASSES["Schemas"](
            provider=_schema(SCHEMAS["provider"]),
            resource_schemas=[{"key": name, "value": _schema(each)} for name, each in SCHEMAS["resources"].items()],
            data_source_schemas=[
                {"key": name, "value": _schema(each)} for name, each in SCHEMAS["data_sources"].items()
            ],
            server_capabilities={"plan_destroy": True},
        )

    def GetResourceIdentitySchemas(self, _request: Any) -> Any:  # noqa: N802
        """Know none."""
        return CLASSES["SecondDiagnosed"]()

    def GetFunctions(self, _request: Any) -> Any:  # noqa: N802
        """Have none."""
        return CLASSES["SecondDiagnosed"]()

    def ValidateProviderConfig(self, _request: Any) -> Any:  # noqa: N802
        """Take what the schema takes; core has looked."""
        return CLASSES["SecondDiagnosed"]()

    @_diagnosing("FirstDiagnosed")
    def ValidateResourceConfig(self, request: Any) -> Any:  # noqa: N802
        """Refuse values for what only the provider decides; core has looked at names and types."""
        paths = _unconfigurable(_block(request.type_name), unpack(request.config), ())
        found = [
            _diagnostic(
                ERROR,
                "Value for unconfigurable attribute",
                f"Can't configure a value for {path[-1]!r}: its value will be decided automatically based on the "
                "result of applying this configuration.",
                path,
            )
            for path in paths
        ]
        return CLASSES["FirstDiagnosed"](diagnostics=found)

    def ValidateDataResourceConfig(self, _request: Any) -> Any:  # noqa: N802
        """Take what the schema takes."""
        return CLASSES["FirstDiagnosed"]()

    @_diagnosing("FirstDiagnosed")
    def ConfigureProvider(self, request: Any) -> Any:  # noqa: N802
        """Find the local cloud, and say who answers here."""
        given = {name: value for name, value in unpack(request.config).items() if value is not UNKNOWN}
        settings = self._settings(given)
        self._configured = Cloud(settings, SCHEMAS["resources"])
        warning = _diagnostic(
            WARNING,
            f"Not Google Cloud: a stand-in for the google provider {SCHEMAS['version']} answers",
            f"Buckets, datasets and secrets are on the local cloud, {settings.storage}, {settings.bigquery} and "
            f"{settings.secrets}; all else is kept in {settings.records}. No account is touched. "
            "docs/local-terraform.md says what this proves and what it does not.",
        )
        return CLASSES["FirstDiagnosed"](diagnostics=[warning])

    @_diagnosing("ValueResponse")
    def UpgradeResourceState(self, request: Any) -> Any:  # noqa: N802
        """Take a state of another version for one of this, by its names."""
        state = shaped(_block(request.type_name), json.loads(request.raw_state.json))
        return CLASSES["ValueResponse"](value=pack(state))

    @_diagnosing("ReadResponse")
    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        """Look at a resource."""
        found = self._cloud.read(request.type_name, unpack(request.current_state))
        state = pack(found and without_unknowns(_block(request.type_name), found))
        return CLASSES["ReadResponse"](new_state=state, private=request.private)

    @_diagnosing("PlanResponse")
    def PlanResourceChange(self, request: Any) -> Any:  # noqa: N802
        """Say what an apply will make of a proposal, and which changes need another resource in its place."""
        prior, proposed, config = (
            unpack(each) for each in (request.prior_state, request.proposed_new_state, request.config)
        )
        answer = CLASSES["PlanResponse"](legacy_type_system=True)  # like the real one, which is built on the old SDK
        if proposed is None:
            answer.planned_state.CopyFrom(pack(None))
            return answer
        planned = self._planned(request.type_name, prior, proposed, config)
        answer.planned_state.CopyFrom(pack(planned))
        for name in sorted(RESOURCES[request.type_name].replaced_by & planned.keys()) if prior else ():
            if planned[name] != prior.get(name):
                answer.requires_replace.append(_path((name,)))
        return answer

    @_diagnosing("ValueResponse")
    def ReadDataSource(self, request: Any) -> Any:  # noqa: N802
        """Look something up."""
        config, settings = unpack(request.config), self._cloud.settings
        project = config.get("project_id") or config.get("project") or settings.project
        found = {**config, **data_sources(project)[request.type_name]}
        block = SCHEMAS["data_sources"][request.type_name]["block"]
        return CLASSES["ValueResponse"](value=pack(shaped(block, found)))

    def ApplyResourceChange(self, request: Any) -> Any:  # noqa: N802
        """Create, change or delete; after an error the state is what it was."""
        name, prior, planned = request.type_name, unpack(request.prior_state), unpack(request.planned_state)
        known, config = attributes(_block(name)), unpack(request.config) or {}
        written = {key: config[key] for key, each in known.items() if each.get("write_only") and config.get(key)}
        answer = self._apply(name, prior, planned, written)
        if answer.diagnostics:
            answer.new_state.CopyFrom(pack(prior))
        answer.legacy_type_system = True
        return answer

    @_diagnosing("ImportResponse")
    def ImportResourceState(self, request: Any) -> Any:  # noqa: N802
        """Take over what is there; core reads the rest of it afterwards."""
        found = shaped(_block(request.type_name), self._cloud.identify(request.type_name, request.id))
        imported = {"type_name": request.type_name, "state": pack(found)}
        return CLASSES["ImportResponse"](imported_resources=[imported])

    def StopProvider(self, _request: Any) -> Any:  # noqa: N802
        """Agree: no call takes long."""
        return CLASSES["Empty"]()

    def _apply(self, name: str, prior: Value | None, planned: Value | None, written: Value) -> Any:
        def change(self: Provider, _request: None) -> Any:
            made = None
            if planned is None:
                self._cloud.delete(name, prior or {})
            elif prior is None:
                made = self._cloud.create(name, planned, written)
            else:
                made = self._cloud.update(name, prior, planned)
            return CLASSES["ApplyResponse"](new_state=pack(made and without_unknowns(_block(name), made)))

        return _diagnosing("ApplyResponse")(change)(self, None)

    def _planned(self, name: str, prior: Value | None, proposed: Value, config: Value) -> Value:
        kind, known = RESOURCES[name], attributes(_block(name))
        settings = self._cloud.settings
        value = {
            key: None
            if known.get(key, {}).get("write_only")
            else each  # core has sent it along, and forbids to keep it
            for key, each in proposed.items()
        }
        provided = {**kind.defaults, "project": settings.project}
        if known.get("location", {}).get("computed"):
            provided["location"] = settings.region
        for key, default in provided.items():
            if key in known and value.get(key) is None:
                value[key] = default
        for key in kind.kept:
            if prior and not config.get(key):
                value[key] = prior.get(key)
        value |= {key: str(value[key]).upper() for key in kind.capitals if value[key] is not UNKNOWN}
        if "terraform_labels" in known:
            value |= self._labels(prior, value.get("labels"))
        return with_unknowns(_block(name), value, prior)

    def _labels(self, prior: Value | None, given: Any) -> Value:
        """Return the labels as the provider keeps them: its own, and those of others with them."""
        if given is UNKNOWN or UNKNOWN in (given or {}).values():
            return {"terraform_labels": UNKNOWN, "effective_labels": UNKNOWN}
        settings = self._cloud.settings
        before = (prior or {}).get("terraform_labels") or {}
        attributed = settings.attribution if prior is None else ATTRIBUTION.items() <= before.items()
        own = {**settings.labels, **(given or {}), **(ATTRIBUTION if attributed else {})}
        now = (prior or {}).get("effective_labels") or {}
        others = {key: value for key, value in now.items() if key not in before}
        return {"terraform_labels": own, "effective_labels": {**others, **own}}

    def _settings(self, given: Value) -> Settings:
        environment = self._environment
        endpoints = {name: environment.get(name, "") for name in (STORAGE, BIGQUERY, SECRETS, RECORDS)}
        for name in (STORAGE, BIGQUERY, SECRETS):
            if urlsplit(endpoints[name]).hostname not in LOOPBACK:
                raise Refused(
                    f"{name} is {endpoints[name]!r}, expected an address of the local cloud",
                    "Run Terraform through `python -m localcloud terraform -- ...`; nothing was read or changed.",
                )
        project = given.get("project") or environment.get("GOOGLE_PROJECT") or environment["GOOGLE_CLOUD_PROJECT"]
        return Settings(
            project=project,
            region=given.get("region") or environment.get("GOOGLE_REGION"),
            storage=endpoints[STORAGE],
            bigquery=endpoints[BIGQUERY],
            secrets=endpoints[SECRETS],
            records=Path(endpoints[RECORDS]),
            labels=given.get("default_labels") or {},
            attribution=given.get("add_terraform_attribution_label") is not False,
        )


def _block(name: str) -> Block:
    block: Block = SCHEMAS["resources"][name]["block"]
    return block


def _schema(schema: dict[str, Any]) -> Any:
    return CLASSES["Schema"](version=schema["version"], block=_described(schema["block"]))


def _described(block: Block) -> Any:
    return CLASSES["Block"](
        attributes=[
            {"name": name, **attribute, "type": json.dumps(attribute["type"]).encode()}
            for name, attribute in attributes(block).items()
        ],
        block_types=[
            {
                "type_name": name,
                "block": _described(nested["block"]),
                "nesting": NESTING[nested["nesting_mode"]],
                "min_items": nested.get("min_items", 0),
                "max_items": nested.get("max_items", 0),
            }
            for name, nested in blocks(block).items()
        ],
    )


def _unconfigurable(block: Block, value: Value, path: _Path) -> Iterator[_Path]:
    for name, attribute in attributes(block).items():
        decided = attribute.get("computed") and not attribute.get("optional")
        if decided and value.get(name) is not None:
            yield (*path, name)
    for name, nested in blocks(block).items():
        for index, each in elements(value.get(name)):
            yield from _unconfigurable(nested["block"], each, (*path, name, index))


def _diagnostic(severity: int, summary: str, detail: str, path: _Path = ()) -> Any:
    made = CLASSES["Diagnostic"](severity=severity, summary=summary, detail=detail)
    if path:
        made.attribute.CopyFrom(_path(path))
    return made


def _path(path: _Path) -> Any:
    steps = [{"attribute_name": step} if isinstance(step, str) else {"element_key_int": step} for step in path]
    return CLASSES["AttributePath"](steps=steps)
