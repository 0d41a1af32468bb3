"""A letter as a mail: who sends it, who gets it, and the headers that identify it."""

import quopri
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import compat32
from email.utils import format_datetime, formataddr, parseaddr
from uuid import UUID

from pydantic import EmailStr, TypeAdapter, ValidationError
from shared.observability import CORRELATION_HEADER

from notifications.letters import Letter

_EMAIL: TypeAdapter[str] = TypeAdapter(EmailStr)
# the standard library's newer policies parse each header again: four times the work of all this
_ON_THE_LINE = compat32.clone(linesep="\r\n")


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
                Address(display_name=_one_line(person["name"]), addr_spec=email),
            )
    return tuple(found.values())


def in_one_line(addresses: Iterable[Address]) -> str:
    """Give the addresses alone, without the names, separated by commas."""
    return ", ".join(address.addr_spec for address in addresses)


@dataclass(frozen=True, slots=True)
class Marks:
    """What identifies a mail: its message, the click it comes from, where answers go, and the link
    by which its family refuses more of them, where it may.
    """

    message_id: UUID
    correlation_id: str
    reply_to: str
    unsubscribe_url: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A PDF that goes with a letter."""

    filename: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail ready to be handed over: its envelope, and its bytes."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


def compose(
    letter: Letter,
    recipients: tuple[Address, ...],
    letterhead: Letterhead,
    marks: Marks,
    now: datetime,
    attachments: Sequence[Attachment] = (),
) -> Mail:
    """Put a letter in its envelope.

    The Message-ID comes from the message's own identifier, so that mail servers and readers
    recognise the one mail that a crash may have sent twice.
    """
    mail = _body(letter, attachments)
    mail["From"] = _address(letterhead.sender)
    mail["To"] = ", ".join(map(_address, recipients))
    if answers := usable_addresses([{"name": "", "email": marks.reply_to}]):
        mail["Reply-To"] = ", ".join(map(_address, answers))
    mail["Subject"] = Header(_one_line(letter.subject), "utf-8", header_name="Subject").encode()
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{marks.message_id}@rentree.{letterhead.sender.domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    if marks.unsubscribe_url:
        mail["List-Unsubscribe"] = f"<{marks.unsubscribe_url}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["Content-Language"] = letter.language
    mail[CORRELATION_HEADER] = _one_line(marks.correlation_id)
    return Mail(
        sender=letterhead.sender.addr_spec,
        recipients=tuple(address.addr_spec for address in recipients),
        content=mail.as_bytes(policy=_ON_THE_LINE),
    )


def _body(letter: Letter, attachments: Sequence[Attachment]) -> MIMEMultipart:
    words = MIMEMultipart("alternative", None, [_text("plain", letter.text)])
    words.attach(_text("html", letter.html))
    if not attachments:
        return words
    whole = MIMEMultipart("mixed", None, [words])
    for each in attachments:
        part = MIMEApplication(each.content, "pdf")
        part.add_header("Content-Disposition", "attachment", filename=each.filename)
        whole.attach(part)
    return whole


def _text(kind: str, words: str) -> MIMENonMultipart:
    part = MIMENonMultipart("text", kind, charset="utf-8")
    part["Content-Transfer-Encoding"] = "quoted-printable"
    part.set_payload(quopri.encodestring(words.encode()).decode("ascii"))
    return part


def _address(address: Address) -> str:
    return formataddr((_one_line(address.display_name), address.addr_spec))


def _one_line(words: str) -> str:
    return " ".join(words.split())
