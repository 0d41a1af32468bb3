"""Notifications on real servers: what families receive, and what becomes of mail that fails."""

import asyncio
from itertools import permutations

import pytest
import sqlalchemy as sa
from notifications.mail import Letterhead
from notifications.postman import MailServer, Postman
from notifications.sending import Sending, send_due_messages
from notifications.tables import family, message
from shared.contracts.identity import FamiliesRecorded
from shared.contracts.notifications import Delivery, ListDeliveries, MessageSent
from shared.db import Database

from tests.applicants import Applicant
from tests.harness import eventually, family_caller
from tests.integration.notifying import LINKS, PRESS, Notifications, known, subscriber
from tests.post_box import PostBox

pytestmark = pytest.mark.servers


async def deliveries(notifications: Notifications, applicant: Applicant) -> tuple[Delivery, ...]:
    """What the family sees of the messages about its application."""
    return await notifications.ask(
        ListDeliveries(application_id=applicant.application_id),
        family_caller(applicant.family_id, applicant.site_id),
    )


async def settled(notifications: Notifications, applicant: Applicant, state: str) -> Delivery:
    """Wait until the one message about the application has this state."""
    found: list[Delivery] = []

    async def is_there() -> bool:
        found[:] = await deliveries(notifications, applicant)
        return [delivery.state for delivery in found] == [state]

    await eventually(is_there)
    return found[0]


async def test_a_receipt_reaches_every_guardian_soon_after_the_request(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address, applicant.other_address)

    async with subscriber(notifications, MessageSent) as told:
        await notifications.react(applicant.submitted())
        await eventually(lambda: post.received_by(applicant.address), within_seconds=10)
        await eventually(lambda: told)

    (mail,) = post.received_by(applicant.address)
    assert mail["X-Envelope-To"] == f"{applicant.address}, {applicant.other_address}"
    assert applicant.receipt_number in mail["Subject"]
    assert mail["Subject"].endswith("demande de réinscription de Zoé N'DIAYE")
    assert mail["Reply-To"] == "conservatoire.essai@territoire.example"
    assert mail["X-Correlation-ID"] == "test"
    assert mail["Message-ID"].startswith(f"<{told[0].message_id}@rentree.")
    text = mail.get_body(("plain",))
    assert text is not None
    assert "FM 2.1 (33) - JEUDI" in text.get_content()
    assert notifications.settings.public_url in text.get_content()


async def test_the_family_sees_where_its_receipt_stands(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)
    await notifications.react(applicant.submitted())

    delivery = await settled(notifications, applicant, "sent")

    assert len(post.received_by(applicant.address)) == 1
    assert delivery.to == applicant.address
    assert delivery.kind == "submission_receipt"
    assert delivery.receipt_number == applicant.receipt_number


async def test_another_family_sees_no_message(notifications: Notifications) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)
    await notifications.react(applicant.submitted())
    await settled(notifications, applicant, "sent")

    question = ListDeliveries(application_id=applicant.application_id)
    assert await notifications.ask(question, family_caller()) == ()


async def test_a_refusal_to_re_enrol_gets_its_receipt(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)

    await notifications.react(applicant.declined())

    delivery = await settled(notifications, applicant, "sent")
    assert delivery.kind == "decline_receipt"
    (mail,) = post.received_by(applicant.address)
    assert "non-réinscription de Zoé N'DIAYE" in mail["Subject"]


async def test_events_in_any_order_and_told_twice_send_one_receipt(
    notifications: Notifications, post: PostBox
) -> None:
    applicants = []
    for order in permutations(range(4)):
        applicant = Applicant()
        events = (
            applicant.sites(),
            applicant.campaign(),
            applicant.recorded(applicant.address),
            applicant.submitted(),
        )
        for index in (*order, *order):
            await notifications.react(events[index])
        applicants.append(applicant)

    for applicant in applicants:
        await settled(notifications, applicant, "sent")
        assert len(post.received_by(applicant.address)) == 1


async def test_a_message_waits_for_a_student_who_is_not_known_yet(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant)
    newcomer = Applicant(
        family_id=applicant.family_id, site_id=applicant.site_id, campaign_id=applicant.campaign_id
    )
    await notifications.react(newcomer.submitted())
    assert (await settled(notifications, newcomer, "waiting")).to == ""

    await notifications.react(newcomer.recorded(newcomer.address, revision=2))

    await settled(notifications, newcomer, "sent")
    assert len(post.received_by(newcomer.address)) == 1


async def test_an_older_revision_of_a_family_changes_nothing(notifications: Notifications) -> None:
    applicant = Applicant()
    await notifications.react(applicant.recorded("nouvelle@familles.example", revision=2))
    await notifications.react(applicant.recorded("ancienne@familles.example", revision=1))

    async with notifications.database.transaction() as tx:
        guardians = await tx.scalar(
            sa.select(family.c.guardians).where(family.c.id == applicant.family_id)
        )
    assert guardians == [{"name": "Camille N'DIAYE", "email": "nouvelle@familles.example"}]


