"""prefect-gcp's bucket block, in a process of its own: Prefect keeps settings and threads."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conformance.clients.conftest import Lake
from tests.conformance.promises import relied_on


@relied_on(
    "a GcsBucket block reads, writes, lists and copies folders",
    "https://docs.prefect.io/integrations/prefect-gcp/api-ref/prefect_gcp-cloud_storage",
)
def test_a_bucket_block_reads_writes_and_lists(lake: Lake, tmp_path: Path) -> None:
    program = Path(__file__).with_name("blocks.py")
    done = subprocess.run(
        [sys.executable, str(program), lake.bucket, str(tmp_path)],
        env={**os.environ, "PREFECT_HOME": str(tmp_path / "prefect")},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "used\n"), done.stderr
