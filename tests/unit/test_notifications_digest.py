"""News to a family is gathered: one mail every five minutes at most, and nothing is left behind."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st
from notifications.digest import NEWS, QUIET, leaves_at
from shared.contracts.letters import ReminderKind
from shared.contracts.notifications import AccountNoticeKind, DecisionKind, ReceiptKind

NOW = datetime(2027, 6, 1, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@dataclass
class Family:
    """What waits for a family and what was sent to it, as any replica sees it."""

    now: datetime = NOW
    arrived: dict[int, datetime] = field(default_factory=dict)
    waiting: dict[int, datetime] = field(default_factory=dict)
    mails: list[tuple[datetime, frozenset[int]]] = field(default_factory=list)

    @property
    def last_left_at(self) -> datetime | None:
        return self.mails[-1][0] if self.mails else None

    def hear(self, *, of_all: bool) -> None:
        """Have news arrive; its replica may not have seen that a mail has just left."""
        last = self.last_left_at if of_all or len(self.mails) < 2 else self.mails[-2][0]
        number = len(self.arrived)
        self.arrived[number] = self.now
        self.waiting[number] = leaves_at(last, self.now)

    def look(self, *, takes: bool) -> None:
        """Send what is due, as a replica that may fail."""
        due = [number for number, due_at in self.waiting.items() if due_at <= self.now]
        if not due:
            return
        leaves = leaves_at(self.last_left_at, self.now)
        if leaves > self.now:
            self.waiting[due[0]] = leaves
        elif takes:
            self.mails.append((self.now, frozenset(self.waiting)))
            self.waiting.clear()
        else:
            self.waiting |= dict.fromkeys(self.waiting, self.now + 30 * SECOND)


moments = st.lists(
    st.tuples(
        st.integers(0, 400), st.sampled_from(["hear", "hear behind", "look", "look in vain"])
    ),
    max_size=60,
)


@given(moments)
def test_whatever_arrives_mails_keep_apart_and_everything_leaves_once(
    happened: list[tuple[int, str]],
) -> None:
    family = Family()
    for seconds, what in happened:
        family.now += seconds * SECOND
        if what.startswith("hear"):
            family.hear(of_all=what == "hear")
        else:
            family.look(takes=what == "look")
    while family.waiting:
        family.now = max(family.now, *family.waiting.values())
        family.look(takes=True)

    instants = [left_at for left_at, _ in family.mails]
    assert all(later - earlier >= QUIET for earlier, later in pairwise(instants))
    told = [number for _, numbers in family.mails for number in numbers]
    assert sorted(told) == sorted(family.arrived)


def test_the_first_news_leaves_at_once_and_the_next_when_five_minutes_are_over() -> None:
    assert leaves_at(None, NOW) == NOW
    assert leaves_at(NOW - 4 * 60 * SECOND, NOW) == NOW + 60 * SECOND
    assert leaves_at(NOW - QUIET, NOW) == NOW
    assert leaves_at(NOW - 10 * QUIET, NOW) == NOW


def test_offers_receipts_and_what_is_told_of_accounts_never_wait() -> None:
    at_once = {
        "waiting_list_offer",
        *get_args(ReceiptKind.__value__),
        *get_args(AccountNoticeKind.__value__),
    }
    may_wait = {
        "document_refused",
        *get_args(DecisionKind.__value__),
        *get_args(ReminderKind.__value__),
    }
    assert may_wait == NEWS
    assert not at_once & NEWS
