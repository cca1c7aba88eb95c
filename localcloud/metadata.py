"""The metadata server of Compute Engine, as far as Google's clients ask it.

Source: https://cloud.google.com/compute/docs/metadata and google-auth's `compute_engine` package.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from localcloud.services import PROJECT

# Not an address under gserviceaccount.com: for those google-auth asks Google's IAM credentials host, off this
# machine, in which regions they may be used.
EMAIL = "local@localhost"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TOKEN_LIFETIME_S = 3600

_ACCOUNTS = "instance/service-accounts/"
_ACCOUNT = {"aliases": ["default"], "email": EMAIL, "scopes": [SCOPE]}
_TOKEN = {"access_token": "local", "expires_in": TOKEN_LIFETIME_S, "token_type": "Bearer"}
_ANSWERS: dict[str, str | dict[str, object]] = {
    "project/project-id": PROJECT,
    "project/numeric-project-id": "1",
    "instance/region": "projects/1/regions/us-central1",
    "instance/zone": "projects/1/zones/us-central1-a",
    "universe/universe-domain": "googleapis.com",
    # Google answers a folder with a listing unless `recursive=true`; its clients always ask recursively
    _ACCOUNTS + "default/": {**_ACCOUNT},
    _ACCOUNTS + "default/email": EMAIL,
    _ACCOUNTS + "default/scopes": SCOPE,
    _ACCOUNTS + "default/token": {**_TOKEN},
}


def routes() -> list[Route]:
    """Answer for the project, the universe and the one service account, `default` or by its address."""
    return [Route("/", _ping), Route("/computeMetadata/v1/{path:path}", _metadata)]


async def _ping(_request: Request) -> Response:
    return _flavored(PlainTextResponse("computeMetadata/\n"))


async def _metadata(request: Request) -> Response:
    # Google refuses what a browser or a proxy could have been tricked into sending; so do we, or a client that
    # forgets the header would work on the laptop alone.
    if request.headers.get("metadata-flavor") != "Google" or "x-forwarded-for" in request.headers:
        return _flavored(PlainTextResponse("Missing Metadata-Flavor:Google header.\n", 403))
    path = request.path_params["path"].replace(_ACCOUNTS + EMAIL + "/", _ACCOUNTS + "default/")
    match _ANSWERS.get(path):
        case None:
            return _flavored(PlainTextResponse(f"{path}: the local metadata server does not know it.\n", 404))
        case str() as text:
            return _flavored(PlainTextResponse(text, media_type="application/text"))
        case dict() as fields:
            return _flavored(JSONResponse(fields))


def _flavored(response: Response) -> Response:
    response.headers["Metadata-Flavor"] = "Google"
    return response
