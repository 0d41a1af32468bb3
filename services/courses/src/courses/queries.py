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
    MyWaitingPlaces,
    Slot,
    WaitingPlace,
)
from shared.db import Transaction

from courses.catalogue import course_label, year_before
from courses.seats import seats_left
from courses.tables import campaign, course, follow, occupancy, place, seat, student

type _Line = sa.Row[tuple[object, ...]]

_NAMING = (
    course.c.curriculum,
    course.c.level,
    course.c.group_number,
    course.c.weekday,
    course.c.starts_at,
    course.c.ends_at,
)
"""What :func:`_label` names a group by."""


async def course_rows(query: CourseRows, caller: Caller, tx: Transaction) -> tuple[CourseRow, ...]:
    """Show what a student follows in the site this year, and the slots on offer for the next."""
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
            .where(course.c.site_id == caller.site_id)
            .where(course.c.school_year == year_before(school_year))
            .order_by(course.c.mode != "slot", course.c.discipline, course.c.code)
        )
    ).all()
    offered = await _read_offer(tx, school_year, followed)
    holds = await _read_holds(tx, query)
    claimed = {hold.follow_id: hold for hold in holds if hold.state == "claimed"}
    # what was chosen since comes before what it is to replace
    chosen = claimed | {hold.follow_id: hold for hold in holds if hold.state == "held"}
    places = await read_waiting_places(
        tx, place.c.student_id == query.student_id, place.c.campaign_id == query.campaign_id
    )
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
            slots=_slots(row, offered),
            hold=chosen.get(row.follow_id),
            claimed=claimed.get(row.follow_id),
            waiting=tuple(each for each in places if each.follow_id == row.follow_id),
        )
        for row in followed
    )


async def my_waiting_places(
    query: MyWaitingPlaces,  # noqa: ARG001 - it asks for all of them
    caller: Caller,
    tx: Transaction,
) -> tuple[WaitingPlace, ...]:
    """Show a family where it waits, and what it is offered."""
    return await read_waiting_places(tx, place.c.family_id == caller.family())


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


async def read_waiting_places(
    tx: Transaction, *whose: sa.ColumnElement[bool]
) -> tuple[WaitingPlace, ...]:
    """Read the live places on waiting lists, offers first, with their rank in each list."""
    ahead = place.alias()
    rank = (
        sa.select(sa.func.count())
        .where(
            ahead.c.course_id == place.c.course_id,
            ahead.c.state == "waiting",
            ahead.c.position <= place.c.position,
        )
        .scalar_subquery()
    )
    rows = await tx.execute(
        sa.select(
            place,
            sa.case((place.c.state == "waiting", rank), else_=0).label("rank"),
            *_NAMING,
        )
        .join(course, course.c.id == place.c.course_id)
        .where(place.c.state.in_(("waiting", "offered")), *whose)
        .order_by(place.c.state, place.c.position)
    )
    return tuple(
        WaitingPlace(
            id=row.id,
            campaign_id=row.campaign_id,
            student_id=row.student_id,
            follow_id=row.follow_id,
            course_id=row.course_id,
            label=_label(row),
            state=row.state,
            rank=row.rank,
            joined_at=row.joined_at,
            offered_until=row.offered_until,
        )
        for row in rows
    )


async def _read_offer(tx: Transaction, school_year: str, followed: Sequence[_Line]) -> list[_Line]:
    """Read the groups of next year at the levels proposed, with their counters."""
    wanted = sa.tuple_(course.c.site_id, course.c.curriculum, course.c.level)
    offered = await tx.execute(
        sa.select(course, occupancy.c.taken, occupancy.c.waiting)
        .join(occupancy, occupancy.c.course_id == course.c.id)
        .where(course.c.school_year == school_year, course.c.mode == "slot")
        .where(wanted.in_([(row.site_id, row.curriculum, row.proposed_level) for row in followed]))
        .order_by(course.c.code)
    )
    return list(offered.all())


async def _read_holds(tx: Transaction, query: CourseRows) -> list[Hold]:
    """Read the live seats of a student."""
    rows = await tx.execute(
        sa.select(
            seat,
            *_NAMING,
        )
        .join(course, course.c.id == seat.c.course_id)
        .where(seat.c.campaign_id == query.campaign_id)
        .where(seat.c.student_id == query.student_id, seat.c.state != "released")
    )
    return [
        Hold(
            id=row.id,
            student_id=row.student_id,
            follow_id=row.follow_id,
            course_id=row.course_id,
            label=_label(row),
            state=row.state,
            expires_at=row.expires_at,
        )
        for row in rows
    ]


def _label(row: _Line) -> str:
    return course_label(
        row.curriculum, row.level, row.group_number, row.weekday, row.starts_at, row.ends_at
    )


def _slots(row: _Line, offered: Sequence[_Line]) -> tuple[Slot, ...]:
    if row.mode != "slot":
        return ()
    return tuple(
        Slot(
            course_id=group.id,
            label=_label(group),
            teacher=group.teacher,
            room=group.room,
            seats_left=seats_left(group.capacity, group.taken, group.waiting),
            waiting=group.waiting,
        )
        for group in offered
        if (group.site_id, group.curriculum, group.level)
        == (row.site_id, row.curriculum, row.proposed_level)
    )
