"""A site's own words: what may stand in them, and what becomes of them in a mail."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest
from notifications.digest import NEWS
from notifications.letters import Frame, Letter, write_letter, write_news
from notifications.matters import ContactBlock, Matter, Reminded
from notifications.site_wordings import an_example
from notifications.wordings import VARIABLES, check, default_text, fault
from shared.contract import Rejection
from shared.contracts.letters import Language, WordedKind

PORTAL = "https://portail.territoire.example"
LINK = f"{PORTAL}/rappels?jeton=x"
SITE = ContactBlock(
    name="Conservatoire N'Diaye", address="", postcode="", city="", phone="", email=""
)
DRAFT = Reminded(
    kind="draft_reminder",
    students=("Zoé N'DIAYE",),
    school_year="2027-2028",
    closes_at=datetime(2027, 6, 30, 10, 0, tzinfo=UTC),
    documents_due_at=datetime(2027, 7, 20, 10, 0, tzinfo=UTC),
    site=SITE,
)
LANGUAGES: tuple[Language, ...] = ("fr", "en")


def written(matter: Matter, frame: Frame, language: Language = "fr") -> Letter:
    if matter.kind in NEWS:
        return write_news([matter], PORTAL, language, frame)
    return write_letter(matter, PORTAL, language, frame)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", VARIABLES)
def test_a_site_opens_every_kind_in_its_own_words_and_the_facts_stay(
    kind: WordedKind, language: Language
) -> None:
    example = an_example(kind, SITE)
    named = " / ".join(f"{{{{ {name} }}}}" for name in VARIABLES[kind])
    facts = written(example, Frame(), language)
    letter = written(example, Frame({kind: f"Premier.\n\nSecond : {named}"}), language)
    assert "Premier.\n\nSecond : " in letter.text
    assert "{{" not in letter.text
    assert "<p>Premier.</p>" in letter.html.replace("<p>\n", "<p>").replace("\n</p>", "</p>")
    assert letter.subject == facts.subject
    territorys_own = default_text(kind, language)[:20] or "no words"
    for line in facts.text.splitlines():
        assert line in letter.text or line.startswith(territorys_own)


def test_what_a_family_wrote_is_never_markup_nor_a_template() -> None:
    frame = Frame({"draft_reminder": "Pour {{ eleves }}"})
    letter = written(replace(DRAFT, students=("<b>Zoé</b> {{ motif }}\n\n{% if %}",)), frame)
    assert "Pour <b>Zoé</b> {{ motif }} {% if %}" in letter.text
    assert "<b>" not in letter.html
    assert "Pour &lt;b&gt;" in letter.html


@pytest.mark.parametrize(
    ("text", "line", "variable"),
    [
        ("Bonjour\n{{ prenom }}", 2, "prenom"),
        ("{{ eleves", 1, ""),
        ("a\n\n{{ eleves | upper }}", 3, ""),
        ("{{ eleves.__class__ }}", 1, ""),
        ("{{ eleves[0] }}", 1, ""),
        ("{{ eleves() }}", 1, ""),
        ("{% for a in range(999999999) %}x{% endfor %}", 1, ""),
        ("{% include 'layout.txt' %}", 1, ""),
        ("{% if eleves %}x{% endif %}", 1, ""),
        ("{{ 9 ** 999999999 }}", 1, ""),
        ("un {{ eleves }}\n{# deux {{ eleves }}", 2, ""),
    ],
)
def test_words_that_could_not_be_written_are_refused_by_their_line(
    text: str, line: int, variable: str
) -> None:
    with pytest.raises(Rejection) as refused:
        check("draft_reminder", text)
    assert refused.value.code == "wording_refused"
    assert refused.value.facts["line"] == line
    assert refused.value.facts.get("variable", "") == variable
    assert "{{ eleves }}" in str(refused.value.facts["known"])


def test_a_variable_of_another_kind_is_unknown() -> None:
    assert fault("waiting_list_offer", "{{ cours }}") is None
    assert fault("draft_reminder", "{{ cours }}") is not None


def test_words_that_no_longer_fit_give_way_to_the_territorys() -> None:
    letter = written(DRAFT, Frame({"draft_reminder": "Pour {{ renommee }}"}))
    assert default_text("draft_reminder", "fr") in letter.text


@pytest.mark.parametrize("kind", VARIABLES)
def test_the_territorys_own_words_pass_the_check(kind: WordedKind) -> None:
    for language in get_args(Language.__value__):
        assert fault(kind, default_text(kind, language)) is None


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["draft_reminder", "documents_reminder", "answer_reminder"])
def test_a_reminder_says_what_until_when_where_and_how_to_stop(
    kind: WordedKind, language: Language
) -> None:
    example = an_example(kind, SITE)
    letter = written(example, Frame({}, LINK), language)
    for words in (letter.text, letter.html):
        assert "Camille EXEMPLE" in words
        assert f"{PORTAL}/" in words
        assert LINK in words
        assert "None" not in words
    assert "\n" not in letter.subject


def test_only_reminders_can_be_stopped() -> None:
    letter = written(an_example("waiting_list_offer", SITE), Frame())
    assert "rappels" not in letter.text
