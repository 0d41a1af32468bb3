"""What messages are about: what an event told, with the names and dates that a letter needs.

A new kind of message is a class here, its two templates in each language named after its kind, the
kind in the contract and, where it may wait, in ``digest.NEWS``, and the reaction that queues it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from shared.contracts.courses import OfferEnd


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
    """What a family sent, and what follows from it (S73).

    ``remarks`` are the family's own words (S68); ``missing`` names the pieces that are still to be
    provided as it is written;
    ``former_number`` is the receipt of the request that this one replaces, or withdraws.
    """

    kind: Literal["submission_receipt", "decline_receipt"]
    receipt_number: str
    received_at: datetime
    student: str
    school_year: str
    asked_courses: tuple[str, ...]
    left_courses: tuple[str, ...]
    remarks: str = ""
    closes_at: datetime
    documents_due_at: datetime
    missing: tuple[str, ...] = ()
    former_number: str | None = None
    site: ContactBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A seat that is kept for a student of a waiting list until an answer is due (S66)."""

    kind: Literal["waiting_list_offer"] = "waiting_list_offer"
    student: str
    school_year: str
    course: str
    until: datetime
    site: ContactBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferOver:
    """What became of an offer: taken, refused, left to end, or given up with the request."""

    kind: Literal["waiting_list_offer_ended"] = "waiting_list_offer_ended"
    student: str
    school_year: str
    course: str
    end: OfferEnd
    site: ContactBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatDecided:
    """A seat that the secretariat confirmed, or gave (S74, S84).

    ``course`` is empty where courses did not say it yet; one that ``is_another`` takes the place of
    the seat that the student had.
    """

    kind: Literal["seat_confirmed", "seat_placed"]
    student: str
    school_year: str
    course: str = ""
    is_another: bool = False
    site: ContactBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentAccepted:
    """A document that was accepted: its piece is given (S83).

    One of the family's own has no ``student``.
    """

    kind: Literal["document_accepted"] = "document_accepted"
    name: str = ""
    student: str | None
    school_year: str
    site: ContactBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRefused:
    """A document that was refused, and why; it may be replaced until the deadline (S83).

    One of the family's own has no ``student``.
    """

    kind: Literal["document_refused"] = "document_refused"
    name: str
    reason: str
    student: str | None
    school_year: str
    documents_due_at: datetime
    site: ContactBlock


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded:
    """What a family has not done yet, for which students, and until when it can (S24, S85).

    ``students`` and ``missing`` are found as the message leaves.
    """

    kind: Literal["draft_reminder", "documents_reminder", "answer_reminder"]
    students: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    school_year: str
    closes_at: datetime
    documents_due_at: datetime
    site: ContactBlock

    @property
    def deadline(self) -> datetime:
        """Until when it can be done."""
        return self.documents_due_at if self.kind == "documents_reminder" else self.closes_at


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountNotice:
    """What a guardian is told of their account (S4).

    ``at`` is when it was done, or until when it holds; ``token`` makes the link of those that have
    one, and is shown nowhere else.
    """

    kind: Literal[
        "password_reset_link",
        "password_changed",
        "account_locked",
        "email_confirmation_link",
        "email_changed",
        "email_recorded",
    ]
    name: str
    at: datetime
    token: str = field(default="", repr=False)
    site: ContactBlock


type Matter = (
    Received
    | Offered
    | OfferOver
    | SeatDecided
    | DocumentAccepted
    | DocumentRefused
    | Reminded
    | AccountNotice
)
"""What a letter is about."""

_MATTER: TypeAdapter[Matter] = TypeAdapter(Annotated[Matter, Field(discriminator="kind")])
_RECEIVED: TypeAdapter[Received] = TypeAdapter(Received)


def read_receipt(told: Mapping[str, object]) -> Received:
    """Make the matter of a receipt, as :func:`read_matter` does of any."""
    return _RECEIVED.validate_python(told)


def read_matter(told: Mapping[str, object]) -> Matter:
    """Make a matter of what its ``kind`` calls for, among all that is known.

    Raises pydantic's ValidationError, a ValueError, where something it needs is not told.
    """
    return _MATTER.validate_python(told)
