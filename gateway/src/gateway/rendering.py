"""The environment that pages are rendered in: GOV.UK's components, our macros, French formats."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_UP, Decimal
from functools import cache
from importlib.metadata import version
from typing import Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template.config import TemplateConfig
from shared.contracts.documents import Document, Piece

from gateway.assets import Assets

PARIS: Final = ZoneInfo("Europe/Paris")
NO_BREAK_SPACE: Final = "\u00a0"

COMPONENTS: Final = (
    "button",
    "checkboxes",
    "error-summary",
    "file-upload",
    "input",
    "notification-banner",
    "panel",
    "password-input",
    "radios",
    "select",
    "service-navigation",
    "skip-link",
    "summary-list",
    "tag",
    "textarea",
    "warning-text",
)
"""The components of the design system that our templates may call, as `govukButton(...)`."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """The signed-in person, as every page greets them."""

    name: str
    site_name: str


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
    )
    pages.globals |= _components() | {"asset": assets.url, "version": version("gateway")}
    pages.filters |= {
        "date_fr": date_fr,
        "instant_fr": instant_fr,
        "mo_fr": mo_fr,
        "megabytes_fr": megabytes_fr,
        "last_file": last_file,
        "rank_fr": rank_fr,
        "time_left_fr": time_left_fr,
    }
    return pages


def date_fr(day: date) -> str:
    """Write a day, or an instant's day in Paris: 22/12/2026."""
    return f"{_in_paris(day) if isinstance(day, datetime) else day:%d/%m/%Y}"


def instant_fr(instant: datetime) -> str:
    """Write an instant as Paris reads it: 22/12/2026 à 12:00."""
    return f"{_in_paris(instant):%d/%m/%Y à %H:%M}"


def mo_fr(size: int) -> str:
    """Write a file's size with its unit: 1,9 Mo."""
    return f"{megabytes_fr(size)}{NO_BREAK_SPACE}Mo"


def megabytes_fr(size: int) -> str:
    """Write a file's size in megabytes of 1024 by 1024 bytes: 1,9.

    Rounded up, so that a file just over the limit never reads as the limit itself.
    """
    megabytes = Decimal(size) / (1024 * 1024)
    step = Decimal("0.1") if megabytes > Decimal("0.1") else Decimal("0.01")
    figure = f"{megabytes.quantize(step, ROUND_UP):f}".replace(".", ",")
    return figure.rstrip("0").rstrip(",")


def last_file(piece: Piece) -> Document | None:
    """Give the file that a family sent last for a piece, whatever became of it."""
    return piece.attempt or piece.document


def rank_fr(rank: int) -> str:
    """Write a rank on a waiting list: 1er, 2e."""
    return f"{rank}{'er' if rank == 1 else 'e'}"


def time_left_fr(until: datetime, now: datetime) -> str:
    """Write how long is left, never more than there is: 23 heures, 1 heure, 40 minutes."""
    minutes = int((until - now).total_seconds() // 60)
    if minutes < 1:
        return "moins d'une minute"
    count, unit = (minutes // 60, "heure") if minutes >= 60 else (minutes, "minute")
    return f"{count}{NO_BREAK_SPACE}{unit}{'s' if count > 1 else ''}"


def _in_paris(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"an instant without a time zone cannot be shown: {instant}")
    return instant.astimezone(PARIS)


@cache
def _components() -> dict[str, object]:
    """Load the macros of the design system from an environment of their own.

    They test options that were not given as undefined names, which our strict environment refuses.
    """
    library = Environment(
        loader=PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
        autoescape=True,
        auto_reload=False,
    )
    macros: dict[str, object] = {}
    for component in COMPONENTS:
        template = library.get_template(f"govuk_frontend_jinja/components/{component}/macro.html")
        macro = "govuk" + "".join(word.capitalize() for word in component.split("-"))
        macros[macro] = getattr(template.module, macro)
    return macros
