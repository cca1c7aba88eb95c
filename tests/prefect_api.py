"""The local cloud's Prefect server, as a test asks it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_KEY, PREFECT_API_URL, temporary_settings


@contextmanager
def prefect_api(variables: Mapping[str, str]) -> Iterator[SyncPrefectClient]:
    """A client with the settings of an environment of the local cloud; Prefect has them too until its end."""
    names = (PREFECT_API_URL, PREFECT_API_AUTH_STRING)
    given = {setting: variables[setting.name] for setting in names}
    with temporary_settings({**given, PREFECT_API_KEY: None}), get_client(sync_client=True) as client:
        yield client
