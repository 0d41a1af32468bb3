"""Courses on a real database: the offer, holds, claims, and what the imports refuse."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from courses import tables
from courses.app import service
from courses.seats import HOLD, MARGIN
from shared.contract import Rejection
from shared.contracts.courses import HoldSeats, ImportCourses, ReleaseSeat
from shared.contracts.identity import FamiliesRecorded, FamilyRecord, StudentRecord
from shared.identifiers import new_id
from shared.settings import ServiceSettings
from stack.running import Stack

from tests.harness import Running, family_caller, operator, running
from tests.integration.schooling import School, group, lines, open_school

pytestmark = pytest.mark.servers

_OUT_OF_TIME = HOLD + MARGIN + timedelta(minutes=1)


@pytest.fixture(scope="module")
async def courses(servers: Stack) -> AsyncIterator[Running[ServiceSettings]]:
    async with running(servers, service, ServiceSettings) as replica:
        yield replica


@pytest.fixture
async def school(courses: Running[ServiceSettings]) -> School:
    return await open_school(courses)


async def test_the_last_seat_goes_to_one_family_and_the_other_is_told_it_is_full(
    school: School,
) -> None:
    families = [await school.family(f"E{number}") for number in range(6)]
    outcomes = await asyncio.gather(
        *(
            school.hold(caller, school.wish(f"E{number}", 1))
            for number, caller in enumerate(families)
        ),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Rejection)]
    assert len(outcomes) - len(refused) == 1
    assert {refusal.code for refusal in refused} == {"course_full"}
    assert (await school.seats_left(families[0], "E0"))[school.course_id(1)] == 0


async def test_the_first_ranked_slot_with_a_seat_is_held(school: School) -> None:
    first, second = await school.family("A"), await school.family("B")
    await school.hold(first, school.wish("A", 1))
    (hold,) = await school.hold(second, school.wish("B", 1, 2))
    assert hold.course_id == school.course_id(2)


async def test_a_new_choice_swaps_the_seat_in_one_act(school: School) -> None:
    caller = await school.family("A")
    await school.hold(caller, school.wish("A", 1))
    (hold,) = await school.hold(caller, school.wish("A", 2))
    left = await school.seats_left(caller, "A")
    assert (left[school.course_id(1)], left[school.course_id(2)]) == (1, 1)
    assert hold.course_id == school.course_id(2)


async def test_a_refused_swap_keeps_the_present_seat(school: School) -> None:
    first, second = await school.family("A"), await school.family("B")
    await school.hold(first, school.wish("A", 1))
    await school.hold(second, school.wish("B", 2))
    with pytest.raises(Rejection, match="course_full"):
        await school.hold(second, school.wish("B", 1))
    assert (await school.seats_left(second, "B"))[school.course_id(2)] == 1


async def test_repeating_a_request_gives_the_same_hold(school: School) -> None:
    caller = await school.family("A")
    wish = school.wish("A", 2)
    (first,) = await school.hold(caller, wish)
    again = await asyncio.gather(*(school.hold(caller, wish) for _ in range(5)))
    assert {hold.id for (hold,) in again} == {first.id}
    assert (await school.seats_left(caller, "A"))[school.course_id(2)] == 1


async def test_two_tabs_choosing_differently_end_with_one_seat(school: School) -> None:
    caller = await school.family("A")
    await asyncio.gather(
        *(school.hold(caller, school.wish("A", group)) for group in (1, 2, 1, 2, 1, 2))
    )
    left = await school.seats_left(caller, "A")
    assert sum(left.values()) == 2


async def test_a_family_gets_all_its_seats_or_none(school: School) -> None:
    caller = await school.family("A", "B")
    with pytest.raises(Rejection, match="course_full"):
        await school.hold(caller, school.wish("A", 1), school.wish("B", 1))
    assert (await school.seats_left(caller, "A"))[school.course_id(1)] == 1
    holds = await school.hold(caller, school.wish("A", 2), school.wish("B", 2))
    assert len(holds) == 2


async def test_a_course_of_another_level_is_refused(school: School) -> None:
    caller = await school.family("A")
    with pytest.raises(Rejection, match="wrong_level"):
        await school.hold(caller, school.wish("A", 3))


async def test_another_familys_student_does_not_exist(school: School) -> None:
    await school.family("A")
    stranger = family_caller(site_id=school.site_id)
    with pytest.raises(Rejection, match="not_found"):
        await school.hold(stranger, school.wish("A", 1))
    with pytest.raises(Rejection, match="not_found"):
        await school.seats_left(stranger, "A")


async def test_another_familys_hold_cannot_be_taken_by_its_identifier(school: School) -> None:
    owner, stranger = await school.family("A"), await school.family("B")
    wish = school.wish("A", 2)
    (hold,) = await school.hold(owner, wish)
    same_id = school.wish("B", 2).model_copy(update={"hold_id": hold.id})
    with pytest.raises(Rejection, match="not_found"):
        await school.hold(stranger, same_id)
    assert (await school.seats_left(owner, "A"))[school.course_id(2)] == 1


async def test_an_identifier_serves_one_choice(school: School) -> None:
    caller = await school.family("A")
    wish = school.wish("A", 2)
    await school.hold(caller, wish)
    elsewhere = school.wish("A", 1).model_copy(update={"hold_id": wish.hold_id})
    with pytest.raises(Rejection, match="hold_id_reused"):
        await school.hold(caller, elsewhere)


async def test_a_seat_given_back_is_free_again(school: School) -> None:
    caller = await school.family("A")
    (hold,) = await school.hold(caller, school.wish("A", 1))
    with pytest.raises(Rejection, match="not_found"):
        await school.running.ask(ReleaseSeat(hold_id=hold.id), family_caller())
    await school.running.ask(ReleaseSeat(hold_id=hold.id), caller)
    await school.running.ask(ReleaseSeat(hold_id=hold.id), caller)
    assert (await school.seats_left(caller, "A"))[school.course_id(1)] == 1


async def test_an_expired_hold_is_swept_and_its_seat_freed(school: School) -> None:
    caller = await school.family("A")
    (hold,) = await school.hold(caller, school.wish("A", 1))
    await school.age(tables.seat, hold.id, _OUT_OF_TIME)
    await school.sweep()
    assert (await school.seats_left(caller, "A"))[school.course_id(1)] == 1


async def test_a_submission_claims_its_seat_once_whatever_is_repeated(school: School) -> None:
    caller = await school.family("A")
    (hold,) = await school.hold(caller, school.wish("A", 1))
    submitted, event_id = school.submitted(caller, "A", hold), new_id()
    await school.running.react(submitted, event_id=event_id)
    await school.running.react(submitted, event_id=event_id)
    await school.running.react(submitted)
    assert (await school.seats_left(caller, "A"))[school.course_id(1)] == 0
    with pytest.raises(Rejection, match="already_claimed"):
        await school.running.ask(ReleaseSeat(hold_id=hold.id), caller)


async def test_a_submission_heard_after_its_hold_was_swept_takes_the_seat_back(
    school: School,
) -> None:
    caller = await school.family("A")
    (hold,) = await school.hold(caller, school.wish("A", 1))
    await school.age(tables.seat, hold.id, _OUT_OF_TIME)
    await school.sweep()
    await school.submit(caller, "A", hold)
    assert (await school.seats_left(caller, "A"))[school.course_id(1)] == 0


async def test_a_submission_heard_after_its_seat_went_to_another_takes_nothing_over(
    school: School,
) -> None:
    late, quick = await school.family("A"), await school.family("B")
    (hold,) = await school.hold(late, school.wish("A", 1))
    await school.age(tables.seat, hold.id, _OUT_OF_TIME)
    await school.sweep()
    (other,) = await school.hold(quick, school.wish("B", 1))
    await school.submit(late, "A", hold)
    async with school.running.database.transaction() as tx:
        rows = await tx.execute(sa.select(tables.seat.c.id, tables.seat.c.state))
        states = {row.id: row.state for row in rows}
    assert (states[hold.id], states[other.id]) == ("released", "held")


async def test_a_hold_is_given_back_only_with_what_is_asked_for(school: School) -> None:
    caller, rival = await school.family("A", "B"), await school.family("C")
    (kept,) = await school.hold(caller, school.wish("A", 2))
    await school.hold(rival, school.wish("C", 1))
    full = HoldSeats(
        campaign_id=school.campaign_id, requests=(school.wish("B", 1),), give_back=(kept.id,)
    )
    with pytest.raises(Rejection, match="course_full"):
        await school.running.ask(full, caller)
    assert await _live(school) == 2
    free = full.model_copy(update={"requests": (school.wish("B", 2),)})
    await school.running.ask(free, caller)
    assert await _live(school) == 2


async def _live(school: School) -> int:
    async with school.running.database.transaction() as tx:
        count = await tx.scalar(
            sa.select(sa.func.count())
            .select_from(tables.seat)
            .where(tables.seat.c.campaign_id == school.campaign_id)
            .where(tables.seat.c.state != "released")
        )
    return count or 0


async def test_the_same_row_twice_is_refused(school: School) -> None:
    caller = await school.family("A")
    twice = HoldSeats.model_construct(
        campaign_id=school.campaign_id,
        requests=(school.wish("A", 1), school.wish("A", 2)),
        give_back=(),
    )
    with pytest.raises(Rejection, match="invalid"):
        await school.running.ask(twice, caller)


async def test_a_student_belongs_to_one_family_whatever_the_order_of_the_news(
    school: School,
) -> None:
    student_id = new_id()

    def news(family_id: UUID, revision: int, *students: UUID) -> FamiliesRecorded:
        record = FamilyRecord(
            id=family_id,
            site_id=school.site_id,
            name="ESSAI",
            revision=revision,
            guardians=(),
            students=tuple(
                StudentRecord(id=each, last_name="ESSAI", first_name="X", birth_on=None)
                for each in students
            ),
        )
        return FamiliesRecorded(families=(record,))

    first, second = new_id(), new_id()
    for event in (news(second, 1, student_id), news(first, 2), news(first, 1, student_id)):
        await school.running.react(event)
    async with school.running.database.transaction() as tx:
        families = await tx.scalars(
            sa.select(tables.student.c.family_id).where(tables.student.c.id == student_id)
        )
        assert list(families) == [second]


async def test_declining_frees_what_was_held_before_and_not_after(school: School) -> None:
    caller = await school.family("A")
    await school.hold(caller, school.wish("A", 1))
    declined = school.declined(caller, "A")
    await school.running.react(declined)
    assert (await school.seats_left(caller, "A"))[school.course_id(1)] == 1
    await school.hold(caller, school.wish("A", 1))
    await school.running.react(declined)
    assert (await school.seats_left(caller, "A"))[school.course_id(1)] == 0


async def test_a_broken_line_refuses_the_whole_file(school: School) -> None:
    with pytest.raises(Rejection) as refusal:
        await school.running.ask(
            ImportCourses(
                lines=lines(
                    group("X", "X-1", "2.1", "LUNDI"),
                    group("X", "X-2", "2.1", "LUNDI", capacity="beaucoup"),
                    group("X", "X-3", "2.1", "", starts_at=""),
                )
            ),
            operator(),
        )
    errors = refusal.value.facts["errors"]
    assert isinstance(errors, list)
    assert [(error["line"], error["column"]) for error in errors] == [(3, "capacite"), (4, "jour")]
    async with school.running.database.transaction() as tx:
        kept = await tx.scalar(sa.select(tables.course.c.id).where(tables.course.c.code == "X-1"))
    assert kept is None


async def test_only_an_operator_imports(school: School) -> None:
    with pytest.raises(Rejection, match="not_found"):
        await school.running.ask(ImportCourses(lines=()), family_caller())
