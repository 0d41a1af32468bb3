"""An application follows the seats that its rows are given: S66, S74, S84."""

import itertools
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from enrolment.app import service
from shared.contract import Event
from shared.contracts.courses import SeatsClaimed, SeatsReleased
from shared.contracts.enrolment import (
    Application,
    ApplicationSubmitted,
    ListMyApplications,
    ShowApplication,
)
from shared.identifiers import new_id
from shared.settings import ServiceSettings
from stack.running import Stack

from tests.harness import Running, running
from tests.integration.enrolling import EnrollingFamily, enrolling_family, listening

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
async def enrolment(servers: Stack) -> AsyncIterator[Running[ServiceSettings]]:
    async with running(servers, service, ServiceSettings) as replica:
        yield replica


async def drafting_family(replica: Running[ServiceSettings]) -> EnrollingFamily:
    """A family at the recap, its seat held."""
    family = await enrolling_family(replica)
    await replica.react(family.seats_held())
    await family.fill_in()
    return family


async def shown(family: EnrollingFamily) -> Application:
    found = await family.ask(ShowApplication(application_id=family.application_id))
    mine = await family.ask(ListMyApplications())
    assert mine.applications == (found,)
    return found


def seats_of(application: Application) -> list[tuple[UUID | None, str]]:
    return [(choice.hold_id, choice.label) for choice in application.choices]


async def test_a_draft_takes_the_seat_of_an_accepted_offer_and_is_submitted_with_it(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await drafting_family(enrolment)
    offered = family.seat_placed(new_id(), replaces=family.hold_id)
    await enrolment.react(offered)
    row, other = (await shown(family)).choices
    assert (row.hold_id, row.course_id, row.label) == (
        offered.hold.id,
        offered.hold.course_id,
        offered.hold.label,
    )
    assert (other.label, other.hold_id) == ("Alto", None)
    async with listening(enrolment) as heard:
        await family.submit()
        (told,) = await heard.all_of(ApplicationSubmitted, family.application_id)
    assert [choice.hold_id for choice in told.choices] == [offered.hold.id, None]


async def test_a_submitted_application_shows_where_the_staff_placed_the_student(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await drafting_family(enrolment)
    filed = await family.submit()
    placed = family.seat_placed(new_id(), replaces=family.hold_id)
    by_staff = placed.model_copy(
        update={
            "decided_by": "staff",
            "reason": "Trop jeune pour ce groupe",
            "hold": placed.hold.model_copy(update={"state": "claimed"}),
        }
    )
    await enrolment.react(by_staff)
    present = await shown(family)
    assert (present.state, present.receipt) == ("submitted", filed.receipt)
    assert present.choices[0].hold_id == placed.hold.id


async def test_a_row_without_a_seat_takes_the_one_that_it_was_given_last(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await drafting_family(enrolment)
    row = (await shown(family)).choices[1].follow_id
    first, second = (family.seat_placed(new_id(), replaces=None) for _ in range(2))
    for placed in (first, second):
        hold = placed.hold.model_copy(update={"follow_id": row})
        await enrolment.react(placed.model_copy(update={"hold": hold}))
    assert (await shown(family)).choices[1].hold_id == second.hold.id


async def test_a_draft_says_until_when_its_seat_is_held(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await enrolling_family(enrolment)
    await family.fill_in()
    assert (await shown(family)).choices[0].held_until is None

    held = family.seats_held()
    await enrolment.react(held)
    row, other = (await shown(family)).choices
    assert (row.held_until, row.seat_lost) == (held.holds[0].expires_at, False)
    assert (other.held_until, other.seat_lost) == (None, False)

    await enrolment.react(SeatsReleased(hold_ids=(family.hold_id,)))
    row, _ = (await shown(family)).choices
    assert (row.held_until, row.seat_lost) == (None, True)


@pytest.mark.parametrize("claimed", [True, False])
async def test_a_filed_request_says_whether_its_seat_is_kept(
    enrolment: Running[ServiceSettings], claimed: bool
) -> None:
    family = await drafting_family(enrolment)
    filed = await family.submit()
    held = (family.hold_id,)
    told = family.claims(filed, *held) if claimed else family.claims(filed, missing=held)
    await enrolment.react(told)
    row, _ = (await shown(family)).choices
    assert row.hold_id == family.hold_id
    assert (row.held_until, row.seat_lost) == (None, not claimed)


async def test_what_the_family_chooses_after_an_offer_stands(
    enrolment: Running[ServiceSettings],
) -> None:
    family = await drafting_family(enrolment)
    await enrolment.react(family.seat_placed(new_id(), replaces=family.hold_id))
    chosen = await family.choose_again()
    assert (await shown(family)).choices[0].hold_id == chosen.choices[0].hold_id


async def test_another_student_is_given_nothing(enrolment: Running[ServiceSettings]) -> None:
    mine, theirs = await drafting_family(enrolment), await drafting_family(enrolment)
    before = seats_of(await shown(mine))
    await enrolment.react(theirs.seat_placed(new_id(), replaces=mine.hold_id))
    assert seats_of(await shown(mine)) == before


async def test_an_application_ends_at_the_same_seat_whatever_the_order_of_events(
    enrolment: Running[ServiceSettings],
) -> None:
    ends = set()
    orders = list(itertools.permutations(range(6)))
    for order in random.Random(2027).sample(orders, 20):
        family = await enrolling_family(enrolment)
        await family.fill_in()
        names = [family.hold_id, new_id(), new_id()]
        late = datetime.now(UTC) + timedelta(minutes=40)
        story: list[Event] = [
            family.seats_held(),
            family.seat_placed(names[1], replaces=names[0]),
            family.seat_placed(names[2], replaces=names[1]),
            family.seats_held(id=names[1], expires_at=late),
            SeatsReleased(hold_ids=(names[0], names[1])),
            SeatsClaimed(application_id=family.application_id, hold_ids=(names[2],)),
        ]
        for position in (*order, *reversed(order)):
            await enrolment.react(story[position])
        row = (await shown(family)).choices[0]
        ends.add((names.index(row.hold_id) if row.hold_id else None, row.label))
        assert (await family.submit()).state == "submitted"
    assert ends == {(2, "FM 2.1 (34) - MARDI - 17.00 à 18.30")}
