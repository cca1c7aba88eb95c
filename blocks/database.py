"""A database beside the warehouse: its address is one of Terraform's outputs, or a setting; its password is neither."""

from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from blocks.outputs import OutputsError


class Given(BaseSettings):
    """What is given in the environment of who registers the blocks.

    The password is kept by Prefect, encrypted, and by nothing else.
    """

    model_config = SettingsConfigDict(env_prefix="LANDFALL_", frozen=True)

    database_url: str | None = Field(None, description="stands in for the output of that name, as on a laptop")
    database_password: SecretStr | None = Field(None, description="goes into the SqlAlchemyConnector block")


def connection(url: str, source: str = "output database_url") -> dict[str, Any]:
    """Give the connection of a SqlAlchemyConnector, without its password; *source* is where the address is from.

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
            f"{source}: found no address, expected one such as postgresql+psycopg://user@host:5432/name; nothing was"
            " written"
        ) from error
    if parts.password is not None:
        raise OutputsError(
            f"{source}: found a password in it, expected none, for it would be kept where others read it; set"
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
