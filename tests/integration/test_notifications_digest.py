"""News to families on a real database and a mail server: gathered, kept apart, each sent once."""

import asyncio
from itertools import pairwise
from random import Random

import pytest
import sqlalchemy as sa
from notifications.digest import QUIET
from notifications.pacing import Pace
from notifications.postman import MailServer, Postman
from notifications.reactions import (
    send_offer,
    tell_ended_offer,
)
from notifications.sending import Sending, send_due_messages
from notifications.tables import attempt, message
from shared.db import Database

from tests.harness import eventually
from tests.integration.news import (
    COURSE,
    SECOND,
    accept,
    family_known,
    let_pass,
    news_of,
    occurrence,
    offer_ended,
    sending_to,
    states,
    text_of,
)
from tests.integration.notifying import LINKS, PRESS
from tests.integration.test_notifications_hand_over import LETTERHEAD, receipt_due
from tests.post_box import PostBox

pytestmark = pytest.mark.servers


async def test_the_first_news_leaves_at_once_and_what_follows_leaves_together(
    database: Database, post: PostBox
) -> None:
    applicant, sending = await family_known(database), sending_to(post)
    await accept(database, applicant, "RIB")
    await send_due_messages(database, sending)
    await accept(database, applicant, "Avis d'imposition", "Attestation CAF")
    await send_due_messages(database, sending)
    (first,) = news_of(post, applicant)
    assert first["Subject"] == "Une pièce est validée : RIB"

    await let_pass(database, QUIET - 10 * SECOND)
    await send_due_messages(database, sending)
    assert len(news_of(post, applicant)) == 1
    await let_pass(database, 10 * SECOND)
    await send_due_messages(database, sending)

    _, gathered = news_of(post, applicant)
    assert gathered["Subject"] == "Nouvelles de votre dossier : 2 messages"
    text = text_of(gathered)
    assert text.index("1. Une pièce est validée : Avis d'imposition") < text.index("2. Une pièce")
    assert await states(database, "document_accepted") == {"sent": 3}


async def test_a_mail_of_news_is_identified_by_its_oldest_and_tells_of_each(
    database: Database, post: PostBox
) -> None:
    applicant = await family_known(database)
    await accept(database, applicant, "RIB", "Avis", "Attestation")
    async with database.transaction() as tx:
        oldest = await tx.scalar(
            sa.select(message.c.id)
            .where(message.c.kind == "document_accepted")
            .order_by(message.c.created_at)
            .limit(1)
        )

    await send_due_messages(database, sending_to(post))

    (mail,) = news_of(post, applicant)
    assert mail["Message-ID"].startswith(f"<{oldest}@")
    async with database.transaction() as tx:
        attempts = await tx.execute(
            sa.select(attempt.c.outcome, attempt.c.answer)
            .join(message, message.c.id == attempt.c.message_id)
            .where(message.c.kind == "document_accepted")
        )
        told = await tx.scalar(
            sa.text(
                "SELECT count(*) FROM outbox WHERE type = 'notifications.message_sent.v1'"
                " AND data::jsonb ->> 'kind' = 'document_accepted'"
            )
        )
    assert [tuple(row) for row in attempts] == [("sent", "Stored")] * 3
    assert told == 3


async def test_receipts_and_offers_do_not_wait_for_news(database: Database, post: PostBox) -> None:
    applicant, sending = await family_known(database), sending_to(post)
    await accept(database, applicant, "RIB")
    await send_due_messages(database, sending)

    async with database.transaction() as tx:
        await send_offer(applicant.offered(), tx, occurrence())
    await send_due_messages(database, sending)

    assert await states(database, "waiting_list_offer") == {"sent": 1}


async def test_two_senders_write_to_a_family_one_after_the_other(
    database: Database, post: PostBox
) -> None:
    applicant = await family_known(database)
    await send_due_messages(database, sending_to(post))
    post.in_hand.clear()
    post.held_back[applicant.address] = accepted = asyncio.Event()
    await accept(database, applicant, "RIB")
    first = asyncio.create_task(send_due_messages(database, sending_to(post)))
    await eventually(lambda: post.in_hand)

    await accept(database, applicant, "Avis d'imposition")
    await send_due_messages(database, sending_to(post))
    accepted.set()
    await first
    await let_pass(database, 2 * SECOND)
    await send_due_messages(database, sending_to(post))

    assert post.in_hand == [applicant.address]
    assert await states(database, "document_accepted") == {"sent": 1, "waiting": 1}
    await let_pass(database, QUIET)
    await send_due_messages(database, sending_to(post))
    assert len(news_of(post, applicant)) == 2


