"""Pictures of every page in every state: `python -m tests.showroom.gallery FOLDER [NAME…]`."""

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final, Literal, get_args

from playwright.async_api import Page, ViewportSize
from shared.observability import configure_logging

from tests.chromium import chromium
from tests.showroom.exhibits import EXHIBITS
from tests.showroom.room import Exhibit, Room

_HEIGHT: Final = 900


type Scheme = Literal["light", "dark"]

_SCHEMES: Final[tuple[Scheme, ...]] = get_args(Scheme.__value__)


@dataclass(frozen=True, slots=True)
class Look:
    """How a page is looked at."""

    width: int
    scheme: Scheme

    @property
    def name(self) -> str:
        """What its pictures end with."""
        return f"{self.width}-{self.scheme}"


LOOKS: Final = tuple(Look(width, scheme) for width in (1280, 320) for scheme in _SCHEMES)
PRINTED: Final = ("brouillon", "etape-5", "etape-6", "famille", "refus")
"""What families print: these are made into PDF too."""


async def paint(folder: Path, exhibits: Sequence[Exhibit]) -> None:
    """Take a picture of each exhibit in each look."""
    with tempfile.TemporaryDirectory() as keys:
        async with Room.opened(Path(keys)) as room, chromium() as browser:
            page = await browser.new_page(locale="fr-FR", viewport=_viewport(LOOKS[0]))
            for exhibit in exhibits:
                await room.show(page, exhibit)
                await _picture(page, folder, exhibit)
                if exhibit.name in PRINTED:
                    await page.pdf(path=folder / _printed(exhibit), format="A4")


async def _picture(page: Page, folder: Path, exhibit: Exhibit) -> None:
    for look in LOOKS:
        await page.emulate_media(color_scheme=look.scheme)
        await page.set_viewport_size(_viewport(look))
        file = folder / f"{exhibit.name}-{look.name}.png"
        await page.screenshot(path=file, full_page=True, animations="disabled")
    await page.set_viewport_size(_viewport(LOOKS[0]))


def _printed(exhibit: Exhibit) -> str:
    return f"{exhibit.name}.pdf"


def _viewport(look: Look) -> ViewportSize:
    return {"width": look.width, "height": _HEIGHT}


def _index(exhibits: Sequence[Exhibit]) -> Iterator[str]:
    yield '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Rentrée: every page</title>'
    yield "<style>body{font:16px sans-serif} img{height:30rem;vertical-align:top}</style>"
    yield f"<h1>{len(exhibits)} pages and states</h1>"
    for exhibit in exhibits:
        yield f"<h2>{escape(exhibit.name)}: {escape(exhibit.path)}</h2>"
        for look in LOOKS:
            file = f"{exhibit.name}-{look.name}.png"
            yield f'<a href="{file}"><img src="{file}" loading="lazy" alt="{look.name}"></a> '
        if exhibit.name in PRINTED:
            yield f'<a href="{_printed(exhibit)}">on paper</a>'


def main(folder: str, *names: str) -> None:
    """Paint the exhibits of these names, or every one."""
    chosen = [EXHIBITS[name] for name in names] or list(EXHIBITS.values())
    configure_logging("gallery", "critical")
    pictures = Path(folder)
    pictures.mkdir(parents=True, exist_ok=True)
    asyncio.run(paint(pictures, chosen))
    index = pictures / "index.html"
    index.write_text("".join(_index(chosen)))
    sys.stdout.write(f"{index.resolve()}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
