"""From an environment's SqlAlchemyConnector block to its Postgres database."""

from typing import TYPE_CHECKING, Any

from flows.settings import Settings, SettingsError

if TYPE_CHECKING:
    from flows.etl.postgres.database import Database

DRIVERS = ("postgresql", "postgresql+psycopg", "postgresql+psycopg2")  # all of them hand libpq's keywords on


def connect(settings: Settings) -> "Database":
    """Load the environment's database block; the database itself is not asked yet.

    Raises:
        SettingsError: the block is missing or names something else than Postgres, or its package is missing.
    """
    name = settings.database_block
    try:
        # here, as they are an extra: a deployment of this flow is registered where there is no database, too
        from prefect_sqlalchemy import SqlAlchemyConnector  # noqa: PLC0415

        from flows.etl.postgres.database import Database  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            f"{name}: found no package {error.name}, expected what speaks to Postgres; pip install"
            " 'landfall[database]', nothing was written"
        ) from error
    try:
        block = SqlAlchemyConnector.load(name)
    except ValueError as error:  # so Prefect says that there is no such block
        raise SettingsError(
            f"{error}; expected the block of environment {settings.environment}'s database: set the output"
            f" database_url, or LANDFALL_DATABASE_URL, and run `make blocks ENV={settings.environment}`; nothing was"
            " written"
        ) from error
    return Database(_address(name, block), settings.environment)


def _address(name: str, block: Any) -> dict[str, Any]:
    """Give libpq's keywords for what a block says; psycopg makes the connections, which SQLAlchemy has no COPY for."""
    url = block._rendered_url  # noqa: SLF001 - it offers the address in no other way than with its password hidden
    if url.drivername not in DRIVERS:
        raise SettingsError(
            f"{name}: found the driver {url.drivername}, expected one of {', '.join(DRIVERS)}; nothing was written"
        )
    said = {
        "host": url.host,
        "port": url.port,
        "dbname": url.database,
        "user": url.username,
        "password": url.password,
        **url.query,
        **(block.connect_args or {}),
    }
    return {key: value for key, value in said.items() if value is not None}
