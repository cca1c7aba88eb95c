"""Cloud Storage on a laptop: gcp-storage-emulator, held to Google's written promises.

The emulator's are the model of buckets and objects, the bucket resources, IAM policies, listing and globs. Ours
are the HTTP server, every call that reads or writes an object, and how bytes and metadata reach the disk. `router`
lists the calls; what is not in it answers 501 and is named.
"""

from localcloud.storage.errors import NoSuchObject
from localcloud.storage.server import StorageServer, serve
from localcloud.storage.store import Store, StoredFile

__all__ = ["NoSuchObject", "StorageServer", "Store", "StoredFile", "serve"]
