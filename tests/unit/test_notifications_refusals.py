"""What a family reads in the mail that tells of a refused document (S83)."""

from dataclasses import replace
from datetime import UTC, datetime

from notifications.letters import Letter, write_news
from notifications.matters import ContactBlock, DocumentRefused

PORTAL = "https://portail.territoire.example/"

REFUSED = DocumentRefused(
    name="Justificatif de domicile de moins de 3 mois",
    reason="Ce justificatif a plus de 3 mois.",
    student=None,
    school_year="2027-2028",
    documents_due_at=datetime(2027, 7, 9, 22, 5, tzinfo=UTC),
    site=ContactBlock(
        name="Conservatoire de Meudon",
        address="7 boulevard des Nations Unies",
        postcode="92190",
        city="Meudon",
        phone="01 99 00 10 10",
        email="conservatoire.meudon@territoire.example",
    ),
)


def both(letter: Letter) -> tuple[str, str]:
    return letter.text, letter.html


def test_the_subject_says_which_piece_is_to_be_given_again() -> None:
    assert write_news([REFUSED], PORTAL).subject == (
        "Une pièce est à remplacer : Justificatif de domicile de moins de 3 mois"
    )


def test_it_says_why_where_to_send_another_and_until_when_in_paris() -> None:
    for words in both(write_news([REFUSED], PORTAL)):
        for fact in (
            "Justificatif de domicile de moins de 3 mois",
            "Ce justificatif a plus de 3 mois.",
            "2027-2028",
            "10/07/2027 à 00:05",
            "https://portail.territoire.example/famille",
            "Aucune pièce n'est acceptée par e-mail",
            "Conservatoire de Meudon",
            "01 99 00 10 10",
        ):
            assert fact in words
        assert "Élève" not in words


def test_a_student_s_piece_names_the_student() -> None:
    for words in both(write_news([replace(REFUSED, student="Nicole TEST")], PORTAL)):
        assert "Élève : Nicole TEST" in words
        assert "https://portail.territoire.example/accueil" in words


def test_a_reason_is_never_markup() -> None:
    letter = write_news([replace(REFUSED, reason="<b>Non</b>", name="RIB\r\nBcc: x@y.fr")], PORTAL)
    assert "&lt;b&gt;Non&lt;/b&gt;" in letter.html
    assert letter.subject == "Une pièce est à remplacer : RIB Bcc: x@y.fr"
