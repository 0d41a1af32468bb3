"""The sessions ended elsewhere, in the memory of each gateway: their access tokens are refused.

A token lives ten minutes, whoever verifies it: so does the memory of its end. While the broker is
away nothing more is known, and a token ended meanwhile serves until it expires.
"""

import asyncio
import time
from collections.abc import Iterable
from uuid import UUID

from shared.ask import Services, ServiceUnavailable
from shared.contracts.identity import RecentlyEndedSessions, SessionsEnded
from shared.feed import Feed, Told

_REMEMBERED_SECONDS = 11 * 60.0
"""A token's life and the difference that clocks may have."""
_ASK_AGAIN_SECONDS = 1.0


class EndedSessions:
    """What is known of the sessions that ended lately."""

    def __init__(self) -> None:
        self._forgotten_at: dict[UUID, float] = {}

    def __contains__(self, session_id: UUID) -> bool:
        """Tell whether a session is known to have ended."""
        return session_id in self._forgotten_at

    def learn(self, session_ids: Iterable[UUID]) -> None:
        """Take in what was told or asked, and forget those whose tokens have expired."""
        now = time.monotonic()
        # the first that was learnt is the first to be forgotten
        for known, forgotten_at in list(self._forgotten_at.items()):
            if forgotten_at > now:
                break
            del self._forgotten_at[known]
        for session_id in session_ids:
            self._forgotten_at.setdefault(session_id, now + _REMEMBERED_SECONDS)

    async def follow(self, feed: Feed[SessionsEnded], services: Services) -> None:
        """Keep up with identity, for ever."""

        async def read(told: Told[SessionsEnded]) -> None:
            async with asyncio.TaskGroup() as group:
                snapshot = group.create_task(self._take_snapshot(services))
                async for event in told:
                    self.learn(event.session_ids)
                snapshot.cancel()

        await feed.follow(read)

    async def _take_snapshot(self, services: Services) -> None:
        """Ask which ended before they were told, until answered."""
        while True:
            try:
                session_ids = await services.ask(RecentlyEndedSessions())
            except ServiceUnavailable:
                await asyncio.sleep(_ASK_AGAIN_SECONDS)
            else:
                self.learn(session_ids)
                return
