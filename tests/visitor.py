"""Someone who reads and posts the portal's pages without a browser."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape

import aiohttp
from shared.identifiers import imported_id
from stack.demonstration import PASSWORD
from yarl import URL

from tests.system import Household, School

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: where it led, its status and its text, and the click's correlation id."""

    path: str
    status: int
    text: str
    correlation_id: str

    def hidden(self) -> dict[str, str]:
        """The hidden inputs of the page's forms."""
        return {name: unescape(value) for name, value in _HIDDEN.findall(self.text)}


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser's cookies, and nothing else of it."""

    client: aiohttp.ClientSession
    url: str

    @classmethod
    @asynccontextmanager
    async def signed_in(
        cls, url: str, school: School, family: Household
    ) -> AsyncIterator["Visitor"]:
        """Open a session as the family's guardian."""
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as client:
            visitor = cls(client, url)
            await visitor.get("/connexion")
            answer = await visitor.post(
                "/connexion",
                {
                    "site": str(imported_id("site", school.code)),
                    "username": family.username,
                    "password": PASSWORD,
                },
            )
            assert answer.path == "/accueil", answer.text
            yield visitor

    async def get(self, path: str) -> Answer:
        """Read a page."""
        async with self.client.get(self.url + path) as response:
            return await self._answer(response)

    async def post(self, path: str, form: Mapping[str, str]) -> Answer:
        """Post a form with the token that its page would carry, and go where it leads."""
        data = {"_csrf_token": self._csrf_token(), **form}
        async with self.client.post(self.url + path, data=data) as response:
            clicked = (*response.history, response)[0]
            return await self._answer(response, clicked)

    async def post_json(self, path: str, body: Mapping[str, object]) -> Answer:
        """Post as the pages' own scripts do."""
        headers = {"x-csrf-token": self._csrf_token(), "accept": "application/json"}
        async with self.client.post(self.url + path, json=body, headers=headers) as response:
            return await self._answer(response)

    def _csrf_token(self) -> str:
        cookies = self.client.cookie_jar.filter_cookies(URL(self.url))
        return cookies["rentree_csrf"].value if "rentree_csrf" in cookies else ""

    @staticmethod
    async def _answer(
        response: aiohttp.ClientResponse, clicked: aiohttp.ClientResponse | None = None
    ) -> Answer:
        return Answer(
            response.url.path,
            response.status,
            await response.text(),
            (clicked or response).headers["x-correlation-id"],
        )
