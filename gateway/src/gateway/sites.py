"""The sites of the territory, kept in memory: they change once a year, pages name them always."""

import asyncio
import time
from uuid import UUID

from shared.ask import Services, ServiceUnavailable
from shared.contracts.identity import ListSites, Site

_KEPT_SECONDS = 5.0
_PATIENCE_SECONDS = 0.5


class SiteDirectory:
    """The sites as last known: identity is asked by one page at a time, at most every five seconds.

    While identity is slow or away the list known before is served: one page in five seconds waits
    half a second for a fresh one, the others do not wait.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._sites: tuple[Site, ...] = ()
        self._absence: ServiceUnavailable | None = None
        self._stale_at = 0.0
        self._refresh: asyncio.Task[None] | None = None

    async def sites(self) -> tuple[Site, ...]:
        """Give every site; raises ServiceUnavailable where none was ever known."""
        if self._refresh is None and time.monotonic() >= self._stale_at:
            self._refresh = asyncio.create_task(self._ask())
            await asyncio.wait({self._refresh}, timeout=_PATIENCE_SECONDS)
        if self._refresh is not None and not self._sites:
            await asyncio.wait({self._refresh})
        if self._absence is not None and not self._sites:
            raise self._absence
        return self._sites

    async def site(self, site_id: UUID | None) -> Site | None:
        """Give one site, or nothing where it is not known at the moment."""
        try:
            return next((site for site in await self.sites() if site.id == site_id), None)
        except ServiceUnavailable:
            return None

    async def _ask(self) -> None:
        try:
            self._sites, self._absence = await self._services.ask(ListSites()), None
        except ServiceUnavailable as absence:
            self._absence = absence
        finally:
            self._refresh = None
        # an empty territory is being loaded: look again at once
        is_worth_keeping = self._sites or self._absence
        self._stale_at = time.monotonic() + (_KEPT_SECONDS if is_worth_keeping else 0)
