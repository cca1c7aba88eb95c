"""The blocks of an environment: what each should hold. No block is constructed, for that would look for credentials.

Keyless: in the cloud and on a laptop alike, credentials are those of the process that runs the flow. Secrets are
references to Secret Manager; Prefect itself keeps a database's password, and where messages go.
"""

import importlib
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from blocks import notifications
from blocks.change import Change, Known
from blocks.compare import Reference, differences
from blocks.database import Given, connection
from blocks.outputs import Outputs, OutputsError
from blocks.server import Server

KEEP = "(as it is)"
"""Stands for a value that stays as Prefect has it."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block as it should be."""

    name: str
    kind: str
    """Its class, as `module:class`."""
    data: dict[str, Any]
    optional: bool = False
    """Not made while its secret is not given; once it is there, it stays."""


def wanted(outputs: Outputs) -> list[Block]:
    """Give the blocks that the outputs ask for, those that others refer to first.

    Raises:
        OutputsError: the database's address is none, or one that messages go to.
    """
    names = outputs.names
    credentials = Reference(names.credentials_block)
    found = [
        Block(
            names.credentials_block,
            "prefect_gcp.credentials:GcpCredentials",
            {"project": outputs.project_id, "service_account_file": None, "service_account_info": None},
        ),
        Block(
            names.lake_block,
            "prefect_gcp.cloud_storage:GcsBucket",
            {"bucket": outputs.lake_bucket, "bucket_folder": "", "gcp_credentials": credentials},
        ),
        Block(
            names.warehouse_block,
            "prefect_gcp.bigquery:BigQueryWarehouse",
            {"fetch_size": 1, "gcp_credentials": credentials},
        ),
    ]
    if outputs.cloud_run:
        secret = {"secret_name": outputs.cloud_run.prefect_api_secret, "secret_version": "latest"}
        found.append(
            Block(
                names.secret_block,
                "prefect_gcp.secret_manager:GcpSecret",
                {**secret, "gcp_credentials": credentials},
            )
        )
    found.append(Block(names.chat_block, notifications.WEBHOOK, notifications.chat(KEEP), optional=True))
    found.append(Block(names.email_block, notifications.EMAIL, notifications.email(KEEP), optional=True))
    given = Given()
    if url := given.database_url or outputs.database_url:
        source = "LANDFALL_DATABASE_URL" if given.database_url else "output database_url"
        password = given.database_password
        info = connection(url, source) | {"password": password.get_secret_value() if password else KEEP}
        found.append(
            Block(
                names.database_block,
                "prefect_sqlalchemy:SqlAlchemyConnector",
                {"connection_info": info, "connect_args": None, "fetch_size": 1},
            )
        )
    return found


def all_names(outputs: Outputs) -> list[str]:
    """Give every name that an environment's blocks can have."""
    names = outputs.names
    return [
        names.credentials_block,
        names.lake_block,
        names.warehouse_block,
        names.secret_block,
        names.database_block,
        names.chat_block,
        names.email_block,
    ]


def read(server: Server, names: list[str]) -> list[dict[str, Any]]:
    """Read the blocks of these names, of any type, with their secrets: they are compared, and never shown."""
    asked = {"block_documents": {"name": {"any_": names}}, "include_secrets": True}
    found: list[dict[str, Any]] = server.post("/block_documents/filter", asked)
    return found


def plan(outputs: Outputs, known: Known) -> list[Change]:
    """Compare the blocks with what is registered, and note the ids of those that stay; nothing is written.

    Raises:
        OutputsError: the database's address is none, or its block's package is not installed.
    """
    there = read(known.server, all_names(outputs))
    changes = []
    for block in wanted(outputs):
        kind = _class(block)
        slug = kind.get_block_type_slug()
        found = next(
            (entry for entry in there if (entry["name"], entry["block_type"]["slug"]) == (block.name, slug)), None
        )
        if found:
            there.remove(found)
            known.blocks[block.name] = found["id"]
        elif block.optional and _lacks(block.data):
            continue
        changes.append(_change(block, kind, found))
    return changes + [_removal(document) for document in there]


def _class(block: Block) -> Any:
    module, _, name = block.kind.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise OutputsError(
            f"{block.name}: {module} is not installed, expected it for a database; pip install 'landfall[database]',"
            " nothing was written"
        ) from error


def _change(block: Block, kind: Any, found: dict[str, Any] | None) -> Change:
    slug = kind.get_block_type_slug()
    if found is None:
        return Change("create", block.name, slug, [], lambda known: _create(block, kind, known))
    held = deepcopy(found["data"])
    for field, reference in found["block_document_references"].items():
        held[field] = Reference(reference["block_document"]["name"])
    data = _kept(block.data, held)
    lines = differences(held, data, found["block_schema"]["fields"].get("secret_fields", []))
    # its schema is the class's: another release of the integration may have another
    schema, current = found["block_schema"]["checksum"], kind._calculate_schema_checksum()  # noqa: SLF001
    if schema != current:
        lines.append(f"schema: {schema} -> {current}")
    if not lines:
        return Change("keep", block.name, slug, [], lambda _: None)
    return Change("update", block.name, slug, lines, lambda known: _update(kind, data, found["id"], known))


def _removal(document: dict[str, Any]) -> Change:
    path = f"/block_documents/{document['id']}"
    return Change(
        "remove", document["name"], document["block_type"]["slug"], [], lambda known: known.server.delete(path)
    )


def _create(block: Block, kind: Any, known: Known) -> None:
    kind.register_type_and_schema()
    body = {
        "name": block.name,
        "data": _referring(_kept(block.data, {}), known),
        "block_schema_id": str(kind._block_schema_id),  # noqa: SLF001 - where registering leaves it
        "block_type_id": str(kind._block_type_id),  # noqa: SLF001
    }
    known.blocks[block.name] = known.server.create("/block_documents/", body) or _adopt(kind, body, known)


def _adopt(kind: Any, body: dict[str, Any], known: Known) -> str:
    """Take a block that another process made meanwhile: two first runs at once."""
    slug = kind.get_block_type_slug()
    documents = read(known.server, [body["name"]])
    document = next(entry["id"] for entry in documents if entry["block_type"]["slug"] == slug)
    _update(kind, body["data"], document, known)
    return str(document)


def _update(kind: Any, data: dict[str, Any], document: str, known: Known) -> None:
    kind.register_type_and_schema()
    body = {
        "data": _referring(data, known),
        "block_schema_id": str(kind._block_schema_id),  # noqa: SLF001
        "merge_existing_data": False,
    }
    known.server.patch(f"/block_documents/{document}", body)


def _kept(data: dict[str, Any], held: dict[str, Any]) -> dict[str, Any]:
    """Fill in what stays as Prefect has it."""
    filled = dict(data)
    for name, value in data.items():
        if isinstance(value, dict):
            below = held.get(name)
            filled[name] = _kept(value, below if isinstance(below, dict) else {})
        elif value == KEEP:
            filled[name] = held.get(name)
    return filled


def _lacks(data: dict[str, Any]) -> bool:
    """Tell whether a value is to stay as it is; where nothing is, it is missing."""
    return any(_lacks(value) if isinstance(value, dict) else value == KEEP for value in data.values())


def _referring(data: dict[str, Any], known: Known) -> dict[str, Any]:
    return {
        name: {"$ref": {"block_document_id": known.blocks[value.name]}} if isinstance(value, Reference) else value
        for name, value in data.items()
    }
