"""Bring what is registered at Prefect in line with Terraform's outputs."""

from blocks import documents, work_pool
from blocks.change import Change, Known
from blocks.outputs import Outputs
from blocks.server import Server


def plan(server: Server, outputs: Outputs) -> tuple[list[Change], Known]:
    """Compare everything, and write nothing.

    Raises:
        OutputsError: outputs that contradict themselves or the server.
    """
    known = Known(server)
    changes = documents.plan(outputs, known)
    return changes + work_pool.plan(outputs, outputs.cloud_run, known), known


def absent(server: Server, outputs: Outputs) -> bool:
    """Tell whether one of the blocks that a flow loads is not registered; they are not compared."""
    names = outputs.names
    wanted = [names.credentials_block, names.lake_block, names.warehouse_block]
    return not set(wanted) <= {document["name"] for document in documents.read(server, wanted)}
