"""Who this process is at Google: whose credentials are found, and whether they still give a token."""

from functools import partial
from typing import Any

import google.auth
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.auth.transport.requests import Request

from flows.doctor.finding import Finding, ok, problem, warning
from flows.doctor.seen import TIMEOUT_S, Seen

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
LOGIN = "gcloud auth application-default login"
BY_HAND = f"{LOGIN} (docs/google-cloud.md, Run by hand: as the run's account)"
# what google-auth's classes are, by their module: their names are all `Credentials`
KINDS = {
    "google.oauth2.credentials": "a person's own login",
    "google.oauth2.service_account": "the key file of {who}",
    "google.auth.impersonated_credentials": "somebody who acts as {who}",
    "google.auth.compute_engine.credentials": "the metadata server's account {who}",
    "google.auth.identity_pool": "another provider's token, exchanged for {who}",
}


def credentials(_seen: Seen) -> Finding:
    """Find the credentials that Google's clients find by themselves, and ask for a token with them."""
    try:
        found, project = google.auth.default(scopes=[SCOPE])
        found.refresh(partial(Request(), timeout=TIMEOUT_S))  # type: ignore[no-untyped-call]
    except DefaultCredentialsError as error:
        return problem(
            f"found none: {_first_sentence(error)}",
            f'on a laptop: make up && eval "$(make -s env)"; on Google Cloud: {BY_HAND}',
        )
    except GoogleAuthError as error:
        return problem(f"{who(found)} give no token: {_first_sentence(error)}", BY_HAND)
    return judge(found, project)


def judge(found: Any, project: str | None) -> Finding:
    """Say whose they are. A key file works, and can leak."""
    said = f"{who(found)}; project {project or '(none, the block says which)'}"
    if type(found).__module__ == "google.oauth2.service_account":
        return warning(
            f"{said}: a key file can leak, and nothing here needs one",
            f"unset GOOGLE_APPLICATION_CREDENTIALS && {LOGIN}"
            f" --impersonate-service-account={found.service_account_email}",
        )
    return ok(said)


def who(found: Any) -> str:
    """Name a kind of credentials and whose they are; never a token or a key."""
    name = getattr(found, "service_account_email", None) or getattr(found, "account", None) or ""
    kind = KINDS.get(type(found).__module__, f"credentials of the kind {type(found).__module__}")
    return kind.format(who=name) if "{who}" in kind else f"{kind}{f', {name}' if name else ''}"


def _first_sentence(error: Exception) -> str:
    said = error.args[0] if error.args and isinstance(error.args[0], str) else type(error).__name__
    return " ".join(said.partition(". ")[0].split())[:300]
