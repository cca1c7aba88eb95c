"""Count the rows of a CSV file by one of its columns: a flow to start from.

The work is in scripts/. Here are its parameters, what is tried again when it fails, and the order.
"""

from pathlib import Path

from prefect import flow, get_run_logger, task
from scripts.example_flow_rows import count_by, read_rows

HERE = Path(__file__).parent
Row = dict[str, str]


@task(retries=3, retry_delay_seconds=10)
def read(file: str) -> list[Row]:
    """Read a file's rows; a file that is not there for a moment is asked for again."""
    return list(read_rows(HERE / file))


@task
def count(rows: list[Row], column: str) -> dict[str, int]:
    """Count rows by a column's values, the most frequent first."""
    return dict(count_by(rows, column).most_common())


@flow(name="example-flow")
def example_flow(file: str = "example.csv", column: str = "borough") -> dict[str, int]:
    """Count the rows of a file by a column.

    Args:
        file: Beside this flow, or anywhere by its whole path.
        column: Whose values are counted.
    """
    counts = count(read(file), column)
    get_run_logger().info("%s: %s", file, counts)
    return counts


if __name__ == "__main__":  # without this line, `landfall register` skips the file
    example_flow()
