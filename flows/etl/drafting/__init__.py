r"""A contract proposed from the head of one real file, for a person to look at.

Of CSV and JSON lines the first 10,000 rows are read (`--rows`), and then no more is asked for; of a large Parquet file
or ZIP the parts that matter, where its publisher sends parts. The rows are read again under the proposal, as a landing
would, and what does not fit is said.

- Types: the narrowest that takes every value of the head as it is written and loses nothing. Numbers that a double
  cannot give back are NUMERIC; fractions with more digits than even that are FLOAT64, as measured. Longer whole
  numbers, codes with leading zeros, dates written otherwise than in ISO 8601, and columns without a value are STRING.
  What JSON holds as text stays text, but for dates and times. Parquet says its own.
- Nulls: every column may be null, as columns go null near a file's end; those that were always there are named. Only
  a Parquet column that the file declares required is not null.
- `N/A`, `NULL` and `\N` are null wherever they stand without quotes; `NA`, `-` and the like if they stand among numbers
  or times, and then in texts, too, which is said.
- The period: the finest in the address, the last if there are several; its year, month, day and hour become
  placeholders wherever else they stand. Quarters, weeks and months' names cannot be filled in, and are said.
- Checks: some rows; dates that lie inside the period; texts of up to ten values. All but the first warn only. Bounds of
  numbers, and columns to cluster by, are comments.
- What no column type holds (objects, lists) is left out under `drift.ignore`. The address' query is left out.
- What cannot land is refused, with nothing written: another kind of file, a title above the header, a name twice.
"""

from flows.etl.drafting.draft import Draft, draft, name_for
from flows.etl.drafting.placing import check_free, place

__all__ = ["Draft", "check_free", "draft", "name_for", "place"]