async def test_news_that_could_not_be_sent_is_tried_again_together(
    database: Database, post: PostBox
) -> None:
    applicant = await family_known(database)
    await send_due_messages(database, sending_to(post))
    post.refused_contents[applicant.address] = "451 Try again later"
    await accept(database, applicant, "RIB", "Avis d'imposition")
    await send_due_messages(database, sending_to(post))
    assert await states(database, "document_accepted") == {"waiting": 2}

    post.refused_contents.clear()
    await let_pass(database, QUIET)
    await send_due_messages(database, sending_to(post))

    (mail,) = news_of(post, applicant)
    assert mail["Subject"] == "Nouvelles de votre dossier : 2 messages"


async def test_news_joins_the_mail_whose_moment_was_booked(
    database: Database, post: PostBox
) -> None:
    applicant = await family_known(database)
    sending = Sending(Postman(MailServer.at(post.url)), LETTERHEAD, PRESS, LINKS, Pace(in_all=0.1))
    await send_due_messages(database, sending)
    await accept(database, applicant, "RIB")
    await send_due_messages(database, sending)
    await accept(database, applicant, "Avis d'imposition")
    await send_due_messages(database, sending)
    async with database.transaction() as tx:
        booked = await tx.execute(
            sa.select(message.c.due_at, message.c.is_paced)
            .where(message.c.kind == "document_accepted")
            .distinct()
        )
        (moment,) = booked
    assert moment.is_paced
    assert news_of(post, applicant) == []

    await let_pass(database, 10 * SECOND)
    await send_due_messages(database, sending)

    (mail,) = news_of(post, applicant)
    assert mail["Subject"] == "Nouvelles de votre dossier : 2 messages"


async def test_what_cannot_be_read_holds_nothing_else_back(
    database: Database, post: PostBox
) -> None:
    applicant = await receipt_due(database)
    async with database.transaction() as tx:
        await tx.execute(message.update().values(content={"receipt_number": "?"}))
    other = await receipt_due(database)

    await send_due_messages(database, sending_to(post))

    assert len(post.received_by(other.address)) == 1
    assert post.received_by(applicant.address) == []
    assert await states(database, "submission_receipt") == {"sent": 1, "waiting": 1}


async def test_news_that_cannot_be_read_does_not_keep_the_rest_from_leaving(
    database: Database, post: PostBox
) -> None:
    applicant = await family_known(database)
    async with database.transaction() as tx:
        await tell_ended_offer(offer_ended(applicant), tx, occurrence())
        of_the_offer = message.update().where(message.c.kind == "waiting_list_offer_ended")
        await tx.execute(of_the_offer.values(content={"course": COURSE}))
    await accept(database, applicant, "RIB")

    await send_due_messages(database, sending_to(post))

    (mail,) = news_of(post, applicant)
    assert mail["Subject"] == "Une pièce est validée : RIB"
    assert await states(database, "waiting_list_offer_ended") == {"waiting": 1}


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_arrives_mails_keep_apart_and_each_piece_of_news_is_told_once(
    database: Database, post: PostBox, seed: int
) -> None:
    chance, names = Random(seed), iter(f"Pièce {number:03}" for number in range(1000))
    applicant, senders = await family_known(database), [sending_to(post), sending_to(post)]
    await send_due_messages(database, senders[0])
    heard: list[str] = []

    async def send() -> None:
        await asyncio.gather(*(send_due_messages(database, sender) for sender in senders))

    for _ in range(25):
        arriving = [next(names) for _ in range(chance.randrange(3))]
        heard += arriving
        await asyncio.gather(send(), *(accept(database, applicant, name) for name in arriving))
        await let_pass(database, chance.randrange(200) * SECOND)
    for _ in range(2):
        await let_pass(database, QUIET)
        await send()

    mails = news_of(post, applicant)
    told = [name for mail in mails for name in heard if f"Pièce : {name}" in text_of(mail)]
    assert sorted(told) == heard
    async with database.transaction() as tx:
        left = await tx.scalars(
            sa.select(message.c.state_at)
            .distinct()
            .where(message.c.kind == "document_accepted", message.c.state == "sent")
            .order_by(message.c.state_at)
        )
        instants = list(left)
    assert len(instants) == len(mails)
    assert all(later - earlier >= QUIET for earlier, later in pairwise(instants))
