"""What families read: a subject, a text and its HTML twin, in plain French. Pure functions."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from shared.contracts.notifications import MessageKind

_PARIS = ZoneInfo("Europe/Paris")
_SUBJECTS: dict[MessageKind, str] = {
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

    kind: MessageKind
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
class Letter:
    """The words of a mail."""

    subject: str
    text: str
    html: str


def write_letter(received: Received, portal_url: str) -> Letter:
    """Write the receipt of what was received (S73)."""
    about = f"{_SUBJECTS[received.kind]} {_de(received.student)}"
    subject = _one_line(f"Accusé de réception {received.receipt_number} : {about}")
    words = {"received": received, "site": received.site, "portal_url": portal_url}
    return Letter(
        subject=subject,
        text=_templates.get_template(f"{received.kind}.txt").render(words),
        html=_templates.get_template(f"{received.kind}.html").render(words, subject=subject),
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
