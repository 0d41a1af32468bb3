"""A submitted request is modified, on real servers: no seat is let go of before another (S74)."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from courses import tables
from courses.app import service
from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.courses import Hold, SeatsClaimed
from shared.contracts.enrolment import SubmittedChoice
from shared.settings import ServiceSettings
from stack.running import Stack

from tests.harness import Running, running
from tests.households import subscribed
from tests.integration.schooling import School, open_school

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
async def courses(servers: Stack) -> AsyncIterator[Running[ServiceSettings]]:
    async with running(servers, service, ServiceSettings) as replica:
        yield replica


@pytest.fixture
async def school(courses: Running[ServiceSettings]) -> School:
    return await open_school(courses)


async def filed(school: School) -> tuple[Caller, Hold]:
    """A family whose request is submitted with the only seat of the first group."""
    caller = await school.family("A")
    (hold,) = await school.hold(caller, school.wish("A", 1))
    await school.submit(caller, "A", hold)
    return caller, hold


async def test_the_seat_stays_until_the_modified_request_is_submitted(school: School) -> None:
    async with subscribed(school.running.settings.broker_url, SeatsClaimed) as claims:
        caller, first = await filed(school)
        await claims.next()
        (second,) = await school.hold(caller, school.wish("A", 2))
        row = await school.row(caller, "A")
        assert row.hold == second
        assert row.claimed
        assert row.claimed.id == first.id
        assert await school.counters(1) == (1, 0)
        assert await school.counters(2) == (1, 0)
        await school.submit(caller, "A", second)
        told = await claims.next()
    assert (told.hold_ids, told.replaced_hold_ids) == ((second.id,), (first.id,))
    row = await school.row(caller, "A")
    assert row.claimed
    assert (row.hold, row.claimed.id) == (row.claimed, second.id)
    assert await school.counters(1) == (0, 0)
    assert await school.counters(2) == (1, 0)


async def test_what_is_not_submitted_again_expires_alone(school: School) -> None:
    caller, first = await filed(school)
    (second,) = await school.hold(caller, school.wish("A", 2))
    await school.age(tables.seat, second.id, timedelta(hours=1))
    await school.sweep()
    row = await school.row(caller, "A")
    assert row.hold
    assert row.hold.id == first.id
    assert await school.counters(1) == (1, 0)
    assert await school.counters(2) == (0, 0)


async def test_the_claimed_slot_chosen_again_gives_the_other_back(school: School) -> None:
    caller, first = await filed(school)
    await school.hold(caller, school.wish("A", 2))
    (again,) = await school.hold(caller, school.wish("A", 1))
    assert (again.id, again.state) == (first.id, "claimed")
    assert await school.counters(2) == (0, 0)


async def test_a_slot_that_fills_up_leaves_the_family_what_it_has(school: School) -> None:
    caller, first = await filed(school)
    for name in ("B", "C"):
        other = await school.family(name)
        await school.hold(other, school.wish(name, 2))
    with pytest.raises(Rejection, match="course_full"):
        await school.hold(caller, school.wish("A", 2))
    row = await school.row(caller, "A")
    assert row.hold
    assert row.hold.id == first.id


async def test_a_course_left_out_frees_its_seat_for_who_waits(school: School) -> None:
    caller, hold = await filed(school)
    waiting = await school.family("B")
    await school.join(waiting, "B", 1)
    left = SubmittedChoice(follow_id=hold.follow_id, re_enrol=False, label="FM 1.4")
    await school.running.react(
        school.submitted(caller, "A").model_copy(update={"choices": (left,)})
    )
    assert (await school.row(caller, "A")).hold is None
    (offered,) = (await school.row(waiting, "B")).waiting
    assert offered.state == "offered"


async def test_declining_frees_both(school: School) -> None:
    caller, _ = await filed(school)
    await school.hold(caller, school.wish("A", 2))
    await school.running.react(school.declined(caller, "A"))
    assert (await school.row(caller, "A")).hold is None
    assert await school.counters(1) == await school.counters(2) == (0, 0)
