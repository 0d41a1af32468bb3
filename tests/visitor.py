"""Someone who reads and posts the portal's pages without a browser."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape

import aiohttp
import jwt
from gateway.people import ACCESS_COOKIE
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
    async def at_the_door(cls, url: str) -> AsyncIterator["Visitor"]:
        """Read the sign-in page, and have its token."""
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as client:
            visitor = cls(client, url)
            await visitor.get("/connexion")
            yield visitor

    @classmethod
    @asynccontextmanager
    async def signed_in(
        cls, url: str, school: School, family: Household
    ) -> AsyncIterator["Visitor"]:
        """Open a session as the family's guardian."""
        async with cls.at_the_door(url) as visitor:
            answer = await visitor.post(
                "/connexion",
                {
                    "site": str(school.site_id),
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

    async def post_file(self, path: str, form: Mapping[str, str], content: bytes) -> Answer:
        """Post a form that carries a file, as a browser without script does."""
        data = aiohttp.FormData({"_csrf_token": self._csrf_token(), **form})
        data.add_field("file", content, filename="justificatif.pdf")
        async with self.client.post(self.url + path, data=data) as response:
            return await self._answer(response)

    async def try_to(self, method: str, path: str) -> Answer:
        """Send a form of nothing but its token, and stay where it is answered."""
        headers = {"x-csrf-token": self._csrf_token()}
        async with self.client.request(
            method, self.url + path, headers=headers, allow_redirects=False
        ) as response:
            return await self._answer(response)

    @property
    def session_id(self) -> str:
        """The identifier of the session that was opened."""
        cookies = self.client.cookie_jar.filter_cookies(URL(self.url))
        claims = jwt.decode(cookies[ACCESS_COOKIE].value, options={"verify_signature": False})
        return str(claims["caller"]["session_id"])

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
            await response.text(errors="replace"),
            (clicked or response).headers.get("x-correlation-id", ""),
        )
