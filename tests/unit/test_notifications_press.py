"""The receipt as a PDF: what it says, to whoever reads it by eye or by ear, and for any name."""

import asyncio
import io
import resource
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from notifications.matters import ContactBlock, Offered, Received
from notifications.press import Press
from notifications.verification import Seal
from pypdf import PdfReader
from shared.contracts.letters import Language

from tests.unit.test_notifications_letters import DECLINED, PORTAL, SUBMITTED

PRESS = Press(Seal("secret des essais"), PORTAL)


def words(receipt: Received, language: Language = "fr") -> str:
    """The text of a receipt, as a reader's program extracts it, on one line."""
    pages = PdfReader(io.BytesIO(PRESS.typeset(receipt, language))).pages
    text = " ".join(" ".join(page.extract_text().split()) for page in pages)
    return text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def pages_of(receipt: Received) -> int:
    return len(PdfReader(io.BytesIO(PRESS.typeset(receipt))).pages)


def test_the_receipt_of_a_request_states_all_that_a_family_must_know() -> None:
    text = words(replace(SUBMITTED, missing=("Attestation CAF 2027",)))
    for fact in (
        "Accusé de réception",
        "Demande de réinscription de Nicole TEST, année scolaire 2027-2028",
        "Numéro : MEU-2027-000123-4",
        "Reçue le 22/11/2026 à 14:05:12 (heure de Paris)",
        "Élève : Nicole TEST",
        "Cours demandés • FM 2.1 (33) - JEUDI - 17.00 à 18.30 • Violon",
        "Cours sans réinscription • Orchestre à cordes",
        "Il manque encore : • Attestation CAF 2027",
        "déposer vos pièces dans le portail jusqu'au 01/07/2027 à 12:00",
        "Ceci est une demande : le secrétariat confirme ou modifie chaque placement",
        "revenir sur cette demande dans le portail jusqu'au 22/12/2026 à 12:00",
        "Conservatoire de Meudon 7 boulevard des Nations Unies 92190 Meudon",
        "Téléphone : 01 99 00 10 10",
        "E-mail : conservatoire.meudon@territoire.example",
        "Code de vérification : ",
        f"{PORTAL}/verification",
        "Page 1 sur 1",
    ):
        assert fact in text


def test_the_receipt_in_english_states_as_much() -> None:
    text = words(replace(SUBMITTED, missing=("Attestation CAF 2027",), remarks="Un frère"), "en")
    for fact in (
        "Re-enrolment request for Nicole TEST, school year 2027-2028",
        "Number: MEU-2027-000123-4",
        "Received on 22 November 2026 at 14:05:12 (Paris time)",
        "Courses requested • FM 2.1 (33) - JEUDI - 17.00 à 18.30 • Violon",
        "Courses not re-enrolled • Orchestre à cordes",
        "Further information Un frère",
        "Still missing: • Attestation CAF 2027",
        "upload your documents in the portal until 1 July 2027 at 12:00",
        "change this request in the portal until 22 December 2026 at 12:00",
        "Telephone: 01 99 00 10 10",
        "Page 1 of 1",
    ):
        assert fact in text
    refusal = words(DECLINED, "en")
    assert "No re-enrolment for Nicole TEST" in refusal
    assert "change your mind in the portal until 22 December 2026 at 12:00" in refusal


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_receipt_says_in_which_language_it_is_and_has_one_code_in_each(
    language: Language,
) -> None:
    with pikepdf.open(io.BytesIO(PRESS.typeset(SUBMITTED, language))) as pdf:
        assert str(pdf.Root.Lang).startswith(language)
        assert pdf.open_metadata()["pdfuaid:part"] == "1"
    code = words(SUBMITTED).partition("Code de vérification : ")[2].split()[0]
    assert code in words(SUBMITTED, language)


def test_the_familys_own_words_are_on_the_receipt_line_by_line_and_never_markup() -> None:
    remarks = "Un frère à Sèvres\n\n#strong[alto], *harpe* <b>"
    text = words(replace(SUBMITTED, remarks=remarks))
    assert "Information complémentaire Un frère à Sèvres #strong[alto], *harpe* <b>" in text
    assert "Information complémentaire" not in words(SUBMITTED)


def test_the_receipt_of_a_refusal_says_until_when_it_can_be_taken_back() -> None:
    text = words(DECLINED)
    assert "Non-réinscription de Nicole TEST" in text
    assert "Réponse reçue le 22/11/2026 à 14:05:12" in text
    assert "jusqu'au 22/12/2026 à 12:00" in text
    assert "Cours" not in text
    assert "Code de vérification" in text


def test_the_address_of_the_verification_has_the_number_and_the_code() -> None:
    with pikepdf.open(io.BytesIO(PRESS.typeset(SUBMITTED))) as pdf:
        links = [str(each.A.URI) for each in pdf.pages[0].Annots]
    code = words(SUBMITTED).partition("Code de vérification : ")[2].split()[0]
    assert links == [PORTAL, f"{PORTAL}/verification?number=MEU-2027-000123-4&code={code}"]


