"""What a client says over a websocket: its text messages, taken from the bytes as they pass."""

import json
import struct
from typing import Any

TEXT, CONTINUED = 1, 0


class Messages:
    """The JSON messages of a client, frame by frame; all but text is left out.

    https://www.rfc-editor.org/rfc/rfc6455#section-5.2, without extensions: the proxy lets none be agreed.
    """

    def __init__(self) -> None:
        self._pending = b""
        self._text = b""

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Take bytes, and give the messages that they complete."""
        self._pending += data
        found = []
        while (frame := self._frame()) is not None:
            kind, last, payload = frame
            if kind not in (TEXT, CONTINUED):
                continue
            self._text += payload
            if last:
                message = json.loads(self._text)
                self._text = b""
                if isinstance(message, dict):
                    found.append(message)
        return found

    def _frame(self) -> tuple[int, bool, bytes] | None:
        data = self._pending
        if len(data) < 2:
            return None
        length, start = data[1] & 0x7F, 2
        if length >= 126:
            size = 2 if length == 126 else 8
            if len(data) < start + size:
                return None
            length = struct.unpack(">H" if size == 2 else ">Q", data[start : start + size])[0]
            start += size
        mask = b""
        if data[1] & 0x80:
            mask, start = data[start : start + 4], start + 4
        if len(data) < start + length or (data[1] & 0x80 and len(mask) < 4):
            return None
        payload = data[start : start + length]
        self._pending = data[start + length :]
        if mask:
            payload = bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        return data[0] & 0x0F, bool(data[0] & 0x80), payload
