"""The command line that Google ships, where it is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conformance.clients.conftest import Lake
from tests.conformance.promises import relied_on

SETTINGS = {
    "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
    "CLOUDSDK_CORE_PROJECT": "local",
    "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
    "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
}


@relied_on(
    "api_endpoint_overrides/storage leads `gcloud storage` to another address of the JSON API",
    "https://cloud.google.com/sdk/gcloud/reference/topic/configurations",
)
def test_gcloud_copies_lists_and_shows_objects(lake: Lake, tmp_path: Path) -> None:
    if shutil.which("gcloud") is None:
        pytest.skip("gcloud is not installed")
    override = {"CLOUDSDK_API_ENDPOINT_OVERRIDES_STORAGE": f"{lake.address}/storage/v1/"}
    environment = {**os.environ, **SETTINGS, **override, "CLOUDSDK_CONFIG": str(tmp_path / "gcloud")}

    def gcloud(*arguments: str) -> bytes:
        done = subprocess.run(["gcloud", "storage", *arguments], env=environment, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    (tmp_path / "rows.csv").write_bytes(b"a,b\n1,2\n" * 1000)
    gcloud("cp", str(tmp_path / "rows.csv"), f"gs://{lake.bucket}/up/rows.csv")
    assert gcloud("cat", f"gs://{lake.bucket}/up/rows.csv") == b"a,b\n1,2\n" * 1000
    assert gcloud("ls", f"gs://{lake.bucket}/**").split() == [
        f"gs://{lake.bucket}/{name}".encode() for name in ("lake/x.parquet", "up/rows.csv")
    ]
