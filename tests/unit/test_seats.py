"""The allocation of seats, as a rule without a server."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest
from courses.seats import HOLD, HOLD_AT_MOST, Room, Row, Seat, Slot, Wish, allocate, renewed
from hypothesis import given
from hypothesis import strategies as st
from shared.contract import Rejection

_NOW = datetime(2027, 5, 12, 8, tzinfo=UTC)
_SITE = uuid4()


def room(*, capacity: int = 1, taken: int = 0, weekday: str = "LUNDI", level: str = "2.1") -> Room:
    course_id = uuid4()
    return Room(
        course_id=course_id,
        site_id=_SITE,
        school_year="2027-2028",
        curriculum="FM",
        level=level,
        label=f"FM {level} ({str(course_id)[:4]})",
        teacher="",
        place="",
        slot=Slot(weekday, time(17), time(18, 30)),
        capacity=capacity,
        taken=taken,
    )


def row(student_id: UUID | None = None) -> Row:
    return Row(uuid4(), student_id or uuid4(), _SITE, "2027-2028", "FM", "2.1")


def wish(*rooms: Room, of: Row | None = None) -> Wish:
    return Wish(uuid4(), of or row(), tuple(each.course_id for each in rooms))


def by_id(*rooms: Room) -> dict[UUID, Room]:
    return {each.course_id: each for each in rooms}


def held(course: Room, of: Row, *, claimed: bool = False) -> Seat:
    return Seat(uuid4(), course.course_id, of.student_id, of.follow_id, claimed, _NOW, _NOW + HOLD)


def test_a_free_seat_is_held_for_twenty_minutes() -> None:
    course = room()
    asked = wish(course)
    (seat,) = allocate([asked], by_id(course), [], _NOW).granted
    assert (seat.id, seat.course_id) == (asked.hold_id, course.course_id)
    assert seat.expires_at - _NOW == timedelta(minutes=20)


def test_a_full_course_is_refused_by_its_name() -> None:
    course = room(capacity=3, taken=3)
    with pytest.raises(Rejection, match="course_full") as refusal:
        allocate([wish(course)], by_id(course), [], _NOW)
    assert refusal.value.facts["course_id"] == str(course.course_id)
    assert course.label in refusal.value.detail


def test_the_first_ranked_slot_with_a_seat_is_taken() -> None:
    full, free, spare = room(taken=1), room(), room()
    (seat,) = allocate([wish(full, free, spare)], by_id(full, free, spare), [], _NOW).granted
    assert seat.course_id == free.course_id


def test_a_new_choice_gives_up_the_old_seat() -> None:
    old, new = room(taken=1), room(weekday="MARDI")
    of = row()
    present = held(old, of)
    allocation = allocate([wish(new, of=of)], by_id(old, new), [present], _NOW)
    assert [seat.course_id for seat in allocation.granted] == [new.course_id]
    assert allocation.replaced == (present,)


def test_choosing_ones_own_seat_again_renews_it_even_in_a_full_course() -> None:
    course, of = room(taken=1), row()
    present = held(course, of)
    later = _NOW + timedelta(minutes=10)
    allocation = allocate([wish(course, of=of)], by_id(course), [present], later)
    assert [seat.id for seat in allocation.granted] == [present.id]
    assert allocation.replaced == ()
    assert allocation.granted[0].expires_at == later + HOLD


def test_two_children_may_swap_their_seats_in_one_act() -> None:
    first, second = room(taken=1), room(taken=1, weekday="MARDI")
    one, other = row(), row()
    kept = [held(first, one), held(second, other)]
    wishes = [wish(second, of=one), wish(first, of=other)]
    allocation = allocate(wishes, by_id(first, second), kept, _NOW)
    assert {seat.course_id for seat in allocation.granted} == {first.course_id, second.course_id}
    assert set(allocation.replaced) == set(kept)


def test_a_repeated_request_gives_its_seat_again_though_a_better_one_was_freed() -> None:
    better, second = room(), room(taken=1, weekday="MARDI")
    of = row()
    present = held(second, of)
    again = replace(wish(better, second, of=of), hold_id=present.id)
    (seat,) = allocate([again], by_id(better, second), [present], _NOW).granted
    assert (seat.id, seat.course_id) == (present.id, second.course_id)


def test_an_identifier_names_one_choice() -> None:
    first, second = room(taken=1), room(weekday="MARDI")
    of = row()
    present = held(first, of)
    elsewhere = replace(wish(second, of=of), hold_id=present.id)
    with pytest.raises(Rejection, match="hold_id_reused"):
        allocate([elsewhere], by_id(first, second), [present], _NOW)


def test_a_claimed_seat_is_not_changed_by_the_family() -> None:
    course, other, of = room(taken=1), room(weekday="MARDI"), row()
    with pytest.raises(Rejection, match="already_claimed"):
        allocate([wish(other, of=of)], by_id(course, other), [held(course, of, claimed=True)], _NOW)


def test_two_courses_at_the_same_time_cannot_be_chosen_together() -> None:
    first, second = room(), room()
    student = uuid4()
    wishes = [wish(first, of=row(student)), wish(second, of=row(student))]
    with pytest.raises(Rejection, match="same_time"):
        allocate(wishes, by_id(first, second), [], _NOW)


def test_two_children_may_be_taught_at_the_same_time() -> None:
    course = room(capacity=2)
    assert len(allocate([wish(course), wish(course)], by_id(course), [], _NOW).granted) == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"site_id": uuid4()}, "wrong_site"),
        ({"level": "2.2"}, "wrong_level"),
        ({"curriculum": "Piano"}, "wrong_level"),
        ({"school_year": "2026-2027"}, "wrong_level"),
        ({"slot": None}, "wrong_level"),
    ],
)
def test_a_course_that_is_not_on_offer_is_refused(change: dict[str, object], code: str) -> None:
    course = replace(room(), **change)  # type: ignore[arg-type]
    with pytest.raises(Rejection, match=code):
        allocate([wish(course)], by_id(course), [], _NOW)


def test_an_unknown_course_does_not_exist() -> None:
    with pytest.raises(Rejection, match="not_found"):
        allocate([wish(room())], {}, [], _NOW)


@given(st.lists(st.integers(min_value=0, max_value=59), max_size=12))
def test_activity_renews_a_hold_for_an_hour_at_most(minutes: list[int]) -> None:
    seat = held(room(), row())
    for minute in sorted(minutes):
        after = renewed(seat, _NOW + timedelta(minutes=minute))
        assert after.expires_at >= seat.expires_at
        seat = after
    assert seat.expires_at <= seat.held_at + HOLD_AT_MOST


@given(
    capacities=st.lists(st.integers(0, 4), min_size=1, max_size=4),
    families=st.lists(
        st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=3), min_size=1, max_size=3),
        max_size=12,
    ),
)
def test_seats_never_exceed_capacity_and_a_family_gets_all_or_nothing(
    capacities: list[int], families: list[list[list[int]]]
) -> None:
    """Families come one after the other, each with children who rank some of the courses."""
    days = ("LUNDI", "MARDI", "JEUDI", "VENDREDI")
    rooms = [
        room(capacity=capacity, weekday=day)
        for capacity, day in zip(capacities, days, strict=False)
    ]
    seats: dict[UUID, Seat] = {}
    refused: set[str] = set()
    for children in families:
        wishes = [wish(*(rooms[number % len(rooms)] for number in ranked)) for ranked in children]
        counted = by_id(
            *(
                replace(
                    each,
                    taken=sum(seat.course_id == each.course_id for seat in seats.values()),
                )
                for each in rooms
            )
        )
        try:
            allocation = allocate(wishes, counted, [], _NOW)
        except Rejection as refusal:
            refused.add(refusal.code)
            continue
        assert len(allocation.granted) == len(wishes)
        seats |= {seat.id: seat for seat in allocation.granted}
    assert refused <= {"course_full"}
    for each in rooms:
        taken = sum(seat.course_id == each.course_id for seat in seats.values())
        assert taken <= each.capacity
