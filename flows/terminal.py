"""The console that commands and flows by hand print their tables to."""

from rich.console import Console

WIDE = 160  # columns of a table that goes to a file and not to a terminal


def console(*, stderr: bool = False) -> Console:
    """Give a console as wide as the terminal, or wide enough for a table in a file."""
    made = Console(stderr=stderr)
    if not made.is_terminal:
        made.width = WIDE
    return made
