"""When a message is tried again, and when it is given up."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from notifications.patience import GIVES_UP_AFTER, next_attempt, rest

CREATED_AT = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)

jitters = st.floats(0, 1)
failures = st.integers(1, 10_000)


@given(failures, jitters, st.timedeltas(timedelta(0), timedelta(hours=60)))
def test_an_attempt_is_always_later_and_never_beyond_48_hours(
    failed_attempts: int, jitter: float, age: timedelta
) -> None:
    now = CREATED_AT + age

    due_at = next_attempt(failed_attempts, CREATED_AT, now, jitter)

    if due_at is None:
        assert age > GIVES_UP_AFTER - timedelta(hours=1)
    else:
        assert now < due_at <= CREATED_AT + GIVES_UP_AFTER


@given(failures, jitters)
def test_pauses_grow_up_to_an_hour(failed_attempts: int, jitter: float) -> None:
    def pause(attempts: int) -> timedelta:
        due_at = next_attempt(attempts, CREATED_AT, CREATED_AT, jitter)
        assert due_at is not None
        return due_at - CREATED_AT

    assert pause(failed_attempts) <= pause(failed_attempts + 1) <= timedelta(hours=1)


def test_a_first_failure_is_tried_again_at_once_or_nearly() -> None:
    due_at = next_attempt(1, CREATED_AT, CREATED_AT, jitter=1)

    assert due_at == CREATED_AT + timedelta(seconds=2)


@given(failures, jitters)
def test_a_mail_server_that_was_away_is_found_again_within_half_a_minute(
    failed_connections: int, jitter: float
) -> None:
    assert timedelta(seconds=1) <= rest(failed_connections, jitter) <= timedelta(seconds=30)
