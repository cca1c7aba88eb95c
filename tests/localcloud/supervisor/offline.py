"""A Python that refuses to leave this machine."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Every connection and every look-up of a name off this machine is refused and written down, because a caller may
# swallow the refusal.
GUARD = """
import ipaddress, os, socket

def loopback(host):
    if host in (None, "", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
    except ValueError:
        return False

def guarded(original, host_of):
    def call(*args, **kwargs):
        host = host_of(args)
        if not loopback(host):
            with open(os.environ["OFFLINE_LOG"], "a") as log:
                print(host, file=log)
            raise OSError(f"{host}: off this machine")
        return original(*args, **kwargs)
    return call

def peer(args):
    return args[1][0] if isinstance(args[1], tuple) else None

class Guarded(socket.socket):
    connect = guarded(socket.socket.connect, peer)
    connect_ex = guarded(socket.socket.connect_ex, peer)

socket.socket = Guarded
socket.getaddrinfo = guarded(socket.getaddrinfo, lambda args: args[0])
"""


@dataclass(frozen=True, slots=True)
class Offline:
    """An environment in which Python refuses to leave this machine."""

    folder: Path

    def added_to(self, environment: Mapping[str, str]) -> dict[str, str]:
        (self.folder / "sitecustomize.py").write_text(GUARD)
        path = os.pathsep.join(filter(None, (str(self.folder), environment.get("PYTHONPATH"))))
        return {**environment, "PYTHONPATH": path, "OFFLINE_LOG": str(self.folder / "log")}

    def refused(self) -> list[str]:
        log = self.folder / "log"
        return log.read_text().splitlines() if log.exists() else []
