"""A mail that is being handed over arrives and is written down, whatever happens meanwhile."""

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest
import sqlalchemy as sa
from notifications.app import NotificationsSettings, resources, service
from notifications.mail import Letterhead
from notifications.postman import MailServer, Postman
from notifications.reactions import (
    remember_campaign,
    remember_families,
    remember_sites,
    send_receipt,
)
from notifications.sending import Sending, send_due_messages
from notifications.tables import message
from shared.db import Database
from shared.handlers import Occurrence
from shared.identifiers import new_id
from stack.running import Stack

from tests.applicants import Applicant
from tests.harness import eventually, running
from tests.integration.notifying import LINKS, PRESS
from tests.post_box import PostBox

pytestmark = pytest.mark.servers

LETTERHEAD = Letterhead.of("Rentrée <portail@territoire.example>", "https://portail.example")


class DatabaseThatGoesAway(Database):
    """Has no connection for the second line, once the mail of the first is being handed over."""

    def __init__(self, database: Database, post: PostBox) -> None:
        super().__init__(database.url, name="failing", connections=4)
        self._post = post
        self._lines = 0
        self.has_failed = asyncio.Event()

    async def open_apart(self, **server_settings: str) -> asyncpg.Connection:
        self._lines += 1
        if self._lines == 2:
            await eventually(lambda: self._post.in_hand)
            self.has_failed.set()
            raise ConnectionError("the database is away")
        return await super().open_apart(**server_settings)


async def receipt_due(database: Database) -> Applicant:
    """Have a receipt to send, and all that it is written from."""
    applicant = Applicant()
    occurrence = Occurrence(id=new_id(), happened_at=datetime.now(UTC), correlation_id="test")
    async with database.transaction() as tx:
        await remember_sites(applicant.sites(), tx)
        await remember_campaign(applicant.campaign(), tx)
        await remember_families(applicant.recorded(applicant.address), tx)
        await send_receipt(applicant.submitted(), tx, occurrence)
    return applicant


async def standing(database: Database, applicant: Applicant) -> tuple[str, int]:
    """Give the message's state and its failed attempts."""
    async with database.transaction() as tx:
        rows = await tx.execute(
            sa.select(message.c.state, message.c.failed_attempts).where(
                message.c.application_id == applicant.application_id
            )
        )
        state, failed_attempts = rows.one()
    return state, failed_attempts


def sending_to(post: PostBox, lines: int = 1) -> Sending:
    return Sending(Postman(MailServer.at(post.url)), LETTERHEAD, PRESS, LINKS, lines=lines)


async def test_a_line_that_loses_the_database_lets_the_mail_of_another_arrive(
    database: Database, post: PostBox
) -> None:
    applicants = [await receipt_due(database) for _ in range(2)]
    accepted = asyncio.Event()
    post.held_back = {each.address: accepted for each in applicants}
    failing = DatabaseThatGoesAway(database, post)
    sending = asyncio.create_task(send_due_messages(failing, sending_to(post, lines=2)))
    async with asyncio.timeout(20):
        await failing.has_failed.wait()
    accepted.set()
    await sending
    await failing.close()

    await send_due_messages(database, sending_to(post))

    for applicant in applicants:
        assert await standing(database, applicant) == ("sent", 0)
        assert len(post.received_by(applicant.address)) == 1


async def test_a_sender_told_to_end_lets_the_mail_at_hand_arrive(
    database: Database, post: PostBox
) -> None:
    applicant = await receipt_due(database)
    post.held_back[applicant.address] = accepted = asyncio.Event()
    sending = asyncio.create_task(send_due_messages(database, sending_to(post)))
    await eventually(lambda: post.in_hand)
    sending.cancel()
    accepted.set()
    with pytest.raises(asyncio.CancelledError):
        await sending

    assert await standing(database, applicant) == ("sent", 0)
    assert len(post.received_by(applicant.address)) == 1


async def test_a_replica_that_stops_waits_for_the_end_of_a_hand_over(
    servers: Stack, post: PostBox
) -> None:
    def with_post_box(settings: NotificationsSettings) -> dict[object, object]:
        return dict(resources(settings.model_copy(update={"smtp_url": post.url})))

    async with running(servers, service, NotificationsSettings, with_post_box) as notifications:
        url = notifications.settings.database_url
        applicant = await receipt_due(notifications.database)
        post.held_back[applicant.address] = asyncio.Event()
        await eventually(lambda: applicant.address in post.in_hand)

    database = Database(url, name="after", connections=1)
    assert await standing(database, applicant) == ("waiting", 1)  # never answered: it will be tried
    await database.close()
