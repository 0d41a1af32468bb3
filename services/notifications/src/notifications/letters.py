"""What families read: a subject, a text and its HTML twin, in plain French. Pure functions."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from shared.contracts.notifications import MessageKind, ReceiptKind

_PARIS = ZoneInfo("Europe/Paris")
_SUBJECTS: dict[ReceiptKind, str] = {
    "submission_receipt": "demande de réinscription",
    "decline_receipt": "non-réinscription",
}


@dataclass(frozen=True, slots=True)
class ContactBlock:
    """The service that received the request, as S11 shows it. Anything but the name may lack."""

    name: str
    address: str
    postcode: str
    city: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class Received:
    """What a family sent, and what follows from it."""

    kind: ReceiptKind
    receipt_number: str
    received_at: datetime
    student: str
    school_year: str
    asked_courses: tuple[str, ...]
    left_courses: tuple[str, ...]
    closes_at: datetime
    documents_due_at: datetime
    site: ContactBlock


@dataclass(frozen=True, slots=True)
class Offered:
    """A seat that is kept for a student of a waiting list until an answer is due."""

    student: str
    school_year: str
    course: str
    until: datetime
    site: ContactBlock


type Matter = Received | Offered
"""What a letter is about."""


@dataclass(frozen=True, slots=True)
class Letter:
    """The words of a mail."""

    subject: str
    text: str
    html: str


def write_letter(matter: Matter, portal_url: str) -> Letter:
    """Write to a family: the receipt of what it sent (S73), or the offer of a seat (S66)."""
    match matter:
        case Received():
            about = f"{_SUBJECTS[matter.kind]} {_de(matter.student)}"
            return _written(
                matter.kind,
                f"Accusé de réception {matter.receipt_number} : {about}",
                {"received": matter, "site": matter.site, "portal_url": portal_url},
            )
        case Offered():
            waiting_lists = f"{portal_url.rstrip('/')}/liste-attente"
            return _written(
                "waiting_list_offer",
                f"Une place se libère pour {matter.student} : répondez avant le"
                f" {_to_the_minute(matter.until)}",
                {"offered": matter, "site": matter.site, "waiting_lists_url": waiting_lists},
            )


def _written(kind: MessageKind, subject: str, words: dict[str, object]) -> Letter:
    subject = _one_line(subject)
    return Letter(
        subject=subject,
        text=_templates.get_template(f"{kind}.txt").render(words),
        html=_templates.get_template(f"{kind}.html").render(words, subject=subject),
    )


def _one_line(words: str) -> str:
    return " ".join(words.split())


def _de(name: str) -> str:
    """Put "de" before a name, elided before a vowel: "de Nicole", "d'Émile"."""
    initial = unicodedata.normalize("NFD", name[:1]).casefold()[:1]
    return f"d'{name}" if initial and initial in "aeiou" else f"de {name}"


def _to_the_second(instant: datetime) -> str:
    """Write the day and the second, in Paris: 22/11/2026 à 14:05:12."""
    return instant.astimezone(_PARIS).strftime("%d/%m/%Y à %H:%M:%S")


def _to_the_minute(instant: datetime) -> str:
    """Write the day and the minute, in Paris: 22/11/2026 à 14:05."""
    return instant.astimezone(_PARIS).strftime("%d/%m/%Y à %H:%M")


_templates = Environment(
    loader=PackageLoader("notifications"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_templates.filters |= {
    "de": _de,
    "to_the_second": _to_the_second,
    "to_the_minute": _to_the_minute,
}
