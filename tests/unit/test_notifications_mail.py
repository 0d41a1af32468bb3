"""Mails: to whom they go, what identifies them, and which server takes them."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from uuid import UUID

import pytest
from notifications.letters import Letter
from notifications.mail import Letterhead, Marks, compose, in_one_line, usable_addresses
from notifications.postman import MailServer

LETTER = Letter("Accusé de réception : demande d'Émile", "Reçu à 14:05 — été\n", "<p>Reçu</p>\n")
LETTERHEAD = Letterhead.of("Rentrée <ne-pas-repondre@rentree.example>", "https://portail.example")
MARKS = Marks(
    UUID("0193b3a0-0000-7000-8000-000000000001"), "clic-1", "conservatoire@territoire.example"
)


def arrived(marks: Marks = MARKS, name: str = "Björn N'DIAYE") -> EmailMessage:
    """The mail as its reader's program sees it."""
    recipients = usable_addresses([{"name": name, "email": "bjorn@familles.example"}])
    mail = compose(LETTER, recipients, LETTERHEAD, marks, datetime(2026, 11, 22, 13, 5, tzinfo=UTC))
    return message_from_bytes(mail.content, EmailMessage, policy=default)


def test_a_mail_carries_what_identifies_it() -> None:
    mail = arrived()

    assert mail["From"] == "Rentrée <ne-pas-repondre@rentree.example>"
    assert mail["To"] == "Björn N'DIAYE <bjorn@familles.example>"
    assert mail["Reply-To"] == "conservatoire@territoire.example"
    assert mail["Subject"] == "Accusé de réception : demande d'Émile"
    assert mail["Message-ID"] == "<0193b3a0-0000-7000-8000-000000000001@rentree.rentree.example>"
    assert mail["X-Correlation-ID"] == "clic-1"
    assert mail["Auto-Submitted"] == "auto-generated"


def test_a_mail_has_a_text_and_its_html_twin() -> None:
    mail = arrived()

    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().strip() == "Reçu à 14:05 — été"
    assert html.get_content().strip() == "<p>Reçu</p>"


def test_a_site_without_an_address_is_not_answered_to() -> None:
    assert arrived(Marks(MARKS.message_id, "clic-1", ""))["Reply-To"] is None


@pytest.mark.parametrize("name", ["Björn N'DIAYE", "محمد", "É" * 200, "A" * 200, "From moi"])
def test_a_signed_mail_stays_as_it_was_signed(name: str) -> None:
    """No server on its way has a reason to write it again: the signature (DKIM) still holds."""
    recipients = usable_addresses(
        [{"name": name, "email": f"parent{number}@familles.example"} for number in range(8)]
    )
    letter = replace(LETTER, subject=f"{LETTER.subject} {name}", text=f"From moi\n{name}\n" * 20)
    mail = compose(letter, recipients, LETTERHEAD, MARKS, datetime(2026, 11, 22, 13, 5, tzinfo=UTC))
    lines = mail.content.split(b"\r\n")
    headers = mail.content.partition(b"\r\n\r\n")[0].split(b"\r\n")
    names = [line.partition(b":")[0] for line in headers if not line.startswith(b" ")]

    assert mail.content.isascii()
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert max(map(len, lines)) < 998
    assert len(set(names)) == len(names)


def test_a_mail_comes_from_the_domain_of_its_envelope() -> None:
    recipients = usable_addresses([{"name": "", "email": "bjorn@familles.example"}])
    mail = compose(LETTER, recipients, LETTERHEAD, MARKS, datetime(2026, 11, 22, tzinfo=UTC))
    (author,) = message_from_bytes(mail.content, EmailMessage, policy=default)["From"].addresses
    assert author.addr_spec == mail.sender


def test_a_name_cannot_add_a_header() -> None:
    mail = arrived(name="Zoé\r\nBcc: autre@familles.example")

    assert mail["Bcc"] is None
    assert [address.addr_spec for address in mail["To"].addresses] == ["bjorn@familles.example"]


def test_only_usable_addresses_are_written_to_each_once() -> None:
    people = [
        {"name": "A", "email": ""},
        {"name": "B", "email": "pas une adresse"},
        {"name": "C", "email": "c@familles.example"},
        {"name": "D", "email": "C@familles.example"},
        {"name": "E", "email": "é@familles.example"},
        {"name": "F", "email": "f@familles.example\nBcc: x@y.example"},
        {"name": "G", "email": " g@familles.example "},
    ]

    assert in_one_line(usable_addresses(people)) == "c@familles.example, g@familles.example"


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://127.0.0.1:1025", MailServer("127.0.0.1", 1025, "smtp")),
        ("smtp://relais.example", MailServer("relais.example", 25, "smtp")),
        (
            "smtp+starttls://rentree:p%40ss@relais.example",
            MailServer("relais.example", 587, "smtp+starttls", "rentree", "p@ss"),
        ),
        ("smtps://relais.example", MailServer("relais.example", 465, "smtps")),
    ],
)
def test_the_mail_server_is_read_from_its_url(url: str, server: MailServer) -> None:
    assert MailServer.at(url) == server


@pytest.mark.parametrize("url", ["http://relais.example", "smtp://", "relais.example:25"])
def test_another_kind_of_url_is_refused_at_start(url: str) -> None:
    with pytest.raises(ValueError, match="smtp://"):
        MailServer.at(url)


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(MailServer.at("smtp://rentree:secret@relais.example"))
