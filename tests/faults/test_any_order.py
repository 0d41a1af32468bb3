"""Every event of a journey delivered twice and in any order leaves the same state.

The events are those that really travelled, recorded from the broker. Each service gets back what
its commands had written and nothing else, then the recorded events as Hypothesis shuffles them.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shared.contracts.courses import AcceptOffer, JoinWaitingList, PlaceStudent
from shared.contracts.enrolment import (
    Application,
    DeclineReenrolment,
    ShowApplication,
    TakeBackDecline,
)
from shared.identifiers import imported_id, new_id

from tests.faults.replaying import Recorded, Recorder, Scratch, State, live_state, written
from tests.harness import eventually
from tests.stillness import settled
from tests.system import Household, School, System
from tests.territory import SERVICES

pytestmark = pytest.mark.servers

_REACTING = {service.name: service for service in SERVICES if service.reactions}

_TRAVELLED = {
    "enrolment.application_started.v1": 9,  # with that of the probe
    "enrolment.application_submitted.v1": 7,
    "enrolment.reenrolment_declined.v1": 5,
    "enrolment.decline_taken_back.v1": 3,
    "courses.seats_held.v1": 11,
    "courses.seat_offered.v1": 1,
    "courses.offer_ended.v1": 1,
    "courses.seat_placed.v1": 2,
    "notifications.message_sent.v1": 15,
}
"""The events of the journey itself, beside those of the imports."""

_ONE_SEAT = 2
"""The group with one seat, which one family gives up and another waits for."""


@dataclass(frozen=True, slots=True)
class Journey:
    """What travelled, what it left in the running services, and where to try other orders."""

    events: tuple[Recorded, ...]
    live: Mapping[str, State]
    scratches: Mapping[str, Scratch]
    given: Mapping[UUID, Application]
    """The applications that ended with a seat that their family had not chosen, by that seat."""


@pytest.fixture(scope="module")
async def journey(system: System) -> AsyncIterator[Journey]:
    """Eight families.

    One submits, one declines; one declines, takes it back at once, chooses another slot and
    submits; one does so later on, and takes the same slot again; one does so after it had
    submitted. The staff place one that has submitted in another group. One gives up the only seat
    of a group, and another, who waits for it, is offered it, accepts and submits.

    The broker is away while they act, so that courses can be read as its commands left it.
    """
    async with AsyncExitStack() as stack:
        recorder = await stack.enter_async_context(Recorder.at_work(system))
        school = await system.school(families=8, seats=(20, 20, 1))
        submits, declines, hesitates, returns, withdraws, placed, gives_way, waits = school.families
        begun = {
            family: await school.prepare(family, _ONE_SEAT if family is gives_way else 0)
            for family in school.families
        }
        place_id = await _join(school, waits)
        await _decline(school, returns)
        await _decline(school, gives_way)
        await settled(school)

        broker = system.stack.process("rabbitmq")
        await broker.stop()
        try:
            await school.submit(submits, begun[submits])
            await _decline(school, declines)
            await _decline(school, hesitates)
            await _take_back(school, hesitates, begun[hesitates])
            await _take_back(school, returns, begun[returns])
            await school.submit(withdraws, begun[withdraws])
            await _decline(school, withdraws)
            await _take_back(school, withdraws, begun[withdraws])
            await school.submit(placed, begun[placed])
            staff_seat_id = await _place(school, placed, group=1)
            await system.ask(AcceptOffer(place_id=place_id), waits.token)
            chosen = {
                hesitates: await school.choose(hesitates, begun[hesitates], group=1),
                returns: await school.choose(returns, begun[returns]),
                withdraws: await school.choose(withdraws, begun[withdraws], group=1),
            }
            ids = _identifiers(school, [*begun.values(), *chosen.values()], place_id, staff_seat_id)
            by_commands = {"courses": await written(system, "courses", ids)}
        finally:
            broker.start()
            await broker.wait_ready()
        for family, application in chosen.items():
            await school.submit(family, application)
        await eventually(lambda: _has_seat(school, waits, begun[waits], place_id))
        await school.submit(waits, begun[waits])
        await settled(school)
        by_commands["enrolment"] = await written(system, "enrolment", ids)
        yield Journey(
            events=await recorder.events(ids),
            live={name: await live_state(system, name, ids) for name in _REACTING},
            scratches={
                name: await stack.enter_async_context(
                    Scratch.of(system, service, by_commands.get(name, {}))
                )
                for name, service in _REACTING.items()
            },
            given={
                seat_id: await _shown(school, family, begun[family])
                for family, seat_id in ((waits, place_id), (placed, staff_seat_id))
            },
        )


async def _decline(school: School, family: Household) -> None:
    await school.system.ask(
        DeclineReenrolment(
            application_id=new_id(),
            campaign_id=school.campaign_id,
            student_id=family.student_id,
            received_at=datetime.now(UTC),
        ),
        family.token,
    )


async def _take_back(school: School, family: Household, application: Application) -> None:
    await school.system.ask(
        TakeBackDecline(application_id=application.id, received_at=datetime.now(UTC)),
        family.token,
    )


async def _join(school: School, family: Household) -> UUID:
    place = await school.system.ask(
        JoinWaitingList(
            place_id=new_id(),
            campaign_id=school.campaign_id,
            student_id=family.student_id,
            follow_id=school.follow_id(family),
            course_id=school.course_id(_ONE_SEAT),
        ),
        family.token,
    )
    return place.id


async def _place(school: School, family: Household, group: int) -> UUID:
    hold = await school.system.ask(
        PlaceStudent(
            hold_id=new_id(),
            campaign_id=school.campaign_id,
            student_id=family.student_id,
            follow_id=school.follow_id(family),
            course_id=school.course_id(group),
            reason="Niveau vérifié",
        ),
        school.system.operator,
    )
    return hold.id


async def _shown(school: School, family: Household, application: Application) -> Application:
    return await school.system.ask(ShowApplication(application_id=application.id), family.token)


async def _has_seat(
    school: School, family: Household, application: Application, seat_id: UUID
) -> bool:
    shown = await _shown(school, family, application)
    return shown.choices[0].hold_id == seat_id


def _identifiers(
    school: School, applications: list[Application], *seat_ids: UUID
) -> frozenset[str]:
    """All that tells this school's rows and events from those of others."""
    everyone = (*school.families, school.probe)
    known = {
        school.site_id,
        school.campaign_id,
        imported_id("course", school.this_year),
        *(school.course_id(group) for group in range(_ONE_SEAT + 1)),
        *(family.family_id for family in everyone),
        *(family.student_id for family in everyone),
        *(application.id for application in applications),
        *(choice.hold_id for application in applications for choice in application.choices),
        *seat_ids,
    }
    return frozenset(str(id_) for id_ in known)


