"""What becomes of a request once it was sent: its seats as they are now, and its withdrawal."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from shared.contracts.courses import CourseRow, CourseRows
from shared.contracts.enrolment import (
    Application,
    CourseChoice,
    DeclineReenrolment,
    ListMyApplications,
    MyApplications,
    ShowApplication,
)
from shared.identifiers import new_id

from tests.portal import Portal
from tests.portal_reader import a_place, offered
from tests.wizard import DAY, Household, a_hold, a_row, a_slot, filled_in, household, words

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


def filed(family: Household, row: CourseRow) -> str:
    """Have Thursday's seat asked for, and the row be like this now; give the page's words."""
    choice = CourseChoice(
        follow_id=row.follow_id,
        re_enrol=True,
        label=THURSDAY.label,
        course_id=THURSDAY.course_id,
        hold_id=new_id(),
    )
    stands(family, family.application.model_copy(update={"choices": (choice,)}))
    family.answer({CourseRows: (row,)})
    return words(family.reads(family.at("finalisation")))


# The seats as they are now


def test_a_filed_request_shows_the_seat_that_is_kept(family: Household) -> None:
    row = a_row()
    page = filed(family, row.model_copy(update={"hold": a_hold(THURSDAY, row.follow_id)}))
    kept = f"Place gardée pour votre demande : {THURSDAY.label}"
    assert f"{THURSDAY.label} : réinscription demandée {kept}" in page
    assert "retenue jusqu'au" not in page


def test_a_filed_request_shows_ranks_and_offers(family: Household) -> None:
    row = a_row()
    waits = a_place(family.student.id, TUESDAY.label)
    offer = offered(a_place(family.student.id, "FM 2.1 (36) - SAMEDI - 9.00 à 10.30"))
    page = filed(
        family,
        row.model_copy(update={"hold": a_hold(THURSDAY, row.follow_id), "waiting": (offer, waits)}),
    )
    assert f"3e sur la liste d'attente : {TUESDAY.label}" in page
    assert re.search(r"Une place vous est proposée jusqu'au .* : FM 2.1 \(36\)", page)


def test_a_seat_that_had_gone_is_not_said_to_be_kept(family: Household) -> None:
    page = filed(family, a_row())
    assert "Aucune place n'est gardée pour ce cours" in page


def test_the_receipt_does_without_the_seats(family: Household) -> None:
    family.without(CourseRows)
    page = words(family.reads(family.at("finalisation")))
    assert "Les places sont momentanément indisponibles" in page
    assert "MEU-2027-000042-1" in page
    assert "Aucune place" not in page


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
