"""Receipts as PDF: tagged (PDF/UA-1), in French or English, the same bytes for the same receipt.

What a receipt says goes in as data, never as markup: whatever a name holds, it is printed.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from importlib.resources import files
from typing import Final, Literal
from urllib.parse import urlencode

import typst
from shared.contracts.letters import Language
from shared.elision import de
from shared.observability import get_logger

from notifications.dates import TO_THE_MINUTE, TO_THE_SECOND
from notifications.mail import Attachment
from notifications.matters import Matter, Received
from notifications.verification import Filed, Seal

log = get_logger()

VERIFICATION_PATH = "/verification"
"""Where the portal confirms a receipt to anyone."""

_TEMPLATE = files("notifications").joinpath("templates", "receipt.typ").read_bytes()
_FILES: Final[Mapping[Language, str]] = {"fr": "accuse-de-reception", "en": "receipt"}
_LONG_WORD: Final = re.compile(r"[^ ]{30,}")
_MAY_BE_CUT: Final = "\N{ZERO WIDTH SPACE}"


class Press:
    """Prints receipts, one at a time in a thread of its own: the event loop goes on meanwhile."""

    def __init__(self, seal: Seal, portal_url: str) -> None:
        self._seal = seal
        self._portal_url = portal_url.rstrip("/")
        # kept, and never given its fonts apart: those hold on to a quarter of a megabyte each time
        self._compiler = typst.Compiler(ignore_system_fonts=True)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="press")

    async def attachments(
        self, matter: Matter, language: Language = "fr"
    ) -> tuple[Attachment, ...]:
        """Give what goes with a letter: its PDF where it is a receipt."""
        if not isinstance(matter, Received):
            return ()
        pdf = await self.print(matter, language)
        return (Attachment(filename(matter.receipt_number, language), pdf),)

    async def print(self, receipt: Received, language: Language = "fr") -> bytes:
        """Typeset a receipt without holding up the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self.typeset, receipt, language)

    def typeset(self, receipt: Received, language: Language = "fr") -> bytes:
        """Typeset a receipt.

        A sign that the fonts lack, as an emoji, cannot be in an accessible PDF (PDF/UA): such a
        receipt is printed all the same, with an empty square, and without that claim.
        """
        words = json.dumps(self._words(receipt, language), ensure_ascii=False)
        try:
            return self._compile(receipt, words, "ua-1")
        except typst.TypstError:
            log.warning("receipt printed without PDF/UA", receipt_number=receipt.receipt_number)
            return self._compile(receipt, words, None)

    def _compile(self, receipt: Received, words: str, standard: Literal["ua-1"] | None) -> bytes:
        pdf = self._compiler.compile(
            _TEMPLATE,
            format="pdf",
            sys_inputs={"receipt": words},
            pdf_standards=standard,
            timestamp=int(receipt.received_at.timestamp()),
        )
        if not isinstance(pdf, bytes):
            raise TypeError("a PDF is one file")
        return pdf

    def _words(self, receipt: Received, language: Language) -> dict[str, object]:
        """Give all that the template prints and does not say itself."""
        to_the_minute = TO_THE_MINUTE[language]
        code = self._seal.code(
            Filed(
                receipt.kind,
                receipt.receipt_number,
                receipt.received_at,
                receipt.asked_courses,
                receipt.left_courses,
            )
        )
        query = urlencode({"number": receipt.receipt_number, "code": code})
        page = self._portal_url + VERIFICATION_PATH
        return {
            "language": language,
            "kind": receipt.kind,
            "number": _printable(receipt.receipt_number),
            "received": TO_THE_SECOND[language](receipt.received_at),
            "student": _printable(receipt.student),
            "of_student": _printable(de(receipt.student)),
            "school_year": _printable(receipt.school_year),
            "asked": [_printable(course) for course in receipt.asked_courses],
            "left": [_printable(course) for course in receipt.left_courses],
            "remarks": [_printable(line) for line in receipt.remarks.splitlines() if line.strip()],
            "missing": [_printable(piece) for piece in receipt.missing],
            "closes": to_the_minute(receipt.closes_at),
            "documents_due": to_the_minute(receipt.documents_due_at),
            "site": {name: _printable(line) for name, line in asdict(receipt.site).items()}
            | {"email": receipt.site.email},
            "portal": self._portal_url,
            "code": code,
            "page": page,
            "link": f"{page}?{query}",
        }


def filename(receipt_number: str, language: Language = "fr") -> str:
    """Name the file of a receipt."""
    return f"{_FILES[language]}-{receipt_number}.pdf"


def _printable(text: str) -> str:
    """Keep a text in one line, without the signs that only steer a display.

    A word longer than a line may be cut anywhere.
    """
    words = "".join(sign for sign in " ".join(text.split()) if sign.isprintable())
    return _LONG_WORD.sub(lambda word: _MAY_BE_CUT.join(word[0]), words)