async def test_a_mail_server_that_was_down_takes_the_mail_when_it_is_back(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)
    await post.close()

    await notifications.react(applicant.submitted())
    sending = notifications.replica.given[Sending]
    assert isinstance(sending, Sending)
    await eventually(lambda: sending.postman.is_resting)
    await post.open()

    await settled(notifications, applicant, "sent")
    assert len(post.received_by(applicant.address)) == 1


async def test_a_mail_refused_for_now_is_tried_again_and_told_sent_once(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)
    post.refused_contents[applicant.address] = "451 Try again later"

    async def has_failed() -> bool:
        async with notifications.database.transaction() as tx:
            attempts: int | None = await tx.scalar(
                sa.select(message.c.failed_attempts).where(
                    message.c.application_id == applicant.application_id
                )
            )
        return bool(attempts)

    async with subscriber(notifications, MessageSent) as told:
        await notifications.react(applicant.submitted())
        await eventually(has_failed)
        assert (await deliveries(notifications, applicant))[0].state == "waiting"
        assert not told
        post.refused_contents.clear()
        await settled(notifications, applicant, "sent")
        await eventually(lambda: told)

    assert len(told) == 1
    assert len(post.received_by(applicant.address)) == 1


@pytest.mark.parametrize("refusing", ["refused_recipients", "refused_contents"])
async def test_a_mail_refused_for_ever_has_failed_and_shows_it(
    notifications: Notifications, post: PostBox, refusing: str
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)
    getattr(post, refusing)[applicant.address] = "550 No such mailbox"

    await notifications.react(applicant.submitted())

    delivery = await settled(notifications, applicant, "failed")
    assert delivery.to == applicant.address
    assert post.received_by(applicant.address) == []


async def test_one_wrong_address_does_not_deprive_the_other_guardian(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.other_address, applicant.address)
    post.refused_recipients[applicant.other_address] = "550 No such mailbox"

    await notifications.react(applicant.submitted())

    await settled(notifications, applicant, "sent")
    (mail,) = post.received_by(applicant.address)
    assert mail["X-Envelope-To"] == applicant.address


async def test_an_address_refused_for_now_is_tried_again_alone_and_told_sent_once(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.other_address, applicant.address)
    post.refused_recipients[applicant.other_address] = "451 Mailbox busy"

    async with subscriber(notifications, MessageSent) as told:
        await notifications.react(applicant.submitted())
        await eventually(lambda: post.received_by(applicant.address))
        waiting = await settled(notifications, applicant, "waiting")
        await eventually(lambda: told)
        post.refused_recipients.clear()
        await settled(notifications, applicant, "sent")

    (first,) = post.received_by(applicant.address)
    (second,) = post.received_by(applicant.other_address)
    assert first["X-Envelope-To"] == applicant.address
    assert second["X-Envelope-To"] == applicant.other_address
    assert first["Message-ID"] == second["Message-ID"]
    both = {applicant.address, applicant.other_address}
    (sent,) = await deliveries(notifications, applicant)
    assert set(waiting.to.split(", ")) == set(sent.to.split(", ")) == both
    assert len(told) == 1


async def test_without_an_address_the_receipt_waits_in_the_portal_and_leaves_once_there_is_one(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, "", "pas une adresse")
    await notifications.react(applicant.submitted())
    assert (await settled(notifications, applicant, "no_address")).to == ""

    await notifications.react(applicant.recorded(applicant.address, revision=2))

    await settled(notifications, applicant, "sent")
    assert len(post.received_by(applicant.address)) == 1


async def test_two_replicas_send_a_hundred_receipts_once_each(
    notifications: Notifications, post: PostBox
) -> None:
    first = Applicant()
    await notifications.react(first.sites())
    await notifications.react(first.campaign())
    applicants = [
        Applicant(site_id=first.site_id, campaign_id=first.campaign_id) for _ in range(100)
    ]
    await asyncio.gather(*(notifications.react(each.submitted()) for each in applicants[:50]))
    await asyncio.gather(*(notifications.react(each.submitted()) for each in applicants[50:]))
    replica = Database(notifications.settings.database_url, name="second", connections=10)
    letterhead = Letterhead.of(notifications.settings.mail_from, notifications.settings.public_url)
    sending = Sending(Postman(MailServer.at(post.url)), letterhead, PRESS, LINKS)

    async def all_arrived() -> bool:
        await send_due_messages(replica, sending)
        return all(post.received_by(each.address) for each in applicants)

    await notifications.react(
        FamiliesRecorded(
            families=tuple(
                family for each in applicants for family in each.recorded(each.address).families
            )
        )
    )
    await eventually(all_arrived)
    await replica.close()

    for each in applicants:
        await settled(notifications, each, "sent")
        assert len(post.received_by(each.address)) == 1
