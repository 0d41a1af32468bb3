"""The sites of the territory, kept in memory: they change once a year, pages name them always."""

import time
from uuid import UUID

from shared.ask import Services, ServiceUnavailable
from shared.contracts.identity import ListSites, Site

_KEPT_SECONDS = 5.0


class SiteDirectory:
    """The sites as last known; identity is asked at most once in five seconds, and may be away."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._sites: tuple[Site, ...] = ()
        self._stale_at = 0.0

    async def sites(self) -> tuple[Site, ...]:
        """Give every site; raises ServiceUnavailable where none was ever known."""
        if time.monotonic() >= self._stale_at:
            try:
                self._sites = await self._services.ask(ListSites())
            except ServiceUnavailable:
                if not self._sites:
                    raise
            else:
                # an empty territory is being loaded: look again at once
                self._stale_at = time.monotonic() + (_KEPT_SECONDS if self._sites else 0)
        return self._sites

    async def site(self, site_id: UUID | None) -> Site | None:
        """Give one site, or nothing where it is not known at the moment."""
        try:
            return next((site for site in await self.sites() if site.id == site_id), None)
        except ServiceUnavailable:
            return None
