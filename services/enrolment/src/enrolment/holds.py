"""The copy of the seats that courses holds. A hold only ever gains: its details, a later end, its
placement, its release, its claim, its replacement. Any order and any repetition of what is told
leaves the same row.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from shared.contract import Rejection
from shared.contracts.courses import Hold
from shared.contracts.enrolment import CourseChoice
from shared.db import Transaction
from sqlalchemy import Row, case, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from enrolment.progress import KnownHold
from enrolment.tables import hold

type HoldFacts = dict[str, object]
type _HoldRow = tuple[object, ...]

_END_ALONE: HoldFacts = {
    "student_id": None,
    "follow_id": None,
    "course_id": None,
    "label": None,
    "expires_at": None,
    "released": False,
    "claimed": False,
    "replaced": False,
    "replaces": None,
    "placed_at": None,
}


def details(held: Hold) -> HoldFacts:
    """State a seat as it is held."""
    return _END_ALONE | {
        "student_id": held.student_id,
        "follow_id": held.follow_id,
        "course_id": held.course_id,
        "label": held.label,
        "expires_at": held.expires_at,
        "claimed": held.state == "claimed",
    }


def placement(held: Hold, replaces: UUID | None, placed_at: datetime) -> HoldFacts:
    """State a seat as it is given to a row in the place of another."""
    return details(held) | {"replaces": replaces, "placed_at": placed_at}


def ends(hold_ids: Iterable[UUID], **end: bool) -> dict[UUID, HoldFacts]:
    """State how some holds ended: ``released``, ``claimed`` or ``replaced``, known here or not."""
    return dict.fromkeys(hold_ids, _END_ALONE | end)


async def gain(tx: Transaction, facts: dict[UUID, HoldFacts]) -> None:
    """Add what is told of some holds to what was known, in id order: no deadlock."""
    if not facts:
        return
    statement = insert(hold).values([{"id": known, **facts[known]} for known in sorted(facts)])
    told = statement.excluded
    latest_label = case(
        (told.expires_at > hold.c.expires_at, told.label),
        (told.expires_at < hold.c.expires_at, hold.c.label),
        else_=func.greatest(hold.c.label, told.label),
    )
    is_placed_since = or_(hold.c.placed_at.is_(None), told.placed_at > hold.c.placed_at)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={
                "student_id": func.coalesce(hold.c.student_id, told.student_id),
                "follow_id": func.coalesce(hold.c.follow_id, told.follow_id),
                "course_id": func.coalesce(hold.c.course_id, told.course_id),
                "label": latest_label,
                "expires_at": func.greatest(hold.c.expires_at, told.expires_at),
                "released": or_(hold.c.released, told.released),
                "claimed": or_(hold.c.claimed, told.claimed),
                "replaced": or_(hold.c.replaced, told.replaced),
                "replaces": case(
                    (is_placed_since, func.coalesce(told.replaces, hold.c.replaces)),
                    else_=hold.c.replaces,
                ),
                "placed_at": func.greatest(hold.c.placed_at, told.placed_at),
            },
        )
    )


async def holds_of(
    tx: Transaction, student_ids: Collection[UUID], choices: Iterable[CourseChoice]
) -> dict[UUID, KnownHold]:
    """Give the holds of ``choices`` that are known and these students' own."""
    told = await _told(tx, choices)
    return {row.id: _known(row) for row in told if row.student_id in student_ids}


async def known_holds(
    tx: Transaction, student_id: UUID, choices: Sequence[CourseChoice]
) -> dict[UUID, KnownHold]:
    """Give the holds of ``choices`` known so far.

    Raises the Rejection ``not_found`` where one is another student's (S97).
    """
    told = await _told(tx, choices)
    if any(row.student_id != student_id for row in told):
        raise Rejection.not_found()
    return {row.id: _known(row) for row in told}


async def _told(tx: Transaction, choices: Iterable[CourseChoice]) -> Sequence[Row[_HoldRow]]:
    """Give the rows of the holds of ``choices``, but those of which the end alone was told."""
    chosen = [choice.hold_id for choice in choices if choice.hold_id]
    if not chosen:
        return ()
    rows = await tx.execute(
        select(hold).where(hold.c.id.in_(chosen), hold.c.student_id.is_not(None))
    )
    return rows.all()


def _known(row: Row[_HoldRow]) -> KnownHold:
    return KnownHold(
        follow_id=row.follow_id,
        course_id=row.course_id,
        label=row.label,
        expires_at=row.expires_at,
        released=row.released,
        claimed=row.claimed,
        replaced=row.replaced,
        replaces=row.replaces,
    )
