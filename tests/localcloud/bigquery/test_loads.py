"""What a load shows of this machine: nothing."""

import pytest
from google.api_core import exceptions

from tests.localcloud.bigquery.conftest import Load
from tests.localcloud.bigquery.served import FolderLake


def test_an_error_in_a_file_names_the_object_and_not_our_disk(load: Load, lake: FolderLake) -> None:
    uri = lake.write("bad.parquet", b"not parquet")
    with pytest.raises(exceptions.BadRequest) as refused:
        load(uri, "trips.t")
    assert "gs://lake/bad.parquet" in str(refused.value)
    assert "pins" not in str(refused.value)
