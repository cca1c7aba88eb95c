"""Whose credentials are found; never what they are."""

from typing import Any

import google.auth.compute_engine
import google.oauth2.credentials
import google.oauth2.service_account
import pytest
from google.auth import impersonated_credentials
from google.auth.crypt import base

from flows.doctor import accounts
from flows.doctor.finding import ok, warning

RUN = "landfall-dev-run@acme.iam.gserviceaccount.com"


class _Signer(base.Signer):
    """Signs nothing."""

    key_id = None

    def sign(self, message: Any) -> bytes:
        raise NotImplementedError


@pytest.fixture
def person() -> Any:
    return google.oauth2.credentials.Credentials("t0ken-value", "r3fresh-value", account="ann@example.org")  # type: ignore[no-untyped-call]


def test_a_persons_login_is_named(person: Any) -> None:
    assert accounts.judge(person, "acme") == ok("a person's own login, ann@example.org; project acme")
    assert "t0ken" not in accounts.who(person)


def test_who_acts_as_the_runs_account_is_named_as_that(person: Any) -> None:
    acting = impersonated_credentials.Credentials(person, RUN, [accounts.SCOPE])  # type: ignore[no-untyped-call]
    assert accounts.judge(acting, None) == ok(f"somebody who acts as {RUN}; project (none, the block says which)")


def test_the_metadata_servers_account_is_named() -> None:
    found = google.auth.compute_engine.Credentials(service_account_email=RUN)  # type: ignore[no-untyped-call]
    assert accounts.who(found) == f"the metadata server's account {RUN}"


def test_a_key_file_is_a_warning() -> None:
    found = google.oauth2.service_account.Credentials(_Signer(), RUN, "https://example.org")  # type: ignore[no-untyped-call]
    assert accounts.judge(found, "acme") == warning(
        f"the key file of {RUN}; project acme: a key file can leak, and nothing here needs one",
        "unset GOOGLE_APPLICATION_CREDENTIALS && gcloud auth application-default login"
        f" --impersonate-service-account={RUN}",
    )
