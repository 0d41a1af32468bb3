"""Every page in every state, as axe-core judges it and as a narrow window shows it (S95)."""

import json
from typing import Any, Final

import pytest
from gateway.assets import PACKAGES_FOLDER
from playwright.async_api import Page, ViewportSize

from tests.showroom.exhibits import EXHIBITS
from tests.showroom.room import Exhibit, Room

pytestmark = pytest.mark.browser

_AXE: Final = PACKAGES_FOLDER / "axe-core/axe.min.js"
_STANDARDS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_AUDIT: Final = """async (options) => {
  const results = await axe.run(document, { resultTypes: ["violations"], ...options });
  return results.violations.map((violation) => ({
    rule: violation.id,
    where: violation.nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary}`),
  }));
}"""
_EVERYTHING: Final = {
    "runOnly": {"type": "tag", "values": _STANDARDS},
    # experimental, and wrong of the file field: its name has all that it shows, and its label
    "rules": {"label-content-name-mismatch": {"enabled": False}},
}
_COLOURS: Final = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
_ZOOMED: Final[ViewportSize] = {"width": 320, "height": 256}
"""What a window of 1280 by 1024 pixels is at 400 % (WCAG 1.4.10)."""


@pytest.mark.parametrize("exhibit", EXHIBITS.values(), ids=EXHIBITS.keys())
async def test_a_page_has_nothing_in_anyones_way(room: Room, page: Page, exhibit: Exhibit) -> None:
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size({"width": 1280, "height": 1024})
    await room.show(page, exhibit)
    await page.evaluate(_AXE.read_text())
    assert await _violations(page, _EVERYTHING) == []
    await page.emulate_media(color_scheme="dark")
    assert await _violations(page, _COLOURS) == []
    await page.set_viewport_size(_ZOOMED)
    assert await page.evaluate("document.scrollingElement.scrollWidth") <= _ZOOMED["width"]


async def _violations(page: Page, options: dict[str, Any]) -> list[str]:
    found = await page.evaluate(_AUDIT, options)
    return [json.dumps(violation, ensure_ascii=False, indent=1) for violation in found]
