"""What is left to do for each child, on home."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from shared.contracts.courses import MyWaitingPlaces
from shared.contracts.documents import Missing, MissingPiece, MissingPieces
from shared.contracts.enrolment import CourseChoice, ListMyApplications, MyApplications
from shared.contracts.identity import MyFamily, Student
from shared.identifiers import new_id

from tests.portal import Portal
from tests.portal_reader import (
    ANA,
    DAY,
    LEO,
    NOW,
    Reader,
    a_campaign,
    a_family,
    a_place,
    an_application,
    offered,
)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def reader(gateway: Portal) -> Reader:
    return Reader(gateway)


def card(home: str, student: Student) -> str:
    """The part of home that is about one child."""
    (found,) = re.findall(
        rf'<section class="rentree-card"(?:(?!</section>).)*{student.id}.*?</section>', home
    )
    assert isinstance(found, str)
    return found


def a_choice(left: timedelta | None = timedelta(minutes=12)) -> CourseChoice:
    """A slot chosen, whose seat is held for a while, or claimed."""
    return CourseChoice(
        follow_id=new_id(),
        re_enrol=True,
        label="FM 2.1 (33)",
        course_id=new_id(),
        hold_id=new_id(),
        held_until=None if left is None else datetime.now(UTC) + left,
    )


def lacking(due_in: timedelta = DAY) -> Missing:
    return Missing(
        due_at=NOW + due_in,
        pieces=(
            MissingPiece(type_code="domicile", name="Justificatif de domicile", owner="family"),
            MissingPiece(
                type_code="danse",
                name="Certificat médical DANSE",
                owner="student",
                refusal="Illisible",
            ),
        ),
    )


def test_the_steps_that_are_left_are_named(reader: Reader) -> None:
    draft = an_application(a_campaign(), "draft")
    reader.stands_at(draft.campaign, draft)
    of_leo = card(reader.read("/accueil"), LEO)
    assert "Terminer 3 étapes : Documents, Cours, Récapitulatif" in of_leo
    assert "Ce qu'il vous reste à faire" not in card(reader.read("/accueil"), ANA)

    last = draft.model_copy(update={"step_reached": 5})
    reader.stands_at(draft.campaign, last)
    assert "Terminer une étape : Récapitulatif" in reader.read("/accueil")


def test_what_could_be_prepared_is_said_to_be(reader: Reader) -> None:
    campaign = a_campaign(opens_in=DAY)
    ready = an_application(campaign, "draft").model_copy(update={"step_reached": 4})
    reader.stands_at(campaign, ready)
    assert "Tout ce qui peut être préparé l'est" in reader.read("/accueil")


def test_a_place_held_says_until_when_to_validate(reader: Reader) -> None:
    draft = an_application(a_campaign(), "draft").model_copy(update={"choices": (a_choice(),)})
    reader.stands_at(draft.campaign, draft)
    of_leo = card(reader.read("/accueil"), LEO)
    assert "Valider la demande avant le" in of_leo
    assert "pour garder la place retenue : FM 2.1 (33)" in of_leo


@pytest.mark.parametrize("left", [None, -timedelta(minutes=1)])
def test_a_place_claimed_or_lost_is_not_said_to_be_held(
    reader: Reader, left: timedelta | None
) -> None:
    draft = an_application(a_campaign(), "draft").model_copy(update={"choices": (a_choice(left),)})
    reader.stands_at(draft.campaign, draft)
    assert "Valider la demande avant" not in reader.read("/accueil")


def test_an_offer_is_the_childs_first_action(reader: Reader) -> None:
    draft = an_application(a_campaign(), "draft")
    reader.stands_at(draft.campaign, draft)
    reader.knows({MyWaitingPlaces: (offered(a_place(LEO.id)),)})
    home = reader.read("/accueil")
    of_leo = card(home, LEO)
    assert "à la place proposée : FM 2.1 (35)" in of_leo
    assert re.search(r'href="/liste-attente"[^>]*> ?Répondre à la place proposée', of_leo)
    assert re.search(r"govuk-button--secondary[^>]*> ?Reprendre la réinscription", of_leo)
    assert "Répondre" not in card(home, ANA)


def test_a_childs_missing_pieces_are_its_own_and_the_familys_are_told_once(
    reader: Reader,
) -> None:
    campaign = a_campaign()
    applications = [an_application(campaign, "submitted", one) for one in (LEO, ANA)]
    reader.stands_at(campaign, *applications)
    reader.knows({MissingPieces: lacking()})
    home = reader.read("/accueil")
    assert "Certificat médical DANSE (refusée : Illisible)" in card(home, LEO)
    assert f'href="/eleves/{LEO.id}/documents"' in card(home, LEO)
    assert home.count("Justificatif de domicile") == 1
    assert 'href="/famille#mes-documents"' in home

    reader.knows({MissingPieces: lacking(due_in=-DAY)})
    assert "Justificatif de domicile" not in reader.read("/accueil")


def test_pieces_are_asked_for_once_an_application_is_begun(reader: Reader) -> None:
    reader.stands_at(a_campaign())
    reader.knows({MissingPieces: lacking()})
    assert "Justificatif de domicile" not in reader.read("/accueil")


def test_home_without_documents_shows_the_rest(reader: Reader) -> None:
    draft = an_application(a_campaign(), "draft")
    reader.stands_at(draft.campaign, draft)
    reader.without("documents")
    home = reader.read("/accueil")
    assert home.count("pièces à fournir sont momentanément indisponibles") == 1
    assert "Reprendre la réinscription" in home


def test_an_account_without_students_is_told_whom_to_ask(reader: Reader) -> None:
    reader.knows({MyFamily: a_family()})
    home = reader.read("/accueil")
    assert "Aucun élève n'est rattaché à votre compte" in home
    assert "rentree-card" not in home


def test_a_campaign_not_in_preparation_yet_says_when_it_will_be(reader: Reader) -> None:
    campaign = a_campaign(opens_in=20 * DAY).model_copy(update={"prepares_at": NOW + 10 * DAY})
    reader.knows({ListMyApplications: MyApplications(campaign=campaign, applications=())})
    assert "Vous pourrez préparer la réinscription 2027-2028 à partir du" in reader.read("/accueil")


def test_children_without_a_name_are_told_apart_while_identity_is_away(reader: Reader) -> None:
    campaign = a_campaign()
    reader.stands_at(campaign, *(an_application(campaign, "draft", one) for one in (LEO, ANA)))
    reader.without("identity")
    home = reader.read("/accueil")
    assert "L'élève n° 1" in card(home, LEO)
    assert "L'élève n° 2" in card(home, ANA)
