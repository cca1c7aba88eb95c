"""What a Prefect 1 team has left on its machines, and where each of its values belongs now. No value is shown.

Prefect 3 reads neither `~/.prefect/config.toml` nor variables PREFECT__...; the keys are those of Prefect 1.4's own
config.toml and of its documentation.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flows.doctor.finding import Finding, ok, problem, warning
from flows.doctor.seen import Seen

OWN_FILE = "PREFECT__USER_CONFIG_PATH"
_VARIABLE = re.compile(r"^PREFECT__([A-Z0-9_]+)$")

_BLOCK = (
    "a Secret block (prefect block create secret): a contract names it under [headers], prefect.yaml as"
    " {{ prefect.blocks.secret.<name> }}"
)
_KEY = (
    "PREFECT_API_KEY, with a new key: prefect cloud login; for jobs docs/google-cloud.md, 5. Keys of Prefect 1 open"
    " nothing any more: revoke it"
)
_URL = "PREFECT_API_URL, the new server's address up to /api: prefect config set PREFECT_API_URL=..."
_POOL = "the work pool, which make blocks registers, and its worker: make worker, or worker_image in infra/envs/"
_SERVER = "nowhere: Prefect 3's server is one process with a database: prefect server start"
_RETRIES = (
    "flows/tasks.py, which holds every retry policy; for flows of your own @task(retries=..., retry_delay_seconds=...)"
)
_RUNNER = "the flow's own @flow(task_runner=...); for threads PREFECT_TASKS_RUNNER_THREAD_POOL_MAX_WORKERS"
_PULL = "`pull` in prefect.yaml: docs/deployments.md, Where runs take the code from"
_LOGGING = "a logging.yml of your own: PREFECT_LOGGING_SETTINGS_PATH"
_NOWHERE = "nowhere: Prefect 3 has no such setting"

# the longest that fits decides; a name with a dot at its end is a table, any other a whole key
PLACES: dict[str, str] = {
    "backend": f"nowhere by itself: it follows from {_URL}",
    "debug": "PREFECT_DEBUG_MODE",
    "home_dir": "PREFECT_HOME",
    "cloud.": _NOWHERE,
    "cloud.api": _URL,
    "cloud.endpoint": _URL,
    "cloud.graphql": "nowhere: Prefect 3's API is REST, under PREFECT_API_URL",
    "cloud.auth_token": _KEY,
    "cloud.api_key": _KEY,
    "cloud.tenant_id": "the workspace in PREFECT_API_URL: prefect cloud workspace set",
    "cloud.use_local_secrets": "nowhere: secrets are blocks; those in [context.secrets] are listed one by one",
    "cloud.heartbeat_interval": "PREFECT_FLOWS_HEARTBEAT_FREQUENCY",
    "cloud.send_flow_run_logs": "PREFECT_LOGGING_TO_API_ENABLED",
    "cloud.logging_heartbeat": "PREFECT_LOGGING_TO_API_BATCH_INTERVAL",
    "cloud.agent.": _POOL,
    "cloud.agent.auth_token": f"the worker's {_KEY}",
    "cloud.agent.labels": "work queues and tags: landfall register --label, or work_pool and tags in prefect.yaml",
    "cloud.agent.name": "the worker's name: prefect worker start --name",
    "cloud.agent.level": "PREFECT_LOGGING_LEVEL of the worker",
    "cloud.agent.env_vars": "env under work_pool.job_variables in prefect.yaml",
    "server.": _SERVER,
    "server.host": _URL,
    "server.port": _URL,
    "server.endpoint": _URL,
    "server.database.": "PREFECT_SERVER_DATABASE_CONNECTION_URL, where the server runs; its password from a secret",
    "server.ui.": "nowhere: the server serves its UI itself; PREFECT_UI_URL if it has another address",
    "server.telemetry.": "PREFECT_SERVER_ANALYTICS_ENABLED",
    "telemetry.": "PREFECT_SERVER_ANALYTICS_ENABLED",
    "logging.": _NOWHERE,
    "logging.level": "PREFECT_LOGGING_LEVEL; for jobs on Cloud Run log_level in infra/envs/",
    "logging.format": _LOGGING,
    "logging.datefmt": _LOGGING,
    "logging.log_to_cloud": "PREFECT_LOGGING_TO_API_ENABLED",
    "logging.extra_loggers": "PREFECT_LOGGING_EXTRA_LOGGERS",
    "flows.": _NOWHERE,
    "flows.checkpointing": "PREFECT_RESULTS_PERSIST_BY_DEFAULT; Landfall's runs need none, the lake is their memory",
    "flows.run_on_schedule": "schedules in prefect.yaml, or landfall serve --cron",
    "flows.defaults.storage.": _PULL,
    "storage.": _PULL,
    "tasks.": _NOWHERE,
    "tasks.defaults.max_retries": _RETRIES,
    "tasks.defaults.retry_delay": _RETRIES,
    "tasks.defaults.timeout": "@task(timeout_seconds=...); Landfall's own time-outs are in flows/etl/",
    "engine.": _NOWHERE,
    "engine.executor.": _RUNNER,
    "context.": "parameters of the flow, in prefect.yaml",
    "context.secrets.": _BLOCK,
    "context.secrets.GCP_CREDENTIALS": "nowhere: runs are their service account, and people log in; delete the key",
    "context.secrets.GITHUB_ACCESS_TOKEN": "a Secret block, the access_token of git_clone in prefect.yaml's pull",
    "context.secrets.AWS_CREDENTIALS": "an AwsCredentials block (pip install prefect-aws); Landfall reads no S3",
    "context.secrets.SLACK_WEBHOOK_URL": "a SlackWebhook block and an automation; or alert_emails in infra/envs/",
}


def config_toml(seen: Seen) -> list[Finding] | Finding:
    """Read an old config.toml and old variables, and say for each value where it belongs now."""
    file = Path(seen.environ.get(OWN_FILE) or seen.home / ".prefect" / "config.toml").expanduser()
    found: list[Finding] = []
    if file.is_file():
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            # the error's text may quote the file
            return problem(f"{file}: {type(error).__name__}, cannot be read", f"Prefect 3 does not read it: rm {file}")
        found += [_moved(str(file), key) for key in keys(values)]
        if not found:
            found.append(warning(f"{file} is there, and empty", f"rm {file}"))
        else:
            found.append(
                warning(f"{file}: Prefect 3 reads none of it, and its secrets lie there in clear", f"rm {file}")
            )
    found += [_moved(name, key, "unset " + name) for name, key in variables(seen.environ)]
    return found or ok(f"nothing of Prefect 1: no {file}, no variable PREFECT__...")


def keys(values: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Give the names of all values, those within tables after a dot."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from keys(value, f"{above}{name}.")
        else:
            yield above + name


def variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Give Prefect 1's variables with the keys that they stand for: PREFECT__CLOUD__API_KEY is cloud.api_key."""
    for name in sorted(environ):
        if name != OWN_FILE and (match := _VARIABLE.match(name)):
            *tables, last = match[1].split("__")
            within = [table.lower() for table in tables]
            yield name, ".".join([*within, last if within == ["context", "secrets"] else last.lower()])


def place(key: str) -> str:
    """Say where a value belongs now."""
    fits = [known for known in PLACES if key == known or (known.endswith(".") and key.startswith(known))]
    return PLACES[max(fits, key=len)] if fits else _NOWHERE


def _moved(where: str, key: str, also: str = "") -> Finding:
    return warning(f"{where}: {key}" if where != key else key, f"{place(key)}{f'; {also}' if also else ''}")
