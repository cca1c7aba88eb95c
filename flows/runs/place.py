"""One environment's runs: Prefect's work pool and Cloud Run's jobs side by side, looked at and acted on."""

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from google.api_core.exceptions import BadRequest, Conflict, Forbidden
from prefect.client.orchestration import SyncPrefectClient, get_client

from flows.runs import jobs, states
from flows.runs.recovery import NEWS, Do, Facts, Step, decide

log = logging.getLogger("flows.etl.recover")  # below flows.etl, which goes to the run's log in Prefect


@dataclass(frozen=True, slots=True)
class Runs:
    """Where an environment's runs are: its work pool at Prefect, and the region whose jobs they become."""

    work_pool: str
    region: jobs.Region


def look(runs: Runs, repeats: int) -> list[Step]:
    """Ask Prefect, Cloud Run and Prefect again, in this order, and say what is to be done; nothing is changed.

    Raises:
        google.api_core.exceptions.GoogleAPICallError, requests.RequestException: Cloud Run does not answer.
        httpx.HTTPError: Prefect does not.
    """
    now = dt.datetime.now(dt.UTC)
    with get_client(sync_client=True) as client:
        before = states.read(client, runs.work_pool, now - NEWS)
        found = jobs.read(runs.region, runs.work_pool)
        after = states.read(client, runs.work_pool, now - NEWS, {job.flow_run_id for job in found})
        return decide(Facts(before, found, after, states.at_work(client, runs.work_pool)), repeats, now)


def act(runs: Runs, steps: Sequence[Step]) -> list[Step]:
    """Carry the steps out, in their order, and give those that were.

    All of them can be done twice. A run that has moved on meanwhile is left alone, and so is one whose job cannot be
    deleted: the others come first.

    Raises:
        google.api_core.exceptions.ClientError: Cloud Run refused to delete a job.
        google.api_core.exceptions.ServerError, requests.RequestException, httpx.HTTPError: one of the two does not
            answer; some of the steps may have been carried out.
    """
    with get_client(sync_client=True) as client:
        return carry_out(client, runs.region, steps)


def carry_out(client: SyncPrefectClient, region: jobs.Region, steps: Sequence[Step]) -> list[Step]:
    """Do what `act` says, by a client that is open."""
    left: set[UUID | None] = set()
    done, refused = [], []
    for step in steps:
        if step.run_id and step.run_id in left:
            continue
        try:
            agreed = _carry_out(client, region, step)
        except (Forbidden, BadRequest, Conflict) as error:
            refused.append(error)
            agreed = False
        if agreed:
            log.info("%s: %s, %s", step.subject, step.do, step.why)
            done.append(step)
        else:
            log.warning("%s: could not %s it", step.subject, step.do)
            left.add(step.run_id)
    if refused:
        raise refused[0]
    return done


def _carry_out(client: SyncPrefectClient, region: jobs.Region, step: Step) -> bool:
    if step.do == Do.DELETE or step.run_id is None:
        jobs.delete(region, step.subject)
        return True
    return HOW[step.do](client, step.run_id, step.why)


HOW: dict[Do, Callable[[SyncPrefectClient, UUID, str], bool]] = {
    Do.CRASH: states.crash,
    Do.CANCEL: states.cancel,
    Do.REPEAT: states.repeat,
    Do.GIVE_UP: states.give_up,
}
