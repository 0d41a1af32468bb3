"""The way to the territory's mail server, and what its answers mean."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import unquote, urlsplit

import aiosmtplib

from notifications.mail import Mail
from notifications.patience import rest

TAKES_A_MAIL_WITHIN_SECONDS = 5.0
"""How long handing a mail over may last: a graceful stop waits for its end."""

_ANSWERS_WITHIN_SECONDS = 10.0
_ALIVE_WITHIN_SECONDS = 2.0
_KEPT_SECONDS = 30.0

type Security = Literal["smtp", "smtp+starttls", "smtps"]

_PORTS: dict[Security, int] = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class MailServerAway(Exception):
    """No line to the mail server could be opened."""


class MailRefused(Exception):
    """The mail server will never take this mail, or not for any of its recipients."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What the mail server said when it took a mail, and why it refused some of the addresses: for
    ever, or for now.
    """

    answer: str
    refused: Mapping[str, str]
    refused_for_now: Mapping[str, str]


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


class Line:
    """An open line to the mail server, which carries one mail after another."""

    def __init__(self, client: aiosmtplib.SMTP) -> None:
        self._client = client
        self.last_used = time.monotonic()

    @property
    def is_open(self) -> bool:
        """Whether another mail can be handed over."""
        return self._client.is_connected

    async def hand_over(self, mail: Mail) -> Acceptance:
        """Have the mail taken, by some of its recipients at least.

        Raises MailRefused where it is refused for ever, and otherwise whatever failed.
        """
        try:
            async with asyncio.timeout(TAKES_A_MAIL_WITHIN_SECONDS):
                refused, answer = await self._client.sendmail(
                    mail.sender, mail.recipients, mail.content
                )
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
            self._client.close()  # its next answer would be the one that came too late
            raise
        self.last_used = time.monotonic()
        reasons = {address: f"{each.code} {each.message}" for address, each in refused.items()}
        return Acceptance(
            answer,
            {address: reasons[address] for address, each in refused.items() if each.code >= 500},
            {address: reasons[address] for address, each in refused.items() if each.code < 500},
        )

    async def is_alive(self) -> bool:
        """Ask the server whether it is still there."""
        try:
            async with asyncio.timeout(_ALIVE_WITHIN_SECONDS):
                await self._client.noop()
        except (aiosmtplib.SMTPException, OSError):
            self._client.close()
            return False
        return True

    async def close(self) -> None:
        """Take leave of the server, if it is still there."""
        with suppress(aiosmtplib.SMTPException, OSError):
            async with asyncio.timeout(_ALIVE_WITHIN_SECONDS):
                await self._client.quit()
        self._client.close()


class Postman:
    """Keeps lines to the mail server, and leaves it alone for a while when it is away."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._idle: list[Line] = []
        self._failed_connections = 0
        self._rests_until: datetime | None = None

    @property
    def is_resting(self) -> bool:
        """Whether the server could not be reached a moment ago."""
        return self._rests_until is not None and datetime.now(UTC) < self._rests_until

    @asynccontextmanager
    async def line(self) -> AsyncIterator[Line]:
        """Give a line, one that was used a moment ago if it is still good; raises MailServerAway
        where there is none to be had.
        """
        line = await self._kept() or await self._opened()
        try:
            yield line
        finally:
            if line.is_open:
                self._idle.append(line)

    async def hang_up(self) -> None:
        """Close the lines that were not used for a while."""
        long_ago = time.monotonic() - _KEPT_SECONDS
        unused = [line for line in self._idle if line.last_used < long_ago]
        for line in unused:
            self._idle.remove(line)
            await line.close()

    async def _kept(self) -> Line | None:
        while self._idle:
            line = self._idle.pop()
            if line.is_open and await line.is_alive():
                return line
        return None

    async def _opened(self) -> Line:
        server = self._server
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.security == "smtps",
            start_tls=server.security == "smtp+starttls",
            timeout=_ANSWERS_WITHIN_SECONDS,
        )
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            self._rest()
            raise MailServerAway(repr(error)) from error
        self._failed_connections = 0
        return Line(client)

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
