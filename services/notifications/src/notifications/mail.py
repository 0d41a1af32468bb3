"""A letter as a mail: who sends it, who gets it, and the headers that identify it."""

from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.charset import BASE64, Charset
from email.header import Header
from email.headerregistry import Address
from email.utils import encode_rfc2231, format_datetime, formataddr, parseaddr
from functools import lru_cache
from typing import Final
from uuid import UUID

from pydantic import EmailStr, TypeAdapter, ValidationError
from shared.observability import CORRELATION_HEADER

from notifications.letters import Letter

_EMAIL: TypeAdapter[str] = TypeAdapter(EmailStr)
_ADDRESSES_KEPT = 4096
_NEW_LINE: Final = "\r\n"
_WORDS: Final = Charset("utf-8")
_WORDS.header_encoding = BASE64


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
        if email := _usable(person["email"]):
            local, _, domain = email.rpartition("@")
            found.setdefault(email.casefold(), Address(_one_line(person["name"]), local, domain))
    return tuple(found.values())


@lru_cache(_ADDRESSES_KEPT)
def _usable(written: str) -> str:
    """Give an address as mail servers take it; nothing where they would not."""
    try:
        email = _EMAIL.validate_python(written)
    except ValidationError:
        return ""
    return email if email.isascii() else ""


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
    subject = Header(_one_line(letter.subject), _WORDS, header_name="Subject")
    headers = {
        "From": _address(letterhead.sender),
        "To": f",{_NEW_LINE} ".join(map(_address, recipients)),
        "Reply-To": _usable(marks.reply_to),
        "Subject": subject.encode(linesep=_NEW_LINE),
        "Date": format_datetime(now),
        "Message-ID": f"<{marks.message_id}@rentree.{letterhead.sender.domain}>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": letter.language,
        CORRELATION_HEADER: _one_line(marks.correlation_id),
        "MIME-Version": "1.0",
    }
    if marks.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{marks.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return Mail(
        sender=letterhead.sender.addr_spec,
        recipients=tuple(address.addr_spec for address in recipients),
        content=_headers(headers) + _body(letter, attachments),
    )


# The standard library's generator folds and parses each header again: it was most of what a mail
# cost. Ours are ready, and a letter has two or three parts.


def _body(letter: Letter, attachments: Sequence[Attachment]) -> bytes:
    words = _parts("alternative", [_text("plain", letter.text), _text("html", letter.html)])
    if not attachments:
        return words
    return _parts("mixed", [words, *map(_pdf, attachments)])


def _parts(kind: str, parts: Sequence[bytes]) -> bytes:
    """Put parts one after the other; what they hold is encoded, and has no "=_" in it."""
    boundary = f"=_{kind}"
    head = _headers({"Content-Type": f'multipart/{kind}; boundary="{boundary}"'})
    edge = f"{_NEW_LINE}--{boundary}".encode()
    return b"".join([head, *(b"%s\r\n%s" % (edge, part) for part in parts), edge, b"--\r\n"])


def _text(kind: str, words: str) -> bytes:
    head = {
        "Content-Type": f"text/{kind}; charset=utf-8",
        "Content-Transfer-Encoding": "quoted-printable",
    }
    body = _NEW_LINE.join([*words.splitlines(), ""])
    return b"%s\r\n%s" % (_headers(head), b2a_qp(body.encode()))


def _pdf(attachment: Attachment) -> bytes:
    named = encode_rfc2231(attachment.filename, "utf-8")
    head = {
        "Content-Type": "application/pdf",
        "Content-Transfer-Encoding": "base64",
        "Content-Disposition": f"attachment; filename*={named}",
    }
    body = encodebytes(attachment.content).replace(b"\n", b"\r\n")
    return b"%s\r\n%s" % (_headers(head), body)


def _headers(headers: Mapping[str, str]) -> bytes:
    """Put headers on their lines, without those that are empty."""
    lines = (f"{name}: {value}{_NEW_LINE}" for name, value in headers.items() if value)
    return "".join(lines).encode("ascii", "replace")


def _address(address: Address) -> str:
    return formataddr((_one_line(address.display_name), address.addr_spec), _WORDS)


def _one_line(words: str) -> str:
    return " ".join(words.split())
