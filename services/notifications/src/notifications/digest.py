"""News that may wait a few minutes: a family gets it gathered, in one mail every five minutes.

The first news leaves at once where nothing of the kind was sent for five minutes; what comes after
it leaves together, at their end. Pure functions.
"""

from datetime import datetime, timedelta
from typing import Final

from shared.contracts.notifications import MessageKind

NEWS: Final[frozenset[MessageKind]] = frozenset(
    {
        "seat_confirmed",
        "seat_placed",
        "waiting_list_offer_ended",
        "document_accepted",
        "document_refused",
        "draft_reminder",
        "documents_reminder",
        "answer_reminder",
    }
)
"""The kinds that may wait. Offers, receipts and what is told of accounts leave at once."""

QUIET: Final = timedelta(minutes=5)
"""The least time between two mails of news to a family."""


def leaves_at(last_left_at: datetime | None, now: datetime) -> datetime:
    """Say when news that is there now leaves, after the last mail of news to the same family."""
    return now if last_left_at is None else max(now, last_left_at + QUIET)
