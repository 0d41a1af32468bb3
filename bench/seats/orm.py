"""The contender that most applications would write: objects, and the course's row locked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from courses import tables
from shared.contracts.courses import Hold, SeatsHeld
from shared.db import driver_url
from shared.identifiers import new_id
from shared.outbox import outbox
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped

from bench.seats.answers import held, told
from bench.seats.contender import Contender, Give
from bench.seats.school import School, Wish


class Model(DeclarativeBase):
    """The tables of courses and of the outbox, as objects."""


class Occupancy(Model):
    """The counters of a course."""

    __table__ = tables.occupancy
    capacity: Mapped[int]
    taken: Mapped[int]
    version: Mapped[int]


class Seat(Model):
    """A seat given."""

    __table__ = tables.seat
    campaign_id: Mapped[UUID]
    course_id: Mapped[UUID]
    follow_id: Mapped[UUID]
    state: Mapped[str]
    held_at: Mapped[datetime]


class LedgerLine(Model):
    """A line of the ledger."""

    __table__ = tables.ledger


class OutboxRow(Model):
    """An event to tell."""

    __table__ = outbox


def locking_objects(connections: int) -> Contender:
    """Lock the course's row, count its seats, add one, in a session of SQLAlchemy's ORM."""

    @asynccontextmanager
    async def opened(school: School) -> AsyncIterator[Give]:
        engine = create_async_engine(
            driver_url(school.url), pool_size=connections, max_overflow=0, pool_timeout=60
        )

        async def give(wish: Wish) -> Hold | None:
            async with AsyncSession(engine, expire_on_commit=False) as session:
                try:
                    return await _added(session, wish)
                except IntegrityError:
                    await session.rollback()
                    return await _already_given(session, wish)

        try:
            async with school.eased(counting=True):
                yield give
        finally:
            await engine.dispose()

    return Contender("ORM, SELECT FOR UPDATE", opened)


async def _added(session: AsyncSession, wish: Wish) -> Hold | None:
    course = await session.get_one(Occupancy, wish.course_id, with_for_update=True)
    taken = await session.scalar(
        sa.select(sa.func.count())
        .select_from(Seat)
        .where(Seat.course_id == wish.course_id, Seat.state != "released")
    )
    if taken is None or taken >= course.capacity:
        return None
    now = datetime.now(UTC)
    hold = held(wish, now)
    course.taken += 1
    course.version += 1
    session.add_all(
        [
            Seat(
                id=hold.id,
                campaign_id=wish.command.campaign_id,
                course_id=wish.course_id,
                family_id=wish.caller.family_id,
                student_id=hold.student_id,
                follow_id=hold.follow_id,
                state="held",
                held_at=now,
                expires_at=hold.expires_at,
            ),
            LedgerLine(
                seat_id=hold.id,
                course_id=wish.course_id,
                student_id=hold.student_id,
                change="held",
                step=1,
                reason="chosen",
                actor_id=wish.caller.account_id,
                happened_at=now,
            ),
            OutboxRow(
                event_id=new_id(),
                type=SeatsHeld.type,
                subject="",
                correlation_id=str(hold.id),
                data=told(hold),
            ),
        ]
    )
    await session.commit()
    return hold


async def _already_given(session: AsyncSession, wish: Wish) -> Hold:
    """Give the seat of the row again: it was asked for twice."""
    found = await session.scalars(
        sa.select(Seat).where(
            Seat.campaign_id == wish.command.campaign_id,
            Seat.follow_id == wish.request.follow_id,
            Seat.state != "released",
        )
    )
    return held(wish, found.one().held_at)
