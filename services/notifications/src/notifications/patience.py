"""How long to wait before trying again, and when to give up. Pure functions."""

from datetime import datetime, timedelta

from shared.contracts.notifications import DeliveryState

GIVES_UP_AFTER = timedelta(hours=48)
"""A message that failed for this long has failed (S75)."""

_AGAIN_AFTER = timedelta(minutes=5)
_FIRST_PAUSE = timedelta(seconds=2)
_LONGEST_PAUSE = timedelta(hours=1)
_LONGEST_REST = timedelta(seconds=30)


def next_attempt(
    failed_attempts: int, created_at: datetime, now: datetime, jitter: float
) -> datetime | None:
    """Say when a message is tried again after its ``failed_attempts``; None is giving up.

    ``jitter``, from 0 to 1, keeps messages that failed together from coming back together.
    """
    due_at = now + _pause(failed_attempts, jitter, _LONGEST_PAUSE)
    return due_at if due_at <= created_at + GIVES_UP_AFTER else None


def rest(failed_connections: int, jitter: float) -> timedelta:
    """Say how long to leave a mail server alone that could not be reached."""
    return _pause(failed_connections, jitter, _LONGEST_REST)


def again_from(state: DeliveryState, state_at: datetime) -> datetime | None:
    """Say when a receipt may be sent again; None while it is on its way."""
    return None if state == "waiting" else state_at + _AGAIN_AFTER


def _pause(failures: int, jitter: float, longest: timedelta) -> timedelta:
    """Double with each failure, up to ``longest``; take half of it, and the rest by chance."""
    doublings = min(max(failures, 1) - 1, 20)
    return min(_FIRST_PAUSE * (1 << doublings), longest) * (0.5 + jitter / 2)
