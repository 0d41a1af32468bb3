"""Courses decided for several children in one act: all the seats, or none (S65)."""

from collections.abc import Iterator

import pytest
from shared.contract import Rejection
from shared.contracts.courses import CourseRow, CourseRows, HoldSeats
from shared.contracts.enrolment import (
    Application,
    CourseChoice,
    ListMyApplications,
    MyApplications,
    RecordCourseChoices,
    ShowApplication,
)
from shared.contracts.identity import MyFamily
from shared.identifiers import new_id

from tests.forms import Fields, filled_in, words
from tests.portal import Portal
from tests.wizard import NEXT, Household, a_row, a_slot, grant, household

THURSDAY = a_slot("FM 2.1 (33) - JEUDI - 17.00 à 18.30", seats_left=3)
MONDAY = a_slot("FM 3.1 (34) - LUNDI - 17.00 à 18.30", seats_left=1)
OWN, THEIRS = a_row(THURSDAY), a_row(MONDAY)
OFFER = "Choisir en même temps pour Léo : toutes les places ou aucune"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal) as seated:
        seated.stands_at(4)
        seated.answer({HoldSeats: grant(THURSDAY, MONDAY), RecordCourseChoices: None})
        seated.answer({CourseRows: (OWN,)})
        yield seated


@pytest.fixture
def leo(family: Household) -> Application:
    application = family.has_another("Léo").model_copy(update={"remarks": "Guitare"})
    family.other_applications[:] = [application]

    def rows(question: CourseRows) -> tuple[CourseRow, ...]:
        return (THEIRS,) if question.student_id == application.student_id else (OWN,)

    family.answer({CourseRows: rows})
    return application


def together(family: Household, leo: Application) -> str:
    """Give the address of the step that shows both."""
    return f"{family.at('cours')}?avec={leo.id}"


def both_chosen(page: str, path: str) -> Fields:
    """Tick both courses and choose their slots."""
    kept = [pair for pair in filled_in(page, path) if pair[0].endswith("hold_id")]
    answers = [
        (f"cours-{row.follow_id}-{name}", value)
        for row, slot in ((OWN, THURSDAY), (THEIRS, MONDAY))
        for name, value in (("re_enrol", "oui"), ("course_id", str(slot.course_id)))
    ]
    return [*kept, *answers, ("remarks", "Alto"), NEXT]


def test_the_other_children_at_the_step_are_offered(family: Household, leo: Application) -> None:
    family.has_another("Ana", step_reached=3)
    family.has_another("Zoé", step_reached=6, state="submitted")
    page = family.reads(family.at("cours"))
    assert OFFER in words(page)
    assert f'value="{leo.id}"' in page
    assert "Ana" not in page
    assert "Zoé" not in page


def test_nothing_is_offered_to_an_only_child(family: Household) -> None:
    assert "Choisir en même temps" not in words(family.reads(family.at("cours")))


def test_a_child_of_another_campaign_is_not_offered(family: Household, leo: Application) -> None:
    campaign = leo.campaign.model_copy(update={"id": new_id()})
    family.other_applications[:] = [leo.model_copy(update={"campaign": campaign})]
    assert "Choisir en même temps" not in words(family.reads(family.at("cours")))


def test_adding_a_child_keeps_what_was_typed(family: Household, leo: Application) -> None:
    path = family.at("cours")
    fields = [
        *[pair for pair in filled_in(family.reads(path), path) if pair[0] != "remarks"],
        (f"cours-{OWN.follow_id}-re_enrol", "oui"),
        (f"cours-{OWN.follow_id}-course_id", str(THURSDAY.course_id)),
        ("remarks", "Alto"),
        ("ajouter", str(leo.id)),
    ]
    page = family.sends(path, fields, status=200)
    assert "Cours suivis cette année : Léo" in words(page)
    kept = filled_in(page, path)
    assert ("avec", str(leo.id)) in kept
    assert ("remarks", "Alto") in kept
    assert (f"cours-{OWN.follow_id}-course_id", str(THURSDAY.course_id)) in kept
    assert not family.asked(HoldSeats)


def test_each_child_has_a_heading_and_fields_of_its_own_name(
    family: Household, leo: Application
) -> None:
    page = family.reads(together(family, leo))
    assert '<h2 class="govuk-heading-m">Émile</h2>' in page
    assert '<h2 class="govuk-heading-m">Léo</h2>' in page
    assert "Réinscription : FM 1.4 (12), Léo" in words(page)
    assert "Réinscription : FM 1.4 (12), Émile" in words(page)
    assert OFFER not in words(page)