async def test_what_travelled_is_the_whole_journey(journey: Journey) -> None:
    travelled = Counter(event.type for event in journey.events)
    assert {kind: travelled[kind] for kind in _TRAVELLED} == _TRAVELLED
    # one more where a request is heard before its withdrawal: its seat comes back for an instant
    assert travelled["courses.seats_released.v1"] in {3, 4}
    # the submission that was withdrawn claims its seat, or nothing where that was heard first
    assert travelled["courses.seats_claimed.v1"] in (6, 7)


async def test_a_seat_chosen_after_a_decline_stays(journey: Journey) -> None:
    seats = [dict(row) for row in journey.live["courses"]["seat"]]
    assert Counter(seat["state"] for seat in seats) == {"claimed": 6, "released": 7}


async def test_an_application_ends_with_the_seat_that_it_was_given(journey: Journey) -> None:
    for seat_id, application in journey.given.items():
        assert application.state == "submitted"
        assert [choice.hold_id for choice in application.choices] == [seat_id]


@pytest.mark.parametrize("name", _REACTING)
async def test_events_twice_and_in_any_order_leave_the_same_state(
    journey: Journey, name: str
) -> None:
    scratch, expected = journey.scratches[name], journey.live[name]
    assert any(expected.values())
    assert await scratch.replay(journey.events) == expected
    loop = asyncio.get_running_loop()

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(order=st.permutations(journey.events * 2))
    def any_order(order: list[Recorded]) -> None:
        reached = asyncio.run_coroutine_threadsafe(scratch.replay(order), loop).result(60)
        assert reached == expected

    await asyncio.to_thread(any_order)
