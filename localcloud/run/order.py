"""What an execution's keeper is told to do."""

from dataclasses import dataclass

GRACE_S = 10.0  # Cloud Run's, between SIGTERM and SIGKILL


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run; `environment` is the container's whole one, but for the attempt and the folders."""

    execution: str
    data: str
    folder: str
    log: str
    arguments: list[str]
    working_folder: str
    environment: dict[str, str]
    memory_bytes: int
    timeout_s: float
    attempts: int
    grace_s: float
