"""Nothing typed is ever lost, in a real browser: another device, no network, two people at once."""

import pytest
from playwright.async_api import Browser, expect

from tests.journeys.family import NEXT, Parent
from tests.system import System

pytestmark = [pytest.mark.servers, pytest.mark.browser]

_STATUS = "[data-autosave]"


@pytest.mark.spec("S21", "S23", "S33")
async def test_what_is_typed_is_kept_on_leaving_a_field_and_found_on_another_device(
    portal: System, browser: Browser
) -> None:
    school = await portal.school(families=1)
    (family,) = school.families
    async with (
        Parent.of(browser, school, family) as telephone,
        Parent.of(browser, school, family, script=False, width=320) as computer,
    ):
        await telephone.press("Je souhaite réinscrire Sacha ESSAI")
        await telephone.sees("Modification des coordonnées")
        step = telephone.page.url
        profession = telephone.page.get_by_label("Profession", exact=True)
        await profession.fill("Luth")
        await profession.blur()
        status = telephone.page.locator(_STATUS)
        await expect(status).to_contain_text("Enregistré à")

        await telephone.page.context.set_offline(True)
        await profession.fill("Luthière")
        await profession.blur()
        await expect(status).to_contain_text("Pas encore enregistré")
        await telephone.page.context.set_offline(False)
        await expect(status).to_contain_text("Enregistré à")

        await computer.page.goto(step)
        await computer.reads("Nous avons gardé ce que vous aviez saisi")
        found = computer.page.get_by_label("Profession", exact=True)
        await expect(found).to_have_value("Luthière")
        await computer.press(NEXT)
        await computer.sees("Autorisations")

        await profession.fill("Archetière")
        await telephone.press(NEXT)
        await telephone.reads("Modifié entre-temps par vous-même, dans une autre page")
        await expect(telephone.page.get_by_label("Profession", exact=True)).to_have_value(
            "Archetière"
        )
        await telephone.press(NEXT)
        await telephone.sees("Autorisations")
        await computer.page.goto(step)
        await expect(found).to_have_value("Archetière")
        await expect(computer.page.get_by_text("Nous avons gardé")).to_have_count(0)


@pytest.mark.spec("S14", "S16")
async def test_coordinates_are_corrected_outside_the_wizard_without_a_script(
    portal: System, browser: Browser
) -> None:
    school = await portal.school(families=1)
    (family,) = school.families
    async with Parent.of(browser, school, family, script=False, width=320) as parent:
        await parent.page.goto(f"{parent.url}/eleves/{family.student_id}/identite")
        await parent.follow("Modifier")
        await parent.sees("Modifier l'identité de Sacha ESSAI")
        await parent.page.get_by_label("Établissement scolaire").fill("Collège Rabelais")
        await parent.press("Enregistrer")
        await parent.reads("Vos modifications sont enregistrées")
        await parent.reads("Collège Rabelais")
        await parent.page.goto(f"{parent.url}/famille")
        await parent.follow("Modifier")
        await parent.page.get_by_label("Ville").fill("Sèvres")
        await parent.press("Enregistrer")
        await parent.sees("Famille")
        await parent.reads("Élément modifié")
