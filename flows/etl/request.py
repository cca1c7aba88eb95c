"""One question to a publisher, asked politely: redirects, waiting when told to, few connections, clear refusals.

Redirects are followed here and not by requests, which takes every header but `Authorization` along to another host.
"""

import datetime as dt
import email.utils
import logging
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urljoin, urlsplit

import requests

from flows import __version__
from flows.etl.address import origin, parse, printable, shown
from flows.etl.errors import NETWORK, ComeBackLater, SourceError, Transient
from flows.etl.reach import PUBLIC, Beyond, Guard, Reach

TIMEOUT_S = (10, 60)  # to connect, and between two reads
REDIRECTS = 5
CONNECTIONS = 4  # to one host at a time, in one process: what browsers and curl's parallel mode stay near
CONNECTION_WAIT_S = 3600  # for others' downloads to end; longer than the longest, so that only a hang is given up
WAITS = 3  # times that one request waits for what Retry-After says
WAIT_AT_MOST_S = 60  # each time: a worker that sleeps longer is better ended and started again
HEADERS = {
    "User-Agent": f"landfall/{__version__}",
    "Accept-Encoding": "identity",  # the file as it is stored: its own gzip is ours to undo
}
NO_HEADERS: Mapping[str, str] = MappingProxyType({})
# https://www.rfc-editor.org/rfc/rfc9110#section-5.5: visible ASCII, blanks only inside
HEADER_VALUE = re.compile(r"[!-~](?:[\t -~]*[!-~])?")

log = logging.getLogger(__name__)


class HeadRefused(SourceError):
    """This publisher answers GET only."""


@contextmanager
def ask(  # noqa: PLR0913 - what a request can say
    method: str,
    url: str,
    headers: Mapping[str, str] = NO_HEADERS,
    etag: str | None = None,
    reach: Reach = PUBLIC,
    *,
    span: str | None = None,
) -> Iterator[requests.Response]:
    """Ask, and give the answer with its body unread: 200, or 304 where an *etag* says what is known.

    Where a *span* of the file is asked for the answer is 206, or 200 from a publisher that always sends the whole, or
    416 where there is no such span: of an empty file there is none.

    Args:
        method: GET or HEAD.
        url: Where; https, or http on this machine. Its query is never shown.
        headers: Sent along as far as redirects stay with the same host, port and scheme; never shown.
        etag: What is known already; a publisher that still serves it answers 304 without a body.
        reach: Where the request and its redirects may go.
        span: Which bytes, `0-99` for the first hundred and `-100` for the last.

    Raises:
        SourceError: the publisher refuses, has no such file, is out of reach, or redirects to where nobody should
            follow.
        Transient: it cannot be reached, or is too busy.
        ComeBackLater: it is too busy, and says for how long.
    """
    parse(url, url)
    where = shown(url)
    check_headers(where, headers)
    conditional = {"If-None-Match": etag} if etag else {}
    if span:
        conditional["Range"] = f"bytes={span}"
    for waited in range(WAITS + 1):
        with _follow(method, url, headers, conditional, reach) as answer:
            wait_s = _wait_s(answer.response)
            if wait_s is None:
                if not (span and answer.response.status_code in (206, 416)):
                    _check_status(method, where, answer, etag)
                yield answer.response
                return
            if wait_s > WAIT_AT_MOST_S or waited == WAITS:
                raise _come_back(where, answer, wait_s)
            status = answer.response.status_code
        log.info("%s: found %d, and waits for %.0f s as the publisher asks", where, status, wait_s)
        time.sleep(wait_s)  # without a connection


def check_headers(where: str, headers: Mapping[str, str]) -> None:
    """Refuse a value that is none, above all one with a line break, which would begin another header.

    The value stays unnamed here, and in what requests would say of it.
    """
    for name, value in headers.items():
        if not HEADER_VALUE.fullmatch(value):
            raise SourceError(
                f"{where}: found a value for the header {name} with a line break, a blank at its end or a character"
                " beyond ASCII, or an empty one, expected visible ASCII; mend the Secret block, nothing was written"
            )


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer, who gave it after all redirects, and whether the contract's headers had to stay behind."""

    response: requests.Response
    by: str
    headers_left: bool


@contextmanager
def _follow(
    method: str, url: str, headers: Mapping[str, str], conditional: Mapping[str, str], reach: Reach
) -> Iterator[_Answer]:
    here, seen, own, where = url, {url}, headers, shown(url)
    for _ in range(REDIRECTS + 1):
        with _once(method, url, here, {**HEADERS, **own, **conditional}, reach) as response:
            target = _target(response, where, here)
            if target is None:
                yield _Answer(response, shown(here), headers_left=bool(headers) and not own)
                return
        if target in seen:
            raise SourceError(
                f"{where}: found a redirect loop through {shown(target)}, expected a file; check the contract's source,"
                " nothing was written"
            )
        if origin(target) != origin(here):
            own = NO_HEADERS  # for good: where it leads from there is for that host to say
        here = target
        seen.add(target)
    raise SourceError(
        f"{where}: found more than {REDIRECTS} redirects, expected a file; check the contract's source, nothing was"
        " written"
    )


