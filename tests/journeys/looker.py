"""Someone who looks at the showroom's exhibits."""

import re
from typing import Final

from playwright.async_api import Locator, Page, expect

from tests.showroom.exhibits import EXHIBITS
from tests.showroom.room import Room

INSTANT: Final = re.compile(r"\d{2}/\d{2}/\d{4} à\s\d{2}:\d{2}")


class Looker:
    """Someone before an exhibit."""

    def __init__(self, room: Room, page: Page) -> None:
        self._room = room
        self.page = page
        self.main = page.get_by_role("main")

    async def at(self, name: str) -> None:
        """Go before an exhibit."""
        await self._room.show(self.page, EXHIBITS[name])

    async def reads(self, *texts: str | re.Pattern[str]) -> None:
        """Find texts in the page's main part."""
        for text in texts:
            await expect(self.main).to_contain_text(text)

    async def words_of(self, elements: Locator) -> list[str]:
        """Give what elements say, spaces made plain."""
        return [" ".join(text.split()) for text in await elements.all_inner_texts()]

    def table(self, name: str) -> Locator:
        """Find a table by its caption."""
        return self.page.get_by_role("table", name=name)
