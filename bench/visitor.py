"""A family before the portal: its browser's cookies, the pages it opens, the forms it sends."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from stack.demonstration import PASSWORD

from bench.crowd import Guardian
from bench.pages import Answers, Page, PageForm

NEXT_STEP = "Passer à l'étape suivante"
_CHOICES_AT_MOST = 10
_RECEIPT = re.compile(r"accusé de réception (\S+)")


class LostOnTheWay(Exception):
    """A page was not the one that a family expects here."""

    def __init__(self, expected: str, page: Page) -> None:
        super().__init__(f"{expected} expected, got {page.path} ({page.status}): {page.text[:300]}")


@dataclass(frozen=True, slots=True)
class Filed:
    """What a family has at the end: its receipt's number, and the seats that it chose."""

    receipt_number: str
    seats: int


@dataclass(slots=True)
class Visitor:
    """One guardian with a browser of their own, and a taste among the slots on offer."""

    browser: aiohttp.ClientSession
    guardian: Guardian
    taste: int
    page: Page = field(init=False)

    @classmethod
    @asynccontextmanager
    async def before(
        cls, portal_url: str, guardian: Guardian, taste: int
    ) -> AsyncIterator["Visitor"]:
        """Open a browser on the portal."""
        jar = aiohttp.CookieJar(unsafe=True)  # the portal has an address here, and no name
        async with aiohttp.ClientSession(portal_url, cookie_jar=jar) as browser:
            yield cls(browser, guardian, taste)

    async def sign_in(self) -> None:
        """Sign in and arrive at the home page."""
        await self._open("/connexion")
        answers = {
            "site": str(self.guardian.site_id),
            "username": self.guardian.username,
            "password": PASSWORD,
        }
        await self._send("Se connecter", answers, leads_to="/accueil")

    async def re_enrol(self) -> Filed:
        """From the home page through the six steps to the receipt."""
        await self._open("/accueil")
        await self._send("Je souhaite réinscrire", {}, leads_to="/coordonnees")
        await self._send(NEXT_STEP, {}, leads_to="/autorisations")
        answers = {"image_rights": "oui", "leaves_alone": "non"}
        await self._send(NEXT_STEP, answers, leads_to="/documents")
        await self._send(NEXT_STEP, {}, leads_to="/cours")
        seats = await self._choose_courses()
        await self._send("Valider", {"accepted": "oui"}, leads_to="/finalisation")
        receipt = _RECEIPT.search(self.page.text)
        if receipt is None:
            raise LostOnTheWay("a receipt's number", self.page)
        return Filed(receipt[1], seats)

    async def _choose_courses(self) -> int:
        """Re-enrol in everything, one slot where there is a choice; give how many slots.

        A slot that fills up meanwhile is answered by the page again, with what is left.
        """
        for _ in range(_CHOICES_AT_MOST):
            offered = self._form(NEXT_STEP).offered
            ticks = {name: "oui" for name in offered if name.endswith("re_enrol")}
            slots = {
                name: values[self.taste % len(values)]
                for name, values in offered.items()
                if name.endswith("course_id")
            }
            await self._send(NEXT_STEP, {**ticks, **slots})
            if self.page.path.endswith("/recapitulatif"):
                return len(slots)
        raise LostOnTheWay("/recapitulatif", self.page)

    async def _open(self, path: str) -> None:
        async with self.browser.get(path) as response:
            self.page = Page.read(response.url.path, response.status, await response.text())
        if self.page.path != path or self.page.status != 200:
            raise LostOnTheWay(path, self.page)

    async def _send(self, button: str, answers: Answers, leads_to: str = "") -> None:
        """Answer the form that has this button, press it, and read the page that comes."""
        form = self._form(button)
        data = aiohttp.FormData(form.posted(answers, button))
        async with self.browser.post(form.action, data=data) as response:
            self.page = Page.read(response.url.path, response.status, await response.text())
        if not self.page.path.endswith(leads_to):
            raise LostOnTheWay(leads_to, self.page)

    def _form(self, button: str) -> PageForm:
        for form in self.page.forms:
            if form.has_button(button):
                return form
        raise LostOnTheWay(f"a button {button!r}", self.page)
