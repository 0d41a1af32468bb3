"""A guardian forgets a password, changes it or an address, signs lost devices out (S4)."""

import re

import pytest
from playwright.async_api import Browser, Page, expect
from stack.demonstration import PASSWORD

from tests.harness import eventually
from tests.journeys.family import Parent
from tests.system import Household, School, System

pytestmark = [pytest.mark.servers, pytest.mark.browser]

_NEW = "girafe tambour nuage"
_NEWER = "lampe verte et trois chats"
_LINK = re.compile(r"(/mot-de-passe/\S+\?jeton=\S+)")
_BOTH_WAYS = pytest.mark.parametrize(("script", "width"), [(True, 1280), (False, 320)])


@pytest.fixture
async def school(portal: System) -> School:
    return await portal.school(families=2)


async def _mailed(school: School, address: str, subject: str) -> list[str]:
    """Give the texts of the mails that an address got, once there is one."""

    def texts() -> list[str]:
        found = [
            mail.get_body(("plain",))
            for mail in school.mails()
            if address in str(mail["to"]) and subject in str(mail["subject"])
        ]
        return [text.get_content() for text in found if text is not None]

    await eventually(texts)
    return texts()


async def _link(school: School, address: str, subject: str) -> str:
    found = _LINK.search((await _mailed(school, address, subject))[-1])
    assert found
    return found[1]


async def _forgets(parent: Parent, site: str, username: str) -> None:
    page = parent.page
    await page.goto(f"{parent.url}/connexion")
    await parent.follow("Mot de passe oublié ?")
    await parent.sees("Mot de passe oublié")
    await _fits(page)
    await parent.reloads_until(page.get_by_role("option", name=site))
    await page.get_by_label("Conservatoire").select_option(label=site)
    await page.get_by_label("Identifiant").fill(username)
    await parent.press("Recevoir le lien")
    await parent.sees("Regardez vos e-mails")
    await _fits(page)


async def _types(page: Page, label: str, text: str) -> None:
    await page.get_by_label(label).first.fill(text)


@pytest.mark.spec("S4")
@_BOTH_WAYS
async def test_a_forgotten_password_is_chosen_anew_by_a_mailed_link(
    browser: Browser, school: School, *, script: bool, width: int
) -> None:
    family = school.families[0]
    url = school.system.stack.public_url
    async with (
        Parent.of(browser, school, family) as elsewhere,
        Parent.at(browser, url, script=script, width=width) as parent,
    ):
        await elsewhere.sees("Accueil")
        await _forgets(parent, school.name, family.username)
        link = await _link(school, family.email, "Choisissez un nouveau mot de passe")

        await parent.page.goto(url + link)
        await parent.sees("Choisissez un nouveau mot de passe")
        await parent.reads(family.username)
        await _fits(parent.page)
        await _types(parent.page, "Nouveau mot de passe", "motdepasse2027")
        await parent.press("Enregistrer le mot de passe")
        await parent.reads("trop facile à deviner")
        await _fits(parent.page)
        await _types(parent.page, "Nouveau mot de passe", _NEW)
        await parent.press("Enregistrer le mot de passe")
        await parent.sees("Votre mot de passe est enregistré")
        await _fits(parent.page)

        await parent.page.goto(url + link)
        await parent.sees("Ce lien n'est plus valable")
        await _fits(parent.page)
        await parent.press("Demander un nouveau lien")
        await parent.sees("Mot de passe oublié")

        await parent.sign_in(school.name, family.username, _NEW)
        await _is_signed_out(elsewhere)
        await _mailed(school, family.email, "Votre mot de passe a été changé")


@pytest.mark.spec("S2", "S4")
async def test_a_name_without_an_account_gets_the_same_page_and_no_mail(
    browser: Browser, school: School
) -> None:
    url = school.system.stack.public_url
    pages = []
    async with Parent.at(browser, url) as parent:
        for username in ("personne", school.families[0].username):
            await _forgets(parent, school.name, username)
            pages.append((parent.page.url, await parent.page.locator("main").inner_text()))
    assert pages[0] == pages[1]
    subject = "Choisissez un nouveau mot de passe"
    assert len(await _mailed(school, school.families[0].email, subject)) == 1
    assert len([mail for mail in school.mails() if subject in str(mail["subject"])]) == 1


