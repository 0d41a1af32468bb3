"""Waiting lists on a real database and broker: from joining to the seat, or to the next in line."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from courses import tables
from courses.app import service
from courses.seats import HOLD, MARGIN, OFFER
from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.courses import (
    AcceptOffer,
    Hold,
    LeaveWaitingList,
    MyWaitingPlaces,
    OfferEnded,
    ReleaseSeat,
    SeatOffered,
    SeatPlaced,
    WaitingPlace,
)
from shared.settings import ServiceSettings
from stack.running import Stack

from tests.harness import Running, family_caller, running
from tests.households import Subscriber, subscribed
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


@pytest.fixture
async def offers(courses: Running[ServiceSettings]) -> AsyncIterator[Subscriber[SeatOffered]]:
    async with subscribed(courses.settings.broker_url, SeatOffered) as subscriber:
        yield subscriber


@pytest.fixture
async def ends(courses: Running[ServiceSettings]) -> AsyncIterator[Subscriber[OfferEnded]]:
    async with subscribed(courses.settings.broker_url, OfferEnded) as subscriber:
        yield subscriber


async def heard[Told: SeatOffered | OfferEnded | SeatPlaced](
    subscriber: Subscriber[Told], school: School
) -> Told:
    """Give what is told next of this school: word of another may still be on its way."""
    while True:
        told = await subscriber.next()
        if told.campaign_id == school.campaign_id:
            return told


async def fill(school: School, name: str = "TAKEN") -> tuple[Caller, Hold]:
    """Have a family take the only seat of the first group."""
    caller = await school.family(name)
    (hold,) = await school.hold(caller, school.wish(name, 1))
    return caller, hold


async def free(school: School, caller: Caller, hold: Hold) -> None:
    await school.running.ask(ReleaseSeat(hold_id=hold.id), caller)


async def accept(school: School, caller: Caller, place: WaitingPlace) -> Hold:
    return await school.running.ask(AcceptOffer(place_id=place.id), caller)


async def leave(school: School, caller: Caller, place: WaitingPlace) -> None:
    await school.running.ask(LeaveWaitingList(place_id=place.id), caller)


async def places(school: School, caller: Caller) -> list[tuple[str, int]]:
    """A family's places: each with its state and its rank."""
    found = await school.running.ask(MyWaitingPlaces(), caller)
    return [(place.state, place.rank) for place in found]


async def waiting(school: School, name: str) -> tuple[Caller, WaitingPlace]:
    """Have a family wait for the first group."""
    caller = await school.family(name)
    return caller, await school.join(caller, name, 1)


async def test_families_wait_in_the_order_in_which_they_joined(school: School) -> None:
    await fill(school)
    ahead, first = await waiting(school, "A")
    behind, second = await waiting(school, "B")
    assert (first.rank, second.rank) == (1, 2)
    row = await school.row(behind, "B")
    assert row.waiting == (second,)
    assert [slot.waiting for slot in row.slots] == [2, 0]
    await leave(school, ahead, first)
    await leave(school, ahead, first)
    assert await places(school, ahead) == []
    assert await places(school, behind) == [("waiting", 1)]


async def test_families_that_join_at_once_have_each_a_rank(school: School) -> None:
    await fill(school)
    callers = [await school.family(name) for name in "ABCDEF"]
    joined = await asyncio.gather(
        *(school.join(caller, name, 1) for caller, name in zip(callers, "ABCDEF", strict=True))
    )
    ranks = [(await places(school, caller))[0][1] for caller in callers]
    assert sorted(ranks) == [1, 2, 3, 4, 5, 6]
    assert all(place.state == "waiting" for place in joined)


async def test_two_tabs_that_join_end_with_one_place(school: School) -> None:
    await fill(school)
    caller = await school.family("A")
    joined = await asyncio.gather(*(school.join(caller, "A", 1) for _ in range(4)))
    assert len({place.id for place in joined}) == 1
    assert await school.counters(1) == (1, 1)


async def test_two_families_of_a_student_have_one_place(school: School) -> None:
    await fill(school)
    first, second = await school.family("A"), await school.family("A")
    joined = await school.join(first, "A", 1)
    assert await school.join(second, "A", 1) == joined
    assert await school.counters(1) == (1, 1)


