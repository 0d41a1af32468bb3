"""What becomes of a request once it was sent: its seats as they are now, and its withdrawal."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from shared.contract import Ask, Rejection
from shared.contracts.courses import CourseRows
from shared.contracts.documents import Missing, MissingPiece, MissingPieces
from shared.contracts.enrolment import (
    Application,
    CourseChoice,
    DeclineReenrolment,
    ListMyApplications,
    MyApplications,
    ShowApplication,
)
from shared.identifiers import new_id

from tests.forms import filled_in, words
from tests.portal import Portal
from tests.portal_reader import a_place, offered
from tests.wizard import DAY, Household, a_hold, a_row, a_slot, household

THURSDAY = a_slot("FM 2.1 (33) - JEUDI - 17.00 à 18.30")
TUESDAY = a_slot("FM 2.1 (35) - MARDI - 17.00 à 18.30")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal) as seated:
        stands(seated, seated.stands_at(6, state="submitted"))
        yield seated


def stands(family: Household, application: Application) -> None:
    mine = MyApplications(campaign=application.campaign, applications=(application,))
    family.application = application
    family.answer({ListMyApplications: mine, ShowApplication: application})


def filed(family: Household, **seat: object) -> str:
    """Have Thursday's seat asked for, and stand so now; give the page's words."""
    choice = CourseChoice(
        follow_id=new_id(),
        re_enrol=True,
        label=THURSDAY.label,
        course_id=THURSDAY.course_id,
        hold_id=new_id(),
    )
    choices = (choice.model_copy(update=seat),)
    stands(family, family.application.model_copy(update={"choices": choices}))
    return words(family.reads(family.at("finalisation")))


# Where the request stands


def test_a_filed_request_shows_the_seat_that_is_kept(family: Household) -> None:
    page = filed(family)
    assert f"{THURSDAY.label} : réinscription demandée Place gardée pour votre demande" in page
    assert "retenue jusqu'au" not in page


def test_a_seat_that_had_gone_is_not_said_to_be_kept(family: Household) -> None:
    page = filed(family, seat_lost=True)
    assert "Aucune place n'est gardée pour ce cours" in page
    assert "Place gardée" not in page


def test_a_filed_request_says_how_to_follow_and_to_change_it(family: Household) -> None:
    page = family.reads(family.at("finalisation"))
    assert f'href="/eleves/{family.student.id}/reinscription">Suivre la demande' in page
    assert f'href="/eleves/{family.student.id}/documents"' in page
    assert 'href="/famille/messages"' in page
    assert "Pour changer de cours, de créneau ou d'autorisation, modifiez la demande" in words(page)
    assert f'action="/dossiers/{family.application.id}/modifier"' in page


def test_following_a_filed_request_shows_its_ranks_its_offers_and_what_is_missing(
    family: Household,
) -> None:
    hold = a_hold(THURSDAY, new_id())
    filed(family, hold_id=hold.id)
    row = a_row(hold=hold)
    waits = a_place(family.student.id, TUESDAY.label)
    offer = offered(a_place(family.student.id, "FM 2.1 (36) - SAMEDI - 9.00 à 10.30"))
    lacking = MissingPiece(type_code="danse", name="Certificat médical", owner="student")
    family.answer(
        {
            CourseRows: (row.model_copy(update={"waiting": (offer, waits)}),),
            MissingPieces: Missing(due_at=datetime.now(UTC) + DAY, pieces=(lacking,)),
        }
    )
    page = words(family.reads(f"/eleves/{family.student.id}/reinscription"))
    assert "Accusé de réception n° MEU-2027-000042-1" in page
    assert f"Place gardée pour votre demande : {THURSDAY.label}" in page
    assert f"3e sur la liste d'attente : {TUESDAY.label}" in page
    assert re.search(r"Une place vous est proposée jusqu'au .* : FM 2.1 \(36\)", page)
    assert "Il manque une pièce" in page
    assert "Certificat médical" in page
    assert "Retirer la demande" in page


@pytest.mark.parametrize("away", [CourseRows, MissingPieces])
def test_following_a_filed_request_does_without_what_is_away(
    family: Household, away: type[Ask[Any]]
) -> None:
    family.without(away)
    page = words(family.reads(f"/eleves/{family.student.id}/reinscription"))
    assert "momentanément indisponibles" in page
    assert "MEU-2027-000042-1" in page


# Withdrawal


def test_a_filed_request_is_withdrawn_once_that_is_confirmed(family: Household) -> None:
    path = f"/reinscription/{family.student.id}/ne-souhaite-pas"
    receipt = family.reads(family.at("finalisation"))
    (link,) = re.findall(r'href="([^"]+)">Retirer la demande', receipt)
    assert link == path
    page = family.reads(link)
    assert "Retirer la demande de réinscription pour Émile TEST" in words(page)
    assert "MEU-2027-000042-1" in page
    assert "sont rendues aussitôt" in words(page)
    assert not family.asked(DeclineReenrolment)

    submitted = family.application
    declined = submitted.model_copy(update={"state": "declined"})
    family.answer({DeclineReenrolment: declined, ShowApplication: declined})
    before = datetime.now(UTC)
    assert family.goes_on(path, filled_in(page, path)) == family.at("finalisation")
    (asked,) = family.asked(DeclineReenrolment)
    assert asked.application_id == submitted.id
    assert before <= asked.received_at <= datetime.now(UTC)
    after = words(family.reads(family.at("finalisation")))
    assert "Vous pouvez revenir sur cette décision" in after
    assert "Les créneaux seront alors à choisir de nouveau" in after


def test_a_request_sent_meanwhile_is_not_withdrawn_unseen(family: Household) -> None:
    path = f"/reinscription/{family.student.id}/ne-souhaite-pas"
    submitted = family.application
    stands(family, submitted.model_copy(update={"state": "draft", "receipt": None}))
    refusal = filled_in(family.reads(path), path)
    stands(family, submitted)
    page = family.sends(path, refusal, status=200)
    assert "Retirer la demande de réinscription pour Émile TEST" in words(page)
    assert not family.asked(DeclineReenrolment)
    assert ("withdraws", "oui") in filled_in(page, path)


def test_a_filed_request_is_not_withdrawn_once_the_campaign_is_closed(family: Household) -> None:
    family.stands_at(6, state="submitted", closes_in=-DAY)
    assert "Retirer la demande" not in family.reads(family.at("finalisation"))


def test_a_withdrawal_that_comes_too_late_says_that_the_request_stays_valid(
    family: Household,
) -> None:
    path = f"/reinscription/{family.student.id}/ne-souhaite-pas"
    confirmed = filled_in(family.reads(path), path)
    closed = Rejection("campaign_closed", "La campagne est close.")
    family.answer({DeclineReenrolment: closed})
    assert_stays_valid(family, family.sends(path, confirmed, status=409))

    stands(family, family.stands_at(6, state="submitted", closes_in=-DAY))
    assert_stays_valid(family, family.reads(path, status=409))
    unaware = [pair for pair in confirmed if pair[0] != "withdraws"]
    assert_stays_valid(family, family.sends(path, unaware, status=409))


def assert_stays_valid(family: Household, page: str) -> None:
    said = words(page)
    assert "La campagne de réinscription est close" in said
    assert "n'a pas été retirée : elle reste valable" in said
    assert "n'a pas été transmise" not in said
    assert f'href="{family.at("finalisation")}"' in page
