"""What enrolment notices: who belongs to which family, and what becomes of held seats.

Any order and any repetition of the same events leaves the same rows: a family's highest revision
wins, and a hold only ever gains (:mod:`enrolment.holds`).
"""

from shared.contracts.courses import SeatsClaimed, SeatsHeld, SeatsReleased
from shared.contracts.identity import FamiliesRecorded
from shared.copies import keep_newer
from shared.db import Transaction
from shared.handlers import Occurrence
from sqlalchemy import delete, or_, update
from sqlalchemy.dialects.postgresql import insert

from enrolment.holds import details, ends, gain
from enrolment.tables import application, family, student


async def remember_families(event: FamiliesRecorded, tx: Transaction) -> None:
    """Keep each family's students as of its highest revision."""
    latest = {record.id: record for record in sorted(event.families, key=lambda f: f.revision)}
    changed = await keep_newer(
        tx,
        family,
        [
            {"id": record.id, "site_id": record.site_id, "revision": record.revision}
            for record in event.families
        ],
    )
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
    replaced = ends(event.replaced_hold_ids, released=True)
    await gain(tx, {held.id: details(held) for held in event.holds} | replaced)


async def forget_holds(event: SeatsReleased, tx: Transaction) -> None:
    """Keep that these seats are held no more."""
    await gain(tx, ends(event.hold_ids, released=True))


async def record_claims(event: SeatsClaimed, tx: Transaction, occurrence: Occurrence) -> None:
    """Keep which seats of a submitted application are its own now, and which had gone."""
    missing = ends(event.missing_hold_ids, released=True)
    await gain(tx, missing | ends(event.hold_ids, claimed=True))
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