@contextmanager
def _once(method: str, url: str, here: str, headers: Mapping[str, str], reach: Reach) -> Iterator[requests.Response]:
    """Send one request over a connection of its own."""
    with _slot(shown(url), here), _OneHop(reach) as session:
        session.auth = _nothing_more  # or a .netrc file would replace the contract's Authorization
        try:
            response = session.request(
                method, here, headers=dict(headers), stream=True, timeout=TIMEOUT_S, allow_redirects=False
            )
        except (*NETWORK, requests.RequestException, Beyond) as error:
            raise _unanswered(url, here, error) from None  # its text holds the whole address, also a signed one
        with response:
            yield response


class _OneHop(requests.Session):
    """A session for one request within a reach, that knows of no redirects: it would read a redirect's body first."""

    def __init__(self, reach: Reach) -> None:
        super().__init__()
        self._guard = Guard(reach)

    def get_adapter(self, url: str) -> Guard:  # noqa: ARG002 - whatever the address begins with
        """Give the guard for every address."""
        return self._guard

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Say that every answer is the last."""


def _unanswered(url: str, here: str, error: requests.RequestException | Beyond) -> SourceError | Transient:
    where, through = shown(url), "" if here == url else f", where it redirects to {shown(here)}"
    if isinstance(error, Beyond):
        return SourceError(f"{where}: {error}{through}; nothing was sent there and nothing was written")
    cause = error.args[0] if error.args else error
    why = re.sub(r"\S+\?\S*", "(an address)", str(getattr(cause, "reason", cause)))
    if isinstance(error, NETWORK):
        return Transient(f"{where}: no answer ({why}){through}; is the publisher up? nothing was written")
    return SourceError(f"{where}: {why}{through}, expected an address that answers; nothing was written")


def _nothing_more(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send what was given and no credentials beside it."""
    return request


def _target(response: requests.Response, where: str, here: str) -> str | None:
    """Say where an answer redirects to; None if it does not."""
    location = response.headers.get("Location")
    if response.status_code not in (301, 302, 303, 307, 308) or not location:
        return None
    # headers are read as latin-1, and addresses in them are UTF-8 where they are not ASCII
    try:
        target = urljoin(here, location.encode("latin-1", "replace").decode("utf-8", "replace"))
    except ValueError:  # whose text holds what was found
        raise SourceError(f"{where}: found a redirect to no address, expected one; nothing was written") from None
    there = parse(target, where)
    if urlsplit(here).scheme == "https" and there.scheme != "https":
        raise SourceError(
            f"{where}: found a redirect from https to {shown(target)}, expected one that stays encrypted; nothing was"
            " written"
        )
    return target


# hosts and the connections that are free to each
_free: dict[str, threading.Semaphore] = {}
_lock = threading.Lock()


@contextmanager
def _slot(where: str, here: str) -> Iterator[None]:
    """Hold one of the connections to a host.

    Nobody waits for a connection while holding another: a redirect's is given back before its target is asked, and a
    landing looks at its source only after the download has ended. So this cannot lock up.
    """
    host = urlsplit(here).netloc.lower()
    with _lock:
        free = _free.setdefault(host, threading.Semaphore(CONNECTIONS))
    if not free.acquire(timeout=CONNECTION_WAIT_S):
        raise Transient(
            f"{where}: found {CONNECTIONS} connections to {host} busy for {CONNECTION_WAIT_S} s, expected a free one;"
            " run again, nothing was written"
        )
    try:
        yield
    finally:
        free.release()


def _wait_s(response: requests.Response) -> float | None:
    """Say how long a busy publisher asks to be left alone; None if it does not."""
    if response.status_code not in (429, 503):
        return None
    return retry_after_s(response.headers.get("Retry-After", ""), dt.datetime.now(dt.UTC))


def retry_after_s(text: str, now: dt.datetime) -> float | None:
    """Read a Retry-After header: seconds, or a date; None for anything else.

    https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
    """
    if re.fullmatch(r"[0-9]{1,9}", seconds := text.strip(" \t")):
        return float(seconds)
    try:
        then = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    then = then if then.tzinfo else then.replace(tzinfo=dt.UTC)
    return max((then - now).total_seconds(), 0.0)


def _come_back(where: str, answer: _Answer, wait_s: float) -> ComeBackLater:
    then = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=wait_s)
    return ComeBackLater(
        f"{_found(where, answer)}; the publisher asks to come back at {then:%Y-%m-%d %H:%M:%S} UTC, nothing was written"
    )


def _found(where: str, answer: _Answer) -> str:
    by = "" if answer.by == where else f" from {answer.by}"
    return f"{where}: found {answer.response.status_code} {printable(answer.response.reason)}{by}, expected 200"


def _check_status(method: str, where: str, answer: _Answer, etag: str | None) -> None:
    found = _found(where, answer)
    left = "; the contract's headers were not sent there, as it is another host" if answer.headers_left else ""
    match answer.response.status_code:
        case 200:
            return
        case 304 if etag:
            return
        case 403 | 405 | 501 if method == "HEAD":  # 403: an address that is signed for GET
            raise HeadRefused(found)
        case 408 | 425 | 429 | 500 | 502 | 503 | 504:
            raise Transient(f"{found}; the publisher is busy, run again later, nothing was written")
        case 401 | 407:
            raise SourceError(
                f"{found}{left}; the publisher wants to know who asks: name a header and its Secret block under"
                " [headers] in the contract, nothing was written"
            )
        case 403 | 404 | 410:
            raise SourceError(
                f"{found}{left}; the publisher does not serve this period (yet), or the contract's source is wrong;"
                " nothing was written"
            )
        case _:
            raise SourceError(f"{found}; check the contract's source, nothing was written")
