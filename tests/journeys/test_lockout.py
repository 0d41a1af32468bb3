"""Wrong passwords slow an account down, then lock it, without telling that there is one (S4)."""

from datetime import timedelta

import asyncpg
import pytest
from identity.accounts import name_hash
from identity.lockout import FIRST_WAIT, LOCK, LOCKED_FROM, SLOWED_FROM
from playwright.async_api import Browser
from stack.demonstration import PASSWORD

from tests.harness import eventually
from tests.journeys.family import Parent
from tests.system import School, System
from tests.visitor import Visitor

pytestmark = [pytest.mark.servers, pytest.mark.browser]

_WRONG = "un mot de passe de trop"
_NOBODY = "personne"


@pytest.fixture
async def school(portal: System) -> School:
    return await portal.school(families=1)


async def _time_passes(school: School, username: str, passed: timedelta) -> None:
    """Have what failed under a name be older, rather than wait."""
    connection = await asyncpg.connect(school.system.stack.postgresql.url("identity"))
    try:
        await connection.execute(
            "UPDATE sign_in_attempt SET last_at = last_at - $2::interval WHERE name_hash = $1",
            name_hash(school.site_id, username),
            passed,
        )
    finally:
        await connection.close()


async def _fails(school: School, username: str, times: int) -> None:
    """Fail to sign in, waiting as long as it takes after each."""
    wrong = {"site": str(school.site_id), "username": username, "password": _WRONG}
    async with Visitor.at_the_door(school.system.stack.public_url) as visitor:
        for _ in range(times):
            await _time_passes(school, username, timedelta(minutes=5))
            answer = await visitor.post("/connexion", wrong)
            assert answer.status == 422, answer.text


async def _fills_in(parent: Parent, school: School, username: str, password: str) -> None:
    await parent.page.goto(f"{parent.url}/connexion")
    # a site imported a moment ago is on the list within seconds
    await parent.reloads_until(parent.page.get_by_role("option", name=school.name))
    await parent.page.get_by_label("Conservatoire").select_option(label=school.name)
    await parent.page.get_by_label("Identifiant").fill(username)
    await parent.page.get_by_role("textbox", name="Mot de passe").fill(password)


async def _is_refused(parent: Parent) -> str:
    """Fail to sign in, and give all that the page then says, but for the list of sites."""
    await parent.press("Se connecter")
    await parent.reads("Il y a un problème")
    said = await parent.page.locator("main").inner_text()
    return said.replace(await parent.page.get_by_label("Conservatoire").inner_text(), "")


@pytest.mark.spec("S4")
@pytest.mark.parametrize(("script", "width"), [(True, 1280), (False, 320)])
async def test_five_failures_slow_an_account_down(
    browser: Browser, school: School, *, script: bool, width: int
) -> None:
    (family,) = school.families
    url = school.system.stack.public_url
    async with Parent.at(browser, url, script=script, width=width) as parent:
        await _fills_in(parent, school, family.username, _WRONG)
        first = await _is_refused(parent)
        assert "À partir de cinq échecs, patientez avant de recommencer" in first

        await _fills_in(parent, school, family.username, PASSWORD)
        await _fails(school, family.username, SLOWED_FROM - 1)
        # too soon, the right password is refused by the very same words
        assert await _is_refused(parent) == first
        assert await parent.page.evaluate("document.documentElement.scrollWidth") <= width

        await _time_passes(school, family.username, FIRST_WAIT)
        await _fills_in(parent, school, family.username, PASSWORD)
        await parent.press("Se connecter")
        await parent.sees("Accueil")


@pytest.mark.spec("S2", "S4")
async def test_ten_failures_lock_an_account_for_an_hour_and_its_owner_alone_is_told(
    browser: Browser, school: School
) -> None:
    (family,) = school.families
    left = timedelta(minutes=10)
    async with Parent.at(browser, school.system.stack.public_url) as parent:
        answers = []
        for username in (family.username, _NOBODY):
            await _fails(school, username, LOCKED_FROM)
            await _time_passes(school, username, LOCK - left)
            await _fills_in(parent, school, username, PASSWORD)
            answers.append(await _is_refused(parent))
        assert "à partir de dix, une heure" in answers[0]
        assert answers[0] == answers[1]

        await eventually(school.mails, within_seconds=30)
        (mail,) = school.mails()
        assert family.email in str(mail["to"])
        assert mail["subject"] == "Votre compte est bloqué pour une heure"

        await _time_passes(school, family.username, left)
        await _fills_in(parent, school, family.username, PASSWORD)
        await parent.press("Se connecter")
        await parent.sees("Accueil")
