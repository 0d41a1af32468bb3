"""What messages are about: what an event told, with the names and dates that a letter needs.

A new kind of message is a class here, its two templates named after its kind, the kind in the
contract, and the reaction that queues it.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, TypeAdapter
from shared.contracts.notifications import ReceiptKind

_PARIS = ZoneInfo("Europe/Paris")
_RECEIPTS: dict[ReceiptKind, str] = {
    "submission_receipt": "demande de réinscription",
    "decline_receipt": "non-réinscription",
}


@dataclass(frozen=True, slots=True)
class ContactBlock:
    """The service that a family turns to, as S11 shows it. Anything but the name may lack."""

    name: str
    address: str
    postcode: str
    city: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What a family sent, and what follows from it (S73)."""

    kind: Literal["submission_receipt", "decline_receipt"]
    receipt_number: str
    received_at: datetime
    student: str
    school_year: str
    asked_courses: tuple[str, ...]
    left_courses: tuple[str, ...]
    closes_at: datetime
    documents_due_at: datetime
    site: ContactBlock

    @property
    def subject(self) -> str:
        """Say what was received, under which number, for whom."""
        about = f"{_RECEIPTS[self.kind]} {de(self.student)}"
        return f"Accusé de réception {self.receipt_number} : {about}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A seat that is kept for a student of a waiting list until an answer is due (S66)."""

    kind: Literal["waiting_list_offer"] = "waiting_list_offer"
    student: str
    school_year: str
    course: str
    until: datetime
    site: ContactBlock

    @property
    def subject(self) -> str:
        """Say for whom, and until when to answer."""
        return f"Une place se libère pour {self.student} : répondez avant le {minute(self.until)}"


type Matter = Received | Offered
"""What a letter is about."""

_MATTER: TypeAdapter[Matter] = TypeAdapter(
    Annotated[Received | Offered, Field(discriminator="kind")]
)


def read_matter(told: Mapping[str, object]) -> Matter:
    """Make a matter of what its ``kind`` calls for, among all that is known.

    Raises pydantic's ValidationError, a ValueError, where something it needs is not told.
    """
    return _MATTER.validate_python(told)


def de(name: str) -> str:
    """Put "de" before a name, elided before a vowel: "de Nicole", "d'Émile"."""
    initial = unicodedata.normalize("NFD", name[:1]).casefold()[:1]
    return f"d'{name}" if initial and initial in "aeiou" else f"de {name}"


def second(instant: datetime) -> str:
    """Write the day and the second, in Paris: 22/11/2026 à 14:05:12."""
    return instant.astimezone(_PARIS).strftime("%d/%m/%Y à %H:%M:%S")


def minute(instant: datetime) -> str:
    """Write the day and the minute, in Paris: 22/11/2026 à 14:05."""
    return instant.astimezone(_PARIS).strftime("%d/%m/%Y à %H:%M")
