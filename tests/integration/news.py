"""What is told to a family, on a database whose messages a test sends itself."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import sqlalchemy as sa
from notifications.postman import MailServer, Postman
from notifications.reactions import (
    remember_families,
    remember_sites,
    tell_accepted_document,
)
from notifications.sending import Sending
from notifications.tables import message
from shared.contracts.courses import OfferEnded
from shared.contracts.documents import DocumentAccepted
from shared.contracts.notifications import MessageKind
from shared.db import Database, Transaction
from shared.handlers import Occurrence
from shared.identifiers import new_id

from tests.applicants import Applicant
from tests.integration.notifying import LINKS, PRESS
from tests.integration.test_notifications_hand_over import LETTERHEAD, receipt_due
from tests.post_box import PostBox

SECOND = timedelta(seconds=1)
COURSE = "FM 2.1 (34) - MARDI - 17.00 à 18.30"


def sending_to(post: PostBox) -> Sending:
    return Sending(Postman(MailServer.at(post.url)), LETTERHEAD, PRESS, LINKS)


def occurrence() -> Occurrence:
    return Occurrence(id=new_id(), happened_at=datetime.now(UTC), correlation_id="test")


async def family_known(database: Database) -> Applicant:
    """A family whose receipt has left: what follows is news."""
    applicant = await receipt_due(database)
    async with database.transaction() as tx:
        await remember_sites(applicant.sites(), tx)
        await remember_families(applicant.recorded(applicant.address, revision=2), tx)
    return applicant


async def hear(tx: Transaction, applicant: Applicant, name: str) -> None:
    """Have a document accepted, of a piece of this name."""
    await tell_accepted_document(
        DocumentAccepted(
            document_id=new_id(),
            campaign_id=applicant.campaign_id,
            family_id=applicant.family_id,
            student_id=applicant.student_id,
            type_code="piece",
            name=name,
            accepted_at=datetime.now(UTC),
        ),
        tx,
        occurrence(),
    )


def offer_ended(applicant: Applicant) -> OfferEnded:
    return OfferEnded(
        place_id=applicant.place_id,
        campaign_id=applicant.campaign_id,
        family_id=applicant.family_id,
        student_id=applicant.student_id,
        course_id=new_id(),
        label=COURSE,
        end="refused",
    )


async def accept(database: Database, applicant: Applicant, *names: str) -> None:
    for name in names:
        async with database.transaction() as tx:
            await hear(tx, applicant, name)


async def let_pass(database: Database, time: timedelta) -> None:
    """Have time go by: all that is on record is that much older."""
    instants = ("created_at", "state_at", "due_at")
    async with database.transaction() as tx:
        await tx.execute(
            message.update().values({name: message.c[name] - time for name in instants})
        )


async def states(database: Database, kind: MessageKind) -> Counter[str]:
    async with database.transaction() as tx:
        rows = await tx.scalars(sa.select(message.c.state).where(message.c.kind == kind))
        return Counter(rows)


def news_of(post: PostBox, applicant: Applicant) -> list[EmailMessage]:
    received = post.received_by(applicant.address)
    return [mail for mail in received if not mail["Subject"].startswith(("Accusé", "Receipt"))]


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    text: str = body.get_content()
    return text
