"""Receipts on real servers: attached to their mail, printed again, sent again, and confirmed."""

import asyncio
import io
from datetime import timedelta
from uuid import UUID

import pytest
import pytest_asyncio
import sqlalchemy as sa
from notifications.tables import message
from pypdf import PdfReader
from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.documents import LackingFamily, LackingPiece, PiecesReckoned
from shared.contracts.enrolment import RemarksSubmitted
from shared.contracts.notifications import (
    ChooseLanguage,
    Delivery,
    GenuineReceipt,
    ListDeliveries,
    PrintedReceipt,
    PrintReceipt,
    SendReceiptAgain,
    VerifyReceipt,
)
from shared.identifiers import new_id

from tests.applicants import Applicant
from tests.harness import eventually, family_caller, operator
from tests.integration.notifying import Notifications, known
from tests.post_box import PostBox

pytestmark = pytest.mark.servers

A_WHILE = timedelta(minutes=6)


@pytest_asyncio.fixture
async def applicant(notifications: Notifications) -> Applicant:
    """A family whose receipt was sent a while ago."""
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)
    await notifications.react(applicant.submitted())
    await sent(notifications, applicant)
    await long_ago(notifications, applicant)
    return applicant


def guardian(applicant: Applicant) -> Caller:
    return family_caller(applicant.family_id, applicant.site_id)


def secretary(site_id: UUID) -> Caller:
    return Caller(account_id=new_id(), session_id=new_id(), role="staff", site_id=site_id)


async def deliveries(
    notifications: Notifications, applicant: Applicant, caller: Caller | None = None
) -> tuple[Delivery, ...]:
    return await notifications.ask(
        ListDeliveries(application_id=applicant.application_id), caller or guardian(applicant)
    )


async def sent(notifications: Notifications, applicant: Applicant, times: int = 1) -> None:
    async def are_there() -> bool:
        states = [one.state for one in await deliveries(notifications, applicant)]
        return states == ["sent"] * times

    await eventually(are_there)


async def long_ago(notifications: Notifications, applicant: Applicant) -> None:
    """Have all that was sent to a family be older than it is."""
    async with notifications.database.transaction() as tx:
        await tx.execute(
            message.update()
            .where(message.c.application_id == applicant.application_id)
            .values(
                created_at=message.c.created_at - A_WHILE, state_at=message.c.state_at - A_WHILE
            )
        )


async def printed(
    notifications: Notifications, applicant: Applicant, caller: Caller
) -> PrintedReceipt:
    return await notifications.ask(PrintReceipt(receipt_number=applicant.receipt_number), caller)


def again(applicant: Applicant, delivery_id: UUID | None = None) -> SendReceiptAgain:
    return SendReceiptAgain(
        delivery_id=delivery_id or new_id(), receipt_number=applicant.receipt_number
    )


def lacking(
    applicant: Applicant, later: timedelta = timedelta(), **pieces: UUID | None
) -> PiecesReckoned:
    """Tell that the family lacks these pieces, its own or a student's."""
    named = [LackingPiece(student_id=of, name=name) for name, of in pieces.items()]
    return PiecesReckoned(
        campaign_id=applicant.campaign_id,
        families=(LackingFamily(family_id=applicant.family_id, pieces=tuple(named)),),
        reckoned_at=applicant.now + later,
    )


def words(pdf: bytes) -> str:
    (page,) = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(page.extract_text().split())


def code_on(pdf: bytes) -> str:
    return words(pdf).partition("Code de vérification : ")[2].split()[0]


# Printed


async def test_the_mail_carries_the_receipt_that_the_portal_gives(
    notifications: Notifications, post: PostBox, applicant: Applicant
) -> None:
    (mail,) = post.received_by(applicant.address)
    (attachment,) = mail.iter_attachments()
    receipt = await printed(notifications, applicant, guardian(applicant))

    assert attachment.get_content_type() == "application/pdf"
    assert attachment.get_filename() == receipt.filename
    assert receipt.filename == f"accuse-de-reception-{applicant.receipt_number}.pdf"
    assert attachment.get_content() == receipt.pdf
    for fact in (applicant.receipt_number, "Zoé N'DIAYE", "FM 2.1 (33) - JEUDI", "2027-2028"):
        assert fact in words(receipt.pdf)


async def test_a_receipt_waits_for_the_remarks_of_its_family_and_shows_them(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)
    await notifications.react(applicant.submitted().model_copy(update={"has_remarks": True}))
    with pytest.raises(Rejection, match="receipt_not_ready"):
        await printed(notifications, applicant, guardian(applicant))
    remarks = RemarksSubmitted(
        application_id=applicant.application_id,
        family_id=applicant.family_id,
        receipt_number=applicant.receipt_number,
        remarks="Un frère à Sèvres.\nVœux : alto, <b>harpe</b>",
    )
    for _ in range(2):
        await notifications.react(remarks)
    await sent(notifications, applicant)

    (mail,) = post.received_by(applicant.address)
    text = mail.get_body(("plain",))
    assert text is not None
    said = "Information complémentaire : Un frère à Sèvres. Vœux : alto, <b>harpe</b>"
    assert said in " ".join(text.get_content().split())
    (attachment,) = mail.iter_attachments()
    assert said.replace(" :", "", 1) in words(attachment.get_content())


