"""A password is judged by what guessing it would take, and by nothing else (S4)."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from identity.strength import SHORTEST, weakness

FAMILY = ("nicole.test", "Nicole", "TEST", "Léo", "Conservatoire de Meudon", "Meudon")


@pytest.mark.parametrize("password", ["", "court", "a" * (SHORTEST - 1), "Zk8!vQ2#xP9"])
def test_eleven_characters_are_too_short_whatever_they_are(password: str) -> None:
    assert weakness(password, ()) == "password_too_short"


def test_an_accent_typed_in_two_code_points_counts_for_one_character() -> None:
    assert weakness("e\u0301" * (SHORTEST - 1), ()) == "password_too_short"


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "motdepasse123",
        "MotDePasse2027!",
        "azertyuiop123",
        "111111111111",
        "abcabcabcabc",
        "12/05/2027 12",
        "conservatoire",
        "Rentrée2027!!",
        "iloveyouiloveyou",
    ],
)
def test_common_passwords_are_refused(password: str) -> None:
    assert weakness(password, ()) == "password_too_common"


@pytest.mark.parametrize(
    "password", ["nicole.test27", "Nicoletest2027", "LeoMeudon2027", "leoleoleoleo", "meudonmeudon"]
)
def test_the_familys_own_words_make_no_password(password: str) -> None:
    assert weakness(password, FAMILY) == "password_too_common"


@pytest.mark.parametrize(
    "password",
    [
        "girafe tambour nuage",
        "lampe-verte-et-trois-chats",
        "jv8zqk2mx4tr",
        "ÉTÉ sur la plage de Berck",
    ],
)
def test_long_ones_pass_without_figure_capital_or_sign(password: str) -> None:
    assert weakness(password, FAMILY) is None


@given(st.text(min_size=12, max_size=200))
@settings(max_examples=20, deadline=None)
def test_any_text_is_judged(password: str) -> None:
    assert weakness(password, FAMILY) in {None, "password_too_short", "password_too_common"}


def test_the_strangest_text_is_judged_in_little_time() -> None:
    """Substitutions of letters by signs take the longest: unbounded, this one takes seconds."""
    strange = "4@8({[<369!1|7$50+%2" * 10
    started = time.process_time()
    weakness(strange, FAMILY)
    assert time.process_time() - started < 3
