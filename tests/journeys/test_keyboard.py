"""A family re-enrols by the keyboard alone, from sign-in to the receipt (S95)."""

import re
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, expect
from stack.demonstration import PASSWORD

from tests.document_files import pdf
from tests.journeys.family import NEXT, Parent
from tests.journeys.keyboard import Keyboard
from tests.system import System

pytestmark = [pytest.mark.servers, pytest.mark.browser]

_DOMICILE: Final = "Justificatif de domicile de moins de 3 mois"


@pytest.mark.spec("S21", "S95")
async def test_the_whole_journey_needs_no_mouse(
    portal: System, browser: Browser, tmp_path: Path
) -> None:
    proof = tmp_path / "justificatif.pdf"
    proof.write_bytes(pdf())
    school = await portal.school(families=1, seats=(5, 5))
    (family,) = school.families
    async with Parent.at(browser, portal.stack.public_url, width=1280) as parent:
        page, keys = parent.page, Keyboard(parent.page)
        # from the start: a browser told of it too late opens a chooser of its own
        page.on("filechooser", lambda _: None)
        await page.goto(f"{parent.url}/connexion")
        await parent.reloads_until(page.get_by_role("option", name=school.name))
        await keys.press("Tab", "Enter")
        await expect(page.locator("#main-content")).to_be_focused()

        await keys.reach(page.get_by_label("Conservatoire"))
        await page.keyboard.type(school.name)
        await keys.replace("Identifiant", family.username)
        await keys.reach(page.get_by_role("textbox", name="Mot de passe"))
        await page.keyboard.type(PASSWORD)
        await keys.press("Enter")
        await parent.sees("Accueil")
        await keys.activate("button", "Je souhaite réinscrire Sacha ESSAI")

        await parent.sees("Modification des coordonnées")
        await keys.replace("Ville", "")
        await keys.activate("button", NEXT)
        summary = page.get_by_role("alert").locator("..")
        await expect(summary).to_be_focused()
        await expect(page).to_have_title(re.compile(r"^Erreur\s: "))
        await keys.press("Tab", "Enter")
        city = page.get_by_label("Ville").first
        await expect(city).to_be_focused()
        await expect(city).to_have_accessible_description(re.compile("Erreur.+ville"))
        await page.keyboard.type("Essai")
        await keys.activate("button", NEXT, "Space")

        await parent.sees("Autorisations")
        for question in ("Droit à l'image", "Autorisation de sortie"):
            answers = page.get_by_role("group", name=question).get_by_role("radio")
            await keys.reach(answers.first)
            await keys.press("ArrowDown")
            await expect(answers.last).to_be_checked()
        await keys.activate("button", NEXT)

        await parent.sees("Documents")
        await keys.activate("link", f"Importer : {_DOMICILE}")
        await parent.sees(_DOMICILE)
        await keys.reach(page.get_by_role("button", name="Votre fichier"))
        async with page.expect_file_chooser() as choosing:
            await keys.press("Enter")
        await (await choosing.value).set_files(proof)
        await keys.activate("button", "Importer")
        await parent.sees("Documents")
        await expect(page.locator("[data-pieces-voice]")).to_have_attribute("aria-live", "polite")
        await keys.activate("button", NEXT)

        await parent.sees("Cours")
        row = parent.row("Formation musicale")
        await keys.reach(row.get_by_role("checkbox"))
        await keys.press("Space")
        slots = row.get_by_role("radio")
        await keys.reach(slots.first)
        await keys.press("ArrowDown")
        await expect(slots.nth(1)).to_be_checked()
        await expect(page.locator("[data-seats-stream] > [aria-live=polite]")).to_have_count(1)
        await keys.activate("button", NEXT)

        await parent.sees("Récapitulatif de la réinscription")
        await parent.reads("Place retenue jusqu'au")
        await expect(page.locator("[data-hold-id] [aria-live=polite]")).to_have_count(1)
        await keys.activate("checkbox", "J'accepte", "Space")
        await keys.activate("button", "Valider")
        await parent.sees("Réinscription terminée")
        receipt = page.get_by_role("link", name="Télécharger l'accusé de réception")
        await parent.reloads_until(receipt)
        await keys.reach(receipt)
