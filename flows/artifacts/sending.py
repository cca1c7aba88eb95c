"""Artifacts on their way to Prefect: in a thread beside the run, which does not fail by them and hardly waits."""

import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.exceptions import PrefectException
from prefect.runtime import flow_run

from flows.artifacts.artifact import Artifact, key

PATIENT_S = 10.0  # a run that has ended waits so long for its artifacts, and no longer
EVERY_S = 1.0  # between two looks at how far a run has come

log = logging.getLogger("flows.etl.artifacts")  # below flows.etl, which goes to the run's log in Prefect


def publish(environment: str, subject: str, artifacts: Sequence[Artifact]) -> None:
    """Leave artifacts with the run that is at work; outside of one nothing is done."""
    if flow_run.id is None:
        return
    run_id = UUID(flow_run.id)

    def send(client: SyncPrefectClient) -> None:
        for each in artifacts:
            client.create_artifact(
                ArtifactCreate(
                    key=key(environment, subject, each.about),
                    type=each.kind,
                    description=each.description,
                    data=each.data if isinstance(each.data, str) else json.dumps(each.data),
                    flow_run_id=run_id,
                )
            )

    sending = _beside("leave its artifacts", send)
    sending.join(PATIENT_S)
    if sending.is_alive():
        log.warning("artifacts are not there after %.0f s: the run ends without; is Prefect's server slow?", PATIENT_S)


def mark(tags: Sequence[str]) -> None:
    """Give the run that is at work these tags besides its own; nobody waits for it."""
    if flow_run.id is None or {*tags} <= {*flow_run.tags}:
        return
    run_id, together = UUID(flow_run.id), sorted({*flow_run.tags, *tags})
    _beside("tag it", lambda client: client.update_flow_run(run_id, tags=together))


@contextmanager
def progress(share: Callable[[], float]) -> Iterator[None]:
    """Show how far the work within has come, once a second while that grows; short work shows nothing.

    Args:
        share: gives it, from 0 to 1, and is asked in another thread.
    """
    if flow_run.id is None:
        yield
        return
    over, run_id = threading.Event(), UUID(flow_run.id)

    def show(client: SyncPrefectClient) -> None:
        told = _percent(share())
        about = ArtifactCreate(type="progress", data=told, description="How far this run has come", flow_run_id=run_id)
        made = client.create_artifact(about).id
        ended = False
        while not ended:
            ended = over.wait(EVERY_S)
            percent = _percent(share())
            if percent > told:
                client.update_artifact(made, ArtifactUpdate(data=percent))
            told = max(told, percent)

    # a short run shows nothing, and needs no client for it
    shown = _beside("show how far it has come", show, unless=lambda: over.wait(EVERY_S))
    try:
        yield
    finally:
        over.set()
        shown.join(PATIENT_S)


def _percent(share: float) -> float:
    return round(100 * min(max(share, 0.0), 1.0), 1)


def _beside(
    what: str, work: Callable[[SyncPrefectClient], object], unless: Callable[[], bool] = lambda: False
) -> threading.Thread:
    """Do something with Prefect's API in a thread of its own, which a process that ends does not wait for."""

    def done() -> None:
        if unless():
            return
        try:
            with get_client(sync_client=True) as client:
                work(client)
        # what a server answers, or does not; that its answer is no JSON, or another's, is a ValueError
        except (httpx.HTTPError, httpx.InvalidURL, PrefectException, ValueError, OSError) as error:
            log.warning("could not %s: %s: %s", what, type(error).__name__, str(error).partition("\n")[0])

    thread = threading.Thread(target=copy_context().run, args=(done,), daemon=True, name=what)
    thread.start()
    return thread
