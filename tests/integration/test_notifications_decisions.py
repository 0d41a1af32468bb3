"""What families are told of seats, of offers and of their own changes of mind (S66, S74)."""

from datetime import timedelta

import pytest
from notifications.reactions import (
    send_decline_receipt,
    send_offer,
    send_receipt,
    tell_confirmed_seat,
    tell_ended_offer,
    tell_placed_seat,
)
from notifications.sending import send_due_messages
from shared.contracts.courses import Hold, SeatConfirmed, SeatPlaced
from shared.db import Database
from shared.identifiers import new_id

from tests.integration.news import (
    COURSE,
    family_known,
    news_of,
    occurrence,
    offer_ended,
    sending_to,
    states,
    text_of,
)
from tests.integration.test_notifications_hand_over import receipt_due
from tests.post_box import PostBox

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("first_to_come", ["the offer", "its end"])
async def test_an_offer_that_is_over_is_not_sent_any_more_and_its_end_is_told(
    database: Database, post: PostBox, first_to_come: str
) -> None:
    applicant = await family_known(database)
    ended = offer_ended(applicant)
    async with database.transaction() as tx:
        if first_to_come == "the offer":
            await send_offer(applicant.offered(), tx, occurrence())
            await tell_ended_offer(ended, tx, occurrence())
        else:
            await tell_ended_offer(ended, tx, occurrence())
            await send_offer(applicant.offered(), tx, occurrence())

    await send_due_messages(database, sending_to(post))

    assert await states(database, "waiting_list_offer") == {"too_late": 1}
    (mail,) = news_of(post, applicant)
    assert mail["Subject"] == "La place proposée est refusée pour Zoé N'DIAYE"
    assert COURSE in text_of(mail)


async def test_a_family_is_told_of_the_secretariat_s_decisions_and_not_of_its_own(
    database: Database, post: PostBox
) -> None:
    applicant = await family_known(database)
    seat = Hold(
        id=new_id(),
        student_id=applicant.student_id,
        follow_id=new_id(),
        course_id=new_id(),
        label=COURSE,
        state="claimed",
        expires_at=applicant.now,
    )
    placed = SeatPlaced(
        campaign_id=applicant.campaign_id,
        family_id=applicant.family_id,
        student_id=applicant.student_id,
        hold=seat,
        replaced_hold_id=new_id(),
        decided_by="staff",
    )
    async with database.transaction() as tx:
        await tell_placed_seat(placed, tx, occurrence())
        own = seat.model_copy(update={"id": new_id()})
        of_the_family = placed.model_copy(update={"decided_by": "family", "hold": own})
        await tell_placed_seat(of_the_family, tx, occurrence())
        await tell_confirmed_seat(
            SeatConfirmed(
                hold_id=seat.id,
                campaign_id=applicant.campaign_id,
                family_id=applicant.family_id,
                student_id=applicant.student_id,
                follow_id=seat.follow_id,
                course_id=seat.course_id,
                label=COURSE,
            ),
            tx,
            occurrence(),
        )

    await send_due_messages(database, sending_to(post))

    (mail,) = news_of(post, applicant)
    text = text_of(mail)
    assert mail["Subject"] == "Nouvelles de votre dossier : 2 messages"
    assert "Une autre place est attribuée à Zoé N'DIAYE" in text
    assert "Une place est confirmée pour Zoé N'DIAYE" in text
    assert text.count(COURSE) == 2


async def test_a_withdrawal_and_the_request_that_follows_it_name_the_former_one(
    database: Database, post: PostBox
) -> None:
    applicant = await receipt_due(database)
    minute = timedelta(minutes=1)
    withdrawn = applicant.declined().model_copy(
        update={"receipt_number": "ESS-2", "received_at": applicant.now + minute}
    )
    changed = applicant.submitted().model_copy(
        update={"receipt_number": "ESS-3", "received_at": applicant.now + 2 * minute}
    )
    async with database.transaction() as tx:
        await send_receipt(changed, tx, occurrence())
        await send_decline_receipt(withdrawn, tx, occurrence())

    await send_due_messages(database, sending_to(post))

    told = {mail["Subject"]: text_of(mail) for mail in post.received_by(applicant.address)}
    former = applicant.receipt_number
    assert set(told) == {
        f"Accusé de réception {former} : demande de réinscription de Zoé N'DIAYE",
        "Accusé de réception ESS-2 : retrait de la demande de réinscription de Zoé N'DIAYE",
        "Accusé de réception ESS-3 : demande de réinscription modifiée de Zoé N'DIAYE",
    }
    assert sum(f"n° {former}" in text for text in told.values()) == 2


async def test_a_refusal_taken_back_and_refused_again_withdraws_nothing(
    database: Database, post: PostBox
) -> None:
    applicant = await receipt_due(database)
    async with database.transaction() as tx:
        for minutes in (1, 2):
            declined = applicant.declined().model_copy(
                update={
                    "receipt_number": f"ESS-{minutes}",
                    "received_at": applicant.now + timedelta(minutes=minutes),
                }
            )
            await send_decline_receipt(declined, tx, occurrence())

    await send_due_messages(database, sending_to(post))

    subjects = {mail["Subject"] for mail in post.received_by(applicant.address)}
    assert "Accusé de réception ESS-2 : non-réinscription de Zoé N'DIAYE" in subjects
