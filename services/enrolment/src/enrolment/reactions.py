"""What enrolment notices: who belongs to which family, and what becomes of held seats.

Any order and any repetition of the same events leaves the same rows: a family's highest revision
wins, a hold only ever gains (:mod:`enrolment.holds`), and where an application stands is read from
both (:mod:`enrolment.adoption`).
"""

from shared.contracts.courses import SeatPlaced, SeatsClaimed, SeatsHeld, SeatsReleased
from shared.contracts.identity import FamiliesRecorded
from shared.copies import keep_newer
from shared.db import Transaction
from shared.handlers import Occurrence
from sqlalchemy import delete, or_, update
from sqlalchemy.dialects.postgresql import insert

from enrolment.erasure import find_erased
from enrolment.holds import details, ends, gain, placement
from enrolment.tables import application, family, student


async def remember_families(event: FamiliesRecorded, tx: Transaction) -> None:
    """Keep each family's students as of its highest revision; nothing of one that was erased."""
    latest = {record.id: record for record in sorted(event.families, key=lambda f: f.revision)}
    for family_id in await find_erased(tx, latest):
        del latest[family_id]
    changed = await keep_newer(
        tx,
        family,
        [
            {"id": record.id, "site_id": record.site_id, "revision": record.revision}
            for record in latest.values()
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


async def adopt_seat(event: SeatPlaced, tx: Transaction, occurrence: Occurrence) -> None:
    """Keep that a row's seat is another one; its application reads so from now on (S66, S74)."""
    former = [event.replaced_hold_id] if event.replaced_hold_id else []
    placed = placement(event.hold, event.replaced_hold_id, occurrence.happened_at)
    await gain(tx, {event.hold.id: placed} | ends(former, released=True))


async def record_claims(event: SeatsClaimed, tx: Transaction, occurrence: Occurrence) -> None:
    """Keep which seats of a submitted application are its own now, and which had gone.

    Claims of an earlier submission, withdrawn or changed since, are not those of the present one,
    which was received at another instant.
    """
    missing = ends(event.missing_hold_ids, released=True)
    replaced = ends(event.replaced_hold_ids, released=True, replaced=True)
    await gain(tx, missing | replaced | ends(event.hold_ids, claimed=True))
    await tx.execute(
        update(application)
        .where(
            application.c.id == event.application_id,
            application.c.state == "submitted",
            application.c.received_at == event.received_at,
            or_(
                application.c.claimed_at.is_(None),
                application.c.claimed_at < occurrence.happened_at,
            ),
        )
        .values(claimed_at=occurrence.happened_at, missing_hold_ids=list(event.missing_hold_ids))
    )