async def test_a_family_that_chose_english_gets_its_receipt_in_english(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)
    await notifications.ask(ChooseLanguage(language="en"), guardian(applicant))
    await notifications.react(applicant.submitted())
    await sent(notifications, applicant)

    (mail,) = post.received_by(applicant.address)
    (attachment,) = mail.iter_attachments()
    receipt = await printed(notifications, applicant, guardian(applicant))
    assert receipt.filename == f"receipt-{applicant.receipt_number}.pdf"
    assert attachment.get_content() == receipt.pdf
    assert "Re-enrolment request for Zoé N'DIAYE, school year 2027-2028" in words(
        receipt.pdf
    ).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


async def test_a_receipt_names_what_is_missing_for_its_student_as_it_is_written(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)
    await notifications.react(
        lacking(applicant, home=None, dance=applicant.student_id, another=new_id())
    )
    await notifications.react(applicant.submitted())
    await sent(notifications, applicant)
    (mail,) = post.received_by(applicant.address)
    text = mail.get_body(("plain",))
    assert text is not None
    assert "Il manque encore : - home - dance Une pièce" in " ".join(text.get_content().split())

    (attachment,) = mail.iter_attachments()
    assert "Il manque encore : • home • dance Une pièce" in words(attachment.get_content())
    await notifications.react(lacking(applicant, later=A_WHILE, home=None))
    receipt = await printed(notifications, applicant, guardian(applicant))
    assert "Il manque encore : • home Une pièce" in words(receipt.pdf)


async def test_a_refusal_has_its_receipt_too(notifications: Notifications) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)
    await notifications.react(applicant.declined())

    receipt = await printed(notifications, applicant, guardian(applicant))
    assert "Non-réinscription de Zoé N'DIAYE" in words(receipt.pdf)


async def test_a_receipt_is_printed_for_its_family_and_the_staff_of_its_site_alone(
    notifications: Notifications, applicant: Applicant
) -> None:
    for caller in (guardian(applicant), secretary(applicant.site_id), operator()):
        assert (await printed(notifications, applicant, caller)).pdf.startswith(b"%PDF")
        assert len(await deliveries(notifications, applicant, caller)) == 1
    for caller in (family_caller(site_id=applicant.site_id), secretary(new_id())):
        with pytest.raises(Rejection, match="not_found"):
            await printed(notifications, applicant, caller)
        with pytest.raises(Rejection, match="not_found"):
            await notifications.ask(again(applicant), caller)
        assert await deliveries(notifications, applicant, caller) == ()


async def test_a_receipt_that_names_what_is_not_known_yet_is_printed_in_a_moment(
    notifications: Notifications,
) -> None:
    applicant = Applicant()
    await notifications.react(applicant.submitted())
    with pytest.raises(Rejection, match="receipt_not_ready"):
        await printed(notifications, applicant, guardian(applicant))

    await known(notifications, applicant)
    assert (await printed(notifications, applicant, guardian(applicant))).pdf


async def test_a_number_that_does_not_exist_has_no_receipt(notifications: Notifications) -> None:
    with pytest.raises(Rejection, match="not_found"):
        await printed(notifications, Applicant(), operator())


# Sent again


async def test_a_receipt_is_sent_again_as_another_mail_with_the_same_pdf(
    notifications: Notifications, post: PostBox, applicant: Applicant
) -> None:
    delivery = await notifications.ask(again(applicant), guardian(applicant))
    assert (delivery.state, delivery.again_from) == ("waiting", None)

    await sent(notifications, applicant, times=2)
    first, second = post.received_by(applicant.address)
    assert first["Message-ID"] != second["Message-ID"]
    assert first["Subject"] == second["Subject"]
    contents = [next(mail.iter_attachments()).get_content() for mail in (first, second)]
    assert contents[0] == contents[1]


async def test_it_goes_to_the_addresses_that_the_family_has_now(
    notifications: Notifications, post: PostBox, applicant: Applicant
) -> None:
    await notifications.react(applicant.recorded(applicant.other_address, revision=2))
    await notifications.ask(again(applicant), secretary(applicant.site_id))

    await sent(notifications, applicant, times=2)
    assert len(post.received_by(applicant.other_address)) == 1
    assert len(post.received_by(applicant.address)) == 1


