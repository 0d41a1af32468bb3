"""What courses is asked to show."""

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa
from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.courses import (
    CourseRow,
    CourseRows,
    FollowedCourse,
    FollowedCourses,
    Hold,
    Slot,
)
from shared.db import Transaction

from courses.catalogue import course_label, year_before
from courses.ledger import read_live_seats, read_rooms
from courses.seats import Room, Row, Seat
from courses.tables import campaign, course, follow, student


async def course_rows(query: CourseRows, caller: Caller, tx: Transaction) -> tuple[CourseRow, ...]:
    """Show what a student follows this year, and the slots on offer for the next."""
    await require_own_student(tx, caller, query.student_id)
    school_year = await tx.scalar(
        sa.select(campaign.c.school_year).where(
            campaign.c.id == query.campaign_id, campaign.c.site_id == caller.site_id
        )
    )
    if school_year is None:
        raise Rejection.not_found()
    followed = (
        await tx.execute(
            sa.select(follow.c.id.label("follow_id"), follow.c.proposed_level, course)
            .join(course, course.c.id == follow.c.course_id)
            .where(follow.c.student_id == query.student_id)
            .where(course.c.school_year == year_before(school_year))
            .order_by(course.c.mode != "slot", course.c.discipline, course.c.code)
        )
    ).all()
    wanted = sa.tuple_(course.c.site_id, course.c.curriculum, course.c.level)
    offered_ids = await tx.scalars(
        sa.select(course.c.id)
        .where(course.c.school_year == school_year, course.c.mode == "slot")
        .where(wanted.in_([(row.site_id, row.curriculum, row.proposed_level) for row in followed]))
        .order_by(course.c.code)
    )
    offered = list(offered_ids)
    seats = await read_live_seats(tx, query.campaign_id, [query.student_id])
    rooms = await read_rooms(tx, [*offered, *(seat.course_id for seat in seats)])
    by_row = {seat.follow_id: seat for seat in seats}
    return tuple(
        CourseRow(
            follow_id=row.follow_id,
            curriculum=row.discipline,
            course=_label(row),
            cycle=row.cycle,
            reduced_schedule=row.reduced_schedule,
            active=True,
            mode=row.mode,
            next_level=row.proposed_level,
            slots=_slots(row, [rooms[course_id] for course_id in offered]),
            hold=_hold(by_row.get(row.follow_id), rooms),
        )
        for row in followed
    )


async def followed_courses(
    query: FollowedCourses, caller: Caller, tx: Transaction
) -> tuple[FollowedCourse, ...]:
    """Show every course of a student, the latest school year first."""
    await require_own_student(tx, caller, query.student_id)
    rows = await tx.execute(
        sa.select(follow.c.school_year.label("followed_in"), follow.c.course_code, course)
        .outerjoin(course, course.c.id == follow.c.course_id)
        .where(follow.c.student_id == query.student_id)
        .order_by(follow.c.school_year.desc(), course.c.discipline, follow.c.course_code)
    )
    return tuple(
        FollowedCourse(
            school_year=row.followed_in,
            label=f"Cours {row.course_code}" if row.id is None else _label(row),
            teacher=row.teacher or "",
            room=row.room or "",
        )
        for row in rows
    )


async def require_own_student(tx: Transaction, caller: Caller, *student_ids: UUID) -> None:
    """Answer that there is nothing here unless all these students are the caller's (S97)."""
    owned = await tx.scalar(
        sa.select(sa.func.count())
        .select_from(student)
        .where(student.c.id.in_(set(student_ids)), student.c.family_id == caller.family())
    )
    if owned != len(set(student_ids)):
        raise Rejection.not_found()


async def read_rows(
    tx: Transaction, follow_ids: Sequence[UUID], school_year: str
) -> dict[UUID, Row]:
    """Read what some courses followed the year before lead to in ``school_year``."""
    rows = await tx.execute(
        sa.select(follow, course.c.site_id, course.c.curriculum)
        .join(course, course.c.id == follow.c.course_id)
        .where(follow.c.id.in_(follow_ids))
        .where(course.c.school_year == year_before(school_year), course.c.mode == "slot")
    )
    return {
        row.id: Row(
            follow_id=row.id,
            student_id=row.student_id,
            site_id=row.site_id,
            school_year=school_year,
            curriculum=row.curriculum,
            next_level=row.proposed_level,
        )
        for row in rows
    }


def as_hold(seat: Seat, room: Room) -> Hold:
    """Show a seat to its family."""
    return Hold(
        id=seat.id,
        student_id=seat.student_id,
        follow_id=seat.follow_id,
        course_id=seat.course_id,
        label=room.label,
        state="claimed" if seat.claimed else "held",
        expires_at=seat.expires_at,
    )


def _hold(seat: Seat | None, rooms: dict[UUID, Room]) -> Hold | None:
    return None if seat is None else as_hold(seat, rooms[seat.course_id])


def _label(row: sa.Row[tuple[object, ...]]) -> str:
    return course_label(
        row.curriculum, row.level, row.group_number, row.weekday, row.starts_at, row.ends_at
    )


def _slots(row: sa.Row[tuple[object, ...]], rooms: Sequence[Room]) -> tuple[Slot, ...]:
    if row.mode != "slot":
        return ()
    return tuple(
        Slot(
            course_id=room.course_id,
            label=room.label,
            teacher=room.teacher,
            room=room.place,
            seats_left=room.seats_left,
        )
        for room in rooms
        if (room.site_id, room.curriculum, room.level)
        == (row.site_id, row.curriculum, row.proposed_level)
    )
