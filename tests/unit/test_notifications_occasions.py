"""When reminders leave: each occasion once, late where that makes sense, and never too late."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from notifications.occasions import Deadlines, present_occasion
from shared.contracts.letters import ReminderKind
from shared.identifiers import new_id

CLOSES = datetime(2027, 6, 30, 10, 0, tzinfo=UTC)
DOCUMENTS = CLOSES + timedelta(days=20)
CAMPAIGN = Deadlines(new_id(), CLOSES, DOCUMENTS)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def occasion(kind: ReminderKind, now: datetime) -> str | None:
    found = present_occasion(kind, CAMPAIGN, now)
    return None if found is None else found.name


def test_a_draft_is_reminded_of_48_hours_and_3_hours_before_closing() -> None:
    assert occasion("draft_reminder", CLOSES - 48 * HOUR - SECOND) is None
    assert occasion("draft_reminder", CLOSES - 48 * HOUR) == "48 h"
    assert occasion("draft_reminder", CLOSES - 3 * HOUR - SECOND) == "48 h"
    assert occasion("draft_reminder", CLOSES - 3 * HOUR) == "3 h"
    assert occasion("draft_reminder", CLOSES - SECOND) == "3 h"


def test_nobody_is_reminded_once_it_is_too_late() -> None:
    assert occasion("draft_reminder", CLOSES) is None
    assert occasion("documents_reminder", DOCUMENTS) is None


def test_documents_are_reminded_of_before_their_own_deadline() -> None:
    assert occasion("documents_reminder", DOCUMENTS - 7 * 24 * HOUR - SECOND) is None
    assert occasion("documents_reminder", DOCUMENTS - 7 * 24 * HOUR) == "168 h"
    assert occasion("documents_reminder", DOCUMENTS - 48 * HOUR) == "48 h"


def test_who_has_not_answered_is_reminded_by_the_staff_alone() -> None:
    assert occasion("answer_reminder", CLOSES - HOUR) is None


@given(st.lists(st.integers(0, 60 * 24 * 40), max_size=30))
def test_whenever_the_chore_comes_round_there_are_at_most_two_occasions(minutes: list[int]) -> None:
    """Clocks jump and services are down: the names, of which a family gets one each, stay two."""
    seen = {
        found
        for late in minutes
        if (found := present_occasion("draft_reminder", CAMPAIGN, CLOSES - timedelta(minutes=late)))
    }
    assert {one.name for one in seen} <= {"48 h", "3 h"}
    assert all(one.moment <= CLOSES - 3 * HOUR for one in seen)
