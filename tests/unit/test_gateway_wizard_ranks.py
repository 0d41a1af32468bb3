"""Up to three slots in order for a row of step 4: the first one free is held (S63)."""

from collections.abc import Iterator

import pytest
from shared.contracts.courses import CourseRow, CourseRows, HoldSeats, Slot
from shared.contracts.enrolment import CourseChoice, RecordCourseChoices, ShowApplication
from shared.identifiers import new_id

from tests.forms import Fields, filled_in, words
from tests.portal import Portal
from tests.wizard import NEXT, Household, a_hold, a_row, a_slot, grant, household

THURSDAY = a_slot("FM 2.1 (33) - JEUDI - 17.00 à 18.30", seats_left=3)
MONDAY = a_slot("FM 2.1 (34) - LUNDI - 17.00 à 18.30", seats_left=1)
TUESDAY = a_slot("FM 2.1 (35) - MARDI - 17.00 à 18.30", seats_left=2)
FULL = a_slot("FM 2.1 (36) - VENDREDI - 17.00 à 18.30", seats_left=0)
ROW = a_row(THURSDAY, MONDAY, TUESDAY, FULL)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal) as seated:
        seated.stands_at(4)
        granted = grant(THURSDAY, MONDAY, TUESDAY)
        seated.answer({HoldSeats: granted, RecordCourseChoices: None, CourseRows: (ROW,)})
        yield seated


def ranked(family: Household, *slots: Slot, row: CourseRow = ROW) -> Fields:
    """Tick the course and choose its slots, in order, on the page as it is."""
    path = family.at("cours")
    page = family.reads(path)
    prefix = f"cours-{row.follow_id}"
    (hold_id,) = [pair for pair in filled_in(page, path) if pair[0] == f"{prefix}-hold_id"]
    names = ("course_id", "second_id", "third_id")
    choices = [
        (f"{prefix}-{name}", str(slot.course_id)) for name, slot in zip(names, slots, strict=False)
    ]
    return [hold_id, (f"{prefix}-re_enrol", "oui"), *choices, NEXT]


def test_second_and_third_choices_are_proposed_among_the_free_slots(family: Household) -> None:
    page = family.reads(family.at("cours"))
    shown = words(page)
    assert "2e choix, si le premier est complet : FM 1.4 (12)" in shown
    assert "3e choix, si les deux premiers sont complets : FM 1.4 (12)" in shown
    (second,) = [part for part in page.split("<select")[1:] if "second_id" in part[:200]]
    offered = second.split("</select>")[0]
    assert str(MONDAY.course_id) in offered
    assert str(FULL.course_id) not in offered


def test_no_later_choice_is_proposed_where_one_slot_is_free(family: Household) -> None:
    family.answer({CourseRows: (a_row(THURSDAY, FULL),)})
    assert "2e choix" not in words(family.reads(family.at("cours")))


def test_ranked_choices_are_asked_for_in_one_act(family: Household) -> None:
    fields = ranked(family, MONDAY, TUESDAY, THURSDAY)
    assert family.goes_on(family.at("cours"), fields) == family.at("recapitulatif")
    ((request,),) = [asked.requests for asked in family.asked(HoldSeats)]
    assert request.course_ids == (MONDAY.course_id, TUESDAY.course_id, THURSDAY.course_id)


def test_a_later_choice_that_was_obtained_is_said_at_the_recap(family: Household) -> None:
    family.answer({HoldSeats: grant(THURSDAY)})
    path = family.goes_on(family.at("cours"), ranked(family, MONDAY, THURSDAY))
    (recorded,) = family.asked(RecordCourseChoices)
    assert [choice.label for choice in recorded.choices] == [THURSDAY.label]
    chosen = family.stands_at(5).model_copy(update={"choices": recorded.choices})
    family.answer({ShowApplication: chosen})
    shown = words(family.reads(path.replace(path.split("/")[2], str(chosen.id))))
    assert f"Votre 1er choix était complet : la place retenue est {THURSDAY.label}." in shown


def test_the_recap_says_nothing_of_a_row_that_is_not_its_own(family: Household) -> None:
    choice = CourseChoice(follow_id=ROW.follow_id, re_enrol=True, label=THURSDAY.label)
    chosen = family.stands_at(5).model_copy(update={"choices": (choice,)})
    family.answer({ShowApplication: chosen})
    for told in (f"{new_id()}.2", f"{ROW.follow_id}.9", "x"):
        shown = words(family.reads(f"/dossiers/{chosen.id}/recapitulatif?obtenu={told}"))
        assert "était complet" not in shown
        assert "étaient complets" not in shown


@pytest.mark.parametrize(
    ("slots", "message", "field"),
    [
        ((MONDAY, MONDAY), "FM 1.4 (12) : le 2e choix est le même que le 1er", "second_id"),
        ((MONDAY, TUESDAY, TUESDAY), "le 3e choix est déjà le 1er ou le 2e", "third_id"),
    ],
)
def test_a_choice_given_twice_is_refused_beside_its_field(
    family: Household, slots: tuple[Slot, ...], message: str, field: str
) -> None:
    path = family.at("cours")
    page = family.sends(path, ranked(family, *slots))
    assert message in words(page)
    assert f'href="#cours-{ROW.follow_id}-{field}"' in page
    assert (f"cours-{ROW.follow_id}-second_id", str(slots[1].course_id)) in filled_in(page, path)
    assert not family.asked(HoldSeats)


def test_a_later_choice_needs_a_first(family: Household) -> None:
    path = family.at("cours")
    fields = [pair for pair in ranked(family, MONDAY, TUESDAY) if "course_id" not in pair[0]]
    assert "Choisissez un créneau pour FM 1.4 (12)" in words(family.sends(path, fields))
    assert not family.asked(HoldSeats)


def test_one_page_and_one_ranked_choice_make_one_identifier(family: Household) -> None:
    path = family.at("cours")
    fields = ranked(family, MONDAY, TUESDAY)
    other = [
        (name, str(THURSDAY.course_id)) if name.endswith("second_id") else (name, value)
        for name, value in fields
    ]
    for sent in (fields, fields, other):
        family.goes_on(path, sent)
    first, second, third = [asked.requests[0].hold_id for asked in family.asked(HoldSeats)]
    assert first == second
    assert third != first


def test_the_same_page_sent_again_asks_for_the_very_seat_that_it_obtained(
    family: Household,
) -> None:
    path = family.at("cours")
    family.answer({HoldSeats: grant(THURSDAY)})
    fields = ranked(family, MONDAY, THURSDAY)
    family.goes_on(path, fields)
    (first,) = family.asked(HoldSeats)
    held = a_hold(THURSDAY, ROW.follow_id, first.requests[0].hold_id)
    family.answer({CourseRows: (ROW.model_copy(update={"hold": held}),)})
    family.goes_on(path, fields)
    assert family.asked(HoldSeats) == [first, first]


def test_a_second_choice_that_filled_up_is_still_shown_as_typed(family: Household) -> None:
    path = family.at("cours")
    fields = ranked(family, MONDAY, TUESDAY)
    filled_up = TUESDAY.model_copy(update={"seats_left": 0})
    row = a_row(THURSDAY, MONDAY, filled_up, follow_id=ROW.follow_id)
    family.answer({CourseRows: (row,)})
    page = family.sends(path, [pair for pair in fields if "course_id" not in pair[0]])
    assert f"{TUESDAY.label} (Complet)" in page
    assert (f"cours-{ROW.follow_id}-second_id", str(TUESDAY.course_id)) in filled_in(page, path)
