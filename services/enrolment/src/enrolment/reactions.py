"""What enrolment notices: who belongs to which family, and what becomes of held seats.

Any order and any repetition of the same events leaves the same rows: a family's highest revision
wins, and a hold only ever gains (its details, a later end, its release, its claim).
"""

from collections.abc import Iterable
from uuid import UUID

from shared.contracts.courses import Hold, SeatsClaimed, SeatsHeld, SeatsReleased
from shared.contracts.identity import FamiliesRecorded
from shared.db import Transaction
from shared.handlers import Occurrence
from sqlalchemy import delete, func, or_, update
from sqlalchemy.dialects.postgresql import insert

from enrolment.tables import application, family, hold, student

type HoldFacts = dict[str, object]

_END_ALONE: HoldFacts = {
    "student_id": None,
    "follow_id": None,
    "course_id": None,
    "expires_at": None,
    "released": False,
    "claimed": False,
}


async def remember_families(event: FamiliesRecorded, tx: Transaction) -> None:
    """Keep each family's students as of its highest revision."""
    latest = {record.id: record for record in sorted(event.families, key=lambda f: f.revision)}
    if not latest:
        return
    statement = insert(family).values(
        [
            {"id": record.id, "site_id": record.site_id, "revision": record.revision}
            for _, record in sorted(latest.items())
        ]
    )
    newer = await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={
                "site_id": statement.excluded.site_id,
                "revision": statement.excluded.revision,
            },
            where=family.c.revision < statement.excluded.revision,
        ).returning(family.c.id)
    )
    changed = newer.scalars().all()
    if not changed:
        return
    await tx.execute(delete(student).where(student.c.family_id.in_(changed)))
    members = {
        (record.id, family_id) for family_id in changed for record in latest[family_id].students
    }
    if members:
        await tx.execute(
            insert(student),
            [{"id": student_id, "family_id": family_id} for student_id, family_id in members],
        )


async def remember_holds(event: SeatsHeld, tx: Transaction) -> None:
    """Keep the seats held, and the end of those they replace."""
    facts = {held.id: _facts(held) for held in event.holds}
    for replaced in event.replaced_hold_ids:
        facts[replaced] = facts.get(replaced, _END_ALONE) | {"released": True}
    await _gain(tx, facts)


async def forget_holds(event: SeatsReleased, tx: Transaction) -> None:
    """Keep that these seats are held no more."""
    await _gain(tx, _all(event.hold_ids, released=True))


async def record_claims(event: SeatsClaimed, tx: Transaction, occurrence: Occurrence) -> None:
    """Keep which seats of a submitted application are its own now, and which had gone."""
    await _gain(
        tx,
        _all(event.missing_hold_ids, released=True) | _all(event.hold_ids, claimed=True),
    )
    await tx.execute(
        update(application)
        .where(
            application.c.id == event.application_id,
            or_(
                application.c.claimed_at.is_(None),
                application.c.claimed_at < occurrence.happened_at,
            ),
        )
        .values(
            claimed_at=occurrence.happened_at,
            missing_hold_ids=list(event.missing_hold_ids),
        )
    )


def _facts(held: Hold) -> HoldFacts:
    return {
        "student_id": held.student_id,
        "follow_id": held.follow_id,
        "course_id": held.course_id,
        "expires_at": held.expires_at,
        "released": False,
        "claimed": held.state == "claimed",
    }


def _all(hold_ids: Iterable[UUID], **facts: bool) -> dict[UUID, HoldFacts]:
    return dict.fromkeys(hold_ids, _END_ALONE | facts)


async def _gain(tx: Transaction, facts: dict[UUID, HoldFacts]) -> None:
    """Add what is told of some holds to what was known, in id order: no deadlock."""
    if not facts:
        return
    statement = insert(hold).values([{"id": known, **facts[known]} for known in sorted(facts)])
    told = statement.excluded
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={
                "student_id": func.coalesce(hold.c.student_id, told.student_id),
                "follow_id": func.coalesce(hold.c.follow_id, told.follow_id),
                "course_id": func.coalesce(hold.c.course_id, told.course_id),
                "expires_at": func.greatest(hold.c.expires_at, told.expires_at),
                "released": or_(hold.c.released, told.released),
                "claimed": or_(hold.c.claimed, told.claimed),
            },
        )
    )
