"""When a delivery that failed is tried again, and when nobody is there any more. Pure functions."""

from datetime import datetime, timedelta

SUSPENDED_AFTER = timedelta(days=3)
"""A webhook that failed for so long without any success is suspended."""

_PAUSES = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Over three days in all: a webhook that refuses the last attempt of an event was either sound at
some moment since the first, or is suspended.
"""
_JITTER = 0.2


def next_attempt(attempts: int, now: datetime, jitter: float) -> datetime | None:
    """Say when a delivery is tried again after ``attempts`` that failed; None is giving up.

    ``jitter``, from 0 to 1, keeps deliveries that failed together from coming back together.
    """
    if attempts > len(_PAUSES):
        return None
    return now + _PAUSES[attempts - 1] * (1 + _JITTER * jitter)
