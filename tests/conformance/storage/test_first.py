from google.cloud import storage

from tests.conformance.promises import STORAGE_API, promise


@promise("Setting to 0 makes the operation succeed only if there are no live versions of the object.", STORAGE_API)
def test_first(bucket: storage.Bucket) -> None:
    blob = bucket.blob("x")
    blob.upload_from_string("a", if_generation_match=0)
    assert blob.download_as_bytes() == b"a"
