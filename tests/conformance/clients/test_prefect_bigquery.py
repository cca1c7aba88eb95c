"""prefect-gcp's BigQuery tasks and its block, in a process of its own: Prefect keeps settings and threads."""

import io
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.cloud import bigquery, storage

from tests.conformance.promises import relied_on
from tests.conformance.targets import Target


@relied_on(
    "the tasks create, stream, load and query, and the block speaks the DB-API",
    "https://docs.prefect.io/integrations/prefect-gcp/api-ref/prefect_gcp-bigquery",
)
def test_bigquery_tasks_and_block_do_what_they_say(
    target: Target, bucket: storage.Bucket, dataset: bigquery.Dataset, tmp_path: Path
) -> None:
    if target.name == "cloud":
        pytest.skip("the program has no credentials of a real project")
    content = io.BytesIO()
    pq.write_table(pa.table({"x": [1, 2], "name": ["a", "b"]}), content)
    bucket.blob("x.parquet").upload_from_string(content.getvalue())
    (tmp_path / "rows.csv").write_text("7,seven\n")
    program = Path(__file__).with_name("warehouse.py")
    arguments = [target.project, dataset.dataset_id, f"gs://{bucket.name}/x.parquet", str(tmp_path / "rows.csv")]
    metadata = urlsplit(target.addresses["bigquery"]).netloc
    environment = {
        **os.environ,
        **target.environment,
        # the local cloud's own credentials; a stock emulator has none and fails here
        **dict.fromkeys(("GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP"), metadata),
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "PREFECT_HOME": str(tmp_path / "prefect"),
    }
    environment.pop("GOOGLE_APPLICATION_CREDENTIALS", None)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(program), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "used\n"), done.stderr
