import re

import pytest
from shared.contract import Rejection
from shared.contracts.courses import MyWaitingPlaces
from shared.contracts.documents import ListPieces
from shared.contracts.enrolment import ListMyApplications, MyApplications

from tests.portal import Portal
from tests.portal_reader import (
    ANA,
    DAY,
    LEO,
    NICOLE,
    SITE,
    Reader,
    a_campaign,
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


def test_home_shows_each_student_the_closing_hour_and_the_two_choices(reader: Reader) -> None:
    campaign = a_campaign()
    reader.stands_at(campaign)
    home = reader.read("/accueil")
    closing = f"{campaign.closes_at.astimezone():%d/%m/%Y}"
    assert home.count(f"Jusqu'au {closing} à ") == 2
    for student, name in ((LEO, "Léo TEST"), (ANA, "Ana TEST")):
        assert f"Je souhaite réinscrire {name}" in home
        assert f"Je ne souhaite pas réinscrire {name}" in home
        assert f'href="/reinscription/{student.id}/ne-souhaite-pas"' in home
        form = home.split(f'action="/reinscription/{student.id}/souhaite"')[1].split("</form>")[0]
        assert f'name="campaign_id" value="{campaign.id}"' in form
        assert re.search(r'name="application_id" value="[0-9a-f-]{36}"', form)
        assert 'name="_csrf_token"' in form


def test_home_gives_the_sites_contact_and_what_becomes_of_data(reader: Reader) -> None:
    home = reader.read("/accueil")
    assert SITE.address in home
    assert SITE.phone in home
    assert f'href="mailto:{SITE.email}"' in home
    assert f'href="{SITE.tariff_page}"' in home
    assert SITE.welcome in home
    assert "deux années scolaires" in home


def test_a_draft_is_resumed(reader: Reader) -> None:
    campaign = a_campaign()
    draft = an_application(campaign, "draft")
    reader.stands_at(campaign, draft)
    home = reader.read("/accueil")
    assert "Je souhaite réinscrire Léo TEST" not in home
    assert "Je souhaite réinscrire Ana TEST" in home
    assert re.search(rf'href="/dossiers/{draft.id}"[^>]*> ?Reprendre la réinscription', home)


def test_a_submitted_request_shows_its_receipt(reader: Reader) -> None:
    campaign = a_campaign()
    submitted = an_application(campaign, "submitted")
    reader.stands_at(campaign, submitted)
    home = reader.read("/accueil")
    assert "Demande transmise le " in home
    assert "MEU-27-00042" in home
    assert f'href="/dossiers/{submitted.id}/finalisation"' in home
    assert "réinscrire Léo TEST" not in home


def test_a_refusal_can_be_taken_back_while_the_campaign_is_open(reader: Reader) -> None:
    declined = an_application(a_campaign(), "declined")
    reader.stands_at(declined.campaign, declined)
    home = reader.read("/accueil")
    assert "MEU-27-00042" in home
    assert f'action="/dossiers/{declined.id}/reprendre"' in home
    assert "Revenir sur cette décision" in home

    reader.stands_at(a_campaign(closes_in=-2 * DAY), declined)
    assert "Revenir sur cette décision" not in reader.read("/accueil")


def test_before_opening_one_can_prepare_but_not_refuse(reader: Reader) -> None:
    reader.stands_at(a_campaign(opens_in=DAY))
    home = reader.read("/accueil")
    assert "ouverture le " in home
    assert "Je souhaite réinscrire Léo TEST" in home
    assert "Je ne souhaite pas" not in home


def test_a_draft_left_at_closing_says_that_it_was_not_submitted(reader: Reader) -> None:
    closed = a_campaign(closes_in=-2 * DAY)
    draft = an_application(closed, "draft")
    reader.stands_at(closed, draft)
    home = reader.read("/accueil")
    assert "il n'a pas été transmis" in home
    assert f'href="/dossiers/{draft.id}"' in home
    assert "Je souhaite" not in home


def test_home_says_beside_each_student_where_they_wait(reader: Reader) -> None:
    reader.knows({MyWaitingPlaces: (a_place(LEO.id), a_place(LEO.id, "Piano 2 (4)", rank=1))})
    of_leo, of_ana = reader.read("/accueil").split('aria-labelledby="eleve-2"')
    assert "<strong>3e</strong> sur la liste d'attente : FM 2.1 (35)" in of_leo
    assert "<strong>1er</strong> sur la liste d'attente : Piano 2 (4)" in of_leo
    assert of_leo.count('href="/liste-attente"') == 1
    assert "liste d'attente" not in of_ana.split("</section>")[0]
    assert "govuk-notification-banner" not in of_leo


def test_an_offer_that_waits_for_an_answer_comes_before_all_else(reader: Reader) -> None:
    offer = offered(a_place(LEO.id))
    reader.knows({MyWaitingPlaces: (offer, a_place(ANA.id, "Piano 2 (4)"))})
    home = reader.read("/accueil")
    assert offer.offered_until
    banner, page = home.split("<h1")
    assert "Une place vous est proposée" in banner
    assert f"Léo TEST : {offer.label}, jusqu'au <strong>" in banner
    assert 'href="/liste-attente"' in banner
    assert "Piano" not in banner
    assert "Piano 2 (4)" in page

    reader.without("identity")
    assert f"Un élève de votre famille : {offer.label}" in reader.read("/accueil")


def test_home_without_courses_says_that_offers_are_not_shown(reader: Reader) -> None:
    reader.without("courses")
    home = reader.read("/accueil")
    assert "Les listes d'attente sont momentanément indisponibles" in home
    assert "Je souhaite réinscrire Léo TEST" in home


def test_without_a_campaign_home_says_so(reader: Reader) -> None:
    reader.knows({ListMyApplications: MyApplications(campaign=None, applications=())})
    home = reader.read("/accueil")
    assert "Aucune campagne de réinscription n'est ouverte" in home
    assert "Léo TEST" in home


def test_home_without_identity_still_resumes_what_was_begun(reader: Reader) -> None:
    draft = an_application(a_campaign(), "draft")
    reader.stands_at(draft.campaign, draft)
    reader.without("identity")
    home = reader.read("/accueil")
    assert "momentanément indisponibles" in home
    assert f'href="/dossiers/{draft.id}"' in home


def test_home_without_enrolment_still_leads_to_the_students(reader: Reader) -> None:
    reader.without("enrolment")
    home = reader.read("/accueil")
    assert "Les dossiers de réinscription sont momentanément indisponibles" in home
    assert f'href="/eleves/{LEO.id}/identite"' in home
    assert "Aucune campagne" not in home
    assert "Je souhaite" not in home


@pytest.mark.parametrize("service", ["documents", "courses", "notifications"])
def test_home_does_not_need_the_other_services(reader: Reader, service: str) -> None:
    reader.without(service)
    assert "Je souhaite réinscrire Léo TEST" in reader.read("/accueil")


def test_the_family_page_shows_guardians_and_documents(reader: Reader) -> None:
    page = reader.read("/famille")
    assert 'href="/famille/messages"' in page
    assert "Responsable 1" in page
    assert "Nicole" in page
    assert "Tél supplémentaire 3" in page
    assert "Pièces à fournir - Famille" in page
    assert "quittance.pdf" in page
    assert re.search(r'data-label="Heure">12:00<', page)
    assert f'href="/famille/responsables/{NICOLE.id}"' in page


@pytest.mark.parametrize("service", ["documents", "enrolment"])
def test_the_family_page_goes_without_what_is_away(reader: Reader, service: str) -> None:
    reader.without(service)
    page = reader.read("/famille")
    assert "momentanément indisponibles" in page
    assert "Nicole" in page
    assert "Aucune pièce n'est demandée" not in page


def test_pieces_that_documents_does_not_know_yet_are_announced(reader: Reader) -> None:
    reader.knows({ListPieces: Rejection.not_found()})
    assert "dans quelques instants" in reader.read("/famille")


def test_invoices_say_honestly_what_there_is(reader: Reader) -> None:
    assert "Aucune facture" in reader.read("/facturation")
