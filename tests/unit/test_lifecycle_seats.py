"""The seats of an application's choices, as enrolment knows them: S24, S63, S73."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from enrolment import lifecycle
from enrolment import progress as steps

from tests.lifecycles import (
    CAMPAIGN,
    CHOICE,
    OPEN,
    RECAP,
    SECOND,
    choice,
    hold,
    refusal,
    submit,
)


def test_a_submission_in_time_finds_its_seat_within_the_margin() -> None:
    last = OPEN + timedelta(minutes=20) + steps.HOLD_MARGIN
    assert submit(at=last).state == "submitted"
    refused = refusal(lambda: submit(at=last + SECOND))
    assert refused.code == "seat_not_held"
    assert refused.facts["follow_ids"] == [str(CHOICE.follow_id)]
    assert refused.facts["labels"] == [CHOICE.label]


def test_a_released_seat_is_not_held() -> None:
    assert refusal(lambda: submit(holds=hold(released=True))).code == "seat_not_held"


def test_a_claimed_seat_stays_valid() -> None:
    claimed = hold(claimed=True, released=True, expires_at=OPEN - timedelta(days=1))
    assert submit(holds=claimed).state == "submitted"


def test_a_hold_serves_the_very_choice_it_was_taken_for() -> None:
    another_row, another_course = hold(follow_id=uuid4()), hold(course_id=uuid4())
    assert refusal(lambda: submit(holds=another_row)).code == "seat_not_held"
    assert refusal(lambda: submit(holds=another_course)).code == "seat_not_held"


def test_a_hold_not_known_yet_asks_to_repeat_in_a_moment() -> None:
    refused = refusal(lambda: submit(holds={}))
    assert (refused.code, refused.status) == ("hold_not_known_yet", 409)
    assert refused.facts == {"retry_after_seconds": 1}


def test_a_seat_surely_lost_is_said_before_one_not_known_yet() -> None:
    progress = replace(RECAP, choices=(choice(), CHOICE))
    assert refusal(lambda: submit(progress, holds=hold(released=True))).code == "seat_not_held"


@pytest.mark.parametrize(
    ("known", "until", "is_lost"),
    [
        ({}, OPEN + timedelta(minutes=20), False),
        ({"released": True}, None, True),
        ({"claimed": True}, None, False),
        ({"claimed": True, "released": True}, None, False),
    ],
)
def test_a_choice_says_how_long_its_seat_is_kept(
    known: dict[str, object], until: datetime | None, *, is_lost: bool
) -> None:
    (shown,) = lifecycle.with_seats([CHOICE], hold(CHOICE, **known), missing=())
    assert (shown.held_until, shown.seat_lost) == (until, is_lost)


def test_a_seat_not_heard_of_yet_is_held_as_it_was_recorded() -> None:
    recorded = choice(held_until=OPEN)
    assert lifecycle.with_seats([recorded], {}, missing=()) == (recorded,)


def test_a_seat_that_courses_could_not_claim_is_lost() -> None:
    assert CHOICE.hold_id
    (shown,) = lifecycle.with_seats([CHOICE], hold(), missing=[CHOICE.hold_id])
    assert (shown.held_until, shown.seat_lost) == (None, True)


def test_choosing_the_same_again_with_a_renewed_hold_is_a_repeat() -> None:
    chosen = lifecycle.choose(RECAP, [choice(held_until=OPEN)], "", CAMPAIGN, OPEN)
    renewed = [each.model_copy(update={"held_until": OPEN + SECOND}) for each in chosen.choices]
    again = lifecycle.choose(chosen, renewed, "", CAMPAIGN, OPEN + SECOND)
    assert again.chosen_at == OPEN
    assert again.choices[0].held_until == OPEN + SECOND


def test_nobody_declares_a_seat_lost() -> None:
    chosen = lifecycle.choose(RECAP, [choice(seat_lost=True)], "", CAMPAIGN, OPEN)
    assert not chosen.choices[0].seat_lost