@pytest.mark.spec("S4")
@_BOTH_WAYS
async def test_a_password_is_changed_while_signed_in(
    browser: Browser, school: School, *, script: bool, width: int
) -> None:
    family = school.families[1]
    async with (
        Parent.of(browser, school, family) as elsewhere,
        Parent.of(browser, school, family, script=script, width=width) as parent,
    ):
        await _opens(parent, "/mot-de-passe")
        await parent.sees("Mot de passe")
        await _fits(parent.page)
        await _types(parent.page, "Mot de passe actuel", "un autre mot de passe")
        await _types(parent.page, "Nouveau mot de passe", _NEWER)
        await parent.press("Changer le mot de passe")
        await parent.reads("Le mot de passe actuel ne convient pas")
        await _types(parent.page, "Mot de passe actuel", PASSWORD)
        await _types(parent.page, "Nouveau mot de passe", "court")
        await parent.press("Changer le mot de passe")
        await parent.reads("au moins 12 caractères")
        await _fits(parent.page)
        await _types(parent.page, "Mot de passe actuel", PASSWORD)
        await _types(parent.page, "Nouveau mot de passe", _NEWER)
        await parent.press("Changer le mot de passe")
        await parent.reads("Votre mot de passe est changé")

        await _opens(parent, "/accueil")
        await parent.sees("Accueil")
        await _is_signed_out(elsewhere)


@pytest.mark.spec("S6")
@_BOTH_WAYS
async def test_a_lost_device_is_signed_out_from_another(
    browser: Browser, school: School, *, script: bool, width: int
) -> None:
    family = school.families[0]
    async with (
        Parent.of(browser, school, family) as lost,
        Parent.of(browser, school, family) as other,
        Parent.of(browser, school, family, script=script, width=width) as parent,
    ):
        await _opens(parent, "/mot-de-passe/appareils")
        await parent.sees("Appareils connectés")
        await _fits(parent.page)
        await expect(parent.page.get_by_text("Cet appareil", exact=True)).to_have_count(1)
        buttons = parent.page.get_by_role("button", name=re.compile("^Déconnecter Chrome"))
        await expect(buttons).to_have_count(2)
        # the one seen last comes first
        await buttons.first.click()
        await expect(buttons).to_have_count(1)
        await _is_signed_out(other)
        await _opens(lost, "/accueil")
        await lost.sees("Accueil")
        await parent.press("Déconnecter tous les autres appareils")
        await expect(buttons).to_have_count(0)
        await _is_signed_out(lost)
        await _opens(parent, "/accueil")
        await parent.sees("Accueil")


@pytest.mark.spec("S4")
@_BOTH_WAYS
async def test_an_address_is_changed_by_the_link_that_it_gets(
    browser: Browser, school: School, *, script: bool, width: int
) -> None:
    family: Household = school.families[0]
    address = f"nouvelle.{family.email}"
    url = school.system.stack.public_url
    async with (
        Parent.of(browser, school, family, script=script, width=width) as parent,
        Parent.at(browser, url, width=width) as mailbox,
    ):
        await _opens(parent, "/mot-de-passe/email")
        await parent.reads(family.email)
        await _types(parent.page, "Nouvelle adresse e-mail", "nouvelle")
        await parent.press("Envoyer le lien")
        await parent.reads("écrivez une adresse complète")
        await _types(parent.page, "Nouvelle adresse e-mail", address)
        await parent.press("Envoyer le lien")
        await parent.reads("votre mot de passe actuel")
        await _types(parent.page, "Mot de passe actuel", PASSWORD)
        await parent.press("Envoyer le lien")
        await parent.reads("Suivez le lien qu'il contient")
        await _fits(parent.page)

        link = await _link(school, address, "Confirmez votre nouvelle adresse")
        await mailbox.page.goto(url + link)
        await mailbox.sees("Confirmez votre adresse e-mail")
        await _fits(mailbox.page)
        await parent.page.reload()
        await parent.reads("D'ici là, rien ne change")
        await mailbox.press("Confirmer cette adresse")
        await mailbox.sees("Votre adresse e-mail est enregistrée")
        await _mailed(school, family.email, "Votre adresse e-mail a été changée")
        await _mailed(school, address, "Votre adresse e-mail est enregistrée")

        await _opens(parent, "/mot-de-passe")
        await parent.reads(address)
        await mailbox.page.goto(url + link)
        await mailbox.sees("Ce lien n'est plus valable")


async def _opens(parent: Parent, path: str) -> None:
    await parent.page.goto(parent.url + path)


async def _is_signed_out(parent: Parent) -> None:
    """The device is led to sign-in: within moments, though its token would live ten minutes."""

    async def is_led_to_sign_in() -> bool:
        await _opens(parent, "/accueil")
        return "/connexion" in parent.page.url

    await eventually(is_led_to_sign_in, within_seconds=10, every_seconds=0.3)


async def _fits(page: Page) -> None:
    """Nothing is wider than the window: no one scrolls sideways to read (WCAG 1.4.10)."""
    overflow = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow == 0
