"""Who is at the other end: the session in its cookies, renewed without anyone noticing.

A short access token is verified locally, on any replica; when it has expired identity renews it
with the refresh token, which changes each time. Nothing of it is kept here (S6).
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from litestar import Request
from litestar.datastructures import Cookie, MutableScopeHeaders, State
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from shared.ask import Services, ServiceUnavailable
from shared.callers import Caller, TokenVerifier
from shared.contract import Ask, Query, Rejection
from shared.contracts.accounts import SignedIn
from shared.contracts.identity import RefreshSession

from gateway.ended_sessions import EndedSessions
from gateway.language import gettext
from gateway.rendering import Visitor
from gateway.sites import SiteDirectory

ACCESS_COOKIE = "rentree_access"
REFRESH_COOKIE = "rentree_refresh"
API_PREFIX = "/api/"
WITHOUT_SESSION = {"without_session": True, "exclude_from_csrf": True}
"""The options of a route that is the same for everyone: no cookie is read, set or renewed."""

_URL_ENCODED = "application/x-www-form-urlencoded"
HttpRequest = Request[Caller | None, None, State]
type Foreseen = dict[Ask[Any], asyncio.Task[Any]]
"""What is being asked already, by question."""


class NotSignedIn(Exception):
    """The page is for signed-in people."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone signed in, on whose behalf services are asked."""

    caller: Caller
    token: str
    services: Services
    _foreseen: Foreseen = field(default_factory=dict, repr=False, compare=False)

    def foresee(self, *questions: Query[Any]) -> None:
        """Ask now what the page will ask in turn: it then waits for all of them at once."""
        for question in questions:
            asking = asyncio.create_task(self.services.ask(question, token=self.token))
            # a page that is not shown after all never hears of it
            asking.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._foreseen[question] = asking

    async def ask[Answer](self, question: Ask[Answer]) -> Answer:
        """Ask on this person's behalf; raises Rejection or ServiceUnavailable."""
        asking = self._foreseen.pop(question, None) if isinstance(question, Query) else None
        answer: Answer = await (asking or self.services.ask(question, token=self.token))
        return answer

    async def ask_if_up[Answer](
        self, question: Ask[Answer], notices: list[str], unavailable: str
    ) -> Answer | None:
        """Ask for a part that the page can do without: its absence is said in ``notices``.

        ``unavailable`` is a marked text.
        """
        try:
            return await self.ask(question)
        except ServiceUnavailable:
            notices.append(gettext(unavailable))
            return None


@dataclass(frozen=True, slots=True)
class SessionCookies:
    """The two cookies of a session: strictly necessary, out of any script's reach (S12)."""

    secure: bool

    def opening(self, session: SignedIn) -> list[Cookie]:
        """Give the cookies that keep a session."""
        return [
            self._cookie(ACCESS_COOKIE, session.access_token, session.refresh_expires_at),
            self._cookie(REFRESH_COOKIE, session.refresh_token, session.refresh_expires_at),
        ]

    def closing(self) -> list[Cookie]:
        """Give the cookies that end a session in the browser."""
        return [self._cookie(name, "", None) for name in (ACCESS_COOKIE, REFRESH_COOKIE)]

    def _cookie(self, name: str, value: str, expires_at: datetime | None) -> Cookie:
        seconds = int((expires_at - datetime.now(UTC)).total_seconds()) if expires_at else 0
        return Cookie(
            key=name,
            value=value,
            max_age=max(0, seconds),
            path="/",
            secure=self.secure,
            httponly=True,
            samesite="lax",
        )


class SessionMiddleware:
    """Puts in the request's state the Person, or None, and what a page says of them; sends the
    cookies of a renewed session.

    Programs send ``Authorization: Bearer``, people's browsers cookies; the API takes the first
    only, the pages the second only.
    """

    def __init__(
        self,
        app: ASGIApp,
        services: Services,
        verifier: TokenVerifier,
        cookies: SessionCookies,
        directory: SiteDirectory,
        ended: EndedSessions,
    ) -> None:
        self._app = app
        self._services = services
        self._verifier = verifier
        self._cookies = cookies
        self._directory = directory
        self._ended = ended

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find out who asks, then go on."""
        request: HttpRequest = Request(scope, receive, send)
        renewed = await self._find_out(request, scope["state"])

        async def send_with_cookies(message: Message) -> None:
            if renewed is not None and message["type"] == "http.response.start":
                headers = MutableScopeHeaders.from_message(message)
                # a page that opens or ends a session itself has the last word
                if not any(
                    value.startswith(REFRESH_COOKIE) for value in headers.getall("set-cookie", [])
                ):
                    for cookie in self._cookies.opening(renewed):
                        headers.add("set-cookie", cookie.to_header(header=""))
            await send(message)

        await self._app(scope, receive, send_with_cookies)

    async def _find_out(self, request: HttpRequest, state: dict[str, Any]) -> SignedIn | None:
        """Fill the request's state; give the session where it was renewed on the way."""
        state.update(person=None, session_error=None, visitor=None)
        path = request.url.path
        if path.startswith(API_PREFIX):
            scheme, _, token = request.headers.get("authorization", "").partition(" ")
            state["person"] = self._person(token) if scheme == "Bearer" else None
            return None
        if path.startswith("/assets/") or request.route_handler.opt.get("without_session"):
            return None
        renewed = None
        try:
            state["person"], renewed = await self._from_cookies(request.cookies)
        except ServiceUnavailable as error:
            # told by whoever needs to know the person, with what was posted in hand
            state["session_error"] = error
        if state["person"] is not None:
            state["visitor"] = await self._visitor(state["person"])
        return renewed

    async def _visitor(self, person: Person) -> Visitor:
        site = await self._directory.site(person.caller.site_id)
        return Visitor(person.caller.name, site.name if site else "", site)

    def _person(self, token: str) -> Person | None:
        try:
            caller = self._verifier.verify(token)
        except Rejection:
            return None
        return None if caller.session_id in self._ended else Person(caller, token, self._services)

    async def _from_cookies(
        self, cookies: Mapping[str, str]
    ) -> tuple[Person | None, SignedIn | None]:
        """Read the session, renewing it where needed."""
        person = self._person(cookies.get(ACCESS_COOKIE, ""))
        refresh_token = cookies.get(REFRESH_COOKIE, "")
        if person is not None or not refresh_token:
            return person, None
        try:
            session = await self._services.ask(RefreshSession(refresh_token=refresh_token))
        except Rejection:
            return None, None
        return self._person(session.access_token), session


def signed_in(request: HttpRequest) -> Person:
    """Provide the person at the other end.

    Raises NotSignedIn where there is none, and ServiceUnavailable where their session cannot be
    renewed at the moment.
    """
    state = request.scope["state"]
    person: Person | None = state["person"]
    if person is not None:
        return person
    raise state["session_error"] or NotSignedIn


def sends_text(request: HttpRequest) -> bool:
    """Tell a form of texts, which a page can give back, from one that carries a file."""
    return request.content_type[0] == _URL_ENCODED
