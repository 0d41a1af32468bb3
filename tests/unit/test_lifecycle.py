"""The life of an application, without a server: S20 to S24, S60, S71, S74."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from enrolment import lifecycle
from enrolment import progress as steps
from enrolment.progress import Progress
from shared.contracts.enrolment import Campaign, CourseChoice

from tests.lifecycles import (
    ANSWERS,
    CAMPAIGN,
    CHOICE,
    OPEN,
    RECAP,
    SECOND,
    choice,
    decline,
    hold,
    receipt,
    refusal,
    submit,
)

ACTS: dict[str, Callable[[datetime], Progress]] = {
    "start": lambda at: lifecycle.start(Progress(), CAMPAIGN, at),
    "contact details": lambda at: lifecycle.complete(RECAP, 1, CAMPAIGN, at),
    "authorisations": lambda at: lifecycle.authorise(RECAP, ANSWERS, CAMPAIGN, at),
    "documents": lambda at: lifecycle.complete(RECAP, 3, CAMPAIGN, at),
    "courses": lambda at: lifecycle.choose(RECAP, [CHOICE], "", CAMPAIGN, at),
    "submit": lambda at: submit(at=at, holds=hold(expires_at=CAMPAIGN.closes_at)),
    "decline": lambda at: decline(RECAP, at),
    "take back": lambda at: lifecycle.take_back(decline(RECAP), CAMPAIGN, at),
}
FROM_THE_PREPARATION = ("start", "contact details", "authorisations", "documents")


@pytest.mark.parametrize("act", ACTS)
def test_each_act_opens_to_the_second(act: str) -> None:
    since = CAMPAIGN.prepares_at if act in FROM_THE_PREPARATION else CAMPAIGN.opens_at
    ACTS[act](since)
    refused = refusal(lambda: ACTS[act](since - SECOND))
    assert refused.code == "campaign_not_open"
    assert refused.facts["opens_at"] == since.isoformat()


@pytest.mark.parametrize("act", ACTS)
def test_each_act_closes_to_the_second(act: str) -> None:
    ACTS[act](CAMPAIGN.closes_at - SECOND)
    refused = refusal(lambda: ACTS[act](CAMPAIGN.closes_at))
    assert refused.code == "campaign_closed"
    assert refused.facts["closes_at"] == CAMPAIGN.closes_at.isoformat()


def test_a_step_waits_for_those_before_it() -> None:
    begun = lifecycle.complete(Progress(), 1, CAMPAIGN, OPEN)
    refused = refusal(lambda: lifecycle.choose(begun, [], "", CAMPAIGN, OPEN))
    assert refused.code == "steps_missing"
    assert refused.facts["steps"] == [2, 3]
    assert refused.facts["step_name"] == "Autorisations"


def test_submission_needs_the_four_steps() -> None:
    at_courses = replace(RECAP, step_reached=steps.COURSES)
    assert refusal(lambda: submit(at_courses)).facts["steps"] == [4]


def test_going_back_keeps_every_entry_and_the_last_step_reached() -> None:
    again = lifecycle.complete(RECAP, 1, CAMPAIGN, OPEN)
    assert again == RECAP
    other = ANSWERS.model_copy(update={"image_rights": False})
    changed = lifecycle.authorise(again, other, CAMPAIGN, OPEN, by="Madame TEST Nicole")
    answered = {"answered_by": "Madame TEST Nicole", "answered_at": OPEN, "revision": 1}
    assert changed == replace(RECAP, authorisations=other.model_copy(update=answered))


def test_the_second_guardian_to_answer_is_told_what_the_first_answered() -> None:
    other = ANSWERS.model_copy(update={"image_rights": False})
    shown = replace(RECAP, authorisations=None)
    first = lifecycle.authorise(shown, ANSWERS, CAMPAIGN, OPEN, by="Madame TEST Nicole", seen=0)
    refused = refusal(lambda: lifecycle.authorise(first, other, CAMPAIGN, OPEN, seen=0))
    assert refused.code == "authorisations_changed"
    assert (refused.facts["image_rights"], refused.facts["revision"]) == (True, 1)
    assert refused.facts["answered_by"] == "Madame TEST Nicole"
    again = lifecycle.authorise(first, other, CAMPAIGN, OPEN, by="Monsieur TEST Noé", seen=1)
    assert again.authorisations
    assert (again.authorisations.image_rights, again.authorisations.revision) == (False, 2)


def test_the_same_answers_from_both_guardians_are_those_of_the_first() -> None:
    shown = replace(RECAP, authorisations=None)
    first = lifecycle.authorise(shown, ANSWERS, CAMPAIGN, OPEN, by="Madame TEST Nicole", seen=0)
    assert lifecycle.authorise(first, ANSWERS, CAMPAIGN, OPEN, by="Noé", seen=0) == first


def test_validating_twice_keeps_the_first_receipt_even_after_closing() -> None:
    filed = submit(number="MEU-2027-000001-A")
    again = submit(filed, at=CAMPAIGN.closes_at + SECOND, number="MEU-2027-000002-B", holds={})
    assert again is filed


def test_a_submitted_application_takes_no_more_entries() -> None:
    filed = submit()
    for act in (
        lambda: lifecycle.complete(filed, 1, CAMPAIGN, OPEN),
        lambda: lifecycle.authorise(filed, ANSWERS, CAMPAIGN, OPEN),
        lambda: lifecycle.choose(filed, [], "", CAMPAIGN, OPEN),
    ):
        assert refusal(act).code == "already_submitted"
    assert lifecycle.start(filed, CAMPAIGN, OPEN) is filed


def test_a_submitted_application_can_be_withdrawn_until_closing() -> None:
    filed = submit()
    withdrawn = decline(filed, CAMPAIGN.closes_at - SECOND)
    assert (withdrawn.state, withdrawn.step_reached) == ("declined", steps.RECAP)
    assert withdrawn.receipt == receipt(CAMPAIGN.closes_at - SECOND)
    assert withdrawn.accepted_text_version is None
    assert refusal(lambda: decline(filed, CAMPAIGN.closes_at)).code == "campaign_closed"


def test_a_withdrawn_application_is_submitted_again_with_another_seat_and_receipt() -> None:
    draft = lifecycle.take_back(decline(submit()), CAMPAIGN, OPEN)
    assert (draft.state, draft.step_reached) == ("draft", steps.COURSES)
    other = choice()
    chosen = lifecycle.choose(draft, [other], "", CAMPAIGN, OPEN)
    again = submit(chosen, holds=hold(other), number="MEU-2027-000003-C")
    assert (again.state, again.choices) == ("submitted", (other,))
    assert again.receipt == receipt(number="MEU-2027-000003-C")


def test_a_seat_that_was_given_up_serves_no_more_even_where_its_claim_is_told_late() -> None:
    draft = lifecycle.take_back(decline(submit()), CAMPAIGN, OPEN)
    chosen = lifecycle.choose(draft, [CHOICE], "", CAMPAIGN, OPEN)
    assert refusal(lambda: submit(chosen)).code == "seat_not_held"
    assert refusal(lambda: submit(chosen, holds=hold(claimed=True))).code == "seat_not_held"
    assert refusal(lambda: submit(chosen, holds={})).code == "seat_not_held"


def test_a_refusal_clicked_before_the_submission_does_not_undo_it() -> None:
    filed = submit(at=OPEN)
    assert decline(filed, OPEN - SECOND) is filed
    assert decline(filed, OPEN).state == "declined"


def test_a_declined_application_is_taken_back_before_anything_else() -> None:
    declined = decline(RECAP)
    assert refusal(lambda: submit(declined)).code == "already_declined"
    assert refusal(lambda: lifecycle.complete(declined, 1, CAMPAIGN, OPEN)).code == (
        "already_declined"
    )


@pytest.mark.parametrize("reopen", [lifecycle.take_back, lifecycle.start])
def test_a_decline_has_a_receipt_and_taking_it_back_finds_every_entry_but_the_seats(
    reopen: Callable[[Progress, Campaign, datetime], Progress],
) -> None:
    declined = decline(RECAP)
    assert (declined.state, declined.receipt) == ("declined", receipt())
    assert decline(declined, CAMPAIGN.closes_at) is declined
    without_seat = CHOICE.model_copy(update={"course_id": None, "hold_id": None})
    assert reopen(declined, CAMPAIGN, OPEN) == replace(
        RECAP,
        step_reached=steps.COURSES,
        choices=(without_seat,),
        chosen_at=OPEN,
        given_up=frozenset(hold()),
    )


@pytest.mark.parametrize("reopen", [lifecycle.take_back, lifecycle.start])
def test_a_decline_taken_back_waits_for_the_courses_to_be_chosen_again(
    reopen: Callable[[Progress, Campaign, datetime], Progress],
) -> None:
    again = reopen(decline(RECAP), CAMPAIGN, OPEN)
    assert refusal(lambda: submit(again)).facts["steps"] == [steps.COURSES]
    other = choice()
    chosen = lifecycle.choose(again, [other], "", CAMPAIGN, OPEN)
    assert submit(chosen, holds=hold(other)).state == "submitted"


def test_a_decline_taken_back_early_goes_on_where_it_was() -> None:
    begun = replace(Progress(), step_reached=steps.AUTHORISATIONS)
    assert lifecycle.take_back(decline(begun), CAMPAIGN, OPEN) == replace(begun, chosen_at=OPEN)


def test_recording_the_same_choices_again_changes_nothing() -> None:
    chosen = lifecycle.choose(RECAP, [CHOICE], "", CAMPAIGN, OPEN)
    assert chosen.chosen_at == OPEN
    assert lifecycle.choose(chosen, [CHOICE], "", CAMPAIGN, OPEN + SECOND) == chosen
    assert lifecycle.choose(chosen, [], "", CAMPAIGN, OPEN + SECOND).chosen_at == OPEN + SECOND


def test_taking_back_what_is_not_declined_changes_nothing() -> None:
    assert lifecycle.take_back(RECAP, CAMPAIGN, CAMPAIGN.closes_at) is RECAP


def test_a_row_without_choice_needs_no_seat() -> None:
    by_level = choice(course_id=None, hold_id=None, label="Orchestre")
    left = choice(course_id=None, hold_id=None, re_enrol=False)
    chosen = lifecycle.choose(RECAP, [by_level, left], "Alto si possible", CAMPAIGN, OPEN)
    assert submit(chosen, holds={}).choices == (by_level, left)


@pytest.mark.parametrize(
    "choices",
    [
        [choice(course_id=None)],
        [choice(hold_id=None)],
        [choice(re_enrol=False)],
        [CHOICE, choice(follow_id=CHOICE.follow_id)],
        [choice(course_id=None, hold_id=None)],
        [choice(course_id=None, hold_id=None, label="FM, mardi de 17h00 à 18h30, salle 2")],
    ],
    ids=[
        "hold without course",
        "course without hold",
        "hold for nothing",
        "row twice",
        "slot without hold",
        "slot in other words",
    ],
)
def test_choices_that_contradict_themselves_are_refused(choices: list[CourseChoice]) -> None:
    refused = refusal(lambda: lifecycle.choose(RECAP, choices, "", CAMPAIGN, OPEN))
    assert (refused.code, refused.status) == ("invalid_choices", 422)


@pytest.mark.parametrize(
    "row",
    [
        {"label": "Orchestre 1 (52) - SAMEDI - 10.00 à 12.00 : Attribué d'office selon le niveau"},
        {"label": "Piano 1 (39) : Horaire à fixer avec le professeur début septembre"},
        {"label": "FM 1.2 (12) - MARDI - 17.00 à 18.00", "re_enrol": False},
    ],
    ids=["this year's hours and why there is no choice", "no hours", "not re-enrolled"],
)
def test_a_row_without_a_slot_keeps_the_words_that_the_family_read(row: dict[str, object]) -> None:
    read = choice(course_id=None, hold_id=None, **row)
    assert lifecycle.choose(RECAP, [read], "", CAMPAIGN, OPEN).choices == (read,)


def test_a_submitted_row_names_its_seat_by_the_words_of_courses() -> None:
    forged = CHOICE.model_copy(update={"label": "Cours particulier avec le directeur"})
    unseated = choice(course_id=None, hold_id=None, label="Alto")
    chosen = lifecycle.choose(RECAP, [forged, unseated], "", CAMPAIGN, OPEN)
    assert submit(chosen).choices == (CHOICE, unseated)


@pytest.mark.parametrize(
    "choices",
    [[], [choice(course_id=None, hold_id=None, re_enrol=False)]],
    ids=["no row", "no row re-enrolled"],
)
def test_a_request_for_nothing_at_all_is_not_filed(choices: list[CourseChoice]) -> None:
    chosen = lifecycle.choose(RECAP, choices, "", CAMPAIGN, OPEN)
    assert refusal(lambda: submit(chosen)).code == "nothing_asked"


def test_a_student_who_follows_nothing_this_year_asks_by_the_remarks() -> None:
    chosen = lifecycle.choose(RECAP, [], "Débuter la harpe", CAMPAIGN, OPEN)
    assert submit(chosen).state == "submitted"
    assert refusal(lambda: submit(chosen, remarks="")).code == "nothing_asked"


def test_remarks_of_the_recap_replace_those_of_the_courses_where_given() -> None:
    chosen = lifecycle.choose(RECAP, [CHOICE], "Une sœur à Sèvres", CAMPAIGN, OPEN)
    assert submit(chosen).remarks == "Une sœur à Sèvres"
    assert submit(chosen, remarks="Alto, puis violon").remarks == "Alto, puis violon"
    assert submit(chosen, remarks="").remarks == ""


@pytest.mark.parametrize(
    ("ago", "counts"),
    [
        (timedelta(0), True),
        (timedelta(minutes=2), True),
        (timedelta(minutes=2, seconds=1), False),
        (timedelta(seconds=-1), False),
    ],
)
def test_the_gateways_instant_counts_within_bounds(ago: timedelta, *, counts: bool) -> None:
    received_at = OPEN - ago
    assert lifecycle.counted_instant(received_at, OPEN) == (received_at if counts else OPEN)