async def test_waiting_keeps_the_present_seat(school: School) -> None:
    await fill(school)
    caller = await school.family("A")
    (kept,) = await school.hold(caller, school.wish("A", 2))
    await school.join(caller, "A", 1)
    assert (await school.row(caller, "A")).hold == kept


async def test_only_a_full_course_that_one_does_not_have_is_waited_for(school: School) -> None:
    caller, _ = await fill(school)
    with pytest.raises(Rejection, match="already_held"):
        await school.join(caller, "TAKEN", 1)
    with pytest.raises(Rejection, match="course_not_full"):
        await school.join(caller, "TAKEN", 2)
    with pytest.raises(Rejection, match="wrong_level"):
        await school.join(caller, "TAKEN", 3)


async def test_another_familys_place_does_not_exist(school: School) -> None:
    holder, hold = await fill(school)
    _, place = await waiting(school, "A")
    await free(school, holder, hold)
    stranger = family_caller(site_id=school.site_id)
    with pytest.raises(Rejection, match="not_found"):
        await accept(school, stranger, place)
    with pytest.raises(Rejection, match="not_found"):
        await leave(school, stranger, place)
    with pytest.raises(Rejection, match="not_found"):
        await school.join(stranger, "A", 1)
    assert await places(school, stranger) == []


async def test_a_freed_seat_is_offered_to_the_next_for_a_day_and_to_nobody_else(
    school: School, offers: Subscriber[SeatOffered]
) -> None:
    holder, hold = await fill(school)
    first, place = await waiting(school, "A")
    second, _ = await waiting(school, "B")
    await free(school, holder, hold)
    assert await places(school, first) == [("offered", 0)]
    assert await places(school, second) == [("waiting", 1)]
    told = await heard(offers, school)
    assert (told.place_id, told.student_id) == (place.id, school.student_id("A"))
    assert (told.course_id, told.label) == (school.course_id(1), place.label)
    (offered,) = await school.running.ask(MyWaitingPlaces(), first)
    assert told.offered_until == offered.offered_until
    for name, caller in (("TAKEN", holder), ("B", second)):
        with pytest.raises(Rejection, match="course_full"):
            await school.hold(caller, school.wish(name, 1))


async def test_a_seat_given_up_for_another_is_offered(school: School) -> None:
    holder, _ = await fill(school)
    caller, _ = await waiting(school, "A")
    await school.hold(holder, school.wish("TAKEN", 2))
    assert await places(school, caller) == [("offered", 0)]


async def test_an_expired_seat_is_offered(school: School) -> None:
    _, hold = await fill(school)
    caller, _ = await waiting(school, "A")
    await school.age(tables.seat, hold.id, HOLD + MARGIN + _A_MINUTE)
    await school.sweep()
    assert await places(school, caller) == [("offered", 0)]


async def test_the_seat_of_who_does_not_come_back_is_offered_though_it_was_claimed(
    school: School,
) -> None:
    holder, hold = await fill(school)
    await school.submit(holder, "TAKEN", hold)
    caller, _ = await waiting(school, "A")
    await school.running.react(school.declined(holder, "TAKEN"))
    assert await places(school, caller) == [("offered", 0)]


async def test_who_does_not_come_back_waits_no_longer(
    school: School, ends: Subscriber[OfferEnded]
) -> None:
    holder, hold = await fill(school)
    first, place = await waiting(school, "A")
    second, _ = await waiting(school, "B")
    await free(school, holder, hold)
    await school.running.react(school.declined(first, "A"))
    assert await places(school, first) == []
    assert await places(school, second) == [("offered", 0)]
    told = await heard(ends, school)
    assert (told.place_id, told.end) == (place.id, "withdrawn")


async def test_a_raised_capacity_is_offered_in_order_before_anyone_else(school: School) -> None:
    await fill(school)
    callers = [(await waiting(school, name))[0] for name in "ABC"]
    await school.bring_in(school.group(1, capacite="3"))
    states = [await places(school, caller) for caller in callers]
    assert states == [[("offered", 0)], [("offered", 0)], [("waiting", 1)]]
    assert await school.counters(1) == (3, 1)


