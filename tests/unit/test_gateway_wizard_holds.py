"""A held seat: its end shown, and kept longer at a press or by activity (S63; WCAG 2.2.1)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from gateway.texts import ACCEPTANCE
from shared.contract import Rejection
from shared.contracts.courses import CourseRows, Hold, RenewHolds
from shared.contracts.enrolment import CourseChoice, RecordCourseChoices, SubmitApplication
from shared.identifiers import new_id

from gateway import formats
from tests.forms import filled_in, words
from tests.portal import Portal
from tests.wizard import NEXT, Household, a_hold, a_row, a_slot, household

THURSDAY = a_slot()
KEEP = "Garder la place plus longtemps"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def hold() -> Hold:
    return a_hold(THURSDAY, new_id())


@pytest.fixture
def family(portal: Portal, hold: Hold) -> Iterator[Household]:
    """A family at the recap, with a seat held."""
    with household(portal) as seated:
        choice = CourseChoice(
            follow_id=hold.follow_id,
            re_enrol=True,
            label=hold.label,
            course_id=hold.course_id,
            hold_id=hold.id,
            held_until=hold.expires_at,
        )
        application = seated.stands_at(5)
        seated.application = application.model_copy(update={"choices": (choice,)})
        row = a_row(THURSDAY, follow_id=hold.follow_id, hold=hold)
        seated.answer({CourseRows: (row,), RecordCourseChoices: None, RenewHolds: (hold,)})
        yield seated


def prolonged(hold: Hold, minutes: int = 20) -> Hold:
    return hold.model_copy(update={"expires_at": datetime.now(UTC) + timedelta(minutes=minutes)})


@pytest.mark.parametrize("step", ["cours", "recapitulatif"])
def test_a_held_seat_shows_its_end_and_can_be_kept_longer(
    family: Household, hold: Hold, step: str
) -> None:
    page = family.reads(family.at(step))
    assert f"Place retenue jusqu'au {formats.instant(hold.expires_at)}" in words(page)
    assert f"{KEEP} : {hold.label}" in words(page)
    assert f'data-hold-id="{hold.id}"' in page


@pytest.mark.parametrize("step", ["cours", "recapitulatif"])
def test_keeping_it_longer_says_until_when_and_keeps_everything_typed(
    family: Household, hold: Hold, step: str
) -> None:
    path = family.at(step)
    kept = [pair for pair in filled_in(family.reads(path), path) if pair[0] != "remarks"]
    longer = prolonged(hold)
    family.answer({RenewHolds: (longer,)})
    typed = [*kept, ("remarks", "Alto"), ("prolonger", str(hold.id))]
    page = family.sends(path, typed, status=200)
    assert f"Place retenue jusqu'au {formats.instant(longer.expires_at)} : {hold.label}." in words(
        page
    )
    assert "60 minutes" not in words(page)
    assert ("remarks", "Alto") in filled_in(page, path)
    assert RenewHolds(hold_ids=(hold.id,)) in family.asked(RenewHolds)
    assert not family.asked(RecordCourseChoices)
    assert not family.asked(SubmitApplication)


def test_the_end_of_what_can_be_given_is_said(family: Household, hold: Hold) -> None:
    family.answer({RenewHolds: (prolonged(hold, minutes=7),)})
    page = family.sends(family.at("cours"), [("prolonger", str(hold.id))], status=200)
    assert "Les 60 minutes sont atteintes" in words(page)


def test_a_hold_that_has_ended_says_what_to_do(family: Household, hold: Hold) -> None:
    family.answer({RenewHolds: ()})
    page = family.sends(family.at("cours"), [("prolonger", str(hold.id))], status=200)
    assert "Cette place n'est plus retenue : choisissez de nouveau un créneau." in words(page)


def test_a_hold_of_another_family_is_not_found(family: Household) -> None:
    family.answer({RenewHolds: Rejection.not_found()})
    family.sends(family.at("cours"), [("prolonger", str(new_id()))], status=404)
    family.sends(family.at("cours"), [("prolonger", "x")], status=404)
    assert family.says("/places/prolonger", {"hold_ids": [str(new_id())]}).status_code == 404


@pytest.mark.parametrize(
    "end", [{"seat_lost": True, "held_until": None}, {"held_until": datetime.now(UTC)}]
)
def test_the_recap_leads_to_the_courses_where_a_seat_is_held_no_more(
    family: Household, hold: Hold, end: dict[str, object]
) -> None:
    (choice,) = family.application.choices
    lost = choice.model_copy(update=end)
    family.application = family.application.model_copy(update={"choices": (lost,)})
    page = family.reads(family.at("recapitulatif"))
    assert f"Cette place n'est plus retenue : {hold.label}." in words(page)
    assert f'href="{family.at("cours")}">Choisissez de nouveau' in page
    assert f'data-hold-id="{hold.id}"' not in page


def test_the_box_ticked_is_still_ticked_once_the_seat_is_kept_longer(
    family: Household, hold: Hold
) -> None:
    path = family.at("recapitulatif")
    typed = [
        ("accepted", "oui"),
        ("text_version", ACCEPTANCE["fr"].version),
        ("prolonger", str(hold.id)),
    ]
    page = family.sends(path, typed, status=200)
    assert ("accepted", "oui") in filled_in(page, path)


def test_the_script_prolongs_the_holds_of_the_page(family: Household, hold: Hold) -> None:
    longer = prolonged(hold)
    family.answer({RenewHolds: (longer,)})
    answer = family.says("/places/prolonger", {"hold_ids": [str(hold.id), str(hold.id)]})
    assert answer.status_code == 200
    (kept,) = answer.json()["holds"]
    assert kept["id"] == str(hold.id)
    assert kept["until"] == formats.instant(longer.expires_at)
    assert datetime.fromisoformat(kept["expires_at"]) == longer.expires_at
    assert hold.label in kept["text"]
    assert family.asked(RenewHolds)[-1].hold_ids == (hold.id,)


@pytest.mark.parametrize("hold_ids", [[], ["x"], [str(new_id()) for _ in range(21)]])
def test_the_script_is_refused_what_is_no_list_of_holds(
    family: Household, hold_ids: list[str]
) -> None:
    assert family.says("/places/prolonger", {"hold_ids": hold_ids}).status_code in {400, 422}


def test_the_first_button_of_the_step_goes_on(family: Household) -> None:
    """The Enter key presses a form's first button."""
    for step in ("cours", "recapitulatif"):
        form = family.reads(family.at(step)).split(f'<form action="{family.at(step)}"')[1]
        first = form[form.index("<button") :].split(">")[0]
        assert 'name="direction" value="suite"' in first
        assert NEXT == ("direction", "suite")
