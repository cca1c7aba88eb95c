"""A backfill on a terminal: it asks before much work, and draws bars."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

from tests.end_to_end.place import Place

ROOT = Path(__file__).parents[2]
ROWS, COLUMNS = 40, 120


def converse(command: list[str], answer: str, variables: Mapping[str, str]) -> tuple[int, list[str]]:
    """Run a command on a terminal, answer its question, and give its exit code and the lines that it left."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = {**os.environ, **variables, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=environment)
    os.close(its)
    said = b""
    while True:
        try:
            said += os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if answer and b"Land them? [Y/n]: " in said:
            os.write(ours, f"{answer}\n".encode())
            answer = ""
    os.close(ours)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode())
    return process.wait(60), [line.rpartition("\r")[2].rstrip() for line in text.replace("\r\n", "\n").split("\n")]


def test_it_asks_before_eleven_partitions_and_lands_only_what_a_person_agrees_to(
    place: Place, cloud: dict[str, str], january: list[str]
) -> None:
    for month in range(1, 12):
        place.publish(f"2013-{month:02}", january[:2])
    command = [sys.executable, "-m", "flows.cli", "backfill", "flights", "--to", "2013-11"]
    code, lines = converse(command, "n", {**cloud, **place.settings})
    assert (code, lines[-2:]) == (1, ["nothing was landed", ""]), lines
    assert place.claims() == []

    code, lines = converse(command, "y", {**cloud, **place.settings})
    assert code == 0, lines
    assert lines[-2:] == ["11 partitions landed: 22 source rows = 22 loaded + 0 quarantined", ""], lines
    assert [line for line in lines if re.match(r"flights ━+ 11/11 [0-9.]+ k?B of [0-9.]+ k?B, ", line)], lines
    assert [line for line in lines if "flows.etl" in line] == []  # the bars say it
