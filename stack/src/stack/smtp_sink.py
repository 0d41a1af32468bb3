"""An SMTP server that keeps every mail as a file: `python -m stack.smtp_sink --help`."""

import argparse
import asyncio
import signal
import time
from pathlib import Path
from typing import Final
from uuid import uuid4

from aiosmtpd.smtp import SMTP, Envelope, Session

NO_MAILBOXES: Final = "sans-boite.example"
"""A domain where nobody has a mailbox: what is sent there is refused, to see what follows."""


class Sink:
    """What aiosmtpd calls for each mail."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """Accept every recipient but those of the domain without mailboxes."""
        if address.endswith(f"@{NO_MAILBOXES}"):
            return "550 5.1.1 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Store the mail with its envelope, and only then accept it."""
        await asyncio.to_thread(store, self._folder, envelope)
        return "250 Stored"


def store(folder: Path, envelope: Envelope) -> Path:
    """Write one mail; names sort by arrival, and a file with its name is whole."""
    name = f"{time.time_ns()}-{uuid4().hex[:8]}"
    draft = folder / f"{name}.partial"
    recipients = ", ".join(envelope.rcpt_tos)
    fields = f"X-Envelope-From: {envelope.mail_from}\r\nX-Envelope-To: {recipients}\r\n"
    draft.write_bytes(fields.encode() + (envelope.original_content or b""))
    return draft.rename(folder / f"{name}.eml")


async def serve(host: str, port: int, folder: Path) -> None:
    """Accept mail until SIGTERM."""
    sink = Sink(folder)
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    server = await loop.create_server(
        lambda: SMTP(sink, hostname="localhost", enable_SMTPUTF8=True), host, port
    )
    await stopping.wait()
    server.close()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description="Keep every mail received by SMTP as an .eml file")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(options.host, options.port, options.folder))


if __name__ == "__main__":
    main()
