"""The wizard's frame and its first three steps, in a real browser, on the real system."""

from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Browser, expect

from tests.document_files import pdf
from tests.journeys.family import NEXT, Parent
from tests.journeys.siblings import has_another_child
from tests.system import School, System

pytestmark = [pytest.mark.servers, pytest.mark.browser]

_STEPS: Final = (
    "Modification des coordonnées",
    "Autorisations",
    "Documents",
    "Cours",
    "Récapitulatif",
    "Finalisation",
)
_BACK: Final = "Retour à l'étape précédente"
_DOMICILE: Final = "Justificatif de domicile de moins de 3 mois"
_FAMILY_PIECES: Final = (
    _DOMICILE,
    "Attestation CAF 2027 avec quotient familial",
    "Avis d'imposition 2026 sur les revenus 2025 responsable 1",
    "Avis d'imposition 2026 sur les revenus 2025 responsable 2",
    "Avis d'imposition suite",
    "Attestation d'hébergement (si justifié)",
    "Justificatif de domicile hébergeant (si justifié)",
    "Pièce d'identité hébergeant (si justifié)",
    "Attestation de non remise des pièces (facultatif)",
    "Mandat de prélèvement SEPA (facultatif)",
    "RIB pour prélèvement SEPA (facultatif)",
)


@pytest.fixture
async def school(portal: System) -> School:
    return await portal.school(families=1)


@pytest.mark.spec("S21", "S23", "S33", "S40")
async def test_six_steps_keep_every_entry_and_are_resumed_on_another_device(
    browser: Browser, school: School
) -> None:
    (family,) = school.families
    async with (
        Parent.of(browser, school, family) as parent,
        Parent.of(browser, school, family, width=320) as phone,
    ):
        page = parent.page
        await parent.press("Je souhaite réinscrire Sacha ESSAI")
        steps = page.get_by_role("navigation", name="Étapes de la réinscription")
        for number, label in enumerate(_STEPS, start=1):
            step = steps.get_by_role("listitem").nth(number - 1)
            await expect(step).to_contain_text(str(number))
            await expect(step).to_contain_text(label)
        await expect(steps.locator("[aria-current=step]")).to_contain_text(_STEPS[0])
        for tab in ("Identité", "Cours", "Historique", "Réinscription", "Mes Documents"):
            tabs = page.get_by_role("navigation", name="Sacha ESSAI")
            await expect(tabs.get_by_role("link", name=tab)).to_be_visible()

        await page.get_by_label("Profession", exact=True).fill("Luthière")
        await page.get_by_label("Établissement scolaire").fill("Collège Rabelais")
        await parent.press(NEXT)
        await parent.sees(_STEPS[1])
        await parent.press(NEXT)
        await parent.reads("Il y a un problème")
        await parent.answer("Droit à l'image", "Non")
        await parent.answer("Autorisation de sortie", "Oui")
        await parent.press(_BACK)
        await expect(page.get_by_label("Profession", exact=True)).to_have_value("Luthière")
        await parent.press(NEXT)
        group = page.get_by_role("group", name="Droit à l'image")
        await expect(group.get_by_label("Non")).to_be_checked()
        await parent.press(NEXT)
        await parent.sees(_STEPS[2])

        await phone.page.goto(f"{phone.url}/accueil")
        await phone.press("Reprendre la réinscription")
        await phone.sees(_STEPS[2])
        await phone.press(_BACK)
        await phone.sees(_STEPS[1])

        await page.goto(f"{parent.url}/famille")
        changed = page.locator(".govuk-summary-list__row").filter(has_text="Luthière")
        await expect(changed).to_contain_text("Élément modifié")


@pytest.mark.spec("S52", "S54", "S55", "S56")
async def test_a_piece_of_the_family_serves_each_child_and_none_holds_anyone_back(
    browser: Browser, school: School, tmp_path: Path
) -> None:
    (family,) = school.families
    await has_another_child(school, family)
    proof = tmp_path / "justificatif.pdf"
    proof.write_bytes(pdf())
    async with Parent.of(browser, school, family) as parent:
        await parent.press("Je souhaite réinscrire Sacha ESSAI")
        await parent.prepares()
        table = parent.page.get_by_role("table", name="Pièces à fournir - Famille")
        for name in _FAMILY_PIECES:
            await expect(table.get_by_role("rowheader").filter(has_text=name)).to_have_count(1)
        await expect(parent.page.get_by_role("main")).not_to_contain_text("DANSE")
        await parent.reads("vous pouvez déposer vos pièces plus tard")
        await parent.reads("le tarif plafond est appliqué")
        await parent.sends(_DOMICILE, proof)
        await parent.stands(_DOMICILE, "Déposée")
        hosting = parent.row("Attestation d'hébergement")
        await hosting.get_by_role("link", name="Importer").click()
        await parent.sees("Attestation d'hébergement")
        await parent.press("Je ne remets pas cette pièce")
        await parent.sees("Documents")
        await expect(hosting).to_contain_text("Non remise déclarée")
        await parent.press(NEXT)
        await parent.sees("Cours")

        await parent.follow("Famille")
        await parent.follow("Mes Documents de Noa ESSAI")
        await parent.stands(_DOMICILE, "Déposée")
