"""What courses does when something happened elsewhere."""

import sqlalchemy as sa
from shared.contracts.enrolment import (
    ApplicationSubmitted,
    CampaignPublished,
    ReenrolmentDeclined,
)
from shared.contracts.identity import FamiliesRecorded
from shared.copies import keep_newer
from shared.db import Transaction
from sqlalchemy.dialects.postgresql import insert

from courses.allocator import Allocator
from courses.edition import publish_edition
from courses.requests import ClaimRequest, DeclineRequest
from courses.tables import campaign, family, student


async def claim_seats(event: ApplicationSubmitted, tx: Transaction, allocator: Allocator) -> None:
    """Turn a submitted application's holds into claims."""
    await allocator.decide_within(
        tx,
        ClaimRequest(
            application_id=event.application_id,
            campaign_id=event.campaign_id,
            student_id=event.student_id,
            seat_ids=tuple(choice.hold_id for choice in event.choices if choice.hold_id),
            left_rows=frozenset(
                choice.follow_id for choice in event.choices if not choice.re_enrol
            ),
            chosen_at=event.chosen_at or event.received_at,
            received_at=event.received_at,
        ),
    )


async def free_seats(event: ReenrolmentDeclined, tx: Transaction, allocator: Allocator) -> None:
    """Free what a student had when its family declined or withdrew."""
    await allocator.decide_within(
        tx, DeclineRequest(event.campaign_id, event.student_id, event.received_at)
    )


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
    await publish_edition(tx)


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
