"""The values that differ between environments, and the names that follow from them."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows.etl.errors import Terminal

CONTRACTS = Path(__file__).parent / "contracts"


class SettingsError(Terminal):
    """A setting that is missing or does not hold."""


class Reading(BaseSettings):
    """What it takes to read publishers' files, in no environment: also read from variables LANDFALL_*."""

    model_config = SettingsConfigDict(env_prefix="LANDFALL_", frozen=True)

    publisher: str | None = Field(None, description="fills {publisher} in contracts' addresses")


class Settings(Reading):
    """Read from variables LANDFALL_*; everything else is in Prefect's blocks, which are named after the environment."""

    environment: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,29}$")]
    cloud_run_endpoint: str = Field("https://run.googleapis.com", description="where Cloud Run's API answers")
    secret_manager_endpoint: str = Field(
        "https://secretmanager.googleapis.com", description="where Secret Manager's API answers"
    )

    @property
    def credentials_block(self) -> str:
        """Name the GcpCredentials block."""
        return f"landfall-{self.environment}-credentials"

    @property
    def lake_block(self) -> str:
        """Name the GcsBucket block."""
        return f"landfall-{self.environment}-lake"

    @property
    def warehouse_block(self) -> str:
        """Name the BigQueryWarehouse block."""
        return f"landfall-{self.environment}-warehouse"

    @property
    def secret_block(self) -> str:
        """Name the GcpSecret block, a reference to the secret with Prefect's API key or auth string."""
        return f"landfall-{self.environment}-secret"

    @property
    def database_block(self) -> str:
        """Name the SqlAlchemyConnector block, which is there when a database is configured."""
        return f"landfall-{self.environment}-database"

    @property
    def chat_block(self) -> str:
        """Name the block that tells a chat of trouble, which is there when its address was given."""
        return f"landfall-{self.environment}-chat"

    @property
    def email_block(self) -> str:
        """Name the block that sends e-mail, likewise."""
        return f"landfall-{self.environment}-email"

    @property
    def work_pool(self) -> str:
        """Name the work pool, whose worker makes a Cloud Run job for each run."""
        return f"landfall-{self.environment}"

    @property
    def dataset(self) -> str:
        """Name the BigQuery dataset."""
        return f"landfall_{self.environment.replace('-', '_')}"


def read() -> Settings:
    """Read the settings.

    Raises:
        SettingsError: a variable is missing or does not hold; it says which, and what is expected.
    """
    try:
        return Settings()
    except ValidationError as error:
        found = error.errors()[0]
        name = f"LANDFALL_{str(found['loc'][0]).upper()}"
        seen = "nothing" if found["type"] == "missing" else repr(found["input"])
        raise SettingsError(
            f"{name}: found {seen}, expected the name of an environment, such as `local` or `dev`"
            ' (lower case, digits and hyphens); on a laptop: eval "$(make -s env)"; nothing was written'
        ) from error
