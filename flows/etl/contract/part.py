"""What all parts of a contract have in common."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A part of a contract: unknown keys and values of another type are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
