"""Seats in the database. One rule keeps them apart: a seat changes only under its course's lock.

Whoever changes seats locks the students first where it decides for them, then the courses in the
order of their identifiers, and only then reads what it decides upon: in a new statement, which
sees what the former holders of those locks committed.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from shared.contract import Rejection
from shared.db import Transaction
from sqlalchemy.dialects.postgresql import insert

from courses.catalogue import course_label
from courses.seats import Allocation, Room, Seat, Slot
from courses.tables import course, occupancy, seat

type EndOfHold = Literal["claimed", "released"]


async def lock_courses(tx: Transaction, course_ids: Iterable[UUID]) -> None:
    """Lock courses for whoever changes their seats, in the order of their identifiers."""
    await tx.execute(
        sa.select(occupancy.c.course_id)
        .where(occupancy.c.course_id.in_(set(course_ids)))
        .order_by(occupancy.c.course_id)
        .with_for_update()
    )


async def read_rooms(tx: Transaction, course_ids: Iterable[UUID]) -> dict[UUID, Room]:
    """Read courses with their taken seats."""
    rows = await tx.execute(
        sa.select(course, occupancy.c.taken)
        .join(occupancy, occupancy.c.course_id == course.c.id)
        .where(course.c.id.in_(set(course_ids)))
    )
    return {row.id: _room(row) for row in rows}


async def read_live_seats(
    tx: Transaction, campaign_id: UUID, student_ids: Iterable[UUID]
) -> list[Seat]:
    """Read the held and claimed seats of some students in a campaign."""
    rows = await tx.execute(
        sa.select(seat)
        .where(seat.c.campaign_id == campaign_id)
        .where(seat.c.student_id.in_(set(student_ids)))
        .where(seat.c.state != "released")
        .order_by(seat.c.id)
    )
    return [
        Seat(
            id=row.id,
            course_id=row.course_id,
            student_id=row.student_id,
            follow_id=row.follow_id,
            claimed=row.state == "claimed",
            held_at=row.held_at,
            expires_at=row.expires_at,
        )
        for row in rows
    ]


async def write_allocation(
    tx: Transaction, campaign_id: UUID, family_id: UUID, allocation: Allocation, now: datetime
) -> None:
    """Record what was decided under the courses' locks, counters included.

    Raises the Rejection ``not_found`` where an identifier already names another family's seat.
    """
    await end_holds(tx, [old.id for old in allocation.replaced], "released", now)
    values = [
        {
            "id": granted.id,
            "campaign_id": campaign_id,
            "family_id": family_id,
            "student_id": granted.student_id,
            "follow_id": granted.follow_id,
            "course_id": granted.course_id,
            "state": "held",
            "held_at": granted.held_at,
            "expires_at": granted.expires_at,
        }
        for granted in allocation.granted
    ]
    statement = insert(seat).values(values)
    renewed_or_new = await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={"expires_at": statement.excluded.expires_at},
            where=sa.and_(
                seat.c.family_id == family_id,
                seat.c.follow_id == statement.excluded.follow_id,
                seat.c.course_id == statement.excluded.course_id,
                seat.c.state == "held",
            ),
        ).returning(seat.c.course_id, sa.literal_column("xmax = 0").label("is_new"))
    )
    written = renewed_or_new.all()
    if len(written) != len(values):
        raise Rejection.not_found()
    await _count(tx, [row.course_id for row in written if row.is_new], +1)


async def end_holds(
    tx: Transaction, seat_ids: Sequence[UUID], end: EndOfHold, now: datetime
) -> list[UUID]:
    """Turn held seats into claims, or release them; give those that were held indeed.

    Their courses are locked already.
    """
    if not seat_ids:
        return []
    released_at = now if end == "released" else None
    ended = (
        await tx.execute(
            sa.update(seat)
            .where(seat.c.id.in_(seat_ids), seat.c.state == "held")
            .values(state=end, released_at=released_at)
            .returning(seat.c.id, seat.c.course_id)
        )
    ).all()
    if end == "released":
        await _count(tx, [row.course_id for row in ended], -1)
    return [row.id for row in ended]


async def take_back(tx: Transaction, seat_id: UUID) -> None:
    """Claim a released seat again, where its course has room and its row no other seat.

    Its course is locked already.
    """
    other = seat.alias()
    course_id = await tx.scalar(
        sa.update(seat)
        .where(seat.c.id == seat_id, seat.c.state == "released")
        .where(
            sa.exists().where(
                occupancy.c.course_id == seat.c.course_id,
                course.c.id == seat.c.course_id,
                occupancy.c.taken < course.c.capacity,
            )
        )
        .where(
            ~sa.exists().where(
                other.c.campaign_id == seat.c.campaign_id,
                other.c.follow_id == seat.c.follow_id,
                other.c.state != "released",
            )
        )
        .values(state="claimed", released_at=None)
        .returning(seat.c.course_id)
    )
    if course_id is not None:
        await _count(tx, [course_id], +1)


async def _count(tx: Transaction, course_ids: Sequence[UUID], step: Literal[1, -1]) -> None:
    """Move the counters of taken seats, a course as many times as it is named."""
    for course_id in set(course_ids):
        await tx.execute(
            sa.update(occupancy)
            .where(occupancy.c.course_id == course_id)
            .values(taken=occupancy.c.taken + step * course_ids.count(course_id))
        )


def _room(row: sa.Row[tuple[object, ...]]) -> Room:
    slot = None
    if row.weekday is not None and row.starts_at is not None and row.ends_at is not None:
        slot = Slot(row.weekday, row.starts_at, row.ends_at)
    return Room(
        course_id=row.id,
        site_id=row.site_id,
        school_year=row.school_year,
        curriculum=row.curriculum,
        level=row.level,
        label=course_label(
            row.curriculum, row.level, row.group_number, row.weekday, row.starts_at, row.ends_at
        ),
        teacher=row.teacher,
        place=row.room,
        slot=slot,
        capacity=row.capacity,
        taken=row.taken,
    )
