"""Prefect's own Cloud Run worker, unchanged but for where Cloud Run answers and how long it waits between two looks.

prefect-gcp 0.6 hard-codes https://run.googleapis.com and its waits of 5 and 3 seconds; both are replaced among its
modules' names, in this process alone, before the worker starts.
"""

import sys
import time
from collections.abc import Sequence
from types import SimpleNamespace

import prefect_gcp.models.cloud_run_v2 as models
import prefect_gcp.workers.cloud_run_v2 as worker
from google.api_core.client_options import ClientOptions
from prefect.cli import app

TYPE = "cloud-run-v2"


def start(endpoint: str, pool: str, wait_s: float, options: Sequence[str]) -> int:
    """Run `prefect worker start` until it ends.

    Args:
        endpoint: where the local Cloud Run answers.
        pool: the work pool.
        wait_s: the longest wait between two looks at a job.
        options: more of the command's own.

    Returns:
        Its exit code.
    """

    def options_of(api_endpoint: str) -> ClientOptions:
        if api_endpoint != "https://run.googleapis.com":
            raise RuntimeError(f"prefect-gcp asks at {api_endpoint}, expected https://run.googleapis.com")
        return ClientOptions(api_endpoint=endpoint)

    worker.ClientOptions = options_of
    for module in (worker, models):
        module.time = SimpleNamespace(sleep=lambda seconds: time.sleep(min(seconds, wait_s)))
    sys.argv = ["prefect", "worker", "start", "--pool", pool, "--type", TYPE, *options]
    try:
        app()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0
