"""What the pages outside the wizard say to a parent, line by line of the acceptance list."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.journeys.looker import INSTANT, Looker
from tests.showroom.room import Room

pytestmark = pytest.mark.browser


@pytest.fixture
def parent(room: Room, page: Page) -> Looker:
    return Looker(room, page)


@pytest.mark.spec("S1")
async def test_the_landing_page_names_the_territory_and_its_sites(parent: Looker) -> None:
    await parent.at("portail")
    await expect(parent.main.get_by_role("button", name="Accès usager")).to_be_visible()
    await parent.reads("Territoire de démonstration")
    await parent.reads("Conservatoire de Meudon", "Conservatoire de Sèvres", "Issy-les-Moulineaux")


@pytest.mark.spec("S2")
async def test_sign_in_asks_for_three_things(parent: Looker) -> None:
    await parent.at("connexion")
    await expect(parent.page.get_by_label("Conservatoire")).to_be_visible()
    await expect(parent.page.get_by_label("Identifiant")).to_be_visible()
    await expect(parent.page.get_by_role("textbox", name="Mot de passe")).to_be_visible()
    await expect(parent.page.get_by_role("button", name="Se connecter")).to_be_visible()


@pytest.mark.spec("S3")
async def test_the_menu_the_title_and_the_greeting(parent: Looker) -> None:
    await parent.at("accueil")
    menu = parent.page.get_by_role("navigation", name="Menu principal")
    assert await parent.words_of(menu.get_by_role("listitem")) == [
        "Accueil",
        "Famille",
        "Élèves",
        "Facturation",
        "Accessibilité",
        "Mot de passe",
        "Déconnexion",
    ]
    banner = parent.page.locator("header")
    await expect(banner).to_contain_text("Portail pour les usagers")
    await expect(banner).to_contain_text("Conservatoire de Meudon")
    await expect(banner).to_contain_text("Bonjour Madame TEST Nicole")


@pytest.mark.spec("S5")
async def test_the_portal_is_open_where_there_is_no_campaign(parent: Looker) -> None:
    await parent.at("accueil-sans-campagne")
    await parent.reads(
        "Aucune campagne de réinscription n'est ouverte pour le moment", "Émile TEST"
    )
    await parent.at("famille-sans-campagne")
    await parent.reads("06 39 98 39 23")
    await parent.at("eleve-documents-sans-campagne")
    await parent.reads("Documents publiés par le conservatoire")


@pytest.mark.spec("S10", "S20")
async def test_home_lists_the_students_with_the_campaign_and_both_answers(parent: Looker) -> None:
    await parent.at("accueil")
    for name in ("Émile TEST", "Ana TEST"):
        card = parent.main.get_by_role("region", name=name)
        await expect(card).to_contain_text(re.compile(f"Jusqu'au {INSTANT.pattern}"))
        await expect(
            card.get_by_role("button", name=f"Je souhaite réinscrire {name}")
        ).to_be_visible()
        await expect(
            card.get_by_role("link", name=f"Je ne souhaite pas réinscrire {name}")
        ).to_be_visible()
    await parent.at("accueil-en-cours")
    await expect(parent.main.get_by_role("region", name="Émile TEST")).to_contain_text("En cours")
    await expect(parent.main.get_by_role("region", name="Ana TEST")).to_contain_text("Transmise")


@pytest.mark.spec("S11")
async def test_home_tells_whom_to_reach_and_what_becomes_of_ones_data(parent: Looker) -> None:
    await parent.at("accueil")
    await parent.reads(
        "Bienvenue au conservatoire",
        "Conservatoire de Meudon",
        "1 boulevard des Nations-Unies",
        "01 99 00 10 10",
        "meudon@territoire.example",
        "Consulter les tarifs",
    )
    await parent.reads(
        "Responsable du traitement",
        "Elles servent à réinscrire",
        "destinataires",
        "conservées deux années scolaires",
        "y accéder et les faire rectifier",
    )
    footer = parent.page.get_by_role("contentinfo")
    for name in ("Mentions légales", "Accessibilité"):
        await expect(footer.get_by_role("link", name=name)).to_be_visible()
    await expect(footer).to_contain_text(re.compile(r"version \d+\.\d+"))
    await parent.at("accessibilite")
    await parent.reads("conform")


@pytest.mark.spec("S13")
async def test_a_student_is_chosen_and_has_five_tabs(parent: Looker) -> None:
    await parent.at("eleves")
    await expect(parent.main.get_by_role("link", name="Ana TEST")).to_be_visible()
    await parent.main.get_by_role("link", name="Émile TEST").click()
    tabs = parent.page.get_by_role("navigation", name="Émile TEST").get_by_role("link")
    assert (await parent.words_of(tabs))[:5] == [
        "Identité",
        "Cours",
        "Historique",
        "Réinscription",
        "Mes Documents",
    ]
    await tabs.get_by_text("Changer d'élève").click()
    await expect(parent.main.get_by_role("link", name="Ana TEST")).to_be_visible()


@pytest.mark.spec("S15")
async def test_this_years_courses_are_apart_from_those_of_before(parent: Looker) -> None:
    await parent.at("eleve-cours")
    await parent.reads("FM 1.4 (12) - MERCREDI - 14.00 à 15.30", "Mme ROUX", "Salle 3")
    await expect(parent.main).not_to_contain_text("FM 1.3")
    await parent.at("eleve-historique")
    await parent.reads("2025-2026", "FM 1.3", "2024-2025", "FM 1.2")
    await expect(parent.main).not_to_contain_text("FM 1.4")


@pytest.mark.spec("S16")
async def test_the_family_has_its_guardians_and_its_documents(parent: Looker) -> None:
    await parent.at("famille")
    await parent.reads("Nicole", "Marc", "06 39 98 39 23", "21 sentier des Vignes")
    await expect(parent.main.get_by_role("heading", name="Mes documents")).to_be_visible()
    await expect(parent.table("Pièces à fournir - Famille")).to_be_visible()


@pytest.mark.spec("S17")
async def test_invoices_are_said_to_come_from_elsewhere(parent: Looker) -> None:
    await parent.at("facturation")
    await parent.reads("Aucune facture n'est disponible", "Régie Centrale")


@pytest.mark.spec("S18")
async def test_what_the_site_published_is_listed_to_download(parent: Looker) -> None:
    await parent.at("eleve-documents")
    row = parent.table("Documents publiés par le conservatoire").get_by_role("row")
    await expect(row.filter(has_text="Bulletin du 1er semestre")).to_contain_text("2026-2027")
    await expect(row.get_by_role("link", name="Télécharger")).to_be_visible()
