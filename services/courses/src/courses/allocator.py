"""The allocator: decides what is asked of seats, in batches or within a transaction at hand."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import asyncpg
from shared.contract import Rejection
from shared.contracts.courses import Hold
from shared.db import LINK_LOST, Database, Transaction, driver_connection
from shared.observability import correlated, correlation_id, get_logger
from shared.outbox import emit_on

from courses.allocation import Allocation, allocate
from courses.events import Holds, events_of
from courses.known_courses import KnownCourses
from courses.lane import Lane
from courses.ledger import save
from courses.reading import lock_and_read, look
from courses.requests import Request, concern

log = get_logger()

type Answer = tuple[Hold, ...] | Rejection


class Asked(NamedTuple):
    """A request, and the click that it comes from."""

    request: Request
    correlation_id: str


_PLANS = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""A statement is planned once, while the tables may be empty: it must suit the full ones."""


class Allocator:
    """The one door to seats in a replica."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known = KnownCourses()
        self._connection: asyncpg.Connection | None = None
        self._lane: Lane[Asked, Answer] = Lane(self._settle_apart)

    async def decide(self, request: Request) -> tuple[Hold, ...]:
        """Decide a request with whatever else is asked now; gives the seats it concerned.

        Raises the Rejection that refuses it.
        """
        return _granted(await self._lane.join(Asked(request, correlation_id())))

    async def decide_within(self, tx: Transaction, request: Request) -> tuple[Hold, ...]:
        """Decide a request in a transaction that has begun, and that does more than this."""
        connection = await driver_connection(tx)
        await connection.execute(
            "; ".join(f"SET LOCAL {name} TO {on}" for name, on in _PLANS.items())
        )
        # what it has changed is not committed: nobody else may remember it
        (answer,) = await self._settle(connection, [request], KnownCourses())
        return _granted(answer)

    async def _settle_apart(self, batch: Sequence[Asked]) -> Sequence[Answer]:
        """Settle a batch in a transaction of its own.

        What it tells bears the correlation id of its first request; the log names the others.
        """
        connection = self._connection
        if connection is None or connection.is_closed():
            connection = self._connection = await self._database.open_apart(**_PLANS)
        try:
            with correlated(batch[0].correlation_id):
                return await self._answer(connection, batch)
        except LINK_LOST:
            # a host that vanished leaves a connection that does not know: the next one is new
            connection.terminate()
            raise

    async def _answer(
        self, connection: asyncpg.Connection, batch: Sequence[Asked]
    ) -> Sequence[Answer]:
        requests = [asked.request for asked in batch]
        answers = await self._refuse_unlocked(connection, requests)
        if answers is None:
            async with connection.transaction():
                answers = await self._settle(connection, requests, self._known)
        if len(batch) > 1:
            log.info("settled together", others=[asked.correlation_id for asked in batch[1:]])
        return answers

    async def _refuse_unlocked(
        self, connection: asyncpg.Connection, requests: Sequence[Request]
    ) -> list[Answer] | None:
        """Answer a batch that only wishes for full courses, unless that would change anything."""
        scope = concern(requests)
        if not (scope.only_wishes and scope.wished <= self._known.full):
            return None
        rooms = await look(connection, scope, self._known)
        if rooms is None:
            return None
        allocation = allocate(requests, rooms, datetime.now(UTC))
        return None if allocation.changes else _shown(allocation, Holds(rooms.rooms))

    async def _settle(
        self, connection: asyncpg.Connection, requests: Sequence[Request], known: KnownCourses
    ) -> list[Answer]:
        """Lock, read, decide, write: all that a transaction does for a batch."""
        rooms = await lock_and_read(connection, concern(requests), known)
        now = datetime.now(UTC)
        allocation = allocate(requests, rooms, now)
        holds = Holds(rooms.rooms)
        await save(connection, rooms, allocation, now)
        await emit_on(connection, *events_of(allocation.facts, rooms.rooms, holds))
        return _shown(allocation, holds)


def _shown(allocation: Allocation, holds: Holds) -> list[Answer]:
    return [
        answer if isinstance(answer, Rejection) else tuple(map(holds.of, answer))
        for answer in allocation.answers
    ]


def _granted(answer: Answer) -> tuple[Hold, ...]:
    if isinstance(answer, Rejection):
        raise answer
    return answer
