"""Seats: the values that an allocation is about."""

from datetime import time, timedelta
from uuid import uuid4

import pytest
from courses.seats import (
    HOLD,
    HOLD_AT_MOST,
    Filing,
    Place,
    Seat,
    Slot,
    renewed,
    seats_left,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.allocations import MINUTE, NOW

_SLOT = Slot("LUNDI", time(17), time(18, 30))


def _held() -> Seat:
    return Seat(uuid4(), uuid4(), uuid4(), uuid4(), uuid4(), uuid4(), "held", NOW, NOW + HOLD)


@pytest.mark.parametrize(
    ("weekday", "starts_at", "ends_at", "meets"),
    [
        ("LUNDI", time(17), time(18, 30), True),
        ("LUNDI", time(18), time(19), True),
        ("LUNDI", time(16), time(20), True),
        ("LUNDI", time(18, 30), time(19), False),
        ("LUNDI", time(16), time(17), False),
        ("MARDI", time(17), time(18, 30), False),
    ],
)
def test_two_slots_meet_where_nobody_could_attend_both(
    weekday: str, starts_at: time, ends_at: time, meets: bool
) -> None:
    other = Slot(weekday, starts_at, ends_at)
    assert _SLOT.meets_during(other) is meets
    assert other.meets_during(_SLOT) is meets


def test_activity_renews_a_hold_for_twenty_minutes_more() -> None:
    later = NOW + 15 * MINUTE
    assert renewed(_held(), later).expires_at == later + timedelta(minutes=20)


@given(st.lists(st.integers(min_value=0, max_value=90), max_size=12))
def test_activity_renews_a_hold_for_an_hour_at_most(minutes: list[int]) -> None:
    seat = _held()
    for minute in sorted(minutes):
        after = renewed(seat, NOW + minute * MINUTE)
        assert after.expires_at >= seat.expires_at
        seat = after
    assert seat.expires_at <= seat.held_at + HOLD_AT_MOST


@given(capacity=st.integers(0, 9), taken=st.integers(0, 9), waiting=st.integers(0, 9))
def test_what_is_left_is_what_is_free_beyond_those_who_wait(
    capacity: int, taken: int, waiting: int
) -> None:
    left = seats_left(capacity, taken, waiting)
    assert 0 <= left <= capacity
    assert left == 0 or left + waiting + taken == capacity


def test_an_application_is_filed_until_it_is_declined_and_again_from_its_next_submission() -> None:
    assert not Filing().is_filed
    assert not Filing(declined_at=NOW).is_filed
    assert Filing(filed_at=NOW).is_filed
    assert not Filing(filed_at=NOW, declined_at=NOW + MINUTE).is_filed
    assert Filing(filed_at=NOW + MINUTE, declined_at=NOW).is_filed


@pytest.mark.parametrize(
    ("state", "is_live"),
    [("waiting", True), ("offered", True), ("accepted", False), ("expired", False)],
)
def test_a_place_is_live_until_it_has_its_answer(state: str, is_live: bool) -> None:
    place = Place(
        id=uuid4(),
        campaign_id=uuid4(),
        course_id=uuid4(),
        family_id=uuid4(),
        student_id=uuid4(),
        follow_id=uuid4(),
        state=state,  # type: ignore[arg-type]
        joined_at=NOW,
        offered_until=None,
    )
    assert place.is_live is is_live
