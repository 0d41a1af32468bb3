"""A refresh token is replaced at each use; one that comes back late ends the session."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from identity.sessions import (
    IDLE_LIFE,
    LONGEST_LIFE,
    TWIN_GRACE,
    RefreshToken,
    Session,
    Use,
    expiry,
    judge,
    new_seed,
)
from shared.identifiers import new_id

NOW = datetime(2027, 5, 3, 9, 0, tzinfo=UTC)
FIRST = RefreshToken.mint(new_id())
SECOND = FIRST.successor(new_seed())
THIRD = SECOND.successor(new_seed())

AFTER_TWO_USES = Session(
    token_hash=THIRD.hash,
    previous_token_hash=SECOND.hash,
    rotated_at=NOW,
    expires_at=NOW + IDLE_LIFE,
    ended_at=None,
)


def test_the_current_token_renews_the_session() -> None:
    assert judge(AFTER_TWO_USES, THIRD.hash, NOW + timedelta(hours=3)) is Use.RENEWS


def test_two_tabs_may_present_the_same_token_within_thirty_seconds() -> None:
    assert judge(AFTER_TWO_USES, SECOND.hash, NOW + TWIN_GRACE) is Use.TWIN


def test_a_replaced_token_that_comes_back_later_is_a_replay() -> None:
    late = NOW + TWIN_GRACE + timedelta(milliseconds=1)
    assert judge(AFTER_TWO_USES, SECOND.hash, late) is Use.REPLAY


def test_a_token_replaced_twice_is_a_replay_at_once() -> None:
    assert judge(AFTER_TWO_USES, FIRST.hash, NOW) is Use.REPLAY


def test_nothing_renews_a_session_that_was_signed_out() -> None:
    ended = replace(AFTER_TWO_USES, ended_at=NOW)
    assert judge(ended, THIRD.hash, NOW) is Use.OVER


def test_a_session_left_unused_for_twelve_hours_is_over() -> None:
    assert judge(AFTER_TWO_USES, THIRD.hash, NOW + IDLE_LIFE) is Use.OVER


def test_a_session_in_use_ends_after_thirty_days() -> None:
    assert expiry(NOW, NOW + timedelta(days=1)) == NOW + timedelta(days=1, hours=12)
    assert expiry(NOW, NOW + timedelta(days=29, hours=18)) == NOW + LONGEST_LIFE


def test_twins_get_the_very_same_successor() -> None:
    seed = new_seed()
    assert FIRST.successor(seed) == FIRST.successor(seed)
    assert FIRST.successor(seed) != FIRST.successor(new_seed())


def test_a_token_travels_as_text() -> None:
    assert RefreshToken.read(FIRST.text) == FIRST


def test_a_token_does_not_show_its_secret_in_logs() -> None:
    assert FIRST.secret.hex() not in repr(FIRST)
    assert str(FIRST.secret) not in repr(FIRST)


@given(st.text(max_size=200))
def test_any_other_text_is_no_token(text: str) -> None:
    assert RefreshToken.read(text) is None
