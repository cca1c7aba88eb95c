"""What commands print: tables for people, and plain lines that can be copied."""

from rich.table import Table
from rich.text import Text

from flows.etl.diff import Comparison
from flows.terminal import console


def print_comparison(found: Comparison, title: str, file: str) -> None:
    """Print a contract's comparison with a file."""
    table = Table(title=Text(title), title_justify="left")
    for head in ("column", "contract", "file", "what to do"):
        table.add_column(head)
    for line in found.columns:
        table.add_row(*(Text(each) for each in (line.column, line.contract, line.file, line.what_to_do)))
    console().print(table)
    for note in found.notes:
        print(f"note: {note}")
    if found.is_equal:
        print("the contract fits the file")
        return
    print(f"the contract differs from the file; if the file is right, write into {file} and raise its revision:")
    for each in found.lines:
        print(f"  {each}")
