"""Offers of a waiting list on real servers: the family is told once, and never too late (S66)."""

from datetime import timedelta
from itertools import permutations

import pytest
import sqlalchemy as sa
from notifications.tables import message
from shared.contracts.notifications import ListDeliveries, MessageSent

from tests.applicants import Applicant
from tests.harness import eventually, family_caller
from tests.integration.notifying import Notifications, known, subscriber
from tests.post_box import PostBox

pytestmark = pytest.mark.servers

SECOND = timedelta(seconds=1)


async def settled(
    notifications: Notifications, applicant: Applicant, state: str, failure: str = ""
) -> None:
    """Wait until the one message about the applicant's place has this state."""

    async def is_there() -> bool:
        async with notifications.database.transaction() as tx:
            found = await tx.execute(
                sa.select(message.c.state, message.c.failure).where(
                    message.c.place_id == applicant.place_id
                )
            )
            return [tuple(row) for row in found] == [(state, failure)]

    await eventually(is_there)


async def test_a_seat_offered_reaches_every_guardian_with_the_way_to_answer(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address, applicant.other_address)

    await notifications.react(applicant.offered())
    await eventually(lambda: post.received_by(applicant.address), within_seconds=10)

    (mail,) = post.received_by(applicant.address)
    assert mail["X-Envelope-To"] == f"{applicant.address}, {applicant.other_address}"
    assert mail["Subject"].startswith("Une place se libère pour Zoé N'DIAYE : répondez avant le ")
    assert mail["Reply-To"] == "conservatoire.essai@territoire.example"
    assert mail["X-Correlation-ID"] == "test"
    text = mail.get_body(("plain",))
    assert text is not None
    assert "FM 2.1 (34) - MARDI - 17.00 à 18.30" in text.get_content()
    assert f"{notifications.settings.public_url}/liste-attente" in text.get_content()


async def test_an_offer_sent_is_told_about_its_place_and_no_application(
    notifications: Notifications,
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)

    async with subscriber(notifications, MessageSent) as told:
        await notifications.react(applicant.offered())
        await eventually(lambda: told)

    (sent,) = told
    assert (sent.kind, sent.place_id, sent.application_id, sent.family_id) == (
        "waiting_list_offer",
        applicant.place_id,
        None,
        applicant.family_id,
    )


async def test_events_in_any_order_and_told_twice_send_one_offer(
    notifications: Notifications, post: PostBox
) -> None:
    applicants = []
    for order in permutations(range(4)):
        applicant = Applicant()
        events = (
            applicant.sites(),
            applicant.campaign(),
            applicant.recorded(applicant.address),
            applicant.offered(),
        )
        for index in (*order, *order):
            await notifications.react(events[index])
        applicants.append(applicant)

    for applicant in applicants:
        await settled(notifications, applicant, "sent")
        assert len(post.received_by(applicant.address)) == 1


async def test_an_offer_that_has_ended_is_not_sent(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)

    await notifications.react(applicant.offered(until=applicant.now - SECOND))

    await settled(notifications, applicant, "too_late")
    assert post.received_by(applicant.address) == []


async def test_an_offer_waits_for_an_address_while_it_lasts(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, "")
    await notifications.react(applicant.offered())
    await settled(notifications, applicant, "no_address")

    await notifications.react(applicant.recorded(applicant.address, revision=2))

    await settled(notifications, applicant, "sent")
    assert len(post.received_by(applicant.address)) == 1


async def test_an_offer_is_not_among_the_receipts_of_an_application(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)
    await notifications.react(applicant.submitted())
    await notifications.react(applicant.offered())
    await eventually(lambda: len(post.received_by(applicant.address)) == 2)

    (receipt,) = await notifications.ask(
        ListDeliveries(application_id=applicant.application_id),
        family_caller(applicant.family_id, applicant.site_id),
    )

    assert receipt.kind == "submission_receipt"
