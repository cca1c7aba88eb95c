"""What a landing's future says once a backfill is stopped."""

import asyncio
import concurrent.futures
import uuid
from typing import Any

import pytest
from prefect.futures import PrefectConcurrentFuture
from prefect.states import Failed

from flows.backfilled import Ended, Told
from flows.etl.errors import BadFile
from flows.fan_out import end
from tests.test_backfilled import NAME, found


def ended(wrapped: concurrent.futures.Future[Any]) -> list[Ended]:
    ends: list[Ended] = []
    told = Told(None)
    told.begin([found("2020-01")])
    end(found("2020-01"), PrefectConcurrentFuture(uuid.uuid4(), wrapped), ends, told)
    return ends


def test_one_that_was_not_begun_came_to_no_end() -> None:
    wrapped: concurrent.futures.Future[Any] = concurrent.futures.Future()
    wrapped.cancel()
    assert ended(wrapped) == []


@pytest.mark.parametrize("stopped", [asyncio.CancelledError("x"), concurrent.futures.CancelledError("x")])
def test_one_that_prefect_stopped_as_it_began_came_to_no_end(stopped: BaseException) -> None:
    wrapped: concurrent.futures.Future[Any] = concurrent.futures.Future()
    wrapped.set_exception(stopped)
    assert ended(wrapped) == []


def test_one_that_failed_says_why() -> None:
    wrapped: concurrent.futures.Future[Any] = concurrent.futures.Future()
    wrapped.set_result(Failed(data=BadFile("line 7")))
    assert ended(wrapped) == [Ended(NAME, "2020-01", "failed", "line 7")]
