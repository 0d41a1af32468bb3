import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from gateway.pages.wizard.frame import PATHS
from shared.ask import ServiceUnavailable
from shared.contract import Ask, Rejection
from shared.contracts.courses import CourseRows
from shared.contracts.documents import ListPieces, OpenUpload, RegisterUpload, RemoveDocument
from shared.contracts.enrolment import (
    AbandonAmendment,
    AmendApplication,
    ApplicationState,
    CompleteStep,
    DeclineReenrolment,
    ListMyApplications,
    MyApplications,
    RecordAuthorisations,
    RecordCourseChoices,
    ShowApplication,
    StartApplication,
    SubmitApplication,
    TakeBackDecline,
)
from shared.contracts.identity import MyFamily
from shared.contracts.notifications import Delivery, DeliveryState, ListDeliveries
from shared.identifiers import new_id

from tests.forms import filled_in, words
from tests.portal import Portal
from tests.wizard import BACK, DAY, NEXT, Household, a_guardian, household, yes_to_both

OF_ONE_FAMILY: tuple[type[Ask[Any]], ...] = (
    AbandonAmendment,
    AmendApplication,
    CompleteStep,
    CourseRows,
    DeclineReenrolment,
    ListPieces,
    OpenUpload,
    RecordAuthorisations,
    RecordCourseChoices,
    RegisterUpload,
    RemoveDocument,
    ShowApplication,
    StartApplication,
    SubmitApplication,
    TakeBackDecline,
)
"""What a service refuses to whoever does not own what it names."""


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal) as seated:
        yield seated


# Where an application may be opened


@pytest.mark.parametrize("reached", range(1, 6))
def test_a_step_not_reached_yet_leads_to_the_one_reached(family: Household, reached: int) -> None:
    family.stands_at(reached)
    for step in range(reached + 1, 7):
        assert family.is_led(family.at(PATHS[step])) == family.at(PATHS[reached])


@pytest.mark.parametrize("reached", range(1, 6))
def test_an_application_resumes_at_the_step_reached(family: Household, reached: int) -> None:
    family.stands_at(reached)
    assert family.is_led(f"/dossiers/{family.application.id}") == family.at(PATHS[reached])


@pytest.mark.parametrize("state", ["submitted", "declined"])
def test_what_was_sent_shows_its_receipt_wherever_it_is_opened(
    family: Household, state: str
) -> None:
    family.stands_at(6, state=state)
    for step in range(1, 6):
        assert family.is_led(family.at(PATHS[step])) == family.at("finalisation")
    assert "MEU-2027-000042-1" in family.reads(family.at("finalisation"))


def test_the_students_tabs_and_the_progress_stay_visible(family: Household) -> None:
    family.stands_at(2)
    page = family.reads(family.at("autorisations"))
    for tab in ("identite", "cours", "historique", "reinscription", "documents"):
        assert f'href="/eleves/{family.student.id}/{tab}"' in page
    assert f'href="{family.at("coordonnees")}"' in page
    assert f'href="{family.at("documents")}"' not in page
    assert "Émile TEST : réinscription 2027-2028" in words(page)


def test_another_familys_identifiers_answer_404_on_every_route(
    family: Household, portal: Portal
) -> None:
    family.answer(
        {
            ListMyApplications: MyApplications(
                campaign=family.application.campaign, applications=()
            ),
            **dict.fromkeys(OF_ONE_FAMILY, Rejection.not_found()),
        }
    )
    script = {"document_id": str(new_id()), "filename": "a.pdf", "size": 1}
    tried = []
    for route in portal.app.routes:
        if not route.path.startswith(("/dossiers/", "/reinscription/")):
            continue
        address = re.sub(r"{\w+:uuid}", str(new_id()), route.path).replace(
            "{type_code:str}", "domicile"
        )
        for method in route.methods & {"GET", "POST"}:
            if method == "GET":
                family.reads(address, status=404)
            elif address.endswith(("/ticket", "/depose")):
                assert family.says(address, script).status_code == 404, address
            else:
                family.sends(address, [], status=404)
                family.sends(address, [BACK], status=404)
            tried.append((method, address))
    assert len(tried) > 20


# "Je souhaite réinscrire", or not


def test_a_wish_begins_the_application_minted_by_the_page(family: Household) -> None:
    begun = family.application
    family.answer({StartApplication: begun})
    hidden = [("campaign_id", str(begun.campaign.id)), ("application_id", str(begun.id))]
    path = f"/reinscription/{family.student.id}/souhaite"
    assert family.goes_on(path, hidden) == family.at("coordonnees")
    assert family.asked(StartApplication) == [
        StartApplication(
            application_id=begun.id,
            campaign_id=begun.campaign.id,
            student_id=family.student.id,
        )
    ]


