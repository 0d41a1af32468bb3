"""A family re-enrols, in a real browser, on the real system."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Request, expect
from stack.demonstration import PASSWORD

from tests.document_files import pdf, png
from tests.harness import eventually
from tests.journeys.family import NEXT, Parent
from tests.stillness import settled
from tests.system import Household, System

pytestmark = [pytest.mark.servers, pytest.mark.browser]

_NICOLE = "nicole.test.meu1@familles.example"
_DOMICILE = "Justificatif de domicile de moins de 3 mois"


@pytest.mark.spec(
    "S3", "S6", "S10", "S20", "S32", "S51", "S53", "S61", "S62", "S68", "S70", "S72", "S73"
)
async def test_nicole_re_enrols_from_sign_in_to_mail(
    portal: System, browser: Browser, tmp_path: Path
) -> None:
    proof = tmp_path / "justificatif.pdf"
    proof.write_bytes(pdf())
    disguised = tmp_path / "disguised.pdf"
    disguised.write_text("Ceci n'est pas un PDF.")
    heavy = tmp_path / "heavy.pdf"
    heavy.write_bytes(b"%PDF-1.7" + bytes(3 * 1024 * 1024))
    async with Parent.at(browser, portal.stack.public_url) as nicole:
        page = nicole.page
        sent: list[Request] = []

        def remember(request: Request) -> None:
            sent.append(request)

        page.on("request", remember)
        await nicole.sign_in("Conservatoire de Meudon", "nicole.test", PASSWORD)
        await nicole.reads("Bonjour Madame TEST Nicole")
        await expect(page.get_by_text("Jusqu'au")).to_contain_text("à 12:00")
        await nicole.press("Je souhaite réinscrire Nicole TEST")

        await expect(page.get_by_label("Adresse").first).to_have_value("21 sentier des Vignes")
        await page.get_by_label("Profession", exact=True).fill("Luthière")
        await nicole.prepares()

        await nicole.sends(_DOMICILE, disguised)
        await nicole.stands(_DOMICILE, "Refusée")
        await nicole.sends(_DOMICILE, heavy)
        await nicole.reads("Le fichier est trop lourd")
        await nicole.sends(_DOMICILE, proof)
        await nicole.stands(_DOMICILE, "Déposée")
        await expect(nicole.row(_DOMICILE)).to_contain_text("justificatif.pdf")
        to_store = [each for each in sent if each.url.startswith(portal.stack.store.url)]
        assert [each.method for each in to_store] == ["POST", "POST"]
        assert not [
            each
            for each in sent
            if each.method == "POST"
            and each.url.startswith(portal.stack.public_url)
            and "multipart" in each.headers.get("content-type", "")
        ]
        await nicole.press(NEXT)

        await nicole.sees("Cours")
        trumpet = nicole.row("Trompette")
        await expect(trumpet).to_contain_text("Horaire à fixer avec le professeur début septembre")
        await nicole.chooses("Formation musicale", "FM 2.1 (18) - JEUDI - 17.00 à 18.30")
        await nicole.chooses("Trompette")
        await page.get_by_label("Information complémentaire").fill(
            "Orchestre d'harmonie, si possible"
        )
        await nicole.press(NEXT)

        await nicole.sees("Récapitulatif de la réinscription")
        await nicole.reads("Place retenue jusqu'au")
        await nicole.reads("Luthière")
        await nicole.press("Valider")
        await nicole.reads("Il y a un problème")
        number = await nicole.validates()
        await nicole.reads("Votre demande de réinscription a bien été prise en compte.")
        await nicole.reads_at_last(f"Un e-mail vous a été envoyé à l'adresse {_NICOLE}")

        await eventually(lambda: portal.mails_about(number))
        await nicole.follow("Accueil")
        await nicole.reads("Demande transmise")
        await nicole.reads(number)
        assert len(portal.mails_about(number)) == 1
        (mail,) = portal.mails_about(number)
        assert _NICOLE in mail["to"]
        text = mail.get_body(("plain",))
        assert text is not None
        assert "FM 2.1 (18) - JEUDI - 17.00 à 18.30" in text.get_content()

    for replica in portal.stack.urls["gateway"]:
        async with Parent.at(browser, replica) as again:
            await again.sign_in("Conservatoire de Meudon", "nicole.test", PASSWORD)
            await again.reads(number)


@pytest.mark.spec("S21", "S40", "S50", "S51", "S63", "S70", "S95")
@pytest.mark.parametrize("width", [320, 1280])
async def test_the_whole_journey_works_without_a_script(
    portal: System, browser: Browser, tmp_path: Path, width: int
) -> None:
    school = await portal.school(families=1)
    (family,) = school.families
    photo, heavy = tmp_path / "photo.png", tmp_path / "heavy.pdf"
    photo.write_bytes(png())
    heavy.write_bytes(b"%PDF-1.7" + bytes(3 * 1024 * 1024))
    disguised = tmp_path / "disguised.pdf"
    disguised.write_text("Ceci n'est pas un PDF.")
    async with Parent.of(browser, school, family, script=False, width=width) as parent:
        page = parent.page
        await parent.press("Je souhaite réinscrire Sacha ESSAI")
        await page.get_by_label("E-mail").first.fill("pas une adresse")
        await page.get_by_label("Ville").first.fill("Essai-sur-Seine")
        await parent.press(NEXT)
        await parent.reads("Il y a un problème")
        await expect(page.get_by_label("Ville").first).to_have_value("Essai-sur-Seine")
        await page.get_by_label("E-mail").first.fill(family.email)
        await parent.prepares()
        await parent.sends(_DOMICILE, disguised)
        await parent.stands(_DOMICILE, "Refusée")
        await parent.sends(_DOMICILE, heavy)
        await parent.reads("Le fichier est trop lourd")
        await parent.sends(_DOMICILE, photo)
        await parent.stands(_DOMICILE, "Déposée")
        await parent.press(NEXT)
        await parent.chooses("Formation musicale", "FM 2.1 (0)")
        await parent.press(NEXT)
        await parent.reads("Place retenue jusqu'au")
        number = await parent.validates()
    await settled(school)
    assert await school.claims() == 1
    told, receipt = [str(mail["subject"]) for mail in school.mails()]
    assert _DOMICILE in told
    assert number in receipt


@pytest.mark.spec("S62", "S67")
async def test_of_two_families_wanting_the_last_seat_one_holds_it_and_one_keeps_what_it_typed(
    portal: System, browser: Browser
) -> None:
    school = await portal.school(families=2, seats=(1, 5))
    one, other = school.families

    async def reach_the_courses(parent: Parent, family: Household) -> None:
        await parent.press("Je souhaite réinscrire Sacha ESSAI")
        await parent.prepares()
        await parent.press(NEXT)
        await parent.chooses("Formation musicale", "FM 2.1 (0)")
        remarks = parent.page.get_by_label("Information complémentaire")
        await remarks.fill(f"Remarque de {family.username}")

    async with (
        Parent.of(browser, school, one) as first,
        Parent.of(browser, school, other) as second,
    ):
        parents = {first: one, second: other}
        for parent, family in parents.items():
            await reach_the_courses(parent, family)
        await asyncio.gather(*(parent.press(NEXT) for parent in parents))
        refused = {parent: await parent.is_refused() for parent in parents}
        (loser,) = (parent for parent in parents if refused[parent])
        (winner,) = (parent for parent in parents if not refused[parent])
        await winner.sees("Récapitulatif de la réinscription")
        await loser.reads("Complet")
        remarks = loser.page.get_by_label("Information complémentaire")
        await expect(remarks).to_have_value(f"Remarque de {parents[loser].username}")
        await loser.chooses("Formation musicale", "FM 2.1 (1)")
        await loser.press(NEXT)
        await loser.sees("Récapitulatif de la réinscription")


@pytest.mark.spec("S20", "S22", "S74")
async def test_a_refusal_is_confirmed_recorded_and_can_be_taken_back(
    portal: System, browser: Browser
) -> None:
    school = await portal.school(families=1)
    (family,) = school.families
    async with Parent.of(browser, school, family) as parent:
        await parent.follow("Je ne souhaite pas réinscrire Sacha ESSAI")
        await parent.reads("Vous pourrez revenir sur cette décision")
        await parent.press("Confirmer")
        await parent.sees("Votre réponse est enregistrée")
        number = (await parent.page.locator(".rentree-reference").first.inner_text()).strip()
        await eventually(lambda: portal.mails_about(number))
        await parent.follow("Accueil")
        await parent.reads("Refus enregistré")
        await parent.press("Revenir sur cette décision")
        await parent.sees("Modification des coordonnées")
        await parent.page.goto(f"{portal.stack.public_url}/accueil")
        await parent.reads("En cours")


@pytest.mark.spec("S71")
async def test_valider_from_two_tabs_files_one_application(
    portal: System, browser: Browser
) -> None:
    school = await portal.school(families=1)
    (family,) = school.families
    async with Parent.of(browser, school, family) as parent:
        application = await school.prepare(family)
        address = f"{portal.stack.public_url}/dossiers/{application.id}/recapitulatif"
        tabs = [Parent(await parent.page.context.new_page(), parent.url) for _ in range(2)]
        for tab in tabs:
            await tab.page.goto(address)
        numbers = await asyncio.gather(*(tab.validates() for tab in tabs))
    assert len(set(numbers)) == 1
    await settled(school)
    assert await school.claims() == 1
    assert len(school.mails()) == 1
