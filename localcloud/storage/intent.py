"""What an upload is to become, told in its first request: the same for every kind of upload."""

from dataclasses import dataclass
from typing import Any

from localcloud.storage.exchange import Request
from localcloud.storage.preconditions import Conditions, conditions_in
from localcloud.storage.resource import Settings, promised_hashes, settings_in, valid_name


@dataclass(frozen=True, slots=True)
class Intent:
    """Name the object, what its client sets and promises, and when it may be written."""

    bucket: str
    name: str
    settings: Settings
    promised: dict[str, str]
    conditions: Conditions

    @classmethod
    def of(cls, request: Request, metadata: dict[str, Any], content_type: str | None) -> "Intent":
        """Read an upload's query, headers and metadata; a name in the query wins, as does a set content type."""
        query = request.query
        settings: Settings = {"contentType": content_type} if content_type else {}
        if "contentEncoding" in query:
            settings["contentEncoding"] = query["contentEncoding"]
        settings.update(settings_in(metadata))
        return cls(
            bucket=request.params["bucket"],
            name=valid_name(query.get("name") or metadata.get("name")),
            settings=settings,
            promised={**promised_hashes(metadata), **header_hashes(request)},
            conditions=conditions_in(query),
        )


def header_hashes(request: Request) -> dict[str, str]:
    """Take the hashes from `x-goog-hash`, which comes with the request that ends an upload."""
    fields = {"crc32c": "crc32c", "md5": "md5Hash"}
    pairs = (part.strip().partition("=") for part in (request.header("x-goog-hash") or "").split(","))
    return {fields[kind]: value for kind, _, value in pairs if kind in fields}
