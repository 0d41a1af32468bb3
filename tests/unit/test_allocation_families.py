"""Whose a row is: every family of its student may act for it, in its own site's campaign."""

from dataclasses import replace
from uuid import uuid4

import pytest
from courses.requests import Request
from courses.seats import Row

from tests.allocations import CAMPAIGN, Register, course, hold, join, place, row, submit


@pytest.fixture
def register() -> Register:
    return Register()


@pytest.fixture
def shared(register: Register) -> Row:
    """A row whose student lives with two families."""
    return register.follow(row()._replace(family_ids=(uuid4(), uuid4())))


def test_either_family_may_submit_what_the_other_chose(register: Register, shared: Row) -> None:
    first, second = shared.family_ids
    (seat,) = register.ask(hold(shared, register.open(), family_id=first))
    (kept,) = register.ask(hold(shared, register.courses[seat.course_id], family_id=second))
    assert kept.id == seat.id
    (claimed,) = register.ask(submit(shared, kept.id))
    assert (claimed.id, claimed.state) == (seat.id, "claimed")


def test_a_submission_claims_nothing_of_another_campaign(register: Register) -> None:
    of = register.follow()
    (seat,) = register.ask(hold(of, register.open()))
    assert register.ask(submit(of, seat.id)._replace(campaign_id=uuid4())) == ()


def test_a_row_of_another_site_is_not_of_the_campaign_whoever_asks(register: Register) -> None:
    elsewhere = uuid4()
    theirs = register.open(of=course(site_id=elsewhere))
    of = register.follow(row()._replace(site_id=elsewhere))
    asked: list[Request] = [
        hold(of, theirs),
        join(of, theirs),
        place(of, theirs),
        place(of, theirs, site_id=None),
    ]
    assert register.answers(*asked) == ["not_found"] * len(asked)
    register.campaigns[CAMPAIGN.id] = replace(CAMPAIGN, site_id=elsewhere)
    assert register.answers(hold(of, theirs)._replace(site_id=elsewhere)) == ["granted"]
