"""A database beside the warehouse: its address is one of Terraform's outputs, its password never is."""

from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from blocks.outputs import OutputsError


class Password(BaseSettings):
    """The password, from the environment of who registers the blocks: Prefect keeps it encrypted, nothing else does."""

    model_config = SettingsConfigDict(env_prefix="LANDFALL_", frozen=True)

    database_password: SecretStr | None = Field(None, description="goes into the SqlAlchemyConnector block")


def connection(url: str) -> dict[str, Any]:
    """Give the connection of a SqlAlchemyConnector, without its password.

    Raises:
        OutputsError: it is no address of a database, or holds a password.
    """
    # imported late: it takes a fifth of a second, and most environments have no database
    from sqlalchemy.engine import make_url  # noqa: PLC0415
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        parts = make_url(url)
    except (ArgumentError, ValueError) as error:  # the message would repeat a password
        raise OutputsError(
            "output database_url: found no address, expected one such as postgresql+psycopg2://user@host:5432/name;"
            " nothing was written"
        ) from error
    if parts.password is not None:
        raise OutputsError(
            "output database_url: found a password in it, expected none, for Terraform's state would keep it; set"
            " LANDFALL_DATABASE_PASSWORD for `make blocks`, nothing was written"
        )
    return {
        "driver": parts.drivername,
        "database": parts.database,
        "username": parts.username,
        "host": parts.host,
        "port": parts.port,
        "query": {name: str(value) for name, value in parts.query.items()} or None,
    }
