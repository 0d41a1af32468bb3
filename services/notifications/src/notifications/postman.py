"""The way to the territory's mail server, and what its answers mean."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Literal
from urllib.parse import unquote, urlsplit

import aiosmtplib

from notifications.patience import rest

TAKES_A_MAIL_WITHIN_SECONDS = 5.0
"""How long handing a mail over may last: a graceful stop waits for its end."""

_ANSWERS_WITHIN_SECONDS = 10.0

type Security = Literal["smtp", "smtp+starttls", "smtps"]

_PORTS: dict[Security, int] = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class MailServerAway(Exception):
    """No line to the mail server could be opened."""


class MailRefused(Exception):
    """The mail server will never take this mail, or not for any of its recipients."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """The mail server that takes what the territory sends."""

    host: str
    port: int
    security: Security
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def at(cls, url: str) -> "MailServer":
        """Read ``smtp://`` (in clear), ``smtp+starttls://`` or ``smtps://``, with credentials or
        without; raises ValueError for anything else.
        """
        parts = urlsplit(url)
        security = next((known for known in _PORTS if known == parts.scheme), None)
        if security is None or not parts.hostname:
            message = "The mail server's URL is smtp://, smtp+starttls:// or smtps:// and a host"
            raise ValueError(message)
        return cls(
            host=parts.hostname,
            port=parts.port or _PORTS[security],
            security=security,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


@dataclass(frozen=True, slots=True)
class Line:
    """An open line to the mail server."""

    client: aiosmtplib.SMTP

    @property
    def is_open(self) -> bool:
        """Whether another mail can be handed over."""
        return self.client.is_connected

    async def hand_over(self, mail: EmailMessage) -> Mapping[str, str]:
        """Have the mail taken; give the addresses that were refused, with the server's reason.

        Raises MailRefused where it is refused for ever, and otherwise whatever failed.
        """
        try:
            async with asyncio.timeout(TAKES_A_MAIL_WITHIN_SECONDS):
                refused, _ = await self.client.send_message(mail)
        except aiosmtplib.SMTPRecipientsRefused as refusal:
            if all(each.code >= 500 for each in refusal.recipients):
                reasons = {each.recipient: _reason(each) for each in refusal.recipients}
                raise MailRefused(in_words(reasons)) from refusal
            raise
        except aiosmtplib.SMTPDataError as refusal:
            if refusal.code >= 500:
                raise MailRefused(_reason(refusal)) from refusal
            raise
        except TimeoutError:
            self.client.close()  # its next answer would be the one that came too late
            raise
        return {address: f"{answer.code} {answer.message}" for address, answer in refused.items()}


@dataclass(slots=True)
class Postman:
    """Opens lines to the mail server, and leaves it alone for a while when it is away."""

    server: MailServer
    _failed_connections: int = 0
    _rests_until: datetime | None = None

    @property
    def is_resting(self) -> bool:
        """Whether the server could not be reached a moment ago."""
        return self._rests_until is not None and datetime.now(UTC) < self._rests_until

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """Give a line; raises MailServerAway where there is none to be had."""
        client = aiosmtplib.SMTP(
            hostname=self.server.host,
            port=self.server.port,
            username=self.server.username,
            password=self.server.password,
            use_tls=self.server.security == "smtps",
            start_tls=self.server.security == "smtp+starttls",
            timeout=_ANSWERS_WITHIN_SECONDS,
        )
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            self._rest()
            raise MailServerAway(repr(error)) from error
        self._failed_connections = 0
        async with client:
            yield Line(client)

    def _rest(self) -> None:
        """Rest longer after each failure; lines that failed together count as one."""
        if self.is_resting:
            return
        self._failed_connections += 1
        jitter = random.random()  # noqa: S311 - chance, not a secret
        self._rests_until = datetime.now(UTC) + rest(self._failed_connections, jitter)


def in_words(reasons: Mapping[str, str]) -> str:
    """Put refused addresses and reasons in one line."""
    return " ; ".join(f"{address} : {reason}" for address, reason in reasons.items())


def _reason(answer: aiosmtplib.SMTPResponseException) -> str:
    return f"{answer.code} {answer.message}"
