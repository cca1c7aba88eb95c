"""One object's bytes on their way to Cloud Storage: a resumable upload whose last part waits for a word.

An object appears only when its upload is finalised. Whoever writes here decides when: nothing is visible before
`finish`, and nothing ever if the process dies. The storage library's own writer needs 90 MB more memory and finalises
when it is closed, also after an error.
https://cloud.google.com/storage/docs/performing-resumable-uploads
"""

import base64
import io
import time
from typing import Any

import google_crc32c
import requests
from google.cloud import storage

from flows.etl.errors import NETWORK, Transient

PART_BYTES = 4 << 20  # a multiple of 256 KiB, as the protocol asks
TRIES = 5
TIMEOUT_S = (10, 120)


class ResumableUpload(io.RawIOBase):
    """A file to write to; its bytes are sent in parts, each repeated until it has arrived.

    Raises:
        Transient: storage did not take a part after several tries; nothing is visible.
    """

    def __init__(self, blob: storage.Blob, content_type: str) -> None:
        self.name = f"gs://{blob.bucket.name}/{blob.name}"
        self.size = 0
        self._crc: Any = google_crc32c.Checksum()  # untyped
        self._buffer = bytearray()
        self._sent = 0
        self._session = requests.Session()
        self._url = blob.create_resumable_upload_session(
            content_type=content_type, checksum=None, if_generation_match=0
        )

    @property
    def crc32c(self) -> str:
        """The checksum of what was written so far, as Cloud Storage writes it: big-endian base64."""
        return base64.b64encode(self._crc.digest()).decode()

    def writable(self) -> bool:
        """Say yes: this is a file to write to."""
        return True

    def tell(self) -> int:
        """Give the number of bytes written so far."""
        return self.size

    def write(self, data: "bytes | memoryview") -> int:  # type: ignore[override]
        """Take bytes; send what makes a whole part, but always keep something for the last."""
        piece = bytes(data)
        self._crc.update(piece)
        self._buffer += piece
        self.size += len(piece)
        while len(self._buffer) > PART_BYTES:
            self._send(bytes(memoryview(self._buffer)[:PART_BYTES]), total="*")
            del self._buffer[:PART_BYTES]
        return len(piece)

    def finish(self) -> int:
        """Send the last part: the object becomes visible, whole. Returns its generation.

        Raises:
            Transient: it was not finalised, or storage holds other bytes than were sent.
        """
        resource = self._send(bytes(self._buffer), total=str(self.size))
        self._session.close()
        if resource["crc32c"] != self.crc32c:
            raise Transient(f"{self.name}: found checksum {resource['crc32c']}, expected {self.crc32c}; run again")
        return int(resource["generation"])

    def cancel(self) -> None:
        """Give the upload up, as far as storage can be reached; an upload left open expires after a week."""
        try:
            self._session.delete(self._url, timeout=TIMEOUT_S)
        except requests.RequestException:
            return
        finally:
            self._session.close()

    def _send(self, part: bytes, total: str) -> dict[str, str]:
        """Send one part until storage has all of it; the object's resource follows the last one."""
        start, end = self._sent, self._sent + len(part)
        trouble = ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(min(2 ** (attempt - 1), 8))
            try:
                # after trouble, first ask what storage holds: the part may have arrived and only its reply be lost
                answer = self._put(b"", f"*/{total}") if attempt else None
                if answer is None or (answer.status_code == 308 and not self._arrived(answer, start, end, total)):
                    body = part[self._sent - start :]
                    answer = self._put(body, f"{self._sent}-{end - 1}/{total}" if body else f"*/{total}")
            except NETWORK as error:
                trouble = str(error)
                continue
            if answer.status_code in (200, 201):
                return dict(answer.json())
            if answer.status_code == 308 and self._arrived(answer, start, end, total):
                return {}
            trouble = f"{answer.status_code} {answer.text[:200]}"
            if answer.status_code in (400, 404, 410, 412):
                break
        raise Transient(f"{self.name}: the part at byte {start} was not taken ({trouble}); nothing is visible")

    def _put(self, body: bytes, span: str) -> requests.Response:
        headers = {"Content-Range": f"bytes {span}"}
        if not span.endswith("*") and body:
            headers["x-goog-hash"] = f"crc32c={self.crc32c}"  # with the last part: storage checks the whole object
        return self._session.put(self._url, data=body, headers=headers, timeout=TIMEOUT_S)

    def _arrived(self, answer: requests.Response, start: int, end: int, total: str) -> bool:
        """Note how many bytes storage holds, and tell whether they are all that was to be sent by now."""
        held = _held(answer)
        if not start <= held <= end:
            raise Transient(f"{self.name}: storage holds {held} bytes, expected {start} to {end}; nothing is visible")
        self._sent = held
        return held == end and total == "*"


def _held(response: requests.Response) -> int:
    """Read how many bytes storage holds: `Range: bytes=0-42`, absent while there is none."""
    held = response.headers.get("Range", "")
    return int(held.rpartition("-")[2]) + 1 if held else 0
