"""A deployment as its flow's file says it, apart from where it goes: what `landfall build` writes down.

It is data: nothing in it names code to run but the entry point.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """What all parts of a spec have in common: no key that nobody knows, no text for a number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class FoundSchedule(Part):
    """When runs are due."""

    slug: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    when: dict[str, Any]
    parameters: dict[str, Any] = {}
    active: bool = True
    """When it is registered first; later that is for people to say."""


class Found(Part):
    """A flow that was found, with one deployment of it."""

    flow: str = Field(pattern=r"^[^/%&<>]+$")
    variable: str
    """What the flow is called in its file."""
    name: str = Field(pattern=r"^[^/%&<>]+$")
    """The deployment's, without the project's prefix."""
    entrypoint: str
    """Below the folder that runs begin in."""
    source: str = Field(pattern=r"^source:[0-9a-f]{16}$")
    """A hash of the flow's file and of the project's files that it needs."""
    description: str | None = None
    tags: list[str] = []
    parameters: dict[str, Any] = {}
    parameter_openapi_schema: dict[str, Any]
    enforce_parameter_schema: bool = True
    job_variables: dict[str, Any] = {}
    concurrency_limit: int | None = None
    concurrency_options: dict[str, Any] | None = None
    work_pool: str | None = None
    work_queue: str | None = None
    paused: bool = False
    """When it is registered first; later that is for people to say."""
    schedules: list[FoundSchedule] = []
