"""The bucket that all benchmarks write to, as Google's own client sees it."""

from google.auth.credentials import AnonymousCredentials
from google.cloud import storage


def bucket() -> storage.Bucket:
    """Open the bucket `lake` of the storage that STORAGE_EMULATOR_HOST names."""
    nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]  # google.auth types none of its constructors
    found: storage.Bucket = storage.Client(project="local", credentials=nobody).bucket("lake")
    return found
