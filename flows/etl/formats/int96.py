"""INT96: the nanosecond timestamps of Impala, Hive and old Spark, which hold more than an int64 of nanoseconds.

Arrow reads them in any unit, and says nothing when a value does not fit it: nanoseconds wrap around outside 1677 to
2262, and coarser units cut off. Read in three units, each value shows what it is.
"""

import pyarrow as pa
import pyarrow.compute as pc

FIRST_S, LAST_S = -62_135_596_800, 253_402_300_799  # years 1 to 9999, in seconds since 1970
UNITS = ("us", "ns", "s")


def inexact(micros: pa.Array, nanos: pa.Array, seconds: pa.Array) -> dict[int, str]:
    """Tell which of the values that were read as microseconds are not what the file holds, and what it holds."""
    us, ns, s = (values.cast(pa.int64()) for values in (micros, nanos, seconds))
    outside = pc.or_(pc.less(s, FIRST_S), pc.greater(s, LAST_S))
    # what both readings lose by wrapping around is the same, so the difference is right all the same
    rest = pc.subtract(ns, pc.multiply(us, 1000))
    found = {}
    for position in pc.indices_nonzero(pc.or_(outside, pc.not_equal(rest, 0))).to_pylist():
        if outside[position].as_py():
            found[position] = f"{s[position].as_py()} seconds since 1970"
        else:
            micro = micros[position].cast(pa.string()).as_py()
            found[position] = f"{micro}{rest[position].as_py():03d}"
    return found
