"""What a family reads in the mail that answers it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from notifications.letters import Letter, write_letter
from notifications.matters import ContactBlock, Received

PORTAL = "https://portail.territoire.example"

SUBMITTED = Received(
    kind="submission_receipt",
    receipt_number="MEU-2027-000123-4",
    received_at=datetime(2026, 11, 22, 13, 5, 12, tzinfo=UTC),
    student="Nicole TEST",
    school_year="2027-2028",
    asked_courses=("FM 2.1 (33) - JEUDI - 17.00 à 18.30", "Violon"),
    left_courses=("Orchestre à cordes",),
    closes_at=datetime(2026, 12, 22, 11, 0, tzinfo=UTC),
    documents_due_at=datetime(2027, 7, 1, 10, 0, tzinfo=UTC),
    site=ContactBlock(
        name="Conservatoire de Meudon",
        address="7 boulevard des Nations Unies",
        postcode="92190",
        city="Meudon",
        phone="01 99 00 10 10",
        email="conservatoire.meudon@territoire.example",
    ),
)
DECLINED = replace(SUBMITTED, kind="decline_receipt", asked_courses=(), left_courses=())


def both(letter: Letter) -> tuple[str, str]:
    return letter.text, letter.html


def test_the_subject_says_what_the_receipt_is_about() -> None:
    assert write_letter(SUBMITTED, PORTAL).subject == (
        "Accusé de réception MEU-2027-000123-4 : demande de réinscription de Nicole TEST"
    )
    assert write_letter(DECLINED, PORTAL).subject == (
        "Accusé de réception MEU-2027-000123-4 : non-réinscription de Nicole TEST"
    )


def test_the_receipt_of_a_request_states_all_that_a_family_must_know() -> None:
    for words in both(write_letter(SUBMITTED, PORTAL)):
        for fact in (
            "MEU-2027-000123-4",
            "le 22/11/2026 à 14:05:12",
            "Nicole TEST",
            "2027-2028",
            "FM 2.1 (33) - JEUDI - 17.00 à 18.30",
            "Violon",
            "Orchestre à cordes",
            "Ceci est une demande",
            "le secrétariat confirme ou modifie chaque placement",
            "01/07/2027 à 12:00",
            PORTAL,
            "Conservatoire de Meudon",
            "7 boulevard des Nations Unies",
            "92190 Meudon",
            "01 99 00 10 10",
            "conservatoire.meudon@territoire.example",
        ):
            assert fact in words


def test_courses_asked_for_and_courses_left_are_told_apart() -> None:
    text = write_letter(SUBMITTED, PORTAL).text

    asked, _, left = text.partition("Cours sans réinscription")
    assert "- Violon\n" in asked
    assert "- Orchestre à cordes\n" in left


def test_a_request_without_any_course_says_so() -> None:
    letter = write_letter(replace(SUBMITTED, asked_courses=(), left_courses=()), PORTAL)

    for words in both(letter):
        assert "Vous n'avez demandé aucun cours." in words
        assert "Cours sans réinscription" not in words


def test_the_receipt_of_a_refusal_says_until_when_it_can_be_taken_back() -> None:
    for words in both(write_letter(DECLINED, PORTAL)):
        assert "votre réponse a bien été enregistrée" in words
        assert "le 22/11/2026 à 14:05:12" in words
        assert "22/12/2026 à 12:00" in words
        assert "Cours demandés" not in words


def test_hours_are_those_of_paris_in_summer_too() -> None:
    in_july = replace(SUBMITTED, received_at=datetime(2027, 6, 30, 22, 30, 1, tzinfo=UTC))

    assert "le 01/07/2027 à 00:30:01" in write_letter(in_july, PORTAL).text


@pytest.mark.parametrize(
    ("student", "expected"),
    [
        ("Émile FONTAINE", "d'Émile FONTAINE"),
        ("Amina N'DIAYE", "d'Amina N'DIAYE"),
        ("N'Deye N'DIAYE", "de N'Deye N'DIAYE"),
        ("Hugo D'ORVAL", "d'Hugo D'ORVAL"),
    ],
)
def test_names_are_elided_as_french_does(student: str, expected: str) -> None:
    letter = write_letter(replace(SUBMITTED, student=student), PORTAL)

    assert letter.subject.endswith(f"réinscription {expected}")
    assert student in letter.text


def test_a_name_is_never_markup() -> None:
    letter = write_letter(
        replace(SUBMITTED, student="<b>Zoé</b>", asked_courses=("Chœur & <i>scène</i>",)), PORTAL
    )

    assert "<b>" not in letter.html
    assert "&lt;b&gt;Zoé&lt;/b&gt;" in letter.html
    assert "Chœur &amp; &lt;i&gt;scène&lt;/i&gt;" in letter.html
    assert "Chœur & <i>scène</i>" in letter.text


def test_a_line_break_in_a_name_stays_out_of_the_subject() -> None:
    letter = write_letter(replace(SUBMITTED, student="Zoé\r\nBcc: x@y.example"), PORTAL)

    assert letter.subject.endswith("de Zoé Bcc: x@y.example")


def test_what_a_site_has_not_given_leaves_no_empty_label() -> None:
    bare = ContactBlock("Conservatoire de Sèvres", "", "", "", "", "")

    for words in both(write_letter(replace(SUBMITTED, site=bare), PORTAL)):
        assert "Conservatoire de Sèvres" in words
        assert "Téléphone" not in words
        assert "E-mail :" not in words
        assert "None" not in words
