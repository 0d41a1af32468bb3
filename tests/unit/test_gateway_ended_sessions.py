"""A gateway remembers the sessions that ended for as long as their tokens would live."""

from datetime import UTC, datetime
from unittest.mock import Mock
from uuid import UUID

import pytest
from gateway.ended_sessions import EndedSessions
from shared.ask import ServiceUnavailable
from shared.contracts.identity import RecentlyEndedSessions, SessionsEnded
from shared.identifiers import new_id

from tests.feeds import BoundOnce
from tests.portal import TableOfAnswers


def ended_now(*session_ids: UUID) -> SessionsEnded:
    return SessionsEnded(account_id=new_id(), session_ids=session_ids, ended_at=datetime.now(UTC))


async def test_what_is_told_and_what_was_told_before_are_both_known() -> None:
    before, one, other = new_id(), new_id(), new_id()
    services, ended = TableOfAnswers(), EndedSessions()
    services.answers[RecentlyEndedSessions] = (before,)
    await ended.follow(BoundOnce(ended_now(one, other)), services)
    assert [each in ended for each in (before, one, other, new_id())] == [True, True, True, False]


async def test_while_identity_is_away_what_is_told_is_known_all_the_same() -> None:
    session_id, services, ended = new_id(), TableOfAnswers(), EndedSessions()
    services.answers[RecentlyEndedSessions] = ServiceUnavailable("identity")
    await ended.follow(BoundOnce(ended_now(session_id)), services)
    assert session_id in ended


def test_an_end_is_forgotten_once_no_token_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Mock(return_value=1000.0)
    monkeypatch.setattr("gateway.ended_sessions.time.monotonic", clock)
    ended, first, second = EndedSessions(), new_id(), new_id()
    ended.learn([first])
    clock.return_value += 600
    ended.learn([second])
    assert first in ended
    clock.return_value += 61
    ended.learn([])
    assert first not in ended
    assert second in ended
