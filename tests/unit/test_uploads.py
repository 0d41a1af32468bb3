"""What a file may be called, weigh and become (S51, S53)."""

from collections.abc import Callable

import pytest
from documents.uploads import (
    LONGEST_FILENAME,
    UploadState,
    accepted_content_type,
    bare_filename,
    check_removable,
    check_reviewable,
    check_size,
)
from hypothesis import given
from hypothesis import strategies as st
from shared.contract import Rejection
from shared.contracts.files import MAX_DOCUMENT_BYTES

from tests.document_uploads import publication, upload


def refusal(act: Callable[[], object]) -> Rejection:
    with pytest.raises(Rejection) as raised:
        act()
    return raised.value


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("expected", "upload_not_received"),
        ("abandoned", "upload_not_received"),
        ("removed", "not_found"),
    ],
)
def test_a_file_that_is_no_document_says_why(state: UploadState, code: str) -> None:
    assert refusal(upload(state=state).document).code == code


@pytest.mark.parametrize(
    ("state", "shown", "is_readable"),
    [
        ("analysing", "analysing", False),
        ("unfit", "refused", False),
        ("deposited", "deposited", True),
        ("accepted", "accepted", True),
        ("refused", "refused", True),
    ],
)
def test_nobody_reads_what_was_not_verified(
    state: UploadState, shown: str, is_readable: bool
) -> None:
    document = upload(state=state).document()
    assert (document.state, document.is_readable) == (shown, is_readable)


def test_a_refused_file_says_why() -> None:
    refused = upload(state="refused", refusal="Illisible.")
    assert refused.document().refusal == "Illisible."


def test_an_accepted_piece_is_not_taken_back() -> None:
    accepted = upload(state="accepted")
    assert refusal(lambda: check_removable(accepted)).code == "document_reviewed"


@pytest.mark.parametrize("state", ["deposited", "refused"])
def test_any_other_is(state: UploadState) -> None:
    check_removable(upload(state=state))


@pytest.mark.parametrize("state", ["deposited", "accepted", "refused"])
def test_the_staff_decides_on_what_counts_and_may_change_its_mind(state: UploadState) -> None:
    check_reviewable(upload(state=state))


@pytest.mark.parametrize("state", ["expected", "analysing", "unfit", "removed", "abandoned"])
def test_the_staff_decides_on_nothing_else(state: UploadState) -> None:
    assert refusal(lambda: check_reviewable(upload(state=state))).code == "not_reviewable"
    assert refusal(lambda: check_reviewable(publication())).code == "not_reviewable"


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
    assert heavy.facts["limit"] == 2


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("C:\\Users\\Nicole\\avis.pdf", "avis.pdf"),
        ("../../etc/avis.pdf", "avis.pdf"),
        (" relevé\x00\n d'août.pdf ", "relevé d'août.pdf"),
        ("avis\u202efdp.exe", "avisfdp.exe"),
        ("\u2067avis\u2069\u200b.pdf\ufeff", "avis.pdf"),
        ("avis\u2028.pdf", "avis.pdf"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
    ],
)
def test_only_the_bare_name_of_a_file_is_kept(sent: str, kept: str) -> None:
    assert bare_filename(sent) == kept


@given(st.text(max_size=1000))
def test_a_kept_name_is_bounded_shows_what_it_is_and_is_kept_again_as_it_is(sent: str) -> None:
    kept = bare_filename(sent)
    assert len(kept) <= LONGEST_FILENAME
    assert not set(kept) & set("/\\\r\n\0\u202e")
    assert bare_filename(kept) == kept


@given(st.text(alphabet="ab./\\ é\u202e", max_size=600))
def test_cutting_a_name_keeps_its_ending(sent: str) -> None:
    assert accepted_content_type(bare_filename(f"{sent}x.png")) == "image/png"


def test_a_key_tells_nothing_of_anybody() -> None:
    one, published = upload(), publication()
    assert one.key == f"{one.campaign_id}/{one.family_id}/{one.id}"
    assert published.key == f"published/{published.site_id}/{published.student_id}/{published.id}"
