"""A submitted request is changed, on real servers: S74, S71, S23."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from enrolment.app import service
from enrolment.holds import known_holds
from enrolment.tables import application, hold
from shared.contract import Rejection
from shared.contracts.courses import SeatsReleased
from shared.contracts.enrolment import (
    AbandonAmendment,
    AmendApplication,
    Application,
    ApplicationSubmitted,
    KeepEntries,
    RecordCourseChoices,
    ShowApplication,
    ShowEntries,
)
from shared.identifiers import new_id
from shared.settings import ServiceSettings
from sqlalchemy import delete, update
from stack.running import Stack

from tests.harness import Running, running
from tests.integration.enrolling import EnrollingFamily, enrolling_family, listening, move

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
async def enrolment(servers: Stack) -> AsyncIterator[Running[ServiceSettings]]:
    async with running(servers, service, ServiceSettings) as replica:
        yield replica


async def filed(replica: Running[ServiceSettings]) -> EnrollingFamily:
    """A family whose request is submitted, its seat claimed."""
    family = await enrolling_family(replica)
    await replica.react(family.seats_held())
    await family.fill_in()
    await replica.react(family.claims(await family.submit(), family.hold_id))
    return family


async def amend(family: EnrollingFamily) -> Application:
    return await family.ask(
        AmendApplication(application_id=family.application_id, received_at=datetime.now(UTC))
    )


async def submit_change(family: EnrollingFamily) -> Application:
    """Click "Valider" at the recap of the change."""
    standing = await shown(family)
    assert standing.receipt
    return await family.submit(replaces=standing.receipt.number)


async def shown(family: EnrollingFamily) -> Application:
    return await family.ask(ShowApplication(application_id=family.application_id))


async def forget_seats(family: EnrollingFamily, *hold_ids: UUID) -> None:
    """Have nothing of some seats been told yet."""
    async with family.replica.database.transaction() as tx:
        await tx.execute(delete(hold).where(hold.c.id.in_(hold_ids)))
        await tx.execute(
            update(application)
            .where(application.c.id == family.application_id)
            .values(claimed_at=None, missing_hold_ids=[])
        )


async def choose_another(family: EnrollingFamily) -> UUID:
    """Hold another slot for the row, and record it; give the hold."""
    slot, other = family.choices
    held, course_id = new_id(), new_id()
    again = slot.model_copy(update={"hold_id": held, "course_id": course_id})
    await family.replica.react(family.seats_held(id=held, course_id=course_id))
    await family.ask(
        RecordCourseChoices(application_id=family.application_id, choices=(again, other))
    )
    return held


async def test_a_request_stands_until_its_change_is_submitted(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await filed(enrolment)
    before = await shown(family)
    assert (await amend(family)).amendment is not None
    another = await choose_another(family)
    meanwhile = await shown(family)
    assert meanwhile.model_copy(update={"amendment": None}) == before
    assert meanwhile.amendment
    assert meanwhile.amendment.choices[0].hold_id == another
    assert meanwhile.amendment.choices[0].held_until is not None
    async with listening(enrolment) as heard:
        after = await submit_change(family)
        *_, told = await heard.all_of(ApplicationSubmitted, before.id)
    assert (after.id, after.state, after.amendment) == (before.id, "submitted", None)
    assert before.receipt
    assert after.receipt
    assert after.receipt.number != before.receipt.number
    assert told.receipt_number == after.receipt.number
    assert told.replaces_receipt_number == before.receipt.number
    assert told.choices[0].hold_id == another


async def test_a_first_request_replaces_none(enrolment: Running[ServiceSettings]) -> None:
    family = await enrolling_family(enrolment)
    await enrolment.react(family.seats_held())
    await family.fill_in()
    async with listening(enrolment) as heard:
        await family.submit()
        (told,) = await heard.all_of(ApplicationSubmitted, family.application_id)
    assert told.replaces_receipt_number is None


async def test_the_change_sent_twice_is_sent_once(enrolment: Running[ServiceSettings]) -> None:
    family = await filed(enrolment)
    await amend(family)
    before = await shown(family)
    assert before.receipt
    await choose_another(family)
    replaces = before.receipt.number
    first, second = await family.submit(replaces=replaces), await family.submit(replaces=replaces)
    assert first.receipt
    assert first.receipt == second.receipt
    assert first.receipt.number != replaces


async def test_a_seat_that_ended_is_refused_and_the_request_stands(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await filed(enrolment)
    before = await shown(family)
    await amend(family)
    another = await choose_another(family)
    await enrolment.react(SeatsReleased(hold_ids=(another,)))
    with pytest.raises(Rejection, match="seat_not_held"):
        await submit_change(family)
    after = await shown(family)
    assert after.receipt == before.receipt
    assert after.choices == before.choices


async def test_a_seat_that_was_replaced_serves_no_more(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await filed(enrolment)
    await amend(family)
    another = await choose_another(family)
    sent = await submit_change(family)
    told = family.claims(sent, another)
    await enrolment.react(told.model_copy(update={"replaced_hold_ids": (family.hold_id,)}))
    await amend(family)
    await family.ask(
        RecordCourseChoices(application_id=family.application_id, choices=family.choices)
    )
    with pytest.raises(Rejection, match="seat_not_held"):
        await submit_change(family)


async def test_a_row_whose_new_seat_had_gone_says_that_it_keeps_the_former(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await filed(enrolment)
    await amend(family)
    another = await choose_another(family)
    sent = await submit_change(family)
    await enrolment.react(family.claims(sent, missing=(another,)))
    kept = family.seat(state="claimed")
    former = family.seat_placed(family.hold_id, replaces=new_id())
    long_ago = datetime.now(UTC) - timedelta(days=1)
    await enrolment.react(former.model_copy(update={"hold": kept}), happened_at=long_ago)
    placed = family.seat_placed(family.hold_id, replaces=another)
    await enrolment.react(placed.model_copy(update={"hold": kept}))
    choice, _ = (await shown(family)).choices
    assert (choice.hold_id, choice.seat_kept, choice.seat_lost) == (family.hold_id, True, False)


async def test_an_old_page_of_the_first_request_does_not_send_a_change(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await filed(enrolment)
    await amend(family)
    await choose_another(family)
    answered = await family.submit()
    assert answered.amendment is not None
    assert answered == (await shown(family)).model_copy(
        update={"amendment": answered.amendment, "choices": answered.choices}
    )


async def test_a_change_that_was_abandoned_meanwhile_is_not_said_to_be_sent(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await filed(enrolment)
    await amend(family)
    await family.ask(AbandonAmendment(application_id=family.application_id))
    with pytest.raises(Rejection, match="amendment_abandoned"):
        await submit_change(family)


async def test_the_clock_of_another_gateway_does_not_make_a_change_the_older(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await filed(enrolment)
    before = await shown(family)
    assert before.receipt
    await amend(family)
    an_instant_ago = before.receipt.received_at - timedelta(seconds=1)
    sent = await family.submit(an_instant_ago, replaces=before.receipt.number)
    assert sent.receipt
    assert sent.receipt.received_at > before.receipt.received_at


async def test_a_seat_given_before_the_change_began_and_heard_later_is_the_rows(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    await family.fill_in()
    waits = family.choices[0].model_copy(
        update={"hold_id": None, "course_id": None, "label": "FM : en liste d'attente"}
    )
    await family.ask(
        RecordCourseChoices(application_id=family.application_id, choices=(waits,), remarks="Alto")
    )
    await enrolment.react(family.claims(await family.submit()))
    given = datetime.now(UTC)
    await amend(family)
    await enrolment.react(family.seat_placed(family.hold_id, replaces=None), happened_at=given)
    sent = await submit_change(family)
    assert [choice.hold_id for choice in sent.choices] == [family.hold_id]


async def test_what_was_changed_is_abandoned_and_its_typed_entries_with_it(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await filed(enrolment)
    before = await shown(family)
    await amend(family)
    await family.ask(
        KeepEntries(
            application_id=family.application_id,
            step=4,
            page_id=new_id(),
            position=1,
            typed_at=datetime.now(UTC),
            entries=(("remarks", "Alto"),),
        )
    )
    abandon = AbandonAmendment(application_id=family.application_id)
    assert (await family.ask(abandon)).amendment is None
    assert (await family.ask(abandon)).amendment is None
    assert await shown(family) == before
    assert await family.ask(ShowEntries(application_id=family.application_id, step=4)) is None


async def test_nothing_is_typed_in_a_request_that_is_not_changed(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await filed(enrolment)
    entries = KeepEntries(
        application_id=family.application_id,
        step=4,
        page_id=new_id(),
        position=1,
        typed_at=datetime.now(UTC),
        entries=(("remarks", "Alto"),),
    )
    with pytest.raises(Rejection, match="not_a_draft"):
        await family.ask(entries)


async def test_a_request_is_changed_once_its_claims_are_known(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    await enrolment.react(family.seats_held())
    await family.fill_in()
    sent = await family.submit()
    with pytest.raises(Rejection, match="claims_not_known_yet"):
        await amend(family)
    await enrolment.react(family.claims(sent, missing=(family.hold_id,)))
    amendment = (await amend(family)).amendment
    assert amendment
    assert amendment.step_reached == 4
    assert [choice.hold_id for choice in amendment.choices] == [None, None]


async def test_claims_stay_known_while_a_request_is_changed(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await filed(enrolment)
    await amend(family)
    await choose_another(family)
    await family.ask(AbandonAmendment(application_id=family.application_id))
    assert (await amend(family)).amendment is not None


async def test_a_change_left_at_closing_leaves_the_request(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await filed(enrolment)
    await amend(family)
    await move(enrolment, family.campaign.id, closes_at=datetime.now(UTC) - timedelta(seconds=1))
    with pytest.raises(Rejection, match="campaign_closed"):
        await submit_change(family)
    left = await shown(family)
    assert left.state == "submitted"
    assert left.amendment is not None
    assert (
        await family.ask(AbandonAmendment(application_id=family.application_id))
    ).amendment is None


async def test_withdrawing_ends_the_change(enrolment: Running[ServiceSettings]) -> None:
    family = await filed(enrolment)
    await amend(family)
    withdrawn = await family.decline()
    assert (withdrawn.state, withdrawn.amendment) == ("declined", None)


async def test_what_courses_tells_of_both_requests_leaves_the_same_in_any_order(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    await enrolment.react(family.seats_held())
    await family.fill_in()
    first = family.claims(await family.submit(), family.hold_id)
    await enrolment.react(first)
    await amend(family)
    another = await choose_another(family)
    second = family.claims(await submit_change(family), another)
    held = family.seats_held()
    also_held = family.seats_held(id=another)
    told = second.model_copy(update={"replaced_hold_ids": (family.hold_id,)})
    ends = []
    for order in itertools.permutations((held, first, also_held, told)):
        await forget_seats(family, family.hold_id, another)
        for event in (*order, *reversed(order)):
            await enrolment.react(event)
        shows = await shown(family)
        async with enrolment.database.transaction() as tx:
            known = await known_holds(tx, family.student_id, (*family.choices, *shows.choices))
        seats = {hold_id: (seat.claimed, seat.is_lost) for hold_id, seat in known.items()}
        ends.append((shows.choices, seats))
    assert ends[0][1] == {family.hold_id: (True, True), another: (True, False)}
    assert all(end == ends[0] for end in ends)
