"""What a family reads in the mail that offers a seat of a waiting list (S66)."""

from dataclasses import replace
from datetime import UTC, datetime

from notifications.letters import Letter, write_letter
from notifications.matters import ContactBlock, Offered

PORTAL = "https://portail.territoire.example/"

OFFERED = Offered(
    student="Nicole TEST",
    school_year="2027-2028",
    course="FM 2.1 (33) - JEUDI - 17.00 à 18.30",
    until=datetime(2027, 6, 3, 22, 5, 59, tzinfo=UTC),
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


def test_the_subject_says_for_whom_and_until_when_in_paris() -> None:
    assert write_letter(OFFERED, PORTAL).subject == (
        "Une place se libère pour Nicole TEST : répondez avant le 04/06/2027 à 00:05"
    )


def test_an_offer_states_all_that_a_family_must_know_to_answer() -> None:
    for words in both(write_letter(OFFERED, PORTAL)):
        for fact in (
            "Une place se libère",
            "Nicole TEST",
            "2027-2028",
            "FM 2.1 (33) - JEUDI - 17.00 à 18.30",
            "jusqu'au",
            "04/06/2027 à 00:05",
            "https://portail.territoire.example/liste-attente",
            "il n'est remplacé que si vous acceptez cette place",
            "la place est proposée à la famille suivante",
            "Conservatoire de Meudon",
            "7 boulevard des Nations Unies",
            "92190 Meudon",
            "01 99 00 10 10",
            "conservatoire.meudon@territoire.example",
        ):
            assert fact in words
        assert "Accusé de réception" not in words
        assert "qui a reçu votre réponse" not in words


def test_a_name_is_never_markup_and_stays_on_the_line_of_the_subject() -> None:
    letter = write_letter(
        replace(OFFERED, student="<b>Zoé</b>\r\nBcc: x@y.example", course="Chœur & <i>scène</i>"),
        PORTAL,
    )
    assert "<b>Zoé" not in letter.html
    assert "&lt;b&gt;Zoé&lt;/b&gt;" in letter.html
    assert "Chœur &amp; &lt;i&gt;scène&lt;/i&gt;" in letter.html
    assert "Chœur & <i>scène</i>" in letter.text
    assert letter.subject.startswith("Une place se libère pour <b>Zoé</b> Bcc: x@y.example : ")


def test_long_names_are_written_whole() -> None:
    student, course = "Marie-Émeraude " * 20, "Musique de chambre et accompagnement " * 8
    for words in both(write_letter(replace(OFFERED, student=student, course=course), PORTAL)):
        assert student in words
        assert course in words


def test_what_a_site_has_not_given_leaves_no_empty_label() -> None:
    bare = replace(OFFERED, site=ContactBlock("Conservatoire de Sèvres", "", "", "", "", ""))
    for words in both(write_letter(bare, PORTAL)):
        assert "Conservatoire de Sèvres" in words
        assert "Téléphone" not in words
        assert "E-mail :" not in words
        assert "None" not in words
