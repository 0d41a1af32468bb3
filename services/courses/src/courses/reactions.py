"""What courses does when something happened elsewhere."""

from datetime import UTC, datetime

import sqlalchemy as sa
from shared.contracts.courses import SeatsClaimed, SeatsReleased
from shared.contracts.enrolment import (
    ApplicationSubmitted,
    CampaignPublished,
    ReenrolmentDeclined,
)
from shared.contracts.identity import FamiliesRecorded
from shared.copies import keep_newer
from shared.db import Transaction
from shared.outbox import emit
from sqlalchemy.dialects.postgresql import insert

from courses.ledger import end_holds, lock_courses, take_back
from courses.tables import campaign, family, seat, student


async def claim_seats(event: ApplicationSubmitted, tx: Transaction) -> None:
    """Turn a submitted application's holds into claims.

    A hold that was released before the word of its submission came is taken back where its course
    still has a seat.
    """
    wanted = [choice.hold_id for choice in event.choices if choice.hold_id is not None]
    own = sa.and_(seat.c.id.in_(wanted), seat.c.family_id == event.family_id)
    await lock_courses(tx, await tx.scalars(sa.select(seat.c.course_id).where(own)))
    held = list(await tx.scalars(sa.select(seat.c.id).where(own, seat.c.state == "held")))
    await end_holds(tx, held, "claimed", datetime.now(UTC))
    released = await tx.scalars(sa.select(seat.c.id).where(own, seat.c.state == "released"))
    for seat_id in list(released):
        await take_back(tx, seat_id)
    claimed = set(await tx.scalars(sa.select(seat.c.id).where(own, seat.c.state == "claimed")))
    await emit(
        tx,
        SeatsClaimed(
            application_id=event.application_id,
            hold_ids=tuple(hold_id for hold_id in wanted if hold_id in claimed),
            missing_hold_ids=tuple(hold_id for hold_id in wanted if hold_id not in claimed),
        ),
    )


async def free_seats(event: ReenrolmentDeclined, tx: Transaction) -> None:
    """Free what a student held when its family declined; a later change of mind stays."""
    held = (
        seat.c.campaign_id == event.campaign_id,
        seat.c.student_id == event.student_id,
        seat.c.state == "held",
        seat.c.held_at <= event.received_at,
    )
    await lock_courses(tx, await tx.scalars(sa.select(seat.c.course_id).where(*held)))
    seat_ids = list(await tx.scalars(sa.select(seat.c.id).where(*held)))
    released = await end_holds(tx, seat_ids, "released", datetime.now(UTC))
    if released:
        await emit(tx, SeatsReleased(hold_ids=tuple(released)))


async def remember_campaign(event: CampaignPublished, tx: Transaction) -> None:
    """Keep when a campaign opens and closes."""
    values = {
        "site_id": event.site_id,
        "school_year": event.school_year,
        "opens_at": event.opens_at,
        "closes_at": event.closes_at,
    }
    await tx.execute(
        insert(campaign)
        .values(id=event.campaign_id, **values)
        .on_conflict_do_update(index_elements=["id"], set_=values)
    )


async def remember_families(event: FamiliesRecorded, tx: Transaction) -> None:
    """Keep which student belongs to which family, as of each family's highest revision."""
    newer = await keep_newer(
        tx,
        family,
        [
            {"id": each.id, "site_id": each.site_id, "revision": each.revision}
            for each in event.families
        ],
    )
    latest = {each.id: each for each in sorted(event.families, key=lambda each: each.revision)}
    await tx.execute(sa.delete(student).where(student.c.family_id.in_(newer)))
    members = [
        {"id": member.id, "family_id": family_id}
        for family_id in newer
        for member in latest[family_id].students
    ]
    if members:
        await tx.execute(insert(student), members)
