"""From a value's text to the contract's types: what fits, and what is wrong with what does not."""

import pyarrow as pa

from flows.etl.contract import Column, Dialect


def parse(values: pa.StringArray, column: Column, dialect: Dialect) -> tuple[pa.Array, dict[int, str]]:
    """Read texts as a column's type; null stays null.

    Returns the typed values, null where a text does not fit, and for each of those its position and the reason.
    """
    raise NotImplementedError