def test_a_refusal_is_confirmed_then_recorded_with_its_instant(family: Household) -> None:
    draft, path = family.application, f"/reinscription/{family.student.id}/ne-souhaite-pas"
    family.answer(
        {ListMyApplications: MyApplications(campaign=draft.campaign, applications=(draft,))}
    )
    page = family.reads(path)
    assert "Je ne souhaite pas réinscrire Émile TEST" in words(page)
    assert not family.asked(DeclineReenrolment)

    declined = family.stands_at(1, state="declined")
    family.answer({DeclineReenrolment: declined})
    before = datetime.now(UTC)
    assert family.goes_on(path, filled_in(page, path)) == family.at("finalisation")
    (asked,) = family.asked(DeclineReenrolment)
    assert asked.application_id == draft.id
    assert before <= asked.received_at <= datetime.now(UTC)
    shown = words(family.reads(family.at("finalisation")))
    assert "Vous ne souhaitez pas réinscrire Émile TEST" in shown
    assert "MEU-2027-000042-1" in shown


def test_a_refusal_can_be_taken_back(family: Household) -> None:
    declined = family.stands_at(1, state="declined")
    path = f"/dossiers/{declined.id}/reprendre"
    assert filled_in(family.reads(family.at("finalisation")), path) == []
    family.answer({TakeBackDecline: family.stands_at(3)})
    assert family.goes_on(path, []) == family.at("documents")


def test_a_refusal_is_not_taken_back_once_the_campaign_is_closed(family: Household) -> None:
    family.stands_at(1, state="declined", closes_in=-DAY)
    page = words(family.reads(family.at("finalisation")))
    assert "Vous ne souhaitez pas réinscrire Émile TEST" in page
    assert "revenir sur cette décision" not in page.lower()


def test_a_refusal_recorded_already_is_not_asked_again(family: Household) -> None:
    declined = family.stands_at(1, state="declined")
    mine = MyApplications(campaign=declined.campaign, applications=(declined,))
    family.answer({ListMyApplications: mine})
    path = f"/reinscription/{family.student.id}/ne-souhaite-pas"
    assert family.is_led(path) == family.at("finalisation")


# Step 6


def test_the_end_shows_the_receipt_and_where_the_mail_goes(family: Household) -> None:
    family.stands_at(6, state="submitted")
    page = words(family.reads(family.at("finalisation")))
    assert "Réinscription terminée" in page
    assert "Votre demande de réinscription a bien été prise en compte." in page
    assert "Un e-mail vous a été envoyé à l'adresse nicole.test@familles.example" in page
    assert "MEU-2027-000042-1" in page


@pytest.mark.parametrize("state", ["submitted", "declined"])
@pytest.mark.parametrize(
    ("delivery", "to", "text"),
    [
        ("waiting", "autre@familles.example", "il arrivera dans quelques instants"),
        ("sent", "autre@familles.example", "Un e-mail vous a été envoyé à l'adresse autre@"),
        ("failed", "autre@familles.example", "autre@familles.example n'a pas pu être remis"),
        ("no_address", "", "Aucune adresse e-mail n'est enregistrée"),
    ],
)
def test_what_is_said_of_the_mail_is_what_became_of_it(
    family: Household, state: ApplicationState, delivery: DeliveryState, to: str, text: str
) -> None:
    family.stands_at(6, state=state)
    message = Delivery(
        kind="submission_receipt",
        receipt_number="MEU-2027-000042-1",
        to=to,
        state=delivery,
        at=datetime.now(UTC),
    )
    family.answer({ListDeliveries: (message,)})
    page = words(family.reads(family.at("finalisation")))
    assert text in page
    assert ("vous a été envoyé" in page) == (delivery in {"sent", "waiting"})


def test_a_family_without_an_address_is_promised_no_mail(family: Household) -> None:
    family.stands_at(6, state="submitted")
    family.guardians = (a_guardian(email=""),)
    family.told()
    page = words(family.reads(family.at("finalisation")))
    assert "Aucune adresse e-mail n'est enregistrée" in page


def test_the_receipt_does_without_what_became_of_the_mail(family: Household) -> None:
    family.stands_at(6, state="submitted")
    family.without(ListDeliveries)
    away = words(family.reads(family.at("finalisation")))
    assert "Le suivi des e-mails est momentanément indisponible" in away
    assert "MEU-2027-000042-1" in away


# Services that are away


def test_what_was_typed_is_given_back_while_a_service_is_away(family: Household) -> None:
    family.stands_at(2)
    family.answer({RecordAuthorisations: ServiceUnavailable("enrolment")})
    page = family.sends(family.at("autorisations"), [*yes_to_both(), NEXT], status=503)
    assert "Les dossiers de réinscription sont momentanément indisponibles" in words(page)
    kept = filled_in(page, family.at("autorisations"))
    assert set(kept) >= {*yes_to_both(), NEXT}


def test_a_step_goes_on_without_names_while_identity_is_away(family: Household) -> None:
    family.stands_at(2)
    family.without(MyFamily)
    page = words(family.reads(family.at("autorisations")))
    assert "Les coordonnées sont momentanément indisponibles" in page
    assert "l'élève : réinscription 2027-2028" in page
