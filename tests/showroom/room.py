"""The gateway on a free port, before services that answer as each exhibit wants."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from gateway.people import ACCESS_COOKIE
from playwright.async_api import BrowserContext, FilePayload, Page, Response

from tests.live import listening
from tests.portal import Answers, Portal
from tests.showroom.household import CALLER

_LANGUAGE_COOKIE: Final = "langue"
_FILL_IN: Final = """(typed) => {
  for (const [name, value] of Object.entries(typed)) {
    const fields = [...document.querySelectorAll(`main [name$="${name}"]`)];
    if (!fields.length) throw new Error(`no field is called ${name}`);
    for (const field of fields) {
      if (["radio", "checkbox"].includes(field.type)) field.checked = field.value === value;
      else { field.value = value; break; }
    }
  }
}"""


@dataclass(frozen=True, slots=True)
class Act:
    """What is done in the page before it is looked at.

    ``presses`` names the button; ``typed`` goes by the end of each field's name. ``meanwhile`` is
    what services answer by then besides, ``loses`` the cookies that the browser has lost by then.
    An act that ``stays`` leads to no other page.
    """

    presses: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    file: tuple[str, bytes] | None = None
    meanwhile: Answers = field(default_factory=dict)
    loses: Sequence[str] = ()
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A page in one state: where it is, how services answer, what is done there first.

    The answers are made when it is shown: they tell times from now on.
    """

    name: str
    path: str
    answers: Callable[[], Answers] = dict
    acts: tuple[Act, ...] = ()
    status: int = 200
    signed_in: bool = False
    language: str = "fr"


def family_page(
    name: str,
    path: str,
    answers: Callable[[], Answers],
    acts: tuple[Act, ...] = (),
    status: int = 200,
    language: str = "fr",
) -> Exhibit:
    """A page as the signed-in family sees it."""
    return Exhibit(name, path, answers, acts, status, signed_in=True, language=language)


@dataclass(frozen=True, slots=True)
class Room:
    """The gateway that listens, and the table that its services answer from."""

    portal: Portal
    url: str

    @classmethod
    @asynccontextmanager
    async def opened(cls, folder: Path) -> AsyncIterator[Self]:
        """Serve the gateway; ``folder`` is for its keys."""
        portal = Portal(folder)
        async with listening(portal.app) as address:
            yield cls(portal, address.url)

    async def show(self, page: Page, exhibit: Exhibit) -> None:
        """Bring the browser before an exhibit; raises AssertionError where it is not as said."""
        self.portal.reset(exhibit.answers())
        await self._greet(page.context, exhibit)
        answer = await page.goto(self.url + exhibit.path)
        for act in exhibit.acts:
            answer = await self._do(page, act) or answer
        assert answer is not None
        assert answer.status == exhibit.status, f"{exhibit.name}: {answer.status} at {answer.url}"
        services = self.portal.services
        unanswered = {type(question).__name__ for question in services.asked} - {
            question.__name__ for question in services.answers
        }
        assert not unanswered, f"{exhibit.name}: nothing is answered to {unanswered}"

    async def _greet(self, context: BrowserContext, exhibit: Exhibit) -> None:
        await context.clear_cookies()
        cookies = {_LANGUAGE_COOKIE: exhibit.language}
        if exhibit.signed_in:
            cookies[ACCESS_COOKIE] = self.portal.token_for(CALLER)
        for name, value in cookies.items():
            await context.add_cookies([{"name": name, "value": value, "url": self.url}])

    async def _do(self, page: Page, act: Act) -> Response | None:
        if act.typed:
            await page.evaluate(_FILL_IN, dict(act.typed))
        if act.file:
            name, content = act.file
            file: FilePayload = {"name": name, "mimeType": "application/pdf", "buffer": content}
            await page.locator("input[type=file]").set_input_files(file)
        self.portal.services.answers |= dict(act.meanwhile)
        for cookie in act.loses:
            await page.context.clear_cookies(name=cookie)
        if not act.presses:
            return None
        button = page.get_by_role("main").get_by_role("button", name=act.presses)
        if act.stays:
            await button.first.click()
            return None
        async with page.expect_navigation() as led:
            await button.first.click()
        return await led.value
