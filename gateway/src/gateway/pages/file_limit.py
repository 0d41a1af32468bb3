"""A form whose file is over the limit is answered before anything reads it (S51)."""

from typing import Final

from litestar import Request
from litestar.datastructures import State
from litestar.response.redirect import ASGIRedirectResponse
from litestar.types import ASGIApp, Receive, Scope, Send
from shared.contracts.files import MAX_DOCUMENT_BYTES

FORM_MAX_BYTES: Final = MAX_DOCUMENT_BYTES + 16 * 1024
"""What a form may weigh, its file included."""
TOO_LARGE: Final = "trop-lourd"

_LET_THROUGH_BYTES: Final = 8 * 1024 * 1024


class FileLimit:
    """Leads back to the piece's page, with the reason, where the form announces too much.

    It stands before whatever would read the form. A browser shows no answer before it has sent all
    it announced, and an error of its own where the connection closes meanwhile: what comes is let
    through to nowhere, within bounds.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a form that is too heavy, hand on any other."""
        request: Request[None, None, State] = Request(scope)
        announced = request.headers.get("content-length", "")
        if not announced.isdecimal() or int(announced) <= FORM_MAX_BYTES:
            await self._app(scope, receive, send)
            return
        await _let_through(receive)
        path = f"{request.url.path}?refus={TOO_LARGE}"
        await ASGIRedirectResponse(path=path, status_code=303)(scope, receive, send)


async def _let_through(receive: Receive) -> None:
    passed = 0
    while passed < _LET_THROUGH_BYTES:
        message = await receive()
        if message["type"] != "http.request":
            return
        passed += len(message["body"])
        if not message["more_body"]:
            return
