"""The reckoning: what courses stores and tells must be what its families were answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import aio_pika
import asyncpg
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from shared.broker import dead_queue
from shared.contract import Event
from shared.contracts.courses import SeatPlaced, SeatsClaimed, SeatsHeld, SeatsReleased
from shared.contracts.reactions import REACTIONS

from tests.faults.seeking import Line, Seeker
from tests.harness import eventually

_MISCOUNTED = """
WITH seats AS (
    SELECT course_id, count(*) AS live FROM seat WHERE state <> 'released' GROUP BY course_id
), places AS (
    SELECT course_id, count(*) FILTER (WHERE state = 'offered') AS offered,
        count(*) FILTER (WHERE state = 'waiting') AS in_line
    FROM place GROUP BY course_id
), lines AS (
    SELECT course_id, sum(step) AS steps FROM ledger GROUP BY course_id
)
SELECT course_id, capacity, taken, waiting, live, offered, in_line, steps
FROM occupancy LEFT JOIN seats USING (course_id) LEFT JOIN places USING (course_id)
    LEFT JOIN lines USING (course_id)
WHERE taken > capacity OR taken <> coalesce(live, 0) + coalesce(offered, 0)
    OR taken <> coalesce(steps, 0) OR waiting <> coalesce(in_line, 0)
"""
_SEATS = "SELECT student_id, id, course_id, state FROM seat WHERE state <> 'released'"
_PLACES = "SELECT student_id, id FROM place WHERE state IN ('waiting', 'offered')"
_LEDGER = """
SELECT student_id, seat_id, course_id, change FROM ledger
WHERE change <> 'offered' AND reason <> 'offer refused' ORDER BY position
"""
_CLAIMED = "SELECT count(*) FROM seat WHERE state = 'claimed'"
_UNTOLD = "SELECT count(*) FROM outbox"
_HELD_AGAIN = "SELECT count(*) FROM seat WHERE expires_at > held_at + interval '20 min'"


@dataclass(frozen=True, slots=True)
class Books:
    """The database of courses, and the broker where the others hear of it."""

    database_url: str
    broker_url: str

    async def miscounted(self) -> list[Any]:
        """Give the courses that are miscounted, all seen at one moment, of a load or after it."""
        return await self._fetch(_MISCOUNTED)

    async def claims(self) -> int:
        """Count the seats that are claimed."""
        return await self._count(_CLAIMED)

    async def held_again(self) -> int:
        """Count the seats whose answer was lost once they were committed, and asked for again:
        nothing else here renews a hold.
        """
        return await self._count(_HELD_AGAIN)

    async def reckon(self, seekers: Sequence[Seeker]) -> None:
        """Compare everything with what families were answered, once nothing is on its way."""
        submitted = [seeker for seeker in seekers if seeker.application_id]
        await eventually(lambda: self._amounts_to(_CLAIMED, len(submitted)), within_seconds=60)
        await eventually(lambda: self._amounts_to(_UNTOLD, 0), within_seconds=60)
        assert not await self.miscounted()
        await self._reckon_seats(seekers)
        await self._reckon_ledger(seekers)
        await self._reckon_events(seekers)

    async def _reckon_seats(self, seekers: Sequence[Seeker]) -> None:
        """A family has the seat and the places that it was answered last, and no other."""
        seats = sorted(tuple(row) for row in await self._fetch(_SEATS))
        assert seats == sorted(
            (
                seeker.student_id,
                seeker.hold.id,
                seeker.hold.course_id,
                "claimed" if seeker.application_id else "held",
            )
            for seeker in seekers
            if seeker.hold
        )
        places = sorted(tuple(row) for row in await self._fetch(_PLACES))
        assert places == sorted(
            (seeker.student_id, place_id)
            for seeker in seekers
            for place_id in seeker.places.values()
        )

    async def _reckon_ledger(self, seekers: Sequence[Seeker]) -> None:
        """Whatever a family was answered happened once, in that order, and nothing else did."""
        stories: dict[UUID, list[Line]] = {seeker.student_id: [] for seeker in seekers}
        for student_id, seat_id, course_id, change in await self._fetch(_LEDGER):
            stories[student_id].append((seat_id, course_id, change))
        assert stories == {seeker.student_id: seeker.story for seeker in seekers}

    async def _reckon_events(self, seekers: Sequence[Seeker]) -> None:
        """Enrolment was told of each seat that was taken, claimed or given up, and of no other."""
        async with await aio_pika.connect(self.broker_url) as connection:
            channel = await connection.channel()
            holds = await _told(channel, "enrolment.remember_holds", SeatsHeld)
            placed = await _told(channel, "enrolment.adopt_seat", SeatPlaced)
            released = await _told(channel, "enrolment.forget_holds", SeatsReleased)
            claims = await _told(channel, "enrolment.record_claims", SeatsClaimed)
            for queue in REACTIONS:
                dead = await channel.declare_queue(dead_queue(queue), passive=True)
                assert not dead.declaration_result.message_count, queue
        taken = {hold.id for event in holds for hold in event.holds}
        taken |= {event.hold.id for event in placed}
        ended = {hold_id for event in holds for hold_id in event.replaced_hold_ids}
        ended |= {hold_id for event in released for hold_id in event.hold_ids}
        ended |= {event.replaced_hold_id for event in placed if event.replaced_hold_id}
        claimed = {hold_id for event in claims for hold_id in event.hold_ids}
        assert not [event for event in claims if event.missing_hold_ids]
        answered = [line for seeker in seekers for line in seeker.story]
        for change, told in (("held", taken), ("released", ended), ("claimed", claimed)):
            assert told == {seat_id for seat_id, _, happened in answered if happened == change}

    async def _amounts_to(self, sql: str, wanted: int) -> bool:
        return await self._count(sql) == wanted

    async def _count(self, sql: str) -> int:
        ((count,),) = await self._fetch(sql)
        return int(count)

    async def _fetch(self, sql: str) -> list[Any]:
        connection = await asyncpg.connect(self.database_url)
        try:
            found: list[Any] = await connection.fetch(sql)
        finally:
            await connection.close()
        return found


async def _told[Told: Event](
    channel: AbstractChannel, queue_name: str, kind: type[Told]
) -> list[Told]:
    """Take everything out of a reaction's queue, without the repeats of a relay that fell."""
    queue = await channel.declare_queue(queue_name, passive=True)
    waiting = queue.declaration_result.message_count or 0
    messages: list[AbstractIncomingMessage] = []

    async def take(message: AbstractIncomingMessage) -> None:
        messages.append(message)

    await queue.consume(take, no_ack=True)
    await eventually(lambda: len(messages) >= waiting)
    bodies = {message.message_id: message.body for message in messages}
    return [kind.model_validate_json(body) for body in bodies.values()]
