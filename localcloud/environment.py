"""The environment that makes Google's clients and Prefect talk to this machine and to nothing else."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from localcloud.auth import auth_string
from localcloud.services import PROJECT

LOOPBACK = ("127.0.0.1", "localhost")
# Nothing listens on port 1: a client that wants to go through this proxy is refused at once.
NOWHERE = "http://127.0.0.1:1"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")

# What would lead Google's clients elsewhere, or to an account of the user's.
TO_ACCOUNTS = (
    "GOOGLE_APPLICATION_CREDENTIALS",  # a key file goes before the metadata server
    "GOOGLE_CLOUD_QUOTA_PROJECT",
    "NO_GCE_CHECK",  # keeps google-auth from asking the metadata server
    "GCE_METADATA_MTLS_MODE",  # `strict` refuses any metadata server but Google's
)
# The same for Prefect.
REMOVED = (
    *TO_ACCOUNTS,
    "PREFECT_API_KEY",
    "PREFECT_PROFILE",  # names a profile that the local PREFECT_HOME lacks
)
# The local Prefect server's database, if it is to be another than SQLite in the data folder: a URL as Prefect takes it,
# `postgresql+asyncpg://...`. A name of its own, since whoever runs a server elsewhere may have Prefect's set.
DATABASE = "LANDFALL_PREFECT_DATABASE_URL"
# What leads to the local Prefect server: unset where there is none, so that no other's is asked in its place.
TO_PREFECT = ("PREFECT_API_URL", "PREFECT_API_AUTH_STRING")


def variables(data: Path, addresses: Mapping[str, str], base: Mapping[str, str]) -> dict[str, str]:
    """Return what to set for a command that uses the local cloud.

    Args:
        data: the data folder, absolute.
        addresses: the running services' addresses by name; without `prefect` there is nothing of TO_PREFECT, without
            `publisher` no LANDFALL_PUBLISHER.
        base: the environment that it is added to; its exceptions from proxies are kept.
    """
    return {
        **for_google(data, addresses, base),
        "LANDFALL_ENVIRONMENT": "local",
        **({"LANDFALL_PUBLISHER": addresses["publisher"]} if "publisher" in addresses else {}),
        **({"PREFECT_API_AUTH_STRING": auth_string(data)} if "prefect" in addresses else {}),
        **_prefect(data, addresses),
    }


def for_google(data: Path, addresses: Mapping[str, str], base: Mapping[str, str]) -> dict[str, str]:
    """Return what to set for Google's clients alone; TO_ACCOUNTS says what to unset."""
    metadata = urlsplit(addresses["bigquery"]).netloc
    return {
        "STORAGE_EMULATOR_HOST": addresses["storage"],
        "BIGQUERY_EMULATOR_HOST": addresses["bigquery"],
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        # google-auth reads the host from one of the first two, and pings the address in the third; unset, these
        # are metadata.google.internal and 169.254.169.254
        "GCE_METADATA_HOST": metadata,
        "GCE_METADATA_ROOT": metadata,
        "GCE_METADATA_IP": metadata,
        "CLOUDSDK_CONFIG": str(data / "gcloud"),
        # Google's clients of these two know no such variable: these are Landfall's
        **({"LANDFALL_CLOUD_RUN_ENDPOINT": addresses["run"]} if "run" in addresses else {}),
        **({"LANDFALL_SECRET_MANAGER_ENDPOINT": addresses["secretmanager"]} if "secretmanager" in addresses else {}),
        **_no_proxy(base),
    }


def for_container(addresses: Mapping[str, str]) -> dict[str, str]:
    """Return what stands on a laptop for a container's network on Google Cloud.

    There Google's names lead to Google's services and to the metadata server; here these variables do. Whatever else
    a container wants to know must be declared by its job, as there. Other hosts cannot be reached.
    """
    google = for_google(Path(), addresses, {})
    del google["GOOGLE_CLOUD_PROJECT"]  # clients ask the metadata server for it, as there
    del google["CLOUDSDK_CONFIG"]  # a container's home is empty
    publisher = {"LANDFALL_PUBLISHER": addresses["publisher"]} if "publisher" in addresses else {}
    return {**google, **publisher, **dict.fromkeys(PROXIES, NOWHERE)}


def removed(addresses: Mapping[str, str]) -> tuple[str, ...]:
    """Return what to unset: without a local Prefect server also what leads to any other."""
    return REMOVED if "prefect" in addresses else (*REMOVED, *TO_PREFECT)


def for_command(data: Path, addresses: Mapping[str, str], base: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of a command that uses the local cloud."""
    gone = removed(addresses)
    kept = {name: value for name, value in base.items() if name not in gone}
    return kept | variables(data, addresses, base)


def for_shell(data: Path, addresses: Mapping[str, str], base: Mapping[str, str]) -> str:
    """Return the same as lines for a shell's `eval`."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables(data, addresses, base).items()]
    return "\n".join([*lines, *(f"unset {name}" for name in removed(addresses))])


def for_service(data: Path, addresses: Mapping[str, str], base: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the service with these addresses: no Prefect settings of the caller's, no way out.

    Prefect's server looks for a newer list of worker types on GitHub and falls back to its own when it gets no
    answer; the proxy that refuses makes that immediate. (HTTP clients leave loopback addresses out of it.)
    """
    kept = {name: value for name, value in base.items() if not name.startswith("PREFECT_")}
    kept |= dict.fromkeys(PROXIES, NOWHERE)
    # 15 s by default. Prefect 3.8.8 marks late runs all at once, and on SQLite their transactions upset each other and
    # all others: a client was seen to wait 15 s for an answer
    kept["PREFECT_SERVER_SERVICES_LATE_RUNS_AFTER_SECONDS"] = "900"
    if database := base.get(DATABASE):
        kept["PREFECT_SERVER_DATABASE_CONNECTION_URL"] = database
    return kept | _prefect(data, addresses) | _guarded(data, addresses) | _no_proxy({})


def _guarded(data: Path, addresses: Mapping[str, str]) -> dict[str, str]:
    """Return what makes the Prefect server refuse whoever lacks the auth string, and other sites' scripts.

    Without it any page in the user's browser, and any user of the machine, could read the blocks and start runs.
    """
    if "prefect" not in addresses:
        return {}
    origin = addresses["prefect"]
    return {
        "PREFECT_SERVER_API_AUTH_STRING": auth_string(data),
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        # its UI, by either name of this machine: opened as localhost, it asks the API by its number
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"{origin},{origin.replace('127.0.0.1', 'localhost')}",
    }


def _prefect(data: Path, addresses: Mapping[str, str]) -> dict[str, str]:
    api = {"PREFECT_API_URL": f"{addresses['prefect']}/api"} if "prefect" in addresses else {}
    return {
        **api,  # the server hands it to its UI, which would look for port 4200 otherwise
        "PREFECT_HOME": str(data / "prefect"),
        # the server's heartbeat and, because the UI and the SDK ask the server, theirs
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "DO_NOT_TRACK": "1",  # the SDK's and the integrations' events
    }


def _no_proxy(base: Mapping[str, str]) -> dict[str, str]:
    names = [name for key in ("NO_PROXY", "no_proxy") for name in base.get(key, "").split(",")]
    value = ",".join(dict.fromkeys(name.strip() for name in [*LOOPBACK, *names] if name.strip()))
    return {"NO_PROXY": value, "no_proxy": value}
