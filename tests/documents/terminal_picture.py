"""`python -m tests.documents.terminal_picture` writes docs/terminal.svg anew: what `make run` prints on a terminal.

It is run twice on a cloud of its own, on a pseudo-terminal, and what it printed is drawn by Rich. Only lines are left
out, and each gap is shown as one.
"""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import tempfile
import termios
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT  # what export_svg takes if it is given none
from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "terminal.svg"
COLUMNS, LINES = 146, 50  # as wide as the table
# the fonts that Rich names are another host's
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
GAP = Text("...", style="dim")
HEAD, TAIL = 8, 18  # the first lines: what starts, and what a landed month says; the last ones: the table and the sum


def main() -> None:
    """Run, then draw."""
    with tempfile.TemporaryDirectory() as data:
        command = ["make", "run", f"DATA={data}"]
        first, again = typed(command), typed(command)
    screen = Console(width=COLUMNS, record=True, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for said, head, tail in ((first, HEAD, TAIL), (again, 0, 1)):
        screen.print(Text.assemble(("$ ", "bold green"), ("make run", "bold")))
        for line in said[:head]:
            screen.print(line, overflow="crop", no_wrap=True)
        screen.print(GAP)
        for line in said[-tail:]:
            screen.print(line, overflow="crop", no_wrap=True)
    PICTURE.write_text(screen.export_svg(title="Landfall", theme=MONOKAI, code_format=FORMAT), encoding="utf-8")


def typed(command: list[str]) -> list[Text]:
    """Run a command on a terminal of its own, and give the lines that it printed."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=its,
        stderr=its,
        env={**os.environ, "TERM": "xterm-256color"},
    )
    os.close(its)
    printed = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux' way of saying that nobody has the other end
            break
        if not piece:
            break
        printed += piece
    os.close(ours)
    assert process.wait() == 0, printed.decode()
    return list(AnsiDecoder().decode(printed.decode().replace("\r\n", "\n").rstrip("\n")))


if __name__ == "__main__":
    main()
