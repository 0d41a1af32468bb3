"""A file's content is what its name says (S51)."""

import pytest
from documents.inspection import objection
from documents.store import attachment
from hypothesis import given
from hypothesis import strategies as st
from shared.contracts.documents import CONTENT_TYPES, ContentType

from tests.document_files import JPEG, pdf, png

PHOTO = b"\xff\xd8\xff\xe1\x00\x10Exif\x00\x00" + b"\x00" * 64 + b"\xff\xd9"


@pytest.mark.parametrize(
    ("content", "announced"),
    [
        (pdf(), "application/pdf"),
        (pdf().replace(b"\n", b"\r\n"), "application/pdf"),
        (png(), "image/png"),
        (JPEG, "image/jpeg"),
        (PHOTO, "image/jpeg"),
    ],
    ids=["pdf", "pdf with other line ends", "png", "jpeg", "photo"],
)
def test_a_file_that_is_what_its_name_says_meets_no_objection(
    content: bytes, announced: ContentType
) -> None:
    assert objection(content, announced) is None


def test_an_image_renamed_is_told_what_it_is() -> None:
    told = objection(png(), "application/pdf")
    assert told is not None
    assert "n'est pas un document PDF" in told
    assert "c'est une image PNG" in told


@pytest.mark.parametrize("announced", sorted(set(CONTENT_TYPES.values())))
@given(content=st.text(min_size=1).map(str.encode))
def test_a_text_is_never_taken_for_a_document(announced: ContentType, content: bytes) -> None:
    assert objection(content, announced) is not None


@pytest.mark.parametrize(
    "content", [b"MZ" + b"\x00" * 200, b"PK\x03\x04" + b"\x00" * 200, b"\xff\xd9"]
)
def test_a_program_an_archive_or_a_scrap_is_refused(content: bytes) -> None:
    assert objection(content, "image/jpeg") is not None


@given(st.data())
def test_a_pdf_cut_short_is_refused(data: st.DataObject) -> None:
    whole = pdf()
    length = data.draw(st.integers(min_value=8, max_value=len(whole) - len(b"%%EOF\n") - 1))
    told = objection(whole[:length], "application/pdf")
    assert told is not None
    assert "incomplet" in told


def test_a_pdf_whose_table_lies_beyond_its_end_is_refused() -> None:
    content = b"%PDF-1.7\nstartxref\n999999\n%%EOF\n"
    assert objection(content, "application/pdf") is not None


def test_a_download_keeps_the_name_that_the_family_gave() -> None:
    header = attachment('relevé "août" 100%.pdf')
    assert 'filename="relev_ _ao_t_ 100_.pdf"' in header
    assert "filename*=UTF-8''relev%C3%A9%20%22ao%C3%BBt%22%20100%25.pdf" in header
