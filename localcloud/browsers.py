"""Pages of other sites, in the browser of the local cloud's user, can send requests to its ports: they get no answer.

Nobody signs in here, and a job of the local Cloud Run is a command on this machine. Browsers say of each request by a
page where it comes from, and no page is served here; programs say nothing of the kind. What a person opens by its
address is no page's request.
"""

from collections.abc import Callable

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

REFUSED = 403
WHY = "found a request by a page in a browser, expected a program's; nothing was done\n"


def is_a_pages(header: Callable[[str], str | None]) -> bool:
    """Tell whether a request comes from a page.

    Args:
        header: gives the value of a header, None if it is not there.
    """
    return header("origin") is not None or header("sec-fetch-site") not in (None, "none")


def closed_to_pages(app: ASGIApp) -> ASGIApp:
    """Return the application for programs alone."""

    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        sent = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        answering = PlainTextResponse(WHY, REFUSED) if is_a_pages(sent.get) else app
        await answering(scope, receive, send)

    return refusing
