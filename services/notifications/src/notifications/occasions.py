"""When reminders leave: so long before a deadline, and not once it has passed. Pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from shared.contracts.letters import ReminderKind

REMINDER_KINDS: Final[tuple[ReminderKind, ...]] = (
    "draft_reminder",
    "documents_reminder",
    "answer_reminder",
)
LAUNCHED_AT_MOST_EVERY = timedelta(hours=24)

_BEFORE: Final[Mapping[ReminderKind, tuple[timedelta, ...]]] = {
    "draft_reminder": (timedelta(hours=48), timedelta(hours=3)),
    "documents_reminder": (timedelta(days=7), timedelta(hours=48)),
    "answer_reminder": (),
}
"""How long before its deadline a kind is sent by itself, the earliest first (S24)."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Until when a campaign is answered, and its documents are given."""

    campaign_id: UUID
    closes_at: datetime
    documents_due_at: datetime

    def of(self, kind: ReminderKind) -> datetime:
        """Give the instant from which a reminder of this kind is of no use any more."""
        return self.documents_due_at if kind == "documents_reminder" else self.closes_at


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a family is reminded on once: its name, and the moment that it stands for.

    What began after that moment is not its concern: nobody is reminded of a draft just begun.
    """

    name: str
    moment: datetime


def present_occasion(kind: ReminderKind, deadlines: Deadlines, now: datetime) -> Occasion | None:
    """Give the occasion that has come: the latest whose moment has passed, until the deadline.

    So a service that was down at the moment sends what still makes sense, and never two at once.
    """
    deadline = deadlines.of(kind)
    if now >= deadline:
        return None
    come = [before for before in _BEFORE[kind] if deadline - before <= now]
    if not come:
        return None
    last = min(come)
    return Occasion(f"{last // timedelta(hours=1)} h", deadline - last)


def launched(launch_id: UUID, launched_at: datetime) -> Occasion:
    """Give the occasion that a launch by the staff is (S85)."""
    return Occasion(str(launch_id), launched_at)
