"""One territory: its name, its look and its legal notice, read from a file at start.

Colours that people could not tell apart are refused by name. Contrast is that of WCAG 2.2, whose
formulas are https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio and #dfn-relative-luminance.
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

DEFAULT_THEME: Final = Path(__file__).parent / "territory" / "theme.toml"
LOGO_SUFFIXES: Final = (".svg", ".png")

TEXT_CONTRAST: Final = 4.5
"""Success criterion 1.4.3, level AA, whatever the size of the text."""
BOUNDARY_CONTRAST: Final = 3.0
"""Success criterion 1.4.11: what shows where a field is, or where the focus is."""

_TEXTS: Final = (
    *(("text", ground) for ground in ("page", "surface", "line", "mandatory")),
    *(
        (ink, ground)
        for ink in ("secondary_text", "link", "link_visited", "link_hover", "brand")
        for ground in ("page", "surface")
    ),
    ("error", "page"),
    ("success", "page"),
    ("on_header", "header"),
    ("on_brand", "brand"),
    ("on_brand", "brand_strong"),
    ("on_focus", "focus"),
)
"""What is written, and what it is written on."""
_BOUNDARIES: Final = tuple(("border", ground) for ground in ("page", "surface", "mandatory"))
_FOCUS_GROUNDS: Final = ("page", "surface", "header", "brand")

type Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
type Font = Annotated[str, StringConstraints(pattern=r"^-?[A-Za-z][A-Za-z0-9 -]*$")]


class ThemeRefused(ValueError):
    """A theme that cannot be read, or whose pages could not."""


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Palette(_Told):
    """The colours of pages, in light or in the dark; each is a custom property of theme.css."""

    page: Colour
    surface: Colour
    text: Colour
    secondary_text: Colour
    line: Colour
    border: Colour
    header: Colour
    on_header: Colour
    brand: Colour
    brand_strong: Colour
    on_brand: Colour
    link: Colour
    link_visited: Colour
    link_hover: Colour
    focus: Colour
    on_focus: Colour
    error: Colour
    success: Colour
    mandatory: Colour

    def faults(self) -> Iterator[str]:
        """Say which colours are too near each other."""
        told: dict[str, str] = self.model_dump()
        pairs = [(*pair, TEXT_CONTRAST) for pair in _TEXTS]
        pairs += [(*pair, BOUNDARY_CONTRAST) for pair in _BOUNDARIES]
        for ink, ground, least in pairs:
            found = contrast(told[ink], told[ground])
            if found < least:
                yield f"{ink} on {ground} is {found:.2f}:1, at least {least}:1 is needed"
        for ground in _FOCUS_GROUNDS:
            # the focus is shown by both of its colours: one of them has to stand out
            found = max(contrast(told[name], told[ground]) for name in ("focus", "on_focus"))
            if found < BOUNDARY_CONTRAST:
                yield f"the focus on {ground} is {found:.2f}:1, at least {BOUNDARY_CONTRAST}:1"

    def properties(self) -> dict[str, str]:
        """Give the custom properties of CSS that hold these colours."""
        told: dict[str, str] = self.model_dump()
        return {f"--rentree-{name.replace('_', '-')}": colour for name, colour in told.items()}


class LegalNotice(_Told):
    """Who answers for the portal, as the law has every site say."""

    publisher: str = Field(min_length=1)
    director: str = Field(min_length=1)
    host: str = Field(min_length=1)


class Theme(_Told):
    """A territory as its pages show it."""

    name: str = Field(min_length=1)
    legal: LegalNotice
    logo: Path
    fonts: tuple[Font, ...] = Field(min_length=1)
    light: Palette
    dark: Palette

    @property
    def logo_name(self) -> str:
        """The name under which the logo is served, whatever the file is called."""
        return f"logo{self.logo.suffix}"

    def faults(self) -> list[str]:
        """Say all that makes pages of this theme hard to read."""
        palettes = {"light": self.light, "dark": self.dark}
        return [f"{name}: {fault}" for name, each in palettes.items() for fault in each.faults()]

    def css(self) -> str:
        """Give theme.css: the light colours everywhere, the dark ones on the screens that ask."""
        fonts = ", ".join(f'"{font}"' if " " in font else font for font in self.fonts)
        light = {
            "color-scheme": "light",
            "--rentree-font": fonts,
            **self.light.properties(),
        }
        dark = {"color-scheme": "dark", **self.dark.properties()}
        return (
            f"{_root(light)}\n@media screen and (prefers-color-scheme: dark) {{\n{_root(dark)}}}\n"
        )


def load_theme(path: Path) -> Theme:
    """Read a theme and its logo's place; raises ThemeRefused, which says all that is wrong."""
    try:
        told = Theme.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise ThemeRefused(f"The theme {path} cannot be read: {error}") from error
    theme = told.model_copy(update={"logo": path.parent / told.logo})
    faults = theme.faults()
    if theme.logo.suffix not in LOGO_SUFFIXES or not theme.logo.is_file():
        faults.append(f"logo: {theme.logo} is no SVG or PNG file")
    if faults:
        raise ThemeRefused("\n  ".join([f"The theme {path} is refused:", *faults]))
    return theme


def contrast(one: str, other: str) -> float:
    """Give the contrast of two colours, from 1 (the same) to 21 (black and white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    if channel <= 0.04045:
        return channel / 12.92
    return float(((channel + 0.055) / 1.055) ** 2.4)


def _root(properties: dict[str, str]) -> str:
    lines = "".join(f"  {name}: {value};\n" for name, value in properties.items())
    return f":root {{\n{lines}}}\n"
