"""Who has no Postgres pays nothing for it."""

import subprocess
import sys


def test_no_flow_and_no_command_imports_what_speaks_to_postgres_before_it_is_asked_to() -> None:
    heavy = ("psycopg", "prefect_sqlalchemy", "flows.etl.postgres.database")
    code = (
        "import sys; import flows.web_to_bigquery, flows.web_to_postgres, flows.backfill, flows.cli.main;"
        f" print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
