"""What a parent does in the portal, in the parent's words."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, expect
from stack.demonstration import PASSWORD

from tests.system import Household, School

_PATIENCE_MILLISECONDS = 15_000
# a machine that runs the whole system besides shows a page late
expect.set_options(timeout=_PATIENCE_MILLISECONDS)

NEXT = "Passer à l'étape suivante"


@dataclass(frozen=True, slots=True)
class Parent:
    """A parent before a page of the portal."""

    page: Page
    url: str
    script: bool = True

    @classmethod
    @asynccontextmanager
    async def at(
        cls, browser: Browser, url: str, *, script: bool = True, width: int = 1280
    ) -> AsyncIterator["Parent"]:
        """Open the portal in a browser of one's own; nothing may go wrong in its console."""
        context = await browser.new_context(
            java_script_enabled=script, viewport={"width": width, "height": 900}, locale="fr-FR"
        )
        context.set_default_timeout(_PATIENCE_MILLISECONDS)
        page = await context.new_page()
        failures: list[str] = []
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.on(
            "console",
            lambda message: (
                failures.append(message.text) if "Content Security Policy" in message.text else None
            ),
        )
        try:
            yield cls(page, url, script)
        finally:
            await context.close()
        assert failures == []

    @classmethod
    @asynccontextmanager
    async def of(
        cls,
        browser: Browser,
        school: School,
        family: Household,
        *,
        script: bool = True,
        width: int = 1280,
    ) -> AsyncIterator["Parent"]:
        """Open the portal and sign in as a school's family."""
        url = school.system.stack.public_url
        async with cls.at(browser, url, script=script, width=width) as parent:
            await parent.sign_in(school.name, family.username, PASSWORD)
            yield parent

    async def sign_in(self, site: str, username: str, password: str) -> None:
        """Sign in from the landing page, and arrive home."""
        await self.page.goto(self.url)
        await self.page.get_by_role("button", name="Accès usager").click()
        # a site imported a moment ago is on the list within seconds
        await self.reloads_until(self.page.get_by_role("option", name=site))
        await self.page.get_by_label("Conservatoire").select_option(label=site)
        await self.page.get_by_label("Identifiant").fill(username)
        await self.page.get_by_label("Mot de passe", exact=False).first.fill(password)
        await self.page.get_by_role("button", name="Se connecter").click()
        await self.sees("Accueil")

    async def press(self, name: str) -> None:
        """Press a button."""
        await self.page.get_by_role("button", name=name).first.click()

    async def follow(self, name: str) -> None:
        """Follow a link."""
        await self.page.get_by_role("link", name=name).first.click()

    async def sees(self, heading: str) -> None:
        """Arrive on the page with this main heading."""
        await expect(self.page.get_by_role("heading", level=1)).to_contain_text(heading)

    async def reads(self, text: str) -> None:
        """Find a text in the page."""
        await expect(self.page.get_by_text(text).first).to_be_visible()

    async def reads_at_last(self, text: str) -> None:
        """Find a text in the page, which was not there yet at first."""
        await self.reloads_until(self.page.get_by_text(text))

    async def prepares(self) -> None:
        """Go through steps 1 and 2."""
        await self.sees("Modification des coordonnées")
        await self.press(NEXT)
        await self.sees("Autorisations")
        await self.answer("Droit à l'image", "Oui")
        await self.answer("Autorisation de sortie", "Non")
        await self.press(NEXT)
        await self.sees("Documents")

    async def answer(self, question: str, answer: str) -> None:
        """Choose Oui or Non."""
        group = self.page.get_by_role("group", name=question)
        await group.get_by_label(answer).check()

    async def sends(self, piece: str, file: Path) -> None:
        """Import a file for a piece, from a list of pieces; stay where the portal leads."""
        await self.chooses_files(piece, file)
        await self.press("Importer")

    async def chooses_files(self, piece: str, *files: Path) -> None:
        """Choose what to import for a piece, from a list of pieces or from its own page."""
        if "/documents/" not in self.page.url:
            importing = self.row(piece).get_by_role("link", name=re.compile("Importer|Remplacer"))
            await importing.click()
            await self.sees(piece)
        await self.page.locator("input[type=file]").set_input_files(files)

    def row(self, text: str) -> Locator:
        """A row of a table, by what it says."""
        return self.page.get_by_role("row").filter(has_text=text)

    async def stands(self, piece: str, state: str) -> None:
        """Wait until the list of pieces says that one has come to a state."""
        at_last = self.row(piece).get_by_text(state, exact=True)
        if not self.script:
            await self.reloads_until(at_last)
        # an analysis waits its turn
        await expect(at_last).to_be_visible(timeout=2 * _PATIENCE_MILLISECONDS)

    async def chooses(self, curriculum: str, slot: str = "") -> None:
        """Tick a course to follow again and, where there is one, choose its slot."""
        row = self.row(curriculum)
        await row.get_by_role("checkbox").check()
        if slot:
            await row.get_by_role("radio", name=slot).check()

    async def is_refused(self) -> bool:
        """Once a step is answered: whether it is shown again with what to mend, or the recap."""
        problem = self.page.get_by_text("Il y a un problème")
        recap = self.page.get_by_role("heading", level=1, name="Récapitulatif")
        await expect(problem.or_(recap)).to_be_visible()
        return await problem.is_visible()

    async def validates(self) -> str:
        """Accept and submit; give the receipt's number."""
        await self.page.get_by_label("J'accepte").check()
        await self.press("Valider")
        await self.sees("Réinscription terminée")
        return (await self.page.locator(".rentree-reference").first.inner_text()).strip()

    async def reloads_until(self, there: Locator) -> None:
        async with asyncio.timeout(_PATIENCE_MILLISECONDS / 1000):
            while await there.count() == 0:
                await self.page.reload()