@pytest.mark.parametrize("receipt", [SUBMITTED, DECLINED], ids=["request", "refusal"])
def test_a_receipt_is_an_accessible_pdf_of_one_a4_page(receipt: Received) -> None:
    with pikepdf.open(io.BytesIO(PRESS.typeset(receipt))) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "fr-FR"
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert str(pdf.docinfo["/Title"]) == "Accusé de réception MEU-2027-000123-4"
        assert pdf.open_metadata()["pdfuaid:part"] == "1"
        kinds = {
            str(each.S)
            for each in pdf.objects
            if isinstance(each, pikepdf.Dictionary) and "/S" in each and "/P" in each
        }
        (page,) = pdf.pages
        assert [round(float(side)) for side in page.mediabox] == [0, 0, 595, 842]
    assert {"/Document", "/H1", "/H2", "/P", "/Link"} <= kinds


def test_the_same_receipt_is_the_same_bytes_at_any_time_and_on_any_replica() -> None:
    again = Press(Seal("secret des essais"), PORTAL)
    assert again.typeset(SUBMITTED) == PRESS.typeset(SUBMITTED)


def test_a_receipt_is_dated_by_its_reception() -> None:
    created = PdfReader(io.BytesIO(PRESS.typeset(SUBMITTED))).metadata
    assert created is not None
    assert created.creation_date == SUBMITTED.received_at


def test_thirty_courses_go_on_over_the_page() -> None:
    courses = tuple(f"FM 2.1 ({group}) - JEUDI - 17.00 à 18.30" for group in range(30))
    receipt = replace(SUBMITTED, asked_courses=courses)
    text = words(receipt)
    assert all(course in text for course in courses)
    assert pages_of(receipt) == 2
    assert "Page 2 sur 2" in text


@pytest.mark.parametrize(
    "name",
    [
        "Amina N'DIAYE",
        "<b>Zoé</b>",
        "#import *gras* _it_ $x$ @renvoi <label> `code` \\ // fin",
        "https://exemple.example/",
        '"; #eval("1") //',
    ],
)
def test_a_name_is_never_markup(name: str) -> None:
    assert f"Élève : {name}" in words(replace(SUBMITTED, student=name))


def test_a_name_from_right_to_left_is_readable() -> None:
    with pikepdf.open(io.BytesIO(PRESS.typeset(replace(SUBMITTED, student="محمد דוד")))) as pdf:
        assert pdf.open_metadata()["pdfuaid:part"] == "1"


def test_a_name_of_two_hundred_letters_stays_within_the_page() -> None:
    text = words(replace(SUBMITTED, student="W" * 200))
    assert text.replace("\N{ZERO WIDTH SPACE}", "").replace(" ", "").count("W" * 200) == 2


def test_a_sign_that_no_font_has_costs_the_accessible_claim_only() -> None:
    with pikepdf.open(io.BytesIO(PRESS.typeset(replace(SUBMITTED, student="山田 😀")))) as pdf:
        assert "pdfuaid:part" not in pdf.open_metadata()
        assert pdf.Root.MarkInfo.Marked


def test_what_a_site_has_not_given_leaves_no_empty_label() -> None:
    text = words(
        replace(SUBMITTED, site=ContactBlock("Conservatoire de Sèvres", "", "", "", "", ""))
    )
    assert text.startswith("Conservatoire de Sèvres Accusé de réception")


def test_a_request_without_any_course_says_so() -> None:
    text = words(replace(SUBMITTED, asked_courses=(), left_courses=()))
    assert "Vous n'avez demandé aucun cours." in text
    assert "Cours sans réinscription" not in text


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.lists(st.text(max_size=80), max_size=4))
def test_whatever_was_typed_is_printed(name: str, labels: list[str]) -> None:
    receipt = replace(
        SUBMITTED,
        student=name,
        asked_courses=tuple(labels),
        site=ContactBlock(name, name, name, name, name, name),
    )
    assert PRESS.typeset(receipt).startswith(b"%PDF-")


async def test_only_receipts_have_a_pdf_attached() -> None:
    offer = Offered(
        student="Zoé",
        school_year="2027-2028",
        course="Violon",
        until=datetime(2026, 11, 22, tzinfo=UTC),
        site=SUBMITTED.site,
    )
    assert await PRESS.attachments(offer) == ()
    (attachment,) = await PRESS.attachments(SUBMITTED)
    assert attachment.filename == "accuse-de-reception-MEU-2027-000123-4.pdf"
    assert attachment.content == PRESS.typeset(SUBMITTED)


async def test_the_event_loop_goes_on_while_receipts_are_printed() -> None:
    printing = asyncio.gather(*(PRESS.print(SUBMITTED) for _ in range(20)))
    turns = 0
    while not printing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 20
    assert len(set(await printing)) == 1


def test_many_receipts_leave_the_memory_as_it_was() -> None:
    def print_some(count: int) -> float:
        """Print different receipts; give the megabytes that the process then holds."""
        for number in range(count):
            PRESS.typeset(replace(SUBMITTED, student=f"Élève {count}-{number}"))
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize() / 2**20

    before = print_some(60)
    assert print_some(200) < before + 20
