"""gcp-storage-emulator's own model of buckets and objects, kept in memory and persisted by the store."""

from typing import Any

from gcp_storage_emulator.exceptions import NotFound
from gcp_storage_emulator.storage import Storage

from localcloud.storage.errors import NoSuchBucket
from localcloud.storage.resource import ObjectResource


class Catalogue(Storage):  # type: ignore[misc]  # the emulator ships no types
    """Hold what is live; the emulator's bucket and IAM handlers and its listing with globs work on it."""

    buckets: dict[str, dict[str, Any]]
    objects: dict[str, dict[str, ObjectResource]]
    bucket_iam_policies: dict[str, dict[str, Any]]

    def __init__(self) -> None:
        super().__init__(use_memory_fs=True)

    def _write_config_to_file(self) -> None:
        """Write nothing: the emulator would write all metadata anew here, the store journals what changed."""

    def live(self, bucket: str, name: str) -> ObjectResource | None:
        """Return the live generation of a name, if there is one.

        Raises:
            NoSuchBucket: there is no such bucket.
        """
        if bucket not in self.buckets:
            raise NoSuchBucket(bucket)
        return self.objects.get(bucket, {}).get(name)

    def named(self, bucket: str, prefix: str | None, glob: str | None) -> list[ObjectResource]:
        """Return a bucket's objects in the order of their names.

        Raises:
            NoSuchBucket: there is no such bucket.
        """
        try:
            objects, _ = self.get_file_list(bucket, prefix, match_glob=glob)
        except NotFound as error:
            raise NoSuchBucket(bucket) from error
        return list(objects)
