"""S4: five failures slow a sign-in down, ten lock it for an hour."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from identity.lockout import LOCK, LOCKED_FROM, SLOWED_FROM, Attempts

NOW = datetime(2027, 5, 3, 9, 0, tzinfo=UTC)


def failed(times: int) -> Attempts:
    """What is known after failures, each made as soon as it was let through."""
    attempts = Attempts(0, NOW)
    for _ in range(times):
        counted = attempts.with_one_more(attempts.last_at + attempts.wait())
        assert counted is not None
        attempts = counted
    return attempts


def test_four_failures_cost_nothing() -> None:
    attempts = failed(SLOWED_FROM - 1)
    assert attempts.wait() == timedelta(0)
    assert attempts.with_one_more(attempts.last_at) is not None


def test_from_the_fifth_failure_on_the_wait_doubles() -> None:
    waits = [failed(times).wait().total_seconds() for times in range(SLOWED_FROM, LOCKED_FROM)]
    assert waits == [5, 10, 20, 40, 80]


def test_an_attempt_that_comes_too_soon_is_not_considered() -> None:
    attempts = failed(SLOWED_FROM)
    almost = attempts.last_at + attempts.wait() - timedelta(milliseconds=1)
    assert attempts.with_one_more(almost) is None


def test_ten_failures_lock_for_an_hour() -> None:
    attempts = failed(LOCKED_FROM)
    assert attempts.with_one_more(attempts.last_at + timedelta(minutes=59, seconds=59)) is None
    assert attempts.with_one_more(attempts.last_at + timedelta(hours=1)) is not None


def test_after_an_hour_without_a_failure_the_count_starts_again() -> None:
    attempts = failed(LOCKED_FROM)
    later = attempts.last_at + LOCK
    assert attempts.with_one_more(later) == Attempts(1, later)


def test_a_replica_whose_clock_is_behind_refuses_nobody_who_need_not_wait() -> None:
    attempts = failed(1)
    assert attempts.with_one_more(attempts.last_at - timedelta(seconds=1)) is not None


@given(st.lists(st.integers(min_value=0, max_value=900), min_size=1, max_size=400))
def test_never_more_than_ten_passwords_are_tried_within_an_hour(pauses: list[int]) -> None:
    attempts, now = Attempts(0, NOW), NOW
    considered: list[datetime] = []
    for pause in pauses:
        now += timedelta(seconds=pause)
        counted = attempts.with_one_more(now)
        if counted is not None:
            attempts = counted
            considered.append(now)
    for start in considered:
        within = [at for at in considered if start <= at < start + LOCK]
        assert len(within) <= LOCKED_FROM
