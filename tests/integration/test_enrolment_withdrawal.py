"""A request is withdrawn and submitted again on real servers: S22, S71, S74."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from enrolment.app import service
from enrolment.tables import application
from shared.contract import Rejection
from shared.contracts.enrolment import (
    Application,
    ApplicationSubmitted,
    CourseChoice,
    DeclineTakenBack,
    RecordCourseChoices,
    ReenrolmentDeclined,
)
from shared.identifiers import new_id
from shared.settings import ServiceSettings
from sqlalchemy import select
from stack.running import Stack

from tests.harness import Running, running
from tests.integration.enrolling import EnrollingFamily, enrolling_family, listening, move

pytestmark = pytest.mark.servers

SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
async def enrolment(servers: Stack) -> AsyncIterator[Running[ServiceSettings]]:
    async with running(servers, service, ServiceSettings) as replica:
        yield replica


async def submitting_family(replica: Running[ServiceSettings]) -> EnrollingFamily:
    """A family that has submitted its application."""
    family = await enrolling_family(replica)
    await replica.react(family.seats_held())
    await family.fill_in()
    await family.submit()
    return family


async def submit_again(family: EnrollingFamily) -> tuple[Application, UUID]:
    """Take a withdrawal back and submit with another seat; give it too."""
    await family.take_back()
    chosen = await family.choose_again()
    hold_id = chosen.choices[0].hold_id
    assert hold_id
    return await family.submit(), hold_id


async def claims_of(family: EnrollingFamily) -> tuple[datetime | None, list[UUID]]:
    async with family.replica.database.transaction() as tx:
        found = await tx.execute(
            select(application.c.claimed_at, application.c.missing_hold_ids).where(
                application.c.id == family.application_id
            )
        )
        claimed_at, missing = found.one()
        return claimed_at, missing


async def test_a_submitted_application_is_withdrawn_and_submitted_again(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    await enrolment.react(family.seats_held())
    await family.fill_in()
    async with listening(enrolment) as heard:
        first = await family.submit()
        withdrawn = await family.decline()
        assert (withdrawn.state, (await family.decline()).receipt) == (
            "declined",
            withdrawn.receipt,
        )
        again, hold_id = await submit_again(family)
        submitted = await heard.all_of(ApplicationSubmitted, first.id)
        (declined,) = await heard.all_of(ReenrolmentDeclined, first.id)
        (taken_back,) = await heard.all_of(DeclineTakenBack, first.id)
    assert (again.id, again.state) == (first.id, "submitted")
    assert first.receipt
    assert withdrawn.receipt
    assert again.receipt
    assert [told.receipt_number for told in (submitted[0], declined, submitted[1])] == [
        first.receipt.number,
        withdrawn.receipt.number,
        again.receipt.number,
    ]
    instants = [submitted[0].received_at, declined.received_at, submitted[1].received_at]
    assert instants == sorted(instants)
    assert declined.revision < taken_back.revision
    assert [told.choices[0].hold_id for told in submitted] == [family.hold_id, hold_id]


async def test_beginning_again_takes_a_withdrawal_back_too(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await submitting_family(enrolment)
    assert (await family.start()).state == "submitted"
    await family.decline()
    draft = await family.start()
    assert (draft.state, draft.step_reached, draft.receipt) == ("draft", 4, None)


async def test_a_request_is_withdrawn_until_closing_and_not_after(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await submitting_family(enrolment)
    await move(enrolment, family.campaign.id, closes_at=datetime.now(UTC) - SECOND)
    with pytest.raises(Rejection) as refusal:
        await family.decline()
    assert refusal.value.code == "campaign_closed"
    assert (await family.submit()).state == "submitted"


async def test_a_seat_given_up_serves_no_more_even_where_its_claim_is_told_late(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await submitting_family(enrolment)
    filed = await family.submit()
    await family.decline()
    await enrolment.react(family.claims(filed, family.hold_id))
    await family.take_back()
    await family.ask(
        RecordCourseChoices(application_id=family.application_id, choices=family.choices)
    )
    with pytest.raises(Rejection) as refusal:
        await family.submit()
    assert refusal.value.code == "seat_not_held"


async def test_claims_of_a_submission_withdrawn_since_leave_the_present_one_alone(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await submitting_family(enrolment)
    of_the_first = family.claims(await family.submit(), missing=(family.hold_id,))
    await enrolment.react(of_the_first)
    assert (await claims_of(family))[1] == [family.hold_id]
    await family.decline()
    assert await claims_of(family) == (None, [])
    await enrolment.react(of_the_first)
    again, hold_id = await submit_again(family)
    await enrolment.react(of_the_first)
    assert await claims_of(family) == (None, [])
    await enrolment.react(family.claims(again, hold_id))
    await enrolment.react(of_the_first)
    claimed_at, missing = await claims_of(family)
    assert claimed_at
    assert missing == []


async def test_a_withdrawal_gives_up_the_seat_of_an_offer_accepted_since(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await submitting_family(enrolment)
    offered = family.seat_placed(new_id(), replaces=family.hold_id)
    await enrolment.react(offered)
    await family.decline()
    draft = await family.take_back()
    assert [choice.hold_id for choice in draft.choices] == [None, None]
    again = CourseChoice(
        follow_id=family.follow_id,
        re_enrol=True,
        label=offered.hold.label,
        course_id=offered.hold.course_id,
        hold_id=offered.hold.id,
    )
    await family.ask(RecordCourseChoices(application_id=family.application_id, choices=(again,)))
    with pytest.raises(Rejection) as refusal:
        await family.submit()
    assert refusal.value.code == "seat_not_held"
