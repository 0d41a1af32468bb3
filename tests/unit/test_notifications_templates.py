"""Every letter, in both languages, whatever names hold and whatever is not known."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import TypeAliasType, get_args

import pytest
from notifications.digest import NEWS
from notifications.letters import Letter, write_letter, write_news
from notifications.matters import (
    AccountNotice,
    ContactBlock,
    DocumentAccepted,
    DocumentRefused,
    Matter,
    Offered,
    OfferOver,
    Received,
    Reminded,
    SeatDecided,
)
from shared.contracts.letters import Language
from shared.contracts.notifications import MessageKind

PORTAL = "https://portail.territoire.example"
AT = datetime(2027, 6, 30, 22, 30, 1, tzinfo=UTC)
YEAR = "2027-2028"

NAMES = {
    "with an apostrophe": "Amina N'Diaye",
    "with markup": '<b>Zoé</b> & "Cie" {{ 7 * 7 }}',
    "very long": "Marie-Émeraude" * 15,
    "from right to left": "عائشة بنت محمد",
    "that turns the line": "Zoé \N{RIGHT-TO-LEFT OVERRIDE}TEST",
    "on two lines": "Zoé\r\nBcc: x@y.example",
    "empty": "",
}


def examples(name: str) -> list[Matter]:
    """Every kind of matter, whole, in this name."""
    site = ContactBlock(name, name, "92190", name, "01 99 00 10 10", "c@territoire.example")
    received = Received(
        kind="submission_receipt",
        receipt_number="MEU-2027-000123-4",
        received_at=AT,
        student=name,
        school_year=YEAR,
        asked_courses=(name, "Violon"),
        left_courses=(name,),
        remarks=name,
        closes_at=AT,
        documents_due_at=AT,
        missing=(name,),
        former_number="MEU-2027-000101-9",
        site=site,
    )
    offer_over = OfferOver(student=name, school_year=YEAR, course=name, end="accepted", site=site)
    seat = SeatDecided(
        kind="seat_placed",
        student=name,
        school_year=YEAR,
        course=name,
        is_another=True,
        site=site,
    )
    reminded = Reminded(
        kind="draft_reminder",
        students=(name,),
        missing=(name,),
        school_year=YEAR,
        closes_at=AT,
        documents_due_at=AT,
        site=site,
    )
    notice = AccountNotice(kind="account_locked", name=name, at=AT, token="jeton", site=site)
    return [
        received,
        replace(received, kind="decline_receipt"),
        Offered(student=name, school_year=YEAR, course=name, until=AT, site=site),
        offer_over,
        replace(offer_over, end="refused"),
        replace(offer_over, end="expired"),
        replace(offer_over, end="withdrawn"),
        seat,
        replace(seat, kind="seat_confirmed"),
        DocumentAccepted(name=name, student=name, school_year=YEAR, site=site),
        DocumentRefused(
            name=name,
            reason=name,
            student=name,
            school_year=YEAR,
            documents_due_at=AT,
            site=site,
        ),
        reminded,
        replace(reminded, kind="documents_reminder"),
        replace(reminded, kind="answer_reminder"),
        notice,
        replace(notice, kind="password_reset_link"),
        replace(notice, kind="password_changed"),
        replace(notice, kind="email_confirmation_link"),
        replace(notice, kind="email_changed"),
        replace(notice, kind="email_recorded"),
    ]


def bare(matter: Matter) -> Matter:
    """The same matter, without anything that it can do without."""
    nothing = replace(matter, site=ContactBlock("Conservatoire", "", "", "", "", ""))
    match nothing:
        case Received():
            return replace(
                nothing, asked_courses=(), left_courses=(), missing=(), former_number=None
            )
        case SeatDecided():
            return replace(nothing, course="", is_another=False)
        case DocumentAccepted():
            return replace(nothing, name="", student=None)
        case DocumentRefused():
            return replace(nothing, student=None)
        case Reminded():
            return replace(nothing, students=(), missing=())
        case _:
            return nothing


def written(matter: Matter, language: Language) -> Letter:
    if matter.kind in NEWS:
        return write_news([matter], PORTAL, language)
    return write_letter(matter, PORTAL, language)


class Page(HTMLParser):
    """Reads a page and objects to what is not valid in it: names, nesting, ends."""

    _VOID = frozenset({"meta", "br"})
    _KNOWN = frozenset(
        {"html", "head", "title", "body", "h1", "h2", "p", "ul", "li", "a", "strong"} | _VOID
    )
    _PHRASING = frozenset({"br", "a", "strong"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.words: list[str] = []
        self.links: list[str] = []
        self.language = ""
        self.feed(html)
        self.close()
        assert self.open == []
        assert html.startswith("<!DOCTYPE html>\n")

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in self._KNOWN
        if self.open and self.open[-1] in {"p", "h1", "h2", "a", "strong", "title"}:
            assert tag in self._PHRASING
        assert (tag == "li") == (bool(self.open) and self.open[-1] == "ul")
        self.seen.append(tag)
        for name, value in attributes:
            assert value is not None
            if name == "href":
                self.links.append(value)
            if name == "lang":
                self.language = value
        if tag not in self._VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return in_one_line("".join(self.words))


def in_one_line(words: str) -> str:
    return " ".join(words.split())


def names_in(matter: Matter) -> Iterator[str]:
    for field in ("student", "course", "reason"):
        if value := getattr(matter, field, None):
            yield str(value)


def kinds(alias: object) -> set[str]:
    """Every literal of a type, whatever it is made of."""
    if isinstance(alias, TypeAliasType):
        return kinds(alias.__value__)
    if isinstance(alias, str):
        return {alias}
    return {kind for part in get_args(alias) for kind in kinds(part)}


def test_the_examples_are_of_every_kind() -> None:
    assert {matter.kind for matter in examples("Zoé")} == kinds(MessageKind)


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("index", range(20), ids=lambda index: examples("")[index].kind)
def test_a_letter_is_whole_and_valid_whatever_a_name_holds(
    index: int, name: str, language: Language
) -> None:
    whole = examples(name)[index]
    for matter in (whole, bare(whole)):
        letter = written(matter, language)
        page = Page(letter.html)

        assert page.language == letter.language == language
        assert page.seen.count("h1") == 1
        assert letter.subject
        assert letter.subject.isprintable()
        assert letter.subject == in_one_line(letter.subject)
        for words in (letter.subject, letter.text, page.text):
            assert "None" not in words
            assert "49" not in words
            assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in words
        for link in page.links:
            assert link.startswith((f"{PORTAL}", "mailto:"))
        legible = in_one_line("".join(sign for sign in name if sign.isprintable() or sign == "\n"))
        for _ in names_in(matter):
            assert legible in in_one_line(letter.text)
            assert legible in page.text


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_news_together_is_whole_and_valid_too(name: str, language: Language) -> None:
    news = [matter for matter in examples(name) if matter.kind in NEWS]

    letter = write_news(news, PORTAL, language)

    page = Page(letter.html)
    assert page.seen.count("h1") == 1
    assert page.seen.count("h2") == len(news) + 1
    assert str(len(news)) in letter.subject
    for number, matter in enumerate(news, start=1):
        alone = written(matter, language)
        assert f"{number}. {alone.subject}" in letter.text
        assert alone.subject in page.text


def test_the_subject_of_one_piece_of_news_is_its_own_and_of_several_their_number() -> None:
    news = [matter for matter in examples("Zoé TEST") if matter.kind in NEWS]

    assert write_news(news[:1], PORTAL).subject == "La place proposée est acceptée pour Zoé TEST"
    assert write_news(news[:3], PORTAL).subject == "Nouvelles de votre dossier : 3 messages"
    assert write_news(news[:3], PORTAL, "en").subject == "News of your file: 3 messages"


@pytest.mark.parametrize(
    ("language", "hour"), [("fr", "01/07/2027 à 00:30:01"), ("en", "1 July 2027 at 00:30:01")]
)
def test_hours_are_those_of_paris_as_each_language_writes_them(
    language: Language, hour: str
) -> None:
    assert hour in written(examples("Zoé")[0], language).text


def test_a_changed_request_and_a_withdrawn_one_name_the_request_that_they_replace() -> None:
    changed, withdrawn = examples("Zoé TEST")[:2]

    assert "demande de réinscription modifiée de Zoé TEST" in written(changed, "fr").subject
    assert "retrait de la demande de réinscription de Zoé TEST" in written(withdrawn, "fr").subject
    assert "re-enrolment request withdrawn" in written(withdrawn, "en").subject
    for matter in (changed, withdrawn):
        for language in ("fr", "en"):
            assert "MEU-2027-000101-9" in written(matter, language).text
            assert "MEU-2027-000101-9" in written(matter, language).html
            assert "MEU-2027-000101-9" not in written(bare(matter), language).text