def test_one_act_holds_for_all_then_each_is_recorded(family: Household, leo: Application) -> None:
    path = family.at("cours")
    fields = both_chosen(family.reads(together(family, leo)), path)
    led_to = family.goes_on(path, [*fields, ("avec", str(leo.id))])
    assert led_to == f"{family.at('recapitulatif')}?avec={leo.id}"
    (asked,) = family.asked(HoldSeats)
    assert [request.student_id for request in asked.requests] == [
        family.student.id,
        leo.student_id,
    ]
    own, other = family.asked(RecordCourseChoices)
    assert (own.application_id, own.remarks) == (family.application.id, "Alto")
    assert (other.application_id, other.remarks) == (leo.id, "Guitare")
    assert [choice.label for choice in own.choices] == [THURSDAY.label]
    assert [choice.label for choice in other.choices] == [MONDAY.label]


def test_the_recap_names_what_was_recorded_for_the_others(
    family: Household, leo: Application
) -> None:
    choice = CourseChoice(follow_id=THEIRS.follow_id, re_enrol=True, label=MONDAY.label)
    own = family.application.model_copy(update={"step_reached": 5})
    chosen = leo.model_copy(update={"step_reached": 5, "choices": (choice,)})
    family.answer(
        {
            ShowApplication: own,
            ListMyApplications: MyApplications(campaign=own.campaign, applications=(own, chosen)),
        }
    )
    shown = words(family.reads(f"{family.at('recapitulatif')}?avec={leo.id}"))
    assert f"Choix enregistrés en même temps pour Léo : {MONDAY.label}." in shown
    assert "Sa demande reste à valider" in shown


def test_a_refusal_is_said_beside_the_childs_row_and_nothing_is_recorded(
    family: Household, leo: Application
) -> None:
    path = family.at("cours")
    fields = both_chosen(family.reads(together(family, leo)), path)
    family.answer(
        {
            HoldSeats: Rejection(
                "course_full",
                f"Complet : il n'y a plus de place dans {MONDAY.label}.",
                follow_id=str(THEIRS.follow_id),
                course_id=str(MONDAY.course_id),
            )
        }
    )
    page = family.sends(path, [*fields, ("avec", str(leo.id))])
    assert f'href="#cours-{THEIRS.follow_id}-course_id"' in page
    assert f'href="#cours-{OWN.follow_id}-course_id"' not in page
    assert "rien n'a été retenu ni changé, pour aucun élève" in words(page)
    kept = filled_in(page, path)
    assert ("avec", str(leo.id)) in kept
    assert (f"cours-{OWN.follow_id}-course_id", str(THURSDAY.course_id)) in kept
    assert not family.asked(RecordCourseChoices)


def test_choosing_for_one_child_again_keeps_what_was_typed_for_them(
    family: Household, leo: Application
) -> None:
    path = family.at("cours")
    fields = both_chosen(family.reads(together(family, leo)), path)[:-1]
    page = family.sends(path, [*fields, ("avec", str(leo.id)), ("seul", "oui")], status=200)
    assert "Cours suivis cette année : " not in words(page)
    assert (f"cours-{OWN.follow_id}-course_id", str(THURSDAY.course_id)) in filled_in(page, path)


@pytest.mark.parametrize("stranger", [str(new_id()), "x"])
def test_another_familys_application_is_not_found(
    family: Household, leo: Application, stranger: str
) -> None:
    path = family.at("cours")
    family.reads(f"{path}?avec={stranger}", status=404)
    family.reads(f"{path}?avec={leo.id}&avec={stranger}", status=404)
    for name in ("avec", "ajouter"):
        family.sends(path, [(name, stranger), NEXT], status=404)
    assert not family.asked(RecordCourseChoices)


def test_a_child_whose_request_was_sent_meanwhile_is_left_out(
    family: Household, leo: Application
) -> None:
    path = family.at("cours")
    fields = both_chosen(family.reads(together(family, leo)), path)
    family.other_applications[:] = [leo.model_copy(update={"state": "submitted"})]
    led_to = family.goes_on(path, [*fields, ("avec", str(leo.id))])
    assert led_to == family.at("recapitulatif")
    assert [asked.application_id for asked in family.asked(RecordCourseChoices)] == [
        family.application.id
    ]


def test_names_that_are_unavailable_keep_nobody_from_choosing(
    family: Household, leo: Application
) -> None:
    family.without(MyFamily)
    assert "Choisir en même temps" not in words(family.reads(family.at("cours")))
    assert "un autre élève" in words(family.reads(together(family, leo)))


def test_more_seats_than_one_act_may_hold_are_refused_plainly(
    family: Household, leo: Application
) -> None:
    many = tuple(a_row(THURSDAY) for _ in range(11))
    family.answer({CourseRows: many})
    path = family.at("cours")
    fields = [
        (f"cours-{row.follow_id}-{name}", value)
        for row in many
        for name, value in (("re_enrol", "oui"), ("course_id", str(THURSDAY.course_id)))
    ]
    page = family.sends(path, [*fields, ("avec", str(leo.id)), NEXT])
    assert "20 créneaux au plus à la fois" in words(page)
    assert not family.asked(HoldSeats)
