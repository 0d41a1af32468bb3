"""A mail server inside the test's own process, which can be told to refuse, to close, to open."""

import asyncio
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class PostBox:
    """A mail server that keeps its mails, and refuses what a test tells it to."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    refused_recipients: dict[str, str] = field(default_factory=dict)
    refused_contents: dict[str, str] = field(default_factory=dict)
    held_back: dict[str, asyncio.Event] = field(default_factory=dict)
    """The contents that are accepted only once their event is set."""
    in_hand: list[str] = field(default_factory=list)
    """Whom the contents that arrived are for, accepted or not."""
    connections: int = 0
    """How often somebody came on the line."""
    _server: asyncio.Server | None = None
    _lines: list[SMTP] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def open(self) -> None:
        self._server = await asyncio.get_running_loop().create_server(
            self._answer, "127.0.0.1", self.port
        )

    async def close(self) -> None:
        """Go away, as a server that stops: whoever is on the line is cut off."""
        if self._server is not None:
            self._server.close()
        while self._lines:
            transport = self._lines.pop().transport
            if transport is not None:
                transport.close()

    def forget(self) -> None:
        """Forget all that came, and all that it was told to refuse."""
        for kept in (self.mails, self.in_hand):
            kept.clear()
        for told in (self.refused_recipients, self.refused_contents, self.held_back):
            told.clear()
        self.connections = 0

    def _answer(self) -> SMTP:
        line = SMTP(self, hostname="localhost")
        self._lines.append(line)
        self.connections += 1
        return line

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if refusal := self.refused_recipients.get(address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        self.in_hand += envelope.rcpt_tos
        for address in envelope.rcpt_tos:
            if acceptance := self.held_back.get(address):
                await acceptance.wait()
            if refusal := self.refused_contents.get(address):
                return refusal
        mail = message_from_bytes(envelope.original_content or b"", EmailMessage, policy=default)
        mail["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        self.mails.append(mail)
        return "250 Stored"

    def received_by(self, address: str) -> list[EmailMessage]:
        return [mail for mail in self.mails if address in mail["X-Envelope-To"]]
