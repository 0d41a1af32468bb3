"""Days, hours, sizes, ranks and telephones as the reader's language writes them."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_UP, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from shared.elision import de

from gateway.language import Language, current_language, gettext, ngettext

PARIS: Final = ZoneInfo("Europe/Paris")

_LOCALES: Final[Mapping[Language, str]] = {"fr": "fr_FR", "en": "en_GB"}
_DAYS: Final[Mapping[Language, str]] = {"fr": "dd/MM/y", "en": "d MMMM y"}
_INSTANTS: Final[Mapping[Language, str]] = {
    "fr": "dd/MM/y 'à' HH:mm",
    "en": "d MMMM y 'at' HH:mm",
}
_SEMICOLONS: Final[Mapping[Language, str]] = {"fr": "\u00a0; ", "en": "; "}
_ENGLISH_ORDINALS: Final = {1: "st", 2: "nd", 3: "rd"}


def day(value: date) -> str:
    """Write a day, or an instant's day in Paris: 22/12/2026, 22 December 2026."""
    language = current_language()
    shown = _in_paris(value).date() if isinstance(value, datetime) else value
    return format_date(shown, _DAYS[language], _LOCALES[language])


def instant(value: datetime) -> str:
    """Write an instant as Paris reads it: 22/12/2026 à 12:00, 22 December 2026 at 12:00."""
    language = current_language()
    return format_datetime(_in_paris(value), _INSTANTS[language], locale=_LOCALES[language])


def hour(value: datetime) -> str:
    """Write the hour of an instant in Paris: 12:00."""
    return f"{_in_paris(value):%H:%M}"


def file_size(size: int) -> str:
    """Write a file's size with its unit: 1,9 Mo, 1.9 MB."""
    return gettext("%(megabytes)s\u00a0Mo", megabytes=megabytes(size))


def megabytes(size: int) -> str:
    """Write a file's size in megabytes of 1024 by 1024 bytes: 1,9, 1.9.

    Rounded up, so that a file just over the limit never reads as the limit itself.
    """
    figure = Decimal(size) / (1024 * 1024)
    step = Decimal("0.1") if figure > Decimal("0.1") else Decimal("0.01")
    return format_decimal(figure.quantize(step, ROUND_UP), "0.##", _LOCALES[current_language()])


def rank(value: int) -> str:
    """Write a rank on a waiting list: 1er, 2e, 1st, 2nd."""
    if current_language() == "fr":
        return f"{value}{'er' if value == 1 else 'e'}"
    is_teen = value % 100 in {11, 12, 13}
    return f"{value}{'th' if is_teen else _ENGLISH_ORDINALS.get(value % 10, 'th')}"


def time_left(until: datetime, now: datetime) -> str:
    """Write how long is left, never more than there is: 23 heures, 1 heure, 40 minutes."""
    minutes = int((until - now).total_seconds() // 60)
    if minutes < 1:
        return gettext("moins d'une minute")
    if minutes < 60:
        return ngettext("%(num)s\u00a0minute", "%(num)s\u00a0minutes", minutes)
    return ngettext("%(num)s\u00a0heure", "%(num)s\u00a0heures", minutes // 60)


def phone(number: str) -> str:
    """Write a telephone: 01 99 00 10 10, as it is called from anywhere for who reads English."""
    if current_language() == "fr" or not number.startswith("0"):
        return number
    return f"+33 {number.removeprefix('0')}"


def listed(names: list[str]) -> str:
    """Write names one after the other: Léo, Ana et Zoé."""
    if len(names) < 2:
        return "".join(names)
    return gettext("%(names)s et %(last)s", names=", ".join(names[:-1]), last=names[-1])


def semicolon() -> str:
    """Write what parts texts that have commas of their own: only French sets it apart."""
    return _SEMICOLONS[current_language()]


def whose(name: str) -> str:
    """Write whose something is: de Marc, d'Émile. Where there is no such word, the name alone."""
    if current_language() != "fr":
        return name
    return de(name)


def _in_paris(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"an instant without a time zone cannot be shown: {value}")
    return value.astimezone(PARIS)
