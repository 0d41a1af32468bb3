"""How fast mails leave, and by which lines, on a real database and a mail server."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from notifications.mail import Letterhead
from notifications.pacing import Pace, book
from notifications.postman import MailServer, Postman
from notifications.sending import Sending, send_due_messages
from notifications.tables import attempt, message
from shared.db import Database

from tests.harness import eventually
from tests.integration.notifying import LINKS, PRESS
from tests.integration.test_notifications_hand_over import receipt_due
from tests.post_box import PostBox

pytestmark = pytest.mark.servers

LETTERHEAD = Letterhead.of("Rentrée <portail@territoire.example>", "https://portail.example")
NOW = datetime(2027, 6, 1, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def sending_to(post: PostBox, pace: Pace | None = None) -> Sending:
    return Sending(Postman(MailServer.at(post.url)), LETTERHEAD, PRESS, LINKS, pace or Pace())


async def test_mails_to_one_domain_are_booked_one_after_the_other(database: Database) -> None:
    pace = Pace(to_a_domain=2)

    booked = [await book(database, pace, {"a.example"}, NOW) for _ in range(4)]
    elsewhere = await book(database, pace, {"b.example"}, NOW)

    assert booked == [None, NOW + SECOND / 2, NOW + SECOND, NOW + 1.5 * SECOND]
    assert elsewhere is None
    assert await book(database, pace, {"a.example"}, NOW + 9 * SECOND) is None


async def test_a_mail_waits_for_the_slowest_of_its_paces(database: Database) -> None:
    pace = Pace(in_all=10, to_a_domain=1)
    assert await book(database, pace, {"a.example"}, NOW) is None

    assert await book(database, pace, {"b.example"}, NOW) == NOW + SECOND / 10
    assert await book(database, pace, {"a.example", "b.example"}, NOW) == NOW + SECOND


async def test_without_a_pace_nothing_is_booked(database: Database) -> None:
    assert await book(database, Pace(), {"a.example"}, NOW) is None


async def test_mails_leave_no_faster_than_they_may(database: Database, post: PostBox) -> None:
    for _ in range(5):
        await receipt_due(database)
    sending = sending_to(post, Pace(in_all=5))

    async def all_sent() -> bool:
        await send_due_messages(database, sending)
        return len(post.mails) == 5

    await eventually(all_sent)

    async with database.transaction() as tx:
        sent = await tx.execute(sa.select(message.c.state_at).order_by(message.c.state_at))
        instants = list(sent.scalars())
    # one that left late does not hold the next one back: the first and the last tell the pace
    assert instants[-1] - instants[0] >= 0.7 * SECOND


async def test_one_line_carries_one_mail_after_the_other(database: Database, post: PostBox) -> None:
    sending = sending_to(post)
    for _ in range(3):
        await receipt_due(database)
        await send_due_messages(database, sending)

    assert len(post.mails) == 3
    assert post.connections == 1


async def test_each_attempt_is_kept_with_the_servers_answer(
    database: Database, post: PostBox
) -> None:
    applicant = await receipt_due(database)
    post.refused_contents[applicant.address] = "451 Try again later"
    await send_due_messages(database, sending_to(post))
    post.refused_contents.clear()
    async with database.transaction() as tx:
        await tx.execute(message.update().values(due_at=datetime.now(UTC)))
    await send_due_messages(database, sending_to(post))

    async with database.transaction() as tx:
        kept = await tx.execute(
            sa.select(attempt.c.outcome, attempt.c.answer).order_by(attempt.c.id)
        )
        (first, refusal), (second, answer) = kept
    assert (first, second) == ("waiting", "sent")
    assert "451" in refusal
    assert "Stored" in answer
