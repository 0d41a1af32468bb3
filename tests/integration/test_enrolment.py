"""Applications and receipts on real servers: S20 to S24, S40, S60, S71, S97."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from enrolment.app import service
from enrolment.tables import application
from shared.contract import Ask, Rejection
from shared.contracts.courses import SeatsReleased
from shared.contracts.enrolment import (
    AbandonAmendment,
    AmendApplication,
    ApplicationStarted,
    ApplicationSubmitted,
    CampaignPublished,
    CompleteStep,
    DeclineReenrolment,
    DeclineTakenBack,
    ForgetEntries,
    KeepEntries,
    ListMyApplications,
    PublishCampaign,
    RecordAuthorisations,
    RecordCourseChoices,
    ReenrolmentDeclined,
    ShowApplication,
    ShowEntries,
    StartApplication,
    SubmitApplication,
    TakeBackDecline,
)
from shared.identifiers import new_id
from shared.settings import ServiceSettings
from sqlalchemy import func, select
from stack.running import Stack

from tests.harness import Running, family_caller, operator, running
from tests.integration.enrolling import (
    ANSWERS,
    EnrollingFamily,
    enrolling_family,
    listening,
    move,
    publish,
)

pytestmark = pytest.mark.servers

SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
async def enrolment(servers: Stack) -> AsyncIterator[Running[ServiceSettings]]:
    async with running(servers, service, ServiceSettings) as replica:
        yield replica


async def refused[Answer](asking: Ask[Answer], by: EnrollingFamily) -> Rejection:
    with pytest.raises(Rejection) as refusal:
        await by.ask(asking)
    return refusal.value


async def test_a_campaign_is_published_once(enrolment: Running[ServiceSettings]) -> None:
    async with listening(enrolment) as heard:
        first = await publish(enrolment)
        later = first.model_copy(update={"closes_at": first.closes_at + timedelta(days=3)})
        question = PublishCampaign(campaign=later, site_code="MEU")
        assert await enrolment.ask(question, operator()) == first
        assert len(await heard.all_of(CampaignPublished, first.id)) == 1


async def test_only_an_operator_publishes_and_only_a_campaign_whose_dates_agree(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    question = PublishCampaign(campaign=family.campaign, site_code="MEU")
    assert (await refused(question, family)).code == "not_found"
    with pytest.raises(Rejection) as refusal:
        await publish(enrolment, closes_at=datetime.now(UTC) - timedelta(days=2))
    assert refusal.value.code == "invalid_campaign"


async def test_a_family_re_enrols_a_student(enrolment: Running[ServiceSettings]) -> None:
    family = await enrolling_family(enrolment)
    await enrolment.react(family.seats_held())
    async with listening(enrolment) as heard:
        recap = await family.fill_in()
        assert (recap.state, recap.step_reached, recap.receipt) == ("draft", 5, None)
        received_at = datetime.now(UTC) - 5 * SECOND
        filed = await family.submit(received_at)
        assert (filed.state, filed.step_reached, filed.remarks) == ("submitted", 6, "Alto")
        assert filed.receipt
        assert filed.receipt.received_at == received_at
        assert filed.receipt.number.startswith("MEU-2027-")
        (told,) = await heard.all_of(ApplicationSubmitted, filed.id)
    assert (told.receipt_number, told.received_at) == (filed.receipt.number, received_at)
    assert (told.student_id, told.family_id) == (family.student_id, family.caller.family_id)
    assert [choice.hold_id for choice in told.choices] == [family.hold_id, None]
    mine = await family.ask(ListMyApplications())
    shown = await family.ask(ShowApplication(application_id=filed.id))
    assert (shown.state, shown.receipt) == ("submitted", filed.receipt)
    assert (mine.campaign, mine.applications) == (family.campaign, (shown,))


async def test_validating_ten_times_at_once_files_one_application_with_one_receipt(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    await enrolment.react(family.seats_held())
    await family.fill_in()
    async with listening(enrolment) as heard:
        answers = await asyncio.gather(*(family.submit() for _ in range(10)))
        assert len({answer.receipt for answer in answers}) == 1
        assert len(await heard.all_of(ApplicationSubmitted, family.application_id)) == 1


async def test_two_tabs_that_start_at_once_share_one_application(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    answers = await asyncio.gather(*(family.start(new_id()) for _ in range(10)))
    assert len({answer.id for answer in answers}) == 1
    mine = await family.ask(ListMyApplications())
    assert mine.applications == (answers[0],)


async def test_that_an_application_was_begun_is_told_once_and_not_of_a_refusal(
    enrolment: Running[ServiceSettings],
) -> None:
    begun, refusing = await enrolling_family(enrolment), await enrolling_family(enrolment)
    async with listening(enrolment) as heard:
        for _ in range(2):
            await begun.start()
        await refusing.decline()
        (started,) = await heard.all_of(ApplicationStarted, begun.application_id)
        assert started.student_id == begun.student_id
        assert started.family_id == begun.caller.family_id
        assert not await heard.all_of(ApplicationStarted, refusing.application_id)


async def test_a_submission_counts_by_the_second_when_the_gateway_received_it(
    enrolment: Running[ServiceSettings],
) -> None:
    in_time, late = await enrolling_family(enrolment), await enrolling_family(enrolment)
    closed_at = datetime.now(UTC).replace(microsecond=0) - 30 * SECOND
    for family in (in_time, late):
        await enrolment.react(family.seats_held())
        await family.fill_in()
        await move(enrolment, family.campaign.id, closes_at=closed_at)
    assert (await refused(late.submission(closed_at), late)).code == "campaign_closed"
    assert (await in_time.submit(closed_at - SECOND)).state == "submitted"
    draft = await late.ask(ShowApplication(application_id=late.application_id))
    assert (draft.state, draft.step_reached) == ("draft", 5)


async def test_an_instant_claimed_too_far_back_does_not_count(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    await enrolment.react(family.seats_held())
    await family.fill_in()
    before = datetime.now(UTC)
    filed = await family.submit(before - timedelta(hours=1))
    assert filed.receipt
    assert filed.receipt.received_at >= before


async def test_steps_one_to_three_can_be_done_before_the_campaign_opens(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment, opens_at=datetime.now(UTC) + timedelta(hours=1))
    with pytest.raises(Rejection) as refusal:
        await family.fill_in()
    assert refusal.value.code == "campaign_not_open"
    mine = await family.ask(ListMyApplications())
    assert mine.applications[0].step_reached == 4
    given = mine.applications[0].authorisations
    assert given
    assert (given.image_rights, given.text_version) == (ANSWERS.image_rights, ANSWERS.text_version)
    assert (given.answered_by, given.revision) == (family.caller.name, 1)


async def test_a_decline_is_recorded_with_a_receipt_and_can_be_taken_back(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    async with listening(enrolment) as heard:
        first = await family.decline()
        assert (await family.decline()).receipt == first.receipt
        assert first.state == "declined"
        draft = await family.take_back()
        assert (draft.state, draft.receipt) == ("draft", None)
        assert await family.take_back() == draft
        second = await family.decline()
        assert (await family.start()).state == "draft"
        declined = await heard.all_of(ReenrolmentDeclined, first.id)
        taken_back = await heard.all_of(DeclineTakenBack, first.id)
    assert first.receipt
    assert second.receipt
    assert [told.receipt_number for told in declined] == [
        first.receipt.number,
        second.receipt.number,
    ]
    revisions = [
        event.revision for pair in zip(declined, taken_back, strict=True) for event in pair
    ]
    assert revisions == sorted(set(revisions))


async def test_a_decline_taken_back_is_submitted_once_its_courses_are_chosen_again(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    await enrolment.react(family.seats_held())
    await family.fill_in()
    await family.decline()
    draft = await family.take_back()
    assert draft.step_reached == 4
    assert [(row.hold_id, row.course_id) for row in draft.choices] == [(None, None)] * 2
    missing = await refused(family.submission(), family)
    assert (missing.code, missing.facts["steps"]) == ("steps_missing", [4])
    await family.choose_again()
    assert (await family.submit()).state == "submitted"


async def test_a_seat_that_a_decline_freed_serves_no_more_before_its_release_is_heard(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    await enrolment.react(family.seats_held())
    await family.fill_in()
    await family.decline()
    await family.take_back()
    await family.ask(
        RecordCourseChoices(application_id=family.application_id, choices=family.choices)
    )
    assert (await refused(family.submission(), family)).code == "seat_not_held"


async def test_a_receipt_names_a_seat_as_courses_does_whatever_was_sent(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    await enrolment.react(family.seats_held())
    await family.fill_in()
    (slot, other) = family.choices
    forged = slot.model_copy(update={"label": "Cours particulier avec le directeur"})
    await family.ask(
        RecordCourseChoices(application_id=family.application_id, choices=(forged, other))
    )
    async with listening(enrolment) as heard:
        filed = await family.submit()
        (told,) = await heard.all_of(ApplicationSubmitted, filed.id)
    assert [row.label for row in filed.choices] == [slot.label, "Alto"]
    assert [row.label for row in told.choices] == [slot.label, "Alto"]


async def test_a_request_without_a_course_is_filed_for_its_remarks_alone(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    await family.fill_in()
    await family.ask(RecordCourseChoices(application_id=family.application_id, choices=()))
    question = family.submission()
    assert (await refused(question, family)).code == "nothing_asked"
    filed = await family.ask(question.model_copy(update={"remarks": "Débuter la harpe"}))
    assert (filed.state, filed.remarks) == ("submitted", "Débuter la harpe")


async def test_another_familys_identifiers_are_not_found(
    enrolment: Running[ServiceSettings],
) -> None:
    mine, theirs = await enrolling_family(enrolment), await enrolling_family(enrolment)
    await theirs.start()
    await mine.start()
    await enrolment.react(theirs.seats_held())
    now = datetime.now(UTC)
    of_theirs = {"application_id": theirs.application_id}
    placed = {"campaign_id": mine.campaign.id, "student_id": theirs.student_id}
    elsewhere = {"campaign_id": theirs.campaign.id, "student_id": mine.student_id}
    questions: list[Ask[Any]] = [
        ShowApplication(**of_theirs),
        ShowEntries(**of_theirs, step=1),
        ForgetEntries(**of_theirs, step=1),
        KeepEntries(**of_theirs, step=1, page_id=new_id(), position=1, typed_at=now, entries=()),
        CompleteStep(**of_theirs, step=1),
        RecordAuthorisations(**of_theirs, authorisations=ANSWERS),
        RecordCourseChoices(**of_theirs, choices=()),
        SubmitApplication(**of_theirs, received_at=now, accepted_text_version="1"),
        AmendApplication(**of_theirs, received_at=now),
        AbandonAmendment(**of_theirs),
        TakeBackDecline(**of_theirs, received_at=now),
        *(
            question
            for place in (placed, elsewhere)
            for question in (
                StartApplication(application_id=new_id(), **place),
                DeclineReenrolment(application_id=new_id(), received_at=now, **place),
            )
        ),
        RecordCourseChoices(application_id=mine.application_id, choices=theirs.choices),
    ]
    asked = {type(question) for question in questions} | {ListMyApplications, PublishCampaign}
    assert asked == {signature.message for signature, _ in service.signatures()}
    for question in questions:
        refusal = await refused(question, mine)
        assert (question.name, refusal.code) == (question.name, "not_found")
    assert (await mine.ask(ListMyApplications())).applications == (await mine.start(),)
    assert (await theirs.start()).step_reached == 1


async def test_an_identifier_already_taken_starts_nothing(
    enrolment: Running[ServiceSettings],
) -> None:
    mine, theirs = await enrolling_family(enrolment), await enrolling_family(enrolment)
    taken = await theirs.start()
    with pytest.raises(Rejection) as refusal:
        await mine.start(taken.id)
    assert refusal.value.code == "not_found"


async def test_a_hold_not_known_yet_is_waited_for_then_found(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    await family.fill_in()
    refusal = await refused(family.submission(), family)
    assert (refusal.code, refusal.status) == ("hold_not_known_yet", 409)
    assert refusal.facts == {"retry_after_seconds": 1}
    await enrolment.react(family.seats_held())
    assert (await family.submit()).state == "submitted"


async def test_a_seat_lost_before_submission_is_chosen_again(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    await enrolment.react(SeatsReleased(hold_ids=(family.hold_id,)))
    await enrolment.react(family.seats_held())
    await family.fill_in()
    assert (await refused(family.submission(), family)).code == "seat_not_held"
    await family.choose_again()
    assert (await family.submit()).state == "submitted"


async def test_the_campaign_shown_is_the_open_one_or_else_the_last(
    enrolment: Running[ServiceSettings],
) -> None:
    now = datetime.now(UTC)
    family = await enrolling_family(enrolment)
    site_id = family.campaign.site_id
    year = timedelta(days=365)
    await publish(
        enrolment,
        site_id=site_id,
        school_year="2028-2029",
        prepares_at=now + year,
        opens_at=now + year,
        closes_at=now + 2 * year,
    )
    await publish(
        enrolment,
        site_id=site_id,
        school_year="2026-2027",
        prepares_at=now - year,
        opens_at=now - year,
        closes_at=now - year / 2,
    )
    assert (await family.ask(ListMyApplications())).campaign == family.campaign
    await move(enrolment, family.campaign.id, closes_at=now - SECOND)
    last = (await family.ask(ListMyApplications())).campaign
    assert last
    assert last.id == family.campaign.id
    stranger = EnrollingFamily(enrolment, family_caller(), family.campaign, new_id())
    assert (await stranger.ask(ListMyApplications())).campaign is None


async def test_a_refusal_leaves_nothing_behind(enrolment: Running[ServiceSettings]) -> None:
    family = await enrolling_family(enrolment)
    await move(enrolment, family.campaign.id, closes_at=datetime.now(UTC) - SECOND)
    with pytest.raises(Rejection) as refusal:
        await family.start()
    assert refusal.value.code == "campaign_closed"
    async with enrolment.database.transaction() as tx:
        left = await tx.execute(
            select(func.count()).where(application.c.student_id == family.student_id)
        )
        assert left.scalar_one() == 0
