"""A parent who has a keyboard and nothing else."""

from dataclasses import dataclass
from typing import Final

from playwright.async_api import Locator, Page, expect

_STOPS_AT_MOST: Final = 150
_SHOWS_FOCUS: Final = """() => {
  const focused = document.activeElement;
  const boxes = [getComputedStyle(focused)];
  for (const label of focused.labels ?? []) boxes.push(getComputedStyle(label, "::before"));
  const place = focused.getBoundingClientRect();
  const isInView = place.bottom > 0 && place.top < innerHeight;
  const isMarked = boxes.some(
    (box) => (box.outlineStyle !== "none" && box.outlineWidth !== "0px") || box.boxShadow !== "none"
  );
  return focused === document.body || (isInView && isMarked) ? "" : focused.outerHTML;
}"""


@dataclass(frozen=True, slots=True)
class Keyboard:
    """The keys of a page; wherever the focus stops, it is seen."""

    page: Page

    async def reach(self, target: Locator) -> None:
        """Press Tab until the target has the focus."""
        await expect(target).to_be_visible()
        for _ in range(_STOPS_AT_MOST):
            if await self._is_on(target):
                return
            await self.press("Tab")
        raise AssertionError(f"Tab never comes to {target}")

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            await self.page.keyboard.press(key)
            if key == "Tab":
                assert await self.page.evaluate(_SHOWS_FOCUS) == ""

    async def activate(self, role: str, name: str, key: str = "Enter") -> None:
        """Reach a link, a button or a box, and press a key on it."""
        await self.reach(self.page.get_by_role(role, name=name).first)  # type: ignore[arg-type]
        await self.press(key)

    async def replace(self, label: str, text: str) -> None:
        """Type in a field instead of what it has."""
        await self.reach(self.page.get_by_label(label).first)
        await self.press("ControlOrMeta+a", "Delete")
        await self.page.keyboard.type(text)

    @staticmethod
    async def _is_on(target: Locator) -> bool:
        is_on: bool = await target.evaluate("(element) => element === document.activeElement")
        return is_on
