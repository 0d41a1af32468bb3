"""What the secretariat decides of seats, and how long a family's activity keeps them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from courses import tables
from courses.app import service
from courses.seats import HOLD, HOLD_AT_MOST
from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.courses import (
    ConfirmSeat,
    Hold,
    PlaceStudent,
    ReleaseSeat,
    RenewHolds,
    SeatConfirmed,
    SeatPlaced,
)
from shared.identifiers import new_id
from shared.settings import ServiceSettings
from stack.running import Stack

from tests.harness import Running, family_caller, operator, running
from tests.households import subscribed
from tests.integration.schooling import School, open_school

pytestmark = pytest.mark.servers

_A_MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
async def courses(servers: Stack) -> AsyncIterator[Running[ServiceSettings]]:
    async with running(servers, service, ServiceSettings) as replica:
        yield replica


@pytest.fixture
async def school(courses: Running[ServiceSettings]) -> School:
    return await open_school(courses)


def secretary(site_id: UUID) -> Caller:
    return Caller(account_id=new_id(), session_id=new_id(), role="staff", site_id=site_id)


def placement(school: School, name: str, group: int) -> PlaceStudent:
    return PlaceStudent(
        hold_id=new_id(),
        campaign_id=school.campaign_id,
        student_id=school.student_id(name),
        follow_id=school.follow_id(name),
        course_id=school.course_id(group),
        reason="son niveau a changé",
    )


async def claimed(school: School, name: str, group: int) -> tuple[Caller, Hold]:
    """Have a family submit its application with a seat."""
    caller = await school.family(name)
    (hold,) = await school.hold(caller, school.wish(name, group))
    await school.submit(caller, name, hold)
    return caller, hold


async def test_the_secretariat_places_a_student_in_place_of_what_it_had(school: School) -> None:
    caller, before = await claimed(school, "A", 2)
    asked, staff = placement(school, "A", 1), secretary(school.site_id)
    async with subscribed(school.running.settings.broker_url, SeatPlaced) as placements:
        placed = await school.running.ask(asked, staff)
        told = await placements.next()
    assert (placed.id, placed.course_id, placed.state) == (
        asked.hold_id,
        school.course_id(1),
        "claimed",
    )
    assert (told.hold, told.replaced_hold_id, told.decided_by) == (placed, before.id, "staff")
    assert told.family_id == caller.family()
    assert (await school.row(caller, "A")).hold == placed
    assert [await school.counters(group) for group in (1, 2)] == [(1, 0), (0, 0)]
    assert await school.running.ask(asked, staff) == placed


async def test_a_student_without_a_seat_is_placed_even_after_the_campaign(school: School) -> None:
    caller = await school.family("A")
    await school.publish(closes_in=-_A_MINUTE)
    placed = await school.running.ask(placement(school, "A", 1), operator())
    assert (await school.row(caller, "A")).hold == placed


async def test_the_secretariat_passes_neither_the_capacity_nor_a_waiting_list(
    school: School,
) -> None:
    holder, other, _ = [await school.family(name) for name in "ABC"]
    (hold,) = await school.hold(holder, school.wish("A", 1))
    staff = secretary(school.site_id)
    with pytest.raises(Rejection, match="course_full"):
        await school.running.ask(placement(school, "C", 1), staff)
    await school.join(other, "B", 1)
    await school.running.ask(ReleaseSeat(hold_id=hold.id), holder)
    with pytest.raises(Rejection, match="course_full"):
        await school.running.ask(placement(school, "C", 1), staff)
    with pytest.raises(Rejection, match="wrong_level"):
        await school.running.ask(placement(school, "C", 3), staff)


async def test_the_secretariat_confirms_a_claim_once(school: School) -> None:
    caller, hold = await claimed(school, "A", 1)
    confirm = ConfirmSeat(hold_id=hold.id, reason="vu avec le professeur")
    staff = secretary(school.site_id)
    async with subscribed(school.running.settings.broker_url, SeatConfirmed) as confirmations:
        confirmed = await school.running.ask(confirm, staff)
        assert await school.running.ask(confirm, staff) == confirmed
        told = await confirmations.next()
    assert (confirmed.id, confirmed.state) == (hold.id, "claimed")
    assert (told.hold_id, told.family_id) == (hold.id, caller.family())
    assert told.label == hold.label


async def test_a_hold_is_not_confirmed(school: School) -> None:
    caller = await school.family("A")
    (hold,) = await school.hold(caller, school.wish("A", 1))
    with pytest.raises(Rejection, match="not_claimed"):
        await school.running.ask(
            ConfirmSeat(hold_id=hold.id, reason="trop tôt"), secretary(school.site_id)
        )


async def test_only_the_sites_own_secretariat_and_operators_decide(school: School) -> None:
    caller, hold = await claimed(school, "A", 2)
    confirm = ConfirmSeat(hold_id=hold.id, reason="vu avec le professeur")
    place = placement(school, "A", 1)
    strangers = [secretary(new_id()), caller, family_caller(site_id=school.site_id)]
    for stranger in strangers:
        for question in (confirm, place):
            with pytest.raises(Rejection, match="not_found") as refusal:
                await school.running.ask(question, stranger)
            assert refusal.value.status == 404
    assert (await school.running.ask(confirm, operator())).id == hold.id
    assert (await school.running.ask(place, operator())).id == place.hold_id


async def test_a_secretariat_places_no_student_of_another_site_by_its_own_campaign(
    school: School, courses: Running[ServiceSettings]
) -> None:
    neighbour, caller = await open_school(courses), await school.family("A")
    place = placement(school, "A", 1)
    theirs = place.model_copy(update={"campaign_id": neighbour.campaign_id})
    with pytest.raises(Rejection, match="not_found"):
        await school.running.ask(theirs, secretary(neighbour.site_id))
    assert (await school.row(caller, "A")).hold is None


async def test_activity_keeps_a_hold_for_an_hour_at_most(school: School) -> None:
    caller = await school.family("A")
    (hold,) = await school.hold(caller, school.wish("A", 1))
    renew = RenewHolds(hold_ids=(hold.id,))
    for minutes in (15, 30, 45, 60):
        # the hold is as if it had been taken so many minutes ago, and renewed all along
        await school.age(tables.seat, hold.id, 15 * _A_MINUTE)
        (renewed,) = await school.running.ask(renew, caller)
        left = renewed.expires_at - datetime.now(UTC)
        expected = min(HOLD, HOLD_AT_MOST - minutes * _A_MINUTE)
        assert abs(left - expected) < _A_MINUTE


async def test_what_ended_or_is_anothers_is_not_renewed(school: School) -> None:
    caller = await school.family("A", "B")
    kept, ended = await school.hold(caller, school.wish("A", 1), school.wish("B", 2))
    await school.running.ask(ReleaseSeat(hold_id=ended.id), caller)
    both = RenewHolds(hold_ids=(kept.id, ended.id))
    assert [hold.id for hold in await school.running.ask(both, caller)] == [kept.id]
    with pytest.raises(Rejection, match="not_found"):
        await school.running.ask(both, family_caller(site_id=school.site_id))
