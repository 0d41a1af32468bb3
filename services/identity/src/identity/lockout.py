"""When a sign-in is slowed down or locked (S4): pure arithmetic on counted attempts.

Four failures cost nothing. From the fifth on each doubles the wait before the next attempt, from
5 s to 80 s; the tenth locks for an hour. An attempt made meanwhile is refused unread, even with
the right password, and is not counted. After an hour without a failure all is forgotten.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

SLOWED_FROM = 5
LOCKED_FROM = 10
FIRST_WAIT = timedelta(seconds=5)
LOCK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Attempts:
    """What was tried under one name since the last success: how often, and when last."""

    failures: int
    last_at: datetime

    def wait(self) -> timedelta:
        """Give how long after the last failure the next attempt is refused unread."""
        if self.failures >= LOCKED_FROM:
            return LOCK
        if self.failures >= SLOWED_FROM:
            return FIRST_WAIT * (1 << (self.failures - SLOWED_FROM))
        return timedelta(0)

    def with_one_more(self, now: datetime) -> "Attempts | None":
        """Count an attempt as failed before it is checked; None where it comes too soon.

        Counting first bounds what a burst on several replicas can try; a success then forgets
        the count.
        """
        since = now - self.last_at
        wait = self.wait()
        if wait and since < wait:
            return None
        return Attempts(1 if since >= LOCK else self.failures + 1, now)
