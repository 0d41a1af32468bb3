"""A letter as a mail: who sends it, who gets it, and the headers that identify it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from uuid import UUID

from pydantic import EmailStr, TypeAdapter, ValidationError
from shared.observability import CORRELATION_HEADER

from notifications.letters import Letter

_EMAIL: TypeAdapter[str] = TypeAdapter(EmailStr)


@dataclass(frozen=True, slots=True)
class Letterhead:
    """In whose name the territory writes, and where its portal is."""

    sender: Address
    portal_url: str

    @classmethod
    def of(cls, mail_from: str, portal_url: str) -> "Letterhead":
        """Read the sender, with or without a name; raises ValueError where it is no address."""
        name, address = parseaddr(mail_from)
        return cls(
            Address(display_name=name, addr_spec=_EMAIL.validate_python(address)), portal_url
        )


def usable_addresses(people: Iterable[Mapping[str, str]]) -> tuple[Address, ...]:
    """Give the addresses that a mail can be sent to, each once.

    An import may have left none, or one that is no address. Those outside ASCII before the ``@``
    are left out too: most mail servers do not take them.
    """
    found: dict[str, Address] = {}
    for person in people:
        try:
            email = _EMAIL.validate_python(person["email"])
        except ValidationError:
            continue
        if email.isascii():
            found.setdefault(
                email.casefold(),
                Address(display_name=" ".join(person["name"].split()), addr_spec=email),
            )
    return tuple(found.values())


def in_one_line(addresses: Iterable[Address]) -> str:
    """Give the addresses alone, without the names, separated by commas."""
    return ", ".join(address.addr_spec for address in addresses)


@dataclass(frozen=True, slots=True)
class Marks:
    """What identifies a mail: its message, the click it comes from, and where answers go."""

    message_id: UUID
    correlation_id: str
    reply_to: str


def compose(
    letter: Letter,
    recipients: tuple[Address, ...],
    letterhead: Letterhead,
    marks: Marks,
    now: datetime,
) -> EmailMessage:
    """Put a letter in its envelope.

    The Message-ID comes from the message's own identifier, so that mail servers and readers
    recognise the one mail that a crash may have sent twice.
    """
    mail = EmailMessage(policy=SMTP)
    mail["From"] = letterhead.sender
    mail["To"] = recipients
    if answers := usable_addresses([{"name": "", "email": marks.reply_to}]):
        mail["Reply-To"] = answers
    mail["Subject"] = letter.subject
    mail["Date"] = now
    mail["Message-ID"] = f"<{marks.message_id}@rentree.{letterhead.sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = "fr"
    mail[CORRELATION_HEADER] = marks.correlation_id
    mail.set_content(letter.text, cte="quoted-printable")
    mail.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return mail
