"""The erasure of a family on real servers: nothing of it stays, and nothing comes back (S96)."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from notifications import tables
from shared.contracts.documents import LackingFamily, LackingPiece, PiecesReckoned
from shared.contracts.identity import FamilyErased
from shared.contracts.notifications import FamilyMessagesErased, ListMessages

from tests.applicants import Applicant
from tests.harness import eventually, family_caller
from tests.integration.notifying import Notifications, known, subscriber
from tests.post_box import PostBox

pytestmark = pytest.mark.servers


async def erase(notifications: Notifications, applicant: Applicant) -> None:
    """Have identity tell that a family is erased."""
    await notifications.react(
        FamilyErased(
            family_id=applicant.family_id,
            student_ids=(applicant.student_id,),
            erased_at=datetime.now(UTC),
        )
    )


async def received(notifications: Notifications, applicant: Applicant) -> None:
    """Have the family's request received, with a piece that lacks, and its receipt sent."""
    await known(notifications, applicant, applicant.address)
    pieces = (LackingPiece(student_id=None, name="Justificatif de domicile"),)
    for event in (
        PiecesReckoned(
            campaign_id=applicant.campaign_id,
            families=(LackingFamily(family_id=applicant.family_id, pieces=pieces),),
            reckoned_at=applicant.now,
        ),
        applicant.submitted(),
    ):
        await notifications.react(event)
    caller = family_caller(applicant.family_id, applicant.site_id)

    async def is_sent() -> bool:
        found = await notifications.ask(ListMessages(), caller)
        return [message.state for message in found] == ["sent"]

    await eventually(is_sent)


async def rows_of(notifications: Notifications, applicant: Applicant) -> list[str]:
    """Name the tables that hold something of a family, beside its identifier."""
    tied = (tables.message, tables.application, tables.missing_pieces)
    holding = []
    async with notifications.database.transaction() as tx:
        for table in tied:
            of_family = sa.select(table).where(table.c.family_id == applicant.family_id)
            holding += [table.name for _ in await tx.execute(of_family)]
        found = await tx.execute(
            sa.select(tables.family.c.guardians, tables.family.c.students).where(
                tables.family.c.id == applicant.family_id
            )
        )
        holding += ["family" for row in found if row.guardians or row.students]
    return holding


async def test_nothing_is_left_of_an_erased_family_and_that_is_told(
    notifications: Notifications,
) -> None:
    applicant, other = Applicant(), Applicant()
    await received(notifications, applicant)
    await received(notifications, other)
    everything = ["message", "application", "missing_pieces", "family"]
    assert await rows_of(notifications, applicant) == everything
    async with subscriber(notifications, FamilyMessagesErased) as told:
        await erase(notifications, applicant)
        assert await rows_of(notifications, applicant) == []
        assert await rows_of(notifications, other) == everything
        await eventually(lambda: [event.family_id for event in told] == [applicant.family_id])


async def test_what_is_told_late_of_an_erased_family_is_neither_kept_nor_sent(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await erase(notifications, applicant)
    await known(notifications, applicant, applicant.address)
    late = applicant.recorded(applicant.address, revision=9)
    await notifications.react(late)
    await notifications.react(applicant.offered(applicant.now + timedelta(hours=24)))
    assert await rows_of(notifications, applicant) == []
    assert post.received_by(applicant.address) == []
