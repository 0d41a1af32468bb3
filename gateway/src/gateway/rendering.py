"""The environment that pages are rendered in: GOV.UK's components, our macros, a language."""

import re
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template.config import TemplateConfig
from markupsafe import Markup, escape
from shared.contracts.documents import Piece
from shared.contracts.files import Document
from shared.contracts.identity import Site

from gateway import formats
from gateway.assets import Assets
from gateway.devices import device_shown
from gateway.language import (
    FRENCH,
    current_language,
    marked,
    plural_translation,
    script_translations,
    translation,
    translation_of,
)
from gateway.toolkit import macros

_WITHIN_HOURS: Final = re.compile(
    r"(?<=\d\d\.\d\d) (?=\w \d)|(?<= \w) (?=\d\d[.:]\d\d)|(?<= at) (?=\d\d:\d\d)"
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """The signed-in person, as every page greets them."""

    name: str
    site_name: str
    site: Site | None = None


def template_config(assets: Assets) -> TemplateConfig[JinjaTemplateEngine]:
    """Return what the application registers to render pages."""
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment(assets)))


def environment(assets: Assets) -> Environment:
    """Return the environment of our own templates, where an unknown name is an error."""
    pages = Environment(
        loader=PackageLoader("gateway"),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    pages.policies["ext.i18n.trimmed"] = True
    install_texts = pages.install_gettext_callables  # type: ignore[attr-defined]
    install_texts(translation, plural_translation, newstyle=True, pgettext=translation_of)
    pages.globals |= {
        **macros(),
        "asset": assets.url,
        "territory": assets.theme,
        "version": version("gateway"),
        "current_language": current_language,
        "marked": marked,
        "script_translations": script_translations,
        "semicolon": formats.semicolon,
    }
    pages.filters |= {
        "day": formats.day,
        "hour": formats.hour,
        "instant": instant,
        "file_size": formats.file_size,
        "megabytes": formats.megabytes,
        "rank": formats.rank,
        "time_left": formats.time_left,
        "phone": formats.phone,
        "listed": formats.listed,
        "whose": formats.whose,
        "device": device_shown,
        "in_french": in_french,
        "breakable": breakable,
        "last_file": last_file,
    }
    return pages


def in_french(text: str) -> Markup:
    """Say that a text of the site's own is French, in a page that is not."""
    typeset = with_hours_whole(text)
    if current_language() == FRENCH:
        return escape(typeset)
    return Markup('<span lang="fr">{}</span>').format(typeset)


def with_hours_whole(text: str) -> str:
    """Keep hours on one line: 17.00 à 18.30, and à 12:00 after a day."""
    return _WITHIN_HOURS.sub("\u00a0", text)


def instant(value: datetime) -> str:
    """Write an instant so that its hour is not parted from what leads to it."""
    return with_hours_whole(formats.instant(value))


def breakable(text: str) -> Markup:
    """Have an e-mail address go to the next line after its @, where it is too long for one."""
    return Markup("@<wbr>").join(text.split("@"))


def last_file(piece: Piece) -> Document | None:
    """Give the file that a family sent last for a piece, whatever became of it."""
    return piece.attempt or piece.document
