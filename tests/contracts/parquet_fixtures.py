"""Writes the Parquet fixtures anew: rows made up, columns and physical types as TLC wrote them at the time.

python tests/contracts/parquet_fixtures.py
"""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

FIXTURES = Path(__file__).parent / "fixtures"
METER = (
    "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,store_and_fwd_flag,"
    "PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,"
    "total_amount,congestion_surcharge,"
)
SAME = dict.fromkeys(("tpep_pickup_datetime", "tpep_dropoff_datetime"), pa.timestamp("us"))

# ids as int64, counts as double, and a column without any value
TYPES_2019 = {
    **dict.fromkeys(("VendorID", "PULocationID", "DOLocationID", "payment_type"), pa.int64()),
    "store_and_fwd_flag": pa.string(),
    "airport_fee": pa.null(),
}
ROWS_2019 = """\
1,2019-01-01 00:47:01,2019-01-01 00:53:40,1.0,1.5,1.0,N,151,239,1,7.0,0.5,0.5,1.65,0.0,0.3,9.95,,
2,2018-12-31 23:59:12,2019-01-01 00:07:44,5.0,0.0,1.0,N,246,246,2,4.5,0.5,0.5,0.0,0.0,0.3,5.8,,
2,2001-02-02 14:55:07,2001-02-02 15:07:27,1.0,2.4,1.0,N,48,161,1,10.0,0.0,0.5,2.16,0.0,0.3,12.96,0.0,
2,2019-01-10 09:01:00,2019-01-10 09:02:11,2.0,0.1,2.0,N,132,132,3,-52.0,0.0,-0.5,0.0,0.0,-0.3,-52.8,0.0,
1,2019-01-31 23:37:00,2019-02-01 00:10:00,,10.24,,,142,95,0,32.8,0.0,0.5,0.0,0.0,0.3,33.6,,
"""

# ids as int32, counts as int64, text with long offsets, and three columns more, one of them in another case
TYPES_2026 = {
    **dict.fromkeys(("VendorID", "PULocationID", "DOLocationID"), pa.int32()),
    **dict.fromkeys(("passenger_count", "RatecodeID", "payment_type"), pa.int64()),
    **dict.fromkeys(("store_and_fwd_flag", "request_source"), pa.large_string()),
}
ROWS_2026 = """\
1,2026-06-01 00:04:41,2026-06-01 00:16:23,1,4.8,1,N,87,162,2,21.2,1.0,0.5,0.0,0.0,1.0,26.95,2.5,0.0,0.75,A
2,2026-06-01 02:08:35,2026-06-01 02:21:22,2,2.3,1,N,90,229,1,14.2,1.0,0.5,1.4,0.0,1.0,21.35,2.5,0.0,0.75,
7,2026-06-03 18:20:00,2026-06-03 18:20:00,1,17.2,2,Y,132,230,1,70.0,5.0,0.5,16.55,6.94,1.0,104.24,2.5,1.75,0.75,
2,2001-01-01 09:23:58,2001-01-01 16:09:38,1,0.0,99,N,264,264,5,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,
2,2026-06-30 23:50:10,2026-07-01 00:02:31,1,328522.2,1,N,161,163,4,-7.9,-1.0,-0.5,0.0,0.0,-1.0,-13.65,-2.5,0.0,-0.75,
6,2026-06-30 10:00:04,2026-06-30 10:24:40,,6.1,,,68,246,0,24.45,0.0,0.5,0.0,0.0,1.0,29.2,,,0.75,HV0005
2,2026-06-30 11:12:30,2026-06-30 11:31:02,,3.4,,,239,142,0,16.1,0.0,0.5,0.0,0.0,1.0,20.85,,,0.75,HV0003
"""


def write(period: str, more: str, types: dict[str, pa.DataType], rows: str) -> None:
    """Write a fixture in two row groups, as the real files have several; what has no type here is a double."""
    names = (METER + more).split(",")
    options = pyarrow.csv.ConvertOptions(
        column_types={name: pa.float64() for name in names} | SAME | types,
        null_values=[""],
        strings_can_be_null=True,
    )
    table = pyarrow.csv.read_csv(
        io.BytesIO(rows.encode()), pyarrow.csv.ReadOptions(column_names=names), convert_options=options
    )
    pyarrow.parquet.write_table(table, FIXTURES / f"yellow_trips_parquet_{period}.parquet", row_group_size=4)


if __name__ == "__main__":
    write("2019-01", "airport_fee", TYPES_2019, ROWS_2019)
    write("2026-06", "Airport_fee,cbd_congestion_fee,request_source", TYPES_2026, ROWS_2026)
