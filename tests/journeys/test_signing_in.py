"""Signing in, and a session that ends while one types, in a real browser, on the real system."""

import re
from typing import Final

import pytest
from playwright.async_api import Browser, expect
from stack.demonstration import PASSWORD

from tests.journeys.family import NEXT, Parent
from tests.system import School, System

pytestmark = [pytest.mark.servers, pytest.mark.browser]

_NECESSARY: Final = {"rentree_access", "rentree_refresh", "rentree_csrf", "langue"}


@pytest.fixture
async def school(portal: System) -> School:
    return await portal.school(families=1)


async def _fills_in(parent: Parent, site: str, username: str, password: str) -> None:
    page = parent.page
    await parent.reloads_until(page.get_by_role("option", name=site))
    await page.get_by_label("Conservatoire").select_option(label=site)
    await page.get_by_label("Identifiant").fill(username)
    await page.get_by_role("textbox", name="Mot de passe").fill(password)
    await parent.press("Se connecter")


@pytest.mark.spec("S2")
async def test_whatever_is_wrong_the_answer_is_the_same(
    portal: System, browser: Browser, school: School
) -> None:
    (family,) = school.families
    wrong = (
        ("Conservatoire de Meudon", family.username, PASSWORD),
        (school.name, "personne", PASSWORD),
        (school.name, family.username, "un mot de passe de trop"),
    )
    answers = []
    async with Parent.at(browser, portal.stack.public_url) as parent:
        for site, username, password in wrong:
            await parent.page.goto(f"{parent.url}/connexion")
            await _fills_in(parent, site, username, password)
            summary = parent.page.locator(".govuk-error-summary")
            answers.append(await summary.inner_text())
    assert len(set(answers)) == 1
    assert "ne convien" in answers[0] or "incorrect" in answers[0]


@pytest.mark.spec("S12")
async def test_no_cookie_but_the_necessary_ones(browser: Browser, school: School) -> None:
    (family,) = school.families
    async with Parent.of(browser, school, family) as parent:
        await parent.press("Je souhaite réinscrire Sacha ESSAI")
        await parent.sees("Modification des coordonnées")
        cookies = await parent.page.context.cookies()
        stored: int = await parent.page.evaluate("localStorage.length")
    assert {cookie["name"] for cookie in cookies} <= _NECESSARY
    assert all(cookie["httpOnly"] for cookie in cookies)
    assert stored == 0


@pytest.mark.spec("S6")
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
async def test_a_session_that_ends_leads_back_to_the_page_with_what_was_typed(
    browser: Browser, school: School, *, script: bool
) -> None:
    (family,) = school.families
    async with Parent.of(browser, school, family, script=script) as parent:
        page = parent.page
        await parent.press("Je souhaite réinscrire Sacha ESSAI")
        await parent.sees("Modification des coordonnées")
        await page.get_by_label("Profession", exact=True).fill("Luthière")
        await page.context.clear_cookies(name=re.compile("rentree_(access|refresh)"))
        await parent.press(NEXT)
        await parent.sees("Votre session a expiré")
        await parent.press("Me reconnecter")
        await _fills_in(parent, school.name, family.username, PASSWORD)
        await parent.press("Envoyer mes réponses")
        await parent.sees("Autorisations")
        await parent.press("Retour à l'étape précédente")
        await expect(page.get_by_label("Profession", exact=True)).to_have_value("Luthière")