async def test_an_accepted_offer_gives_its_seat_for_twenty_minutes(
    school: School, ends: Subscriber[OfferEnded]
) -> None:
    holder, hold = await fill(school)
    caller, place = await waiting(school, "A")
    await free(school, holder, hold)
    async with subscribed(school.running.settings.broker_url, SeatPlaced) as placements:
        accepted = await accept(school, caller, place)
        told = await heard(placements, school)
    assert (accepted.id, accepted.state) == (place.id, "held")
    assert accepted.course_id == school.course_id(1)
    assert (told.hold, told.replaced_hold_id, told.decided_by) == (accepted, None, "family")
    ended = await heard(ends, school)
    assert (ended.place_id, ended.end) == (place.id, "accepted")
    assert await places(school, caller) == []
    assert await accept(school, caller, place) == accepted
    assert await school.counters(1) == (1, 0)


async def test_an_accepted_offer_takes_the_place_of_the_present_seat_in_one_act(
    school: School,
) -> None:
    holder, hold = await fill(school)
    caller, place = await waiting(school, "A")
    (present,) = await school.hold(caller, school.wish("A", 2))
    await free(school, holder, hold)
    async with subscribed(school.running.settings.broker_url, SeatPlaced) as placements:
        accepted = await accept(school, caller, place)
        told = await heard(placements, school)
    assert (told.hold, told.replaced_hold_id) == (accepted, present.id)
    assert (await school.row(caller, "A")).hold == accepted
    assert [await school.counters(group) for group in (1, 2)] == [(1, 0), (0, 0)]


@pytest.mark.parametrize("with_seat", [True, False])
async def test_after_the_submission_an_accepted_offer_is_claimed_at_once(
    school: School, with_seat: bool
) -> None:
    holder, hold = await fill(school)
    caller, place = await waiting(school, "A")
    present = await school.hold(caller, school.wish("A", 2)) if with_seat else ()
    await school.submit(caller, "A", *present)
    await free(school, holder, hold)
    assert (await accept(school, caller, place)).state == "claimed"
    assert [await school.counters(group) for group in (1, 2)] == [(1, 0), (0, 0)]


async def test_once_the_campaign_has_closed_a_draft_accepts_no_more(school: School) -> None:
    holder, hold = await fill(school)
    caller, place = await waiting(school, "A")
    await free(school, holder, hold)
    await school.publish(closes_in=-_A_MINUTE)
    with pytest.raises(Rejection, match="campaign_closed"):
        await accept(school, caller, place)
    assert await places(school, caller) == [("offered", 0)]


async def test_a_refused_offer_goes_to_the_next(
    school: School, ends: Subscriber[OfferEnded]
) -> None:
    holder, hold = await fill(school)
    first, place = await waiting(school, "A")
    second, _ = await waiting(school, "B")
    third, _ = await waiting(school, "C")
    await free(school, holder, hold)
    await leave(school, first, place)
    told = await heard(ends, school)
    assert (told.place_id, told.end) == (place.id, "refused")
    assert await places(school, second) == [("offered", 0)]
    assert await places(school, third) == [("waiting", 1)]
    with pytest.raises(Rejection, match="offer_ended"):
        await accept(school, first, place)


async def test_an_offer_that_nobody_answers_goes_to_the_next_after_a_day(
    school: School, ends: Subscriber[OfferEnded]
) -> None:
    holder, hold = await fill(school)
    first, place = await waiting(school, "A")
    second, still = await waiting(school, "B")
    await free(school, holder, hold)
    with pytest.raises(Rejection, match="not_offered"):
        await accept(school, second, still)
    await school.age(tables.place, place.id, OFFER + MARGIN + _A_MINUTE)
    await school.sweep()
    told = await heard(ends, school)
    assert (told.place_id, told.end) == (place.id, "expired")
    assert await places(school, second) == [("offered", 0)]
    with pytest.raises(Rejection, match="offer_ended"):
        await accept(school, first, place)


async def test_once_nobody_waits_the_seat_is_for_all_again(school: School) -> None:
    holder, hold = await fill(school)
    caller, place = await waiting(school, "A")
    await free(school, holder, hold)
    await leave(school, caller, place)
    assert (await school.seats_left(holder, "TAKEN"))[school.course_id(1)] == 1
    with pytest.raises(Rejection, match="course_not_full"):
        await school.join(caller, "A", 1)
    (again,) = await school.hold(caller, school.wish("A", 1))
    assert again.course_id == school.course_id(1)
