"""Refused documents on real servers: the family is told each time, and once (S83)."""

from datetime import datetime, timedelta

import pytest
from notifications.digest import QUIET
from notifications.tables import message
from shared.contracts.documents import DocumentRefused
from shared.identifiers import new_id

from tests.applicants import Applicant
from tests.harness import eventually
from tests.integration.notifying import Notifications, known
from tests.post_box import PostBox

pytestmark = pytest.mark.servers


def refused(applicant: Applicant, at: datetime, reason: str = "Illisible.") -> DocumentRefused:
    return DocumentRefused(
        document_id=new_id(),
        campaign_id=applicant.campaign_id,
        family_id=applicant.family_id,
        student_id=None,
        type_code="domicile",
        name="Justificatif de domicile",
        by="staff",
        reason=reason,
        refused_at=at,
    )


async def test_every_guardian_is_told_why_once_for_each_refusal(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address, applicant.other_address)
    first = refused(applicant, applicant.now)
    again = first.model_copy(
        update={"reason": "Trop ancien.", "refused_at": applicant.now + timedelta(seconds=1)}
    )

    await notifications.react(first)
    await notifications.react(first)
    await eventually(lambda: post.received_by(applicant.address))
    async with notifications.database.transaction() as tx:
        of_the_family = message.update().where(message.c.family_id == applicant.family_id)
        await tx.execute(of_the_family.values(state_at=message.c.state_at - QUIET))
    await notifications.react(again)
    await eventually(lambda: len(post.received_by(applicant.address)) == 2)

    mails = post.received_by(applicant.address)
    assert {str(mail["Subject"]) for mail in mails} == {
        "Une pièce est à remplacer : Justificatif de domicile"
    }
    assert mails[0]["X-Envelope-To"] == f"{applicant.address}, {applicant.other_address}"
    told = "".join(mail.as_string() for mail in mails)
    assert "Illisible." in told
    assert "Trop ancien." in told
