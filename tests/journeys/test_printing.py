"""What families print, as paper shows it."""

from io import BytesIO

import pytest
from playwright.async_api import Page
from pypdf import PdfReader

from tests.showroom.exhibits import EXHIBITS
from tests.showroom.gallery import PRINTED
from tests.showroom.room import Room

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", PRINTED)
async def test_what_families_print_is_a_sheet_or_two(room: Room, page: Page, name: str) -> None:
    await room.show(page, EXHIBITS[name])
    paper = PdfReader(BytesIO(await page.pdf(format="A4")))
    assert len(paper.pages) <= 2
    assert "Conservatoire de Meudon" in paper.pages[0].extract_text()
