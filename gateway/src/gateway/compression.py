"""Pages travel compressed: a phone's network is slower than we are.

The framework's own middleware leaves a compressor open behind each error, which says so in the log.
A form's token beside what somebody else chose could be guessed from its compressed length by who
has the page asked for again and again (BREACH): our cookies do not go with such requests.
"""

import gzip
from typing import Final

from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

LEAST_BYTES: Final = 1024
"""Below, what is spared is not worth the time."""
_LEVEL: Final = 5
_PAGES: Final = "text/html"


class CompressionMiddleware:
    """Compresses the pages that come whole, for whoever accepts it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold the head of an answer until its body is known."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        accepts = accepts_gzip(Headers.from_scope(scope).get("accept-encoding", ""))
        held: Message | None = None

        async def send_compressed(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start":
                held = message
                return
            if held is not None and message["type"] == "http.response.body":
                head, held = held, None
                headers = MutableScopeHeaders.from_message(head)
                if headers.get("content-type", "").startswith(_PAGES):
                    headers.add("vary", "Accept-Encoding")
                    body = message["body"]
                    if accepts and len(body) >= LEAST_BYTES and not message["more_body"]:
                        message["body"] = gzip.compress(body, _LEVEL, mtime=0)
                        headers["content-encoding"] = "gzip"
                        headers["content-length"] = str(len(message["body"]))
                await send(head)
            await send(message)

        await self._app(scope, receive, send_compressed)


def accepts_gzip(accept_encoding: str) -> bool:
    """Tell whether who sent this header reads what was compressed."""
    codings = [coding.replace(" ", "").partition(";") for coding in accept_encoding.split(",")]
    return any(name == "gzip" and weight not in {"q=0", "q=0.0"} for name, _, weight in codings)
