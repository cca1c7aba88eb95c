"""What the publisher serves now, held against what it served when a partition landed."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from flows.etl.address import identity
from flows.etl.errand import Errand
from flows.etl.errors import LandfallError
from flows.etl.fetch import Validators, look
from flows.etl.landing_log import Published

LOOKS_AT_ONCE = 4  # HEAD requests to one publisher

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")
Asked = TypeVar("Asked", bound=Errand)


def ask_each(errands: Sequence[Asked], ask: Callable[[Asked], Answer]) -> list[Answer]:
    """Ask about each partition, some at once, and give the answers in the partitions' order."""
    with ThreadPoolExecutor(LOOKS_AT_ONCE) as pool:
        # each in a copy of this context, which carries the run whose log it writes to
        answers = [pool.submit(copy_context().run, ask, errand) for errand in errands]
        return [answer.result() for answer in answers]


def serves_the_same(errand: Errand, published: Published | None) -> bool:
    """Ask the publisher; trouble with the answer makes the partition due, where it is met and told again."""
    try:
        now = look(errand.published_at, errand.headers, known(errand, published), errand.reach)
    except LandfallError as error:
        log.info("%s: %s", errand, error)
        return False
    return is_same(errand, published, now)


def is_same(errand: Errand, published: Published | None, now: Validators) -> bool:
    """Tell whether an answer says that the publisher serves what it served before."""
    return now.tell and published == Published(identity(errand.published_at), now)


def known(errand: Errand, published: Published | None) -> Validators | None:
    """Give what the same address answered before."""
    return published.validators if published and published.address == identity(errand.published_at) else None


def published_meanwhile(errand: Errand, validators: Validators) -> Published | None:
    """Say what the contract's address answers while content with these validators is the right one.

    Later runs compare with it. For content that was given by another address it is what the publisher serves
    meanwhile, if anything: the given content stands until that changes.
    """
    if not errand.override:
        return Published(identity(errand.published_at), validators)
    try:
        return Published(identity(errand.published_at), look(errand.published_at, errand.headers, reach=errand.reach))
    except LandfallError as error:
        log.info("%s: %s", errand, error)
        return None
