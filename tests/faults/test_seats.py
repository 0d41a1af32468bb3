"""The opening minute: many families, few seats, two replicas of courses."""

import asyncio
import time

import pytest
from shared.contract import Rejection

from tests.system import Household, System

pytestmark = pytest.mark.servers

_SEATS, _FAMILIES, _PATIENCE_SECONDS = 15, 200, 5.0


async def test_two_hundred_families_want_fifteen_seats(system: System) -> None:
    school = await system.school(families=_FAMILIES, seats=(_SEATS,))

    async def want(family: Household) -> tuple[str, float]:
        started = time.monotonic()
        try:
            await school.hold(family)
        except Rejection as refusal:
            return refusal.code, time.monotonic() - started
        return "held", time.monotonic() - started

    outcomes = await asyncio.gather(*(want(family) for family in school.families))
    answers = [answer for answer, _ in outcomes]
    assert answers.count("held") == _SEATS
    assert answers.count("course_full") == _FAMILIES - _SEATS
    assert max(waited for _, waited in outcomes) < _PATIENCE_SECONDS
    held = await system.count(
        "courses",
        "SELECT count(*) FROM seat WHERE course_id = $1 AND state = 'held'",
        school.course_id(),
    )
    assert held == _SEATS
    (row,) = await school.rows(school.families[0])
    assert [slot.seats_left for slot in row.slots] == [0]
