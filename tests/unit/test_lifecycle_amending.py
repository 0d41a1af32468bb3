"""A submitted request is changed, and stands until what changes it is submitted: S74."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from enrolment import lifecycle
from enrolment import progress as steps
from enrolment.adoption import Placement, adopt
from enrolment.amending import abandon, amend, change_at_work
from enrolment.progress import Progress
from shared.contract import Rejection
from shared.contracts.enrolment import CourseChoice

from tests.lifecycles import (
    CAMPAIGN,
    CHOICE,
    OPEN,
    RECAP,
    choice,
    decline,
    hold,
    receipt,
    refusal,
    submit,
)

MINUTE = timedelta(minutes=1)
LATER = OPEN + 5 * MINUTE
FILED = submit()
FIRST = receipt().number
OTHER = choice(follow_id=CHOICE.follow_id, label="FM 2.1 (34) - MARDI - 17.00 à 18.30")
EVERY_HOLD = hold(claimed=True) | hold(OTHER)


def send(progress: Progress, *, replaces: str | None = FIRST, **changes: Any) -> Progress:
    """Click "Valider" at the recap of a change."""
    values: dict[str, Any] = {"at": LATER, "holds": EVERY_HOLD, "number": "second"}
    return submit(progress, replaces=replaces, **(values | changes))


def amended(progress: Progress = FILED, **changes: object) -> Progress:
    values: dict[str, object] = {"at": LATER, "is_claimed": True, "missing": ()}
    return amend(progress, CAMPAIGN, **(values | changes))  # type: ignore[arg-type]


def chosen(progress: Progress, *choices: CourseChoice) -> Progress:
    return change_at_work(
        progress, lambda draft: lifecycle.choose(draft, choices, "", CAMPAIGN, LATER)
    )


def test_a_request_stands_while_it_is_changed() -> None:
    changed = chosen(amended(), OTHER)
    assert replace(changed, amendment=None) == FILED
    assert changed.at_work.choices == (OTHER,)


def test_changing_begins_at_the_recap_with_what_was_submitted() -> None:
    draft = amended().at_work
    assert (draft.state, draft.step_reached, draft.receipt) == ("draft", steps.RECAP, None)
    assert draft.choices == FILED.choices
    assert draft.authorisations == FILED.authorisations


def test_changing_goes_on_where_it_was() -> None:
    changed = chosen(amended(), OTHER)
    assert amended(changed, at=LATER + MINUTE) == changed


def test_what_is_submitted_takes_the_place_of_the_request() -> None:
    sent = send(chosen(amended(), OTHER))
    assert sent.state == "submitted"
    assert sent.amendment is None
    assert sent.receipt == receipt(LATER, "second")
    assert [each.hold_id for each in sent.choices] == [OTHER.hold_id]


def test_what_is_submitted_unchanged_keeps_its_seats() -> None:
    sent = send(amended())
    assert [each.hold_id for each in sent.choices] == [CHOICE.hold_id]


@pytest.mark.parametrize("replaces", [None, "another"])
def test_valider_of_another_page_does_not_send_the_change(replaces: str | None) -> None:
    changed = chosen(amended(), OTHER)
    assert send(changed, replaces=replaces) == changed


def test_the_change_is_sent_once() -> None:
    sent = send(amended())
    assert send(sent, at=LATER + MINUTE, number="third") == sent


def test_a_change_that_was_abandoned_is_not_said_to_be_sent() -> None:
    assert refusal(lambda: send(abandon(amended()))).code == "amendment_abandoned"


def test_a_seat_lost_meanwhile_leaves_the_request_as_it_is() -> None:
    changed = chosen(amended(), OTHER)
    lost = EVERY_HOLD | hold(OTHER, released=True)
    refused = refusal(lambda: send(changed, holds=lost))
    assert refused.code == "seat_not_held"


def test_seats_that_courses_could_not_give_are_to_choose_again() -> None:
    draft = amended(missing={CHOICE.hold_id}).at_work
    assert draft.step_reached == steps.COURSES
    assert [each.hold_id for each in draft.choices] == [None]


def test_a_seat_that_was_replaced_serves_no_more_though_it_was_claimed() -> None:
    replaced = EVERY_HOLD | hold(claimed=True, released=True, replaced=True)
    assert refusal(lambda: send(amended(), holds=replaced)).code == "seat_not_held"


def test_a_request_whose_claims_are_not_known_is_changed_in_a_moment() -> None:
    refused = refusal(lambda: amended(is_claimed=False))
    assert (refused.code, refused.facts["retry_after_seconds"]) == ("claims_not_known_yet", 1)


@pytest.mark.parametrize("progress", [RECAP, decline(FILED)], ids=["draft", "declined"])
def test_only_what_was_submitted_is_changed(progress: Progress) -> None:
    assert refusal(lambda: amended(progress)).code == "not_submitted"


def test_a_request_is_changed_until_closing_to_the_second() -> None:
    amended(at=CAMPAIGN.closes_at - timedelta(seconds=1))
    assert refusal(lambda: amended(at=CAMPAIGN.closes_at)).code == "campaign_closed"
    with pytest.raises(Rejection, match="campaign_closed"):
        send(amended(), at=CAMPAIGN.closes_at)


def test_what_is_left_at_closing_can_be_abandoned_and_changes_nothing() -> None:
    assert abandon(chosen(amended(), OTHER)) == FILED


def test_another_amendment_than_the_one_abandoned_stays() -> None:
    changed = chosen(amended(), OTHER)
    assert abandon(changed, LATER - MINUTE) == changed
    assert abandon(changed, LATER) == FILED


def test_withdrawing_gives_up_the_seats_of_both() -> None:
    withdrawn = decline(chosen(amended(), OTHER), at=LATER)
    assert withdrawn.amendment is None
    assert withdrawn.given_up == {CHOICE.hold_id, OTHER.hold_id}


def test_a_seat_given_meanwhile_is_that_of_both() -> None:
    given = choice()
    assert given.hold_id
    assert given.course_id
    placed = Placement(
        hold_id=given.hold_id,
        follow_id=CHOICE.follow_id,
        course_id=given.course_id,
        label="FM 2.1 (35) - LUNDI - 17.00 à 18.30",
        replaces=CHOICE.hold_id,
        placed_at=LATER + MINUTE,
    )
    adopted = adopt(chosen(amended(), OTHER), [placed])
    assert [each.hold_id for each in adopted.choices] == [given.hold_id]
    assert [each.hold_id for each in adopted.at_work.choices] == [given.hold_id]
