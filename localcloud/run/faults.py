"""Trouble on request, so that tests can see what a client makes of it: the next calls of a method go wrong.

It is switched on at the address of the local Cloud Run, where Google has nothing:

    POST /localcloud/faults {"method": "run.projects.locations.jobs.create", "status": "UNAVAILABLE", "times": 2}
    POST /localcloud/faults {"method": "run.projects.locations.jobs.run", "status": "LOST"}
    POST /localcloud/faults {"method": "run.projects.locations.jobs.executions.get", "status": "UNAVAILABLE",
                             "after": true}
    GET /localcloud/faults      what is still to come (`times`), and how often each was met (`fired`)
    DELETE /localcloud/faults   none any more

`status` is one of Google's (UNAVAILABLE is 503, RESOURCE_EXHAUSTED 429, INTERNAL 500), or LOST: the method does its
work and the connection is cut before a byte of the answer. With `after` an error, too, comes when the work was done.
`delay_s` alone makes an answer late. Of several faults for one method the first that is left is met.
"""

import asyncio
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from localcloud.rest import CODES, Around, Refused

LOST = "LOST"


class Fault(BaseModel):
    """One kind of trouble with one method."""

    model_config = ConfigDict(extra="forbid")

    method: str
    status: str | None = None
    times: int = Field(default=1, ge=1)
    after: bool = False
    delay_s: float = Field(default=0.0, ge=0)


@dataclass(slots=True)
class _Armed:
    """A fault, how often it is still to come, and how often it was met."""

    fault: Fault
    times: int
    fired: int = 0


class Faults(Around):
    """The faults of one server; they are gone when it ends."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []

    async def arrived(self, method: str) -> None:
        """Meet a fault that comes before the method has done anything."""
        if fault := self._take(method, after=False):
            await asyncio.sleep(fault.delay_s)
            _refuse(fault)

    async def answered(self, method: str, request: Request) -> None:
        """Meet a fault that comes when the method has done its work."""
        if fault := self._take(method, after=True):
            await asyncio.sleep(fault.delay_s)
            if fault.status == LOST:
                _cut(request)
            _refuse(fault)

    def routes(self) -> list[BaseRoute]:
        """Serve the switch."""
        return [Route("/localcloud/faults", self._switch, methods=["GET", "POST", "DELETE"])]

    def _take(self, method: str, *, after: bool) -> Fault | None:
        for armed in self._armed:
            fault = armed.fault
            if armed.times and fault.method == method and after == (fault.after or fault.status == LOST):
                armed.times -= 1
                armed.fired += 1
                return fault
        return None

    async def _switch(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._armed.clear()
        if request.method == "POST":
            try:
                fault = Fault.model_validate_json(await request.body())
            except ValidationError as error:
                return Refused("INVALID_ARGUMENT", f"faults: {error}").response()
            if fault.status not in {None, LOST, *CODES}:
                return Refused(
                    "INVALID_ARGUMENT", f"faults: found the status {fault.status}, expected LOST, {', '.join(CODES)}"
                ).response()
            self._armed.append(_Armed(fault, fault.times))
        return JSONResponse(
            {
                "faults": [
                    {**armed.fault.model_dump(), "times": armed.times, "fired": armed.fired} for armed in self._armed
                ]
            }
        )


def _refuse(fault: Fault) -> None:
    if fault.status not in {None, LOST}:
        raise Refused(str(fault.status), "made up by the local cloud, as it was asked to")


def _cut(request: Request) -> None:
    """End the connection; what is answered afterwards goes nowhere."""
    cycle = getattr(request.receive, "__self__", None)  # of uvicorn, which offers no other way to its transport
    if cycle is None:
        raise Refused("INTERNAL", "faults: this server's connections cannot be cut")
    cycle.transport.abort()