async def test_asking_twice_with_one_identifier_sends_it_once(
    notifications: Notifications, post: PostBox, applicant: Applicant
) -> None:
    command = again(applicant)
    asked = (notifications.ask(command, guardian(applicant)) for _ in range(5))
    await asyncio.gather(*asked)
    await sent(notifications, applicant, times=2)

    assert (await notifications.ask(command, guardian(applicant))).state == "sent"
    assert len(post.received_by(applicant.address)) == 2


async def test_two_clicks_at_once_send_it_once(
    notifications: Notifications, post: PostBox, applicant: Applicant
) -> None:
    asked = (notifications.ask(again(applicant), guardian(applicant)) for _ in range(5))
    answers = await asyncio.gather(*asked, return_exceptions=True)

    refusals = [answer for answer in answers if isinstance(answer, Rejection)]
    assert len(refusals) == 4
    assert {one.code for one in refusals} <= {"receipt_on_its_way", "sent_a_moment_ago"}
    await sent(notifications, applicant, times=2)
    assert len(post.received_by(applicant.address)) == 2


async def test_it_is_not_sent_again_within_five_minutes(
    notifications: Notifications, applicant: Applicant
) -> None:
    await notifications.ask(again(applicant), guardian(applicant))
    await sent(notifications, applicant, times=2)

    latest, _ = await deliveries(notifications, applicant)
    assert latest.again_from == latest.at + timedelta(minutes=5)
    with pytest.raises(Rejection, match="sent_a_moment_ago") as refusal:
        await notifications.ask(again(applicant), guardian(applicant))
    assert refusal.value.facts["again_from"] == latest.again_from.isoformat()

    await long_ago(notifications, applicant)
    await notifications.ask(again(applicant), guardian(applicant))
    await sent(notifications, applicant, times=3)


async def test_a_mail_that_was_refused_is_sent_again_once_the_address_is_right(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)
    post.refused_recipients[applicant.address] = "550 No such mailbox"
    await notifications.react(applicant.submitted())

    async def has_failed() -> bool:
        return [one.state for one in await deliveries(notifications, applicant)] == ["failed"]

    await eventually(has_failed)
    await long_ago(notifications, applicant)
    await notifications.react(applicant.recorded(applicant.other_address, revision=2))
    await notifications.ask(again(applicant), guardian(applicant))

    await eventually(lambda: post.received_by(applicant.other_address))
    latest, former = await deliveries(notifications, applicant)
    assert former.state == "failed"
    assert latest.to == applicant.other_address


async def test_without_an_address_there_is_nothing_to_send_again(
    notifications: Notifications,
) -> None:
    applicant = Applicant()
    await known(notifications, applicant)
    await notifications.react(applicant.submitted())

    with pytest.raises(Rejection, match="no_address"):
        await notifications.ask(again(applicant), guardian(applicant))
    (delivery,) = await deliveries(notifications, applicant)
    assert delivery.again_from is None


# Confirmed


async def test_anyone_who_has_a_receipt_is_told_when_it_was_received(
    notifications: Notifications, applicant: Applicant
) -> None:
    pdf = (await printed(notifications, applicant, guardian(applicant))).pdf
    genuine = GenuineReceipt(received_at=applicant.now)
    for number in (applicant.receipt_number, f" {applicant.receipt_number.lower()} "):
        question = VerifyReceipt(receipt_number=number, code=code_on(pdf))
        assert await notifications.ask(question) == genuine


async def test_a_wrong_code_and_a_number_that_does_not_exist_get_the_same_answer(
    notifications: Notifications, applicant: Applicant
) -> None:
    pdf = (await printed(notifications, applicant, guardian(applicant))).pdf
    for number, code in (
        (applicant.receipt_number, "AAAA-BBBB-CCCC-DDDD"),
        (applicant.receipt_number, ""),
        (Applicant().receipt_number, code_on(pdf)),
        ("", code_on(pdf)),
    ):
        assert await notifications.ask(VerifyReceipt(receipt_number=number, code=code)) is None


async def test_a_receipt_sent_again_is_confirmed_all_the_same(
    notifications: Notifications, applicant: Applicant
) -> None:
    await notifications.ask(again(applicant), guardian(applicant))
    pdf = (await printed(notifications, applicant, guardian(applicant))).pdf
    question = VerifyReceipt(receipt_number=applicant.receipt_number, code=code_on(pdf))
    assert await notifications.ask(question) is not None


async def test_a_receipt_is_found_by_its_number_without_reading_the_others(
    notifications: Notifications,
) -> None:
    number = Applicant().receipt_number
    async with notifications.database.transaction() as tx:
        await tx.execute(sa.text("SET LOCAL enable_seqscan = off"))
        plan = await tx.execute(
            sa.text("EXPLAIN SELECT content FROM message WHERE receipt_number = :number"),
            {"number": number},
        )
    assert "message_receipt_number_idx" in "\n".join(plan.scalars())
