"""A resumable upload's state between its requests, also across restarts.

Source: https://cloud.google.com/storage/docs/resumable-uploads
"""

import json
import threading
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from localcloud.storage.draft import Draft
from localcloud.storage.intent import Intent
from localcloud.storage.resource import ObjectResource

LIFETIME_S = 7 * 24 * 3600  # "must be completed within a week of being initiated"


@dataclass(slots=True)
class Session:
    """Say what an upload will become; `result` is set once it has, and answers a client that lost the reply."""

    id: str
    intent: Intent
    declared_size: int | None  # X-Upload-Content-Length
    opened_at: float = field(default_factory=time.time)
    result: ObjectResource | None = None
    draft: Draft | None = None  # opened when the first request after a start needs it
    turn: threading.Lock = field(default_factory=threading.Lock)  # one request at a time writes the draft

    @property
    def expired(self) -> bool:
        """Say whether Google would have forgotten the session."""
        return time.time() - self.opened_at > LIFETIME_S

    def to_json(self, result: ObjectResource | None) -> str:
        """Return all but the bytes, with what the upload became, if it has."""
        return json.dumps(
            {
                "id": self.id,
                "intent": asdict(self.intent),
                "declared_size": self.declared_size,
                "opened_at": self.opened_at,
                "result": result,
            },
        )

    @classmethod
    def from_json(cls, text: str) -> "Session":
        """Read what `to_json` wrote."""
        state: dict[str, Any] = json.loads(text)
        return cls(**{**state, "intent": Intent(**state["intent"])})
