"""The mail server of the native stack, and the mails that reached it."""

import os
import sys
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from stack.probes import greets
from stack.process import Process, Program, Report


class Mailbox:
    """An SMTP server that delivers nothing and keeps everything that it accepts."""

    def __init__(self, folder: Path, port: int, logs: Path, report: Report) -> None:
        self.folder = folder
        self.port = port
        self.process = Process(
            Program(
                name="smtp",
                command=(
                    *(sys.executable, "-m", "stack.smtp_sink"),
                    *("--port", str(port), "--folder", str(folder)),
                ),
                environment=dict(os.environ),
                log=logs / "smtp.log",
                is_ready=self._is_ready,
            ),
            report,
        )

    @property
    def url(self) -> str:
        """Where notifications sends."""
        return f"smtp://127.0.0.1:{self.port}"

    def messages(self) -> list[EmailMessage]:
        """Every mail accepted so far, oldest first; X-Envelope-To tells who really gets it."""
        return [
            message_from_bytes(file.read_bytes(), EmailMessage, policy=default)
            for file in sorted(self.folder.glob("*.eml"))
        ]

    async def _is_ready(self) -> bool:
        return await greets(self.port)
