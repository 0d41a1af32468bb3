"""Receipt numbers can be read aloud and copied by hand."""

from enrolment.receipts import check_character, receipt_number
from hypothesis import given
from hypothesis import strategies as st

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TEXTS = st.text(ALPHABET, min_size=1, max_size=16)


def test_the_check_character_is_the_standards_own() -> None:
    # the Global Release Identifier of the IFPI's handbook, A1-2425G-ABC1234002-M
    assert check_character("A12425GABC1234002") == "M"


def test_a_receipt_number_says_the_site_the_year_and_a_position() -> None:
    number = receipt_number("MEU", "2027-2028", 123)
    assert number[:-1] == "MEU-2027-000123-"
    assert number[-1] == check_character("MEU2027000123")


def test_positions_past_a_million_grow_and_never_come_back() -> None:
    assert receipt_number("MEU", "2027-2028", 1_000_123).startswith("MEU-2027-1000123-")


@given(TEXTS, st.data())
def test_any_one_character_misread_is_noticed(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text) - 1))
    wrong = data.draw(st.sampled_from([other for other in ALPHABET if other != text[place]]))
    misread = text[:place] + wrong + text[place + 1 :]
    assert check_character(misread) != check_character(text)
