"""Prefect's API: where it is, whether it answers, and whether its version and ours agree."""

from urllib.parse import urlsplit

import httpx
from prefect import __version__ as ours
from prefect.client.orchestration import get_client
from prefect.settings import get_current_settings

from blocks.server import Server
from flows.doctor.finding import Finding, ok, problem, warning
from flows.doctor.seen import TIMEOUT_S, Seen
from flows.etl.address import is_loopback, shown

LAPTOP = 'make up && eval "$(make -s env)"'
SELF_HOSTED = "/admin/version"
ANYWHERE = "/flows/count"  # Prefect Cloud tells no version


def prefect(seen: Seen) -> Finding:
    """Ask the API for its version, with the credentials that runs use."""
    api = get_current_settings().api
    secrets = (api.key, api.auth_string)  # a profile of Prefect's may hold them, too
    seen.hidden |= {each.get_secret_value() for each in secrets if each and each.get_secret_value()}
    url = api.url
    if not url:
        return problem(
            "PREFECT_API_URL: found nothing, expected the address of a Prefect server's API",
            f"on a laptop: {LAPTOP}; with Prefect Cloud: prefect cloud login",
        )
    where = shown(url)
    seen.server = Server(
        seen.closing.enter_context(get_client(sync_client=True, httpx_settings={"timeout": TIMEOUT_S}))
    )
    try:
        theirs = seen.server.read(SELF_HOSTED)
        if theirs is None:
            seen.server.post(ANYWHERE, {})
    except httpx.HTTPStatusError as error:
        return refused(where, error.response.status_code)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        return silent(where, str(error) or type(error).__name__)
    except ValueError:  # no JSON
        return problem(
            f"{where} answers, but not as Prefect's API does",
            "is the address complete, up to /api? export PREFECT_API_URL=<address>/api",
        )
    return agree(where, theirs)


def refused(where: str, status: int) -> Finding:
    """Judge an error that the server answered with."""
    if status in (401, 403):
        return problem(
            f"{where} refuses the credentials ({status})",
            "set PREFECT_API_KEY for Prefect Cloud (prefect cloud login), PREFECT_API_AUTH_STRING for a server of your"
            f" own; on a laptop: {LAPTOP}",
        )
    if status in (404, 405):
        return problem(
            f"{where} answers {status}: it is not Prefect's API",
            "is the address complete, up to /api? export PREFECT_API_URL=<address>/api",
        )
    return problem(f"{where} answers {status}", "look at the server's own log")


def silent(where: str, said: str) -> Finding:
    """Judge that nobody answers."""
    host = urlsplit(where).hostname
    start = LAPTOP if host and is_loopback(host) else "check PREFECT_API_URL and the network"
    return problem(f"{where} does not answer: {said}", start)


def agree(where: str, theirs: str | None) -> Finding:
    """Compare the server's version with the client's: by their first two numbers they must agree."""
    if theirs is None:
        return ok(f"{where} answers; it tells no version, as Prefect Cloud does not; the client is {ours}")
    if ours.split(".")[:2] == theirs.split(".")[:2]:
        return ok(f"{where} is Prefect {theirs}, the client {ours}")
    return warning(
        f"{where} is Prefect {theirs}, the client {ours}: neither was tested with the other",
        f"bring the server to {ours}: python -m pip install prefect=={ours} where it runs",
    )
