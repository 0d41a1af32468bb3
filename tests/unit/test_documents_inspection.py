"""A file is what its name says, holds nothing but its pages, and is kept without its metadata."""

import io
from pathlib import PurePosixPath

import pytest
from documents.image_inspection import MAX_PIXELS
from documents.inspection import inspect
from documents.store import attachment
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image
from shared.contracts.files import CONTENT_TYPES, MAX_DOCUMENT_BYTES, ContentType

from tests.document_files import LEGITIMATE, paper, pdf, photograph, png, saved, sixteen_bits
from tests.hostile_files import HOSTILE
from tests.hostile_parts import Hostile


def announced(filename: str) -> ContentType:
    return CONTENT_TYPES[PurePosixPath(filename).suffix.lower()]


def kept(filename: str, content: bytes) -> bytes:
    finding = inspect(content, announced(filename))
    assert finding.objection is None
    assert finding.content is not None
    return finding.content


def test_there_are_hostile_files_enough_and_each_is_another() -> None:
    assert len({(one.filename, one.content) for one in HOSTILE}) == len(HOSTILE) >= 60


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.what)
def test_a_hostile_file_is_refused_with_its_reason(hostile: Hostile) -> None:
    finding = inspect(hostile.content, announced(hostile.filename))
    assert finding.content is None
    assert finding.objection is not None
    assert hostile.word in finding.objection


@pytest.mark.parametrize("what", LEGITIMATE)
def test_a_file_as_families_send_them_is_kept_within_the_limit(what: str) -> None:
    filename, make = LEGITIMATE[what]
    content = kept(filename, make())
    assert len(content) <= MAX_DOCUMENT_BYTES
    assert kept(filename, content)


@pytest.mark.parametrize(
    "what", [what for what, (filename, _) in LEGITIMATE.items() if filename.endswith(".pdf")]
)
def test_a_pdf_is_kept_as_it_was_sent(what: str) -> None:
    filename, make = LEGITIMATE[what]
    content = make()
    assert kept(filename, content) == content


def test_a_photograph_is_kept_upright_without_telling_where_it_was_taken() -> None:
    sent = photograph(1200, 900)
    assert Image.open(io.BytesIO(sent)).getexif().get_ifd(ExifTags.IFD.GPSInfo)
    content = kept("photo.jpg", sent)
    image = Image.open(io.BytesIO(content))
    assert image.size == (900, 1200)
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert b"chez nous" not in content


def test_what_a_phone_writes_after_a_photograph_is_dropped() -> None:
    content = kept("photo.jpg", photograph() + b"SEFT motion" * 100)
    assert b"SEFT" not in content


def test_a_photograph_written_anew_shows_the_same() -> None:
    sent = paper(600, 800)
    image = Image.open(io.BytesIO(kept("photo.jpg", saved(sent, "JPEG", quality=95))))
    assert difference(sent, image) < 4


def test_sixteen_bits_a_pixel_become_eight_and_show_the_same() -> None:
    image = Image.open(io.BytesIO(kept("scan.png", sixteen_bits())))
    assert image.mode == "L"
    assert difference(paper(mode="L"), image) < 16


def test_what_shows_through_an_image_still_does() -> None:
    palette = saved(paper(mode="P"), "PNG", transparency=0)
    for sent in (LEGITIMATE["a translucent image"][1](), palette):
        image = Image.open(io.BytesIO(kept("ecran.png", sent)))
        assert image.has_transparency_data


def test_an_image_that_grows_when_written_anew_is_made_to_fit() -> None:
    heavy = saved(Image.effect_noise((3200, 2400), 90), "JPEG", quality=20)
    assert len(heavy) <= MAX_DOCUMENT_BYTES
    content = kept("photo.jpg", heavy)
    assert MAX_DOCUMENT_BYTES // 2 < len(content) <= MAX_DOCUMENT_BYTES


@pytest.mark.parametrize("mode", ["L", "P", "RGB"])
def test_a_png_over_the_limit_once_written_is_made_smaller(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("documents.image_inspection.MAX_DOCUMENT_BYTES", 100_000)
    content = kept("ecran.png", saved(paper(900, 1200, mode), "PNG"))
    assert 30_000 < len(content) <= 100_000
    width, height = Image.open(io.BytesIO(content)).size
    assert width / height == pytest.approx(900 / 1200, rel=0.02)


def test_an_image_of_the_most_pixels_allowed_is_kept() -> None:
    side = 8000
    assert side * side == MAX_PIXELS
    assert kept("plan.png", saved(Image.new("1", (side, side)), "PNG"))


def test_an_empty_file_and_one_over_the_limit_are_refused() -> None:
    for content, word in ((b"", "vide"), (pdf() + bytes(MAX_DOCUMENT_BYTES), "dépasse 2 Mo")):
        objection = inspect(content, "application/pdf").objection
        assert objection is not None
        assert word in objection


@pytest.mark.parametrize("content_type", sorted(set(CONTENT_TYPES.values())))
@given(content=st.text(min_size=1).map(str.encode))
def test_a_text_is_never_taken_for_a_document(content_type: ContentType, content: bytes) -> None:
    assert inspect(content, content_type).objection is not None


@settings(max_examples=60)
@given(data=st.data())
def test_a_pdf_cut_short_is_refused(data: st.DataObject) -> None:
    whole = pdf()
    length = data.draw(st.integers(min_value=1, max_value=len(whole) - len(b"%%EOF\n") - 1))
    assert inspect(whole[:length], "application/pdf").objection is not None


@settings(max_examples=60, deadline=None)
@given(
    sent=st.sampled_from(
        [("a.pdf", pdf()), ("a.png", png()), ("a.jpg", saved(paper(60, 80), "JPEG"))]
    ),
    place=st.floats(min_value=0, max_value=1),
    written=st.binary(min_size=1, max_size=40),
)
def test_whatever_the_bytes_a_file_is_refused_in_words_or_kept(
    sent: tuple[str, bytes], place: float, written: bytes
) -> None:
    filename, content = sent
    start = int(place * len(content))
    finding = inspect(
        content[:start] + written + content[start + len(written) :], announced(filename)
    )
    assert (finding.objection is None) != (finding.content is None)


def test_a_download_keeps_the_name_that_the_family_gave() -> None:
    header = attachment('relevé "août" 100%.pdf')
    assert 'filename="relev_ _ao_t_ 100_.pdf"' in header
    assert "filename*=UTF-8''relev%C3%A9%20%22ao%C3%BBt%22%20100%25.pdf" in header


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean difference of two images, in levels of grey."""
    left, right = one.convert("L").tobytes(), other.convert("L").tobytes()
    return sum(abs(a - b) for a, b in zip(left, right, strict=True)) / len(left)
