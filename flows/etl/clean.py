"""A contract's own cleaning: a Python file beside it, whose function `clean` gets one batch at a time.

It is for values that are well formed and still wrong, such as a sensor's fault, where dropping the row would lose
what is right in it. It cannot add, drop, or reorder rows: what lands can be counted against the source all the same.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from flows.etl.errors import ContractError

if TYPE_CHECKING:
    import pandas as pd

FUNCTION = "clean"


@dataclass(frozen=True, slots=True)
class Hook:
    """A clean hook as its file holds it. Reading one runs nothing of it."""

    path: Path
    source: bytes

    @classmethod
    def read(cls, path: Path) -> "Hook":
        """Read a hook's file.

        Raises:
            ContractError: there is none, it is not Python, or it does not define `clean` with one argument.
        """
        try:
            source = path.read_bytes()
        except OSError as error:
            raise ContractError(f"{path}: {error.strerror}, expected the contract's clean hook") from error
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError) as error:
            raise ContractError(f"{path}: not Python: {error}; correct the clean hook") from error
        found = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == FUNCTION]
        if not found or len(found[-1].args.posonlyargs + found[-1].args.args) != 1:
            raise ContractError(
                f"{path}: found {f'def {FUNCTION} with other arguments' if found else f'no def {FUNCTION}'}, expected"
                f" `def {FUNCTION}(batch: pd.DataFrame) -> pd.DataFrame`; correct the clean hook"
            )
        return cls(path, source)

    @property
    def environment(self) -> str:
        """Name the pandas that runs it, in what a label of BigQuery's may hold: `pandas3_1_1`."""
        return "pandas" + re.sub(r"[^a-z0-9]", "_", version("pandas").lower())

    def load(self) -> "Clean":
        """Run the file, and give its function; its globals are one file's, and nothing can import it.

        Raises:
            ContractError: it cannot be run.
        """
        namespace: dict[str, Any] = {"__name__": self.path.stem, "__file__": str(self.path)}
        try:
            # the very bytes that the contract's fingerprint names, not what the file may hold by now
            exec(compile(self.source, self.path, "exec"), namespace)  # noqa: S102
        except Exception as error:  # the hook's author may raise anything
            raise ContractError(
                f"{self.path}: found {_shown(error)}, expected a file that runs; correct the clean hook, nothing was"
                " written"
            ) from error
        return Clean(self.path, namespace[FUNCTION])


@dataclass(frozen=True, slots=True)
class Clean:
    """A loaded hook."""

    path: Path
    function: "Callable[[pd.DataFrame], pd.DataFrame]"

    def __call__(self, table: pa.Table, where: str) -> pa.Table:
        """Clean one batch; the same columns, types and number of rows come back.

        Values keep Arrow's types in pandas, so that an INT64 with nulls stays whole.

        Args:
            table: The batch, in the contract's types.
            where: What it holds, for messages: contract, period and records.

        Raises:
            ContractError: the hook failed, or gave back something else.
        """
        import pandas as pd  # noqa: PLC0415 - 40 MB, for a process that has not got it already (google-cloud-bigquery's)

        batch = table.to_pandas(types_mapper=pd.ArrowDtype)
        given = batch.copy(deep=False)  # a hook that drops rows in place does not change what is compared below
        try:
            cleaned: object = self.function(given)
        except Exception as error:  # the same
            raise self._refused(where, f"raised {_shown(error)}", "the batch's rows") from error
        if not isinstance(cleaned, pd.DataFrame):
            raise self._refused(where, f"gave {type(cleaned).__name__}", "a pandas DataFrame")
        if list(cleaned.columns) != table.column_names:
            found = ", ".join(map(str, cleaned.columns)) or "no column"
            raise self._refused(where, f"gave {found}", f"the columns {', '.join(table.column_names)}")
        if len(cleaned) != len(batch):
            raise self._refused(where, f"gave {len(cleaned)} rows", f"all {len(batch)} in their order")
        if not cleaned.index.equals(batch.index):
            raise self._refused(where, "gave rows under another index", f"all {len(batch)} in their order")
        columns = [self._typed(cleaned[field.name], field, where) for field in table.schema]
        return pa.Table.from_arrays(columns, schema=table.schema)

    def _typed(self, values: "pd.Series[Any]", field: pa.Field, where: str) -> pa.Array | pa.ChunkedArray:
        try:
            typed = pa.array(values, from_pandas=True)
            if typed.type == field.type:
                return typed
            if _is_text(typed.type) != _is_text(field.type) and not pa.types.is_null(typed.type):
                raise self._refused(where, f"gave {typed.type} in column {field.name}", f"{field.type}")
            return typed.cast(field.type, safe=True)
        except pa.ArrowException as error:
            raise self._refused(where, f"gave in column {field.name}: {error}", f"{field.type}") from error

    def _refused(self, where: str, found: str, expected: str) -> ContractError:
        return ContractError(
            f"{where}: the clean hook {self.path.name} {found}, expected {expected}; correct the hook, nothing"
            " was written"
        )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _shown(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
