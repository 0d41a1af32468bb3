"""Which pieces a family provides, until when, and in which files (S50 to S56)."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from documents.pieces import (
    Campaign,
    DocumentType,
    Household,
    Owner,
    Student,
    Upload,
    UploadState,
    accepted_content_type,
    applies,
    bare_filename,
    check_open,
    check_size,
    is_condition,
    to_provide,
    two_lists,
    unknown_placeholders,
    worded,
)
from hypothesis import given
from hypothesis import strategies as st
from shared.contract import Rejection
from shared.contracts.documents import MAX_DOCUMENT_BYTES
from shared.identifiers import new_id

OPENS_AT = datetime(2027, 5, 10, 8, 0, tzinfo=UTC)
CAMPAIGN = Campaign(
    id=new_id(),
    school_year="2027-2028",
    prepares_at=OPENS_AT - timedelta(days=10),
    opens_at=OPENS_AT,
    documents_due_at=OPENS_AT + timedelta(days=60),
)


def document_type(
    owner: Owner = "family", condition: str = "", code: str = "domicile"
) -> DocumentType:
    return DocumentType(
        code=code,
        owner=owner,
        name="Attestation CAF {annee}",
        requirement="required",
        condition=condition,
        help="Avis {annee-1} sur les revenus {annee-2}",
    )


def student(birth_on: date | None = date(2017, 1, 1), *disciplines: str) -> Student:
    return Student(new_id(), birth_on, disciplines)


def household(*students: Student) -> Household:
    return Household(students[0], students)


def upload(
    type_code: str = "domicile",
    student_id: UUID | None = None,
    state: UploadState = "deposited",
) -> Upload:
    return Upload(
        id=new_id(),
        campaign_id=CAMPAIGN.id,
        family_id=new_id(),
        student_id=student_id,
        type_code=type_code,
        filename="facture.pdf",
        content_type="application/pdf",
        size=1234,
        state=state,
        refusal="Ce fichier n'est pas un document PDF.",
        deposited_at=OPENS_AT,
    )


def refusal(act: Callable[[], object]) -> Rejection:
    with pytest.raises(Rejection) as raised:
        act()
    return raised.value


def test_a_name_tells_the_years_of_its_campaign() -> None:
    template = "Avis d'imposition {annee-1} sur les revenus {annee-2}, CAF {annee}"
    assert worded(template, 2027) == "Avis d'imposition 2026 sur les revenus 2025, CAF 2027"


def test_what_is_no_year_is_left_as_it_is_and_told() -> None:
    assert worded("{annee} {mois} {annee-12}", 2027) == "2027 {mois} {annee-12}"
    assert unknown_placeholders("{annee} {mois} {annee-12}") == ("mois", "annee-12")


@given(st.text(alphabet="{}ane-1 é"))
def test_wording_leaves_no_known_year_behind(template: str) -> None:
    assert unknown_placeholders(worded(template, 2027)) == unknown_placeholders(template)


def test_the_present_school_year_is_the_one_before_the_campaign_s() -> None:
    assert (CAMPAIGN.first_year, CAMPAIGN.present_school_year) == (2027, "2026-2027")


@pytest.mark.parametrize(
    ("disciplines", "expected"),
    [
        (("Danse classique",), True),
        (("Piano", "danse contemporaine"), True),
        (("Formation musicale",), False),
        (("Initiation à la danse",), False),
        ((), False),
    ],
)
def test_a_dance_certificate_is_asked_of_those_who_dance_this_year(
    disciplines: tuple[str, ...], expected: bool
) -> None:
    kind = document_type("student", "discipline:Danse")
    assert applies(kind, household(student(None, *disciplines)), OPENS_AT.date()) is expected


def test_a_sibling_who_dances_asks_nothing_of_the_others() -> None:
    of_both = household(student(None, "Piano"), student(None, "Danse"))
    assert not applies(document_type("student", "discipline:Danse"), of_both, OPENS_AT.date())
    assert applies(document_type("family", "discipline:Danse"), of_both, OPENS_AT.date())


@pytest.mark.parametrize(
    ("births", "expected"),
    [
        ((date(2015, 1, 1), date(2017, 1, 1)), True),
        ((date(2015, 1, 1),), False),
        ((date(2015, 1, 1), date(2007, 5, 11)), True),
        ((date(2015, 1, 1), date(2007, 5, 10)), False),
        ((date(2015, 1, 1), None), False),
    ],
    ids=["two children", "an only child", "20 tomorrow", "20 today", "age unknown"],
)
def test_two_students_under_20_on_the_opening_day_ask_for_the_caf_certificate(
    births: tuple[date | None, ...], expected: bool
) -> None:
    family = household(*(student(birth) for birth in births))
    kind = document_type(condition="2_enfants_moins_20_ans")
    assert applies(kind, family, OPENS_AT.date()) is expected


def test_the_opening_day_is_the_one_in_france() -> None:
    late = Campaign(
        id=new_id(),
        school_year="2027-2028",
        prepares_at=OPENS_AT,
        opens_at=datetime(2027, 5, 9, 22, 30, tzinfo=UTC),
        documents_due_at=OPENS_AT,
    )
    family = household(student(date(2007, 5, 10)), student(date(2015, 1, 1)))
    assert to_provide([document_type(condition="2_enfants_moins_20_ans")], late, family) == []


@given(st.dates(date(1990, 1, 1), date(2027, 1, 1)), st.dates(date(1990, 1, 1), date(2027, 1, 1)))
def test_a_younger_family_is_never_asked_for_less(first: date, second: date) -> None:
    kind = document_type(condition="2_enfants_moins_20_ans")
    younger = household(student(max(first, second)), student(max(first, second)))
    if applies(kind, household(student(first), student(second)), OPENS_AT.date()):
        assert applies(kind, younger, OPENS_AT.date())


@pytest.mark.parametrize("text", ["", "discipline:Danse", "2_enfants_moins_20_ans"])
def test_a_known_condition_is_understood(text: str) -> None:
    assert is_condition(text)


@pytest.mark.parametrize("text", ["discipline:", "2_enfants", "cursus:FM", "tous"])
def test_an_unknown_condition_is_not(text: str) -> None:
    assert not is_condition(text)


def test_a_family_s_document_serves_all_its_students_and_a_student_s_only_that_one() -> None:
    types = [document_type(), document_type("student", code="medical")]
    elder, younger = new_id(), new_id()
    uploads = [upload("domicile"), upload("medical", elder)]
    of_elder = two_lists(types, CAMPAIGN, elder, uploads)
    of_younger = two_lists(types, CAMPAIGN, younger, uploads)
    assert of_elder.family[0].document == of_younger.family[0].document == uploads[0].document()
    assert of_elder.student[0].document == uploads[1].document()
    assert of_younger.student[0].document is None


def test_the_lists_tell_the_deadline_and_keep_the_order_of_the_types() -> None:
    types = [document_type(code=code) for code in ("c", "a", "b")]
    lists = two_lists(types, CAMPAIGN, new_id(), [])
    assert [piece.type_code for piece in lists.family] == ["c", "a", "b"]
    assert (lists.student, lists.due_at) == ((), CAMPAIGN.documents_due_at)


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("expected", "upload_not_received"),
        ("abandoned", "upload_not_received"),
        ("refused", "file_not_what_its_name_says"),
        ("removed", "not_found"),
    ],
)
def test_a_file_that_is_no_document_says_why(state: UploadState, code: str) -> None:
    assert refusal(upload(state=state).document).code == code


def test_documents_are_taken_from_the_preparation_date_to_the_deadline_to_the_second() -> None:
    second = timedelta(seconds=1)
    check_open(CAMPAIGN, CAMPAIGN.prepares_at)
    check_open(CAMPAIGN, CAMPAIGN.documents_due_at - second)
    early = refusal(lambda: check_open(CAMPAIGN, CAMPAIGN.prepares_at - second))
    late = refusal(lambda: check_open(CAMPAIGN, CAMPAIGN.documents_due_at))
    assert (early.code, late.code) == ("documents_not_open", "documents_closed")
    assert "09/07/2027 à 10:00" in late.detail


@pytest.mark.parametrize(
    ("filename", "content_type"),
    [
        ("avis.pdf", "application/pdf"),
        ("AVIS.PDF", "application/pdf"),
        ("photo.jpeg", "image/jpeg"),
        ("photo.été.JPG", "image/jpeg"),
        ("capture.png", "image/png"),
    ],
)
def test_pdf_jpeg_and_png_are_accepted_by_their_name(filename: str, content_type: str) -> None:
    assert accepted_content_type(filename) == content_type


@pytest.mark.parametrize("filename", ["avis.docx", "avis", ".pdf", "avis.pdf.exe", "photo.heic"])
def test_any_other_name_is_refused_and_told_the_formats(filename: str) -> None:
    refused = refusal(lambda: accepted_content_type(filename))
    assert refused.code == "file_type_refused"
    assert ".pdf, .jpg, .jpeg ou .png" in refused.detail


def test_a_file_weighs_at_least_a_byte_and_at_most_the_limit() -> None:
    check_size(1)
    check_size(MAX_DOCUMENT_BYTES)
    assert refusal(lambda: check_size(0)).code == "file_empty"
    heavy = refusal(lambda: check_size(MAX_DOCUMENT_BYTES + 1))
    assert heavy.code == "file_too_large"
    assert "2 Mo" in heavy.detail


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("C:\\Users\\Nicole\\avis.pdf", "avis.pdf"),
        ("../../etc/avis.pdf", "avis.pdf"),
        (" relevé\x00\n d'août.pdf ", "relevé d'août.pdf"),
    ],
)
def test_only_the_bare_name_of_a_file_is_kept(sent: str, kept: str) -> None:
    assert bare_filename(sent) == kept


def test_a_key_tells_nothing_of_anybody() -> None:
    one = upload()
    assert one.key == f"{one.campaign_id}/{one.family_id}/{one.id}"
