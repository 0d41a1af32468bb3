from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from gateway.pages.wizard import patience
from gateway.texts import ACCEPTANCE
from shared.contract import Rejection
from shared.contracts.courses import CourseRows
from shared.contracts.documents import ListPieces
from shared.contracts.enrolment import (
    Application,
    CourseChoice,
    RecordCourseChoices,
    ShowApplication,
    SubmitApplication,
)
from shared.contracts.identity import MyFamily

from tests.forms import changed, filled_in, words
from tests.portal import Portal
from tests.wizard import BACK, NEXT, Household, a_hold, a_row, a_slot, household, in_turn

THURSDAY = a_slot()
ACCEPTED = [("accepted", "oui"), ("text_version", ACCEPTANCE["fr"].version), NEXT]
NOT_KNOWN_YET = Rejection("hold_not_known_yet", "La place retenue est en cours d'enregistrement.")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal) as seated:
        seated.answer({RecordCourseChoices: None})
        yield seated


@pytest.fixture
def applicant(family: Household, monkeypatch: pytest.MonkeyPatch) -> Household:
    """A family at the recap, with a seat held."""
    monkeypatch.setattr(patience, "_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(patience, "_PATIENCE_SECONDS", 0.05)
    row = a_row(THURSDAY)
    hold = a_hold(THURSDAY, row.follow_id)
    choice = CourseChoice(
        follow_id=row.follow_id,
        re_enrol=True,
        label=THURSDAY.label,
        course_id=THURSDAY.course_id,
        hold_id=hold.id,
        held_until=hold.expires_at,
    )
    changes = {"choices": (choice,), "remarks": "Alto"}
    application = family.stands_at(5).model_copy(update=changes)
    family.application = application
    family.answer({SubmitApplication: application})
    return family


def test_the_recap_shows_everything_with_a_way_back(applicant: Household) -> None:
    page = applicant.reads(applicant.at("recapitulatif"))
    shown = words(page)
    for text in (
        "Récapitulatif de la réinscription",
        "Code postal 92190",
        "Date de naissance 22/12/2014",
        "Droit à l'image Oui",
        "Autorisation de sortie Non",
        "Justificatif de domicile À fournir",
        f"{THURSDAY.label} Réinscription demandée",
        "Place retenue jusqu'au",
        "J'accepte",
        ACCEPTANCE["fr"].body,
    ):
        assert text in shown
    for step in ("coordonnees", "autorisations", "documents", "cours"):
        assert f'href="{applicant.at(step)}"' in page


def test_valider_needs_the_box(applicant: Household) -> None:
    path = applicant.at("recapitulatif")
    left_alone = filled_in(applicant.reads(path), path)
    assert "accepted" not in dict(left_alone)
    page = applicant.sends(path, changed(left_alone, remarks="Alto, puis cor"))
    assert "Cochez « J'accepte » pour valider votre demande" in words(page)
    assert ("remarks", "Alto, puis cor") in filled_in(page, path)
    assert not applicant.asked(SubmitApplication)


def test_valider_files_the_request_at_the_instant_it_came_in(applicant: Household) -> None:
    before = datetime.now(UTC)
    path = applicant.at("recapitulatif")
    filed = applicant.application.model_copy(update={"remarks": "Cor"})
    applicant.answer({SubmitApplication: filed})
    assert applicant.goes_on(path, [*ACCEPTED, ("remarks", "Cor")]) == applicant.at("finalisation")
    (asked,) = applicant.asked(SubmitApplication)
    assert before <= asked.received_at <= datetime.now(UTC)
    assert asked.accepted_text_version == ACCEPTANCE["fr"].version
    assert asked.remarks == "Cor"


def test_a_text_that_changed_is_to_be_accepted_again(applicant: Household) -> None:
    path = applicant.at("recapitulatif")
    page = applicant.sends(path, changed(list(ACCEPTED), text_version="acceptation-2020-01"))
    assert "Le texte à accepter a changé" in words(page)
    assert not applicant.asked(SubmitApplication)


def test_a_seat_held_an_instant_ago_is_waited_for(applicant: Household) -> None:
    filed = applicant.application.model_copy(update={"remarks": ""})
    applicant.answer({SubmitApplication: in_turn(NOT_KNOWN_YET, filed)})
    path = applicant.at("recapitulatif")
    assert applicant.goes_on(path, list(ACCEPTED)) == applicant.at("finalisation")
    first, second = applicant.asked(SubmitApplication)
    assert first == second


def test_a_seat_that_stays_unknown_leaves_the_recap_as_it_was(applicant: Household) -> None:
    applicant.answer({SubmitApplication: NOT_KNOWN_YET})
    path = applicant.at("recapitulatif")
    page = applicant.sends(path, [*ACCEPTED, ("remarks", "Cor")])
    assert "La place retenue est en cours d'enregistrement." in words(page)
    assert ("accepted", "oui") in filled_in(page, path)
    assert ("remarks", "Cor") in filled_in(page, path)


def test_a_lost_seat_leads_back_to_the_courses_with_what_was_typed(
    applicant: Household,
) -> None:
    (choice,) = applicant.application.choices
    lost = Rejection(
        "seat_not_held",
        f"La place n'est plus retenue pour : {THURSDAY.label}.",
        follow_ids=[str(choice.follow_id)],
    )
    applicant.answer(
        {SubmitApplication: lost, CourseRows: (a_row(THURSDAY, follow_id=choice.follow_id),)}
    )
    page = applicant.sends(applicant.at("recapitulatif"), [*ACCEPTED, ("remarks", "Cor")])
    assert "Cours suivis cette année" in words(page)
    assert f"La place n'est plus retenue pour : {THURSDAY.label}." in words(page)
    fields = filled_in(page, applicant.at("cours"))
    assert ("remarks", "Cor") in fields
    assert (f"cours-{choice.follow_id}-course_id", str(THURSDAY.course_id)) in fields


def test_going_back_from_the_recap_keeps_the_free_text(applicant: Household) -> None:
    path = applicant.at("recapitulatif")
    assert applicant.goes_on(path, [("remarks", "Cor"), BACK]) == applicant.at("cours")
    (asked,) = applicant.asked(RecordCourseChoices)
    assert asked.remarks == "Cor"
    assert asked.choices == applicant.application.choices


def test_going_back_stays_with_a_free_text_that_cannot_be_kept(applicant: Household) -> None:
    path = applicant.at("recapitulatif")
    page = applicant.sends(path, [("remarks", "a" * 4001), BACK])
    assert "4000 caractères au plus" in words(page)
    stopped = Rejection("site_stopped", "Les réinscriptions de ce site sont suspendues.")
    applicant.answer({RecordCourseChoices: stopped})
    page = applicant.sends(path, [("remarks", "Cor"), BACK])
    assert "Les réinscriptions de ce site sont suspendues." in words(page)
    assert ("remarks", "Cor") in filled_in(page, path)


def test_a_request_without_any_course_says_so(applicant: Household) -> None:
    (choice,) = applicant.application.choices
    left = CourseChoice(follow_id=choice.follow_id, re_enrol=False, label=choice.label)
    application: Application = applicant.application.model_copy(update={"choices": (left,)})
    applicant.answer({ShowApplication: application})
    page = words(applicant.reads(applicant.at("recapitulatif")))
    assert "Aucun cours n'est coché" in page


def test_the_recap_does_without_what_is_away(applicant: Household) -> None:
    applicant.without(MyFamily, ListPieces)
    page = words(applicant.reads(applicant.at("recapitulatif")))
    assert "Les coordonnées sont momentanément indisponibles" in page
    assert "Les pièces à fournir sont momentanément indisponibles" in page
    assert f"{THURSDAY.label} Réinscription demandée" in page
