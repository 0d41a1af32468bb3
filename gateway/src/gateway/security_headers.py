"""The headers that keep a browser from doing anything our pages never ask for."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

NO_FEATURE: Final = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
TWO_YEARS: Final = "max-age=63072000; includeSubDomains"


class SecurityHeaders:
    """A `before_send` hook: it reaches every response, errors and static files included.

    A header that a handler set itself is left alone: a file that may be cached says so.
    """

    def __init__(self, *, store_url: str, secure: bool) -> None:
        self.headers = {
            "content-security-policy": content_security_policy([origin(store_url)]),
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "permissions-policy": NO_FEATURE,
            "referrer-policy": "same-origin",
            "x-content-type-options": "nosniff",
            # Pages hold a family's data; what may be kept is the exception, and says so.
            "cache-control": "no-store",
        }
        if secure:
            self.headers["strict-transport-security"] = TWO_YEARS

    async def __call__(self, message: Message, scope: Scope) -> None:  # noqa: ARG002
        """Complete the headers of a response that starts."""
        if message["type"] != "http.response.start":
            return
        headers = MutableScopeHeaders.from_message(message)
        for name, value in self.headers.items():
            headers.setdefault(name, value)


def content_security_policy(connect_to: Iterable[str]) -> str:
    """Allow our own files, and requests to ourselves and to the origins named; nothing inline."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            " ".join(("connect-src 'self'", *connect_to)),
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


def origin(url: str) -> str:
    """Return the scheme, host and port of an address."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError(f"not an absolute http address: {url!r}")
    return f"{parts.scheme}://{parts.netloc}"
