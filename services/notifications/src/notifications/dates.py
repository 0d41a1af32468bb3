"""Instants as families read them, in Paris, in each language. Pure functions."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from shared.contracts.letters import Language

_PARIS = ZoneInfo("Europe/Paris")

type Dated = Callable[[datetime], str]
"""How a language writes an instant."""


def _french_second(instant: datetime) -> str:
    return instant.astimezone(_PARIS).strftime("%d/%m/%Y à %H:%M:%S")


def _french_minute(instant: datetime) -> str:
    return instant.astimezone(_PARIS).strftime("%d/%m/%Y à %H:%M")


def _english_second(instant: datetime) -> str:
    at = instant.astimezone(_PARIS)
    return f"{at.day} {at:%B %Y at %H:%M:%S}"


def _english_minute(instant: datetime) -> str:
    at = instant.astimezone(_PARIS)
    return f"{at.day} {at:%B %Y at %H:%M}"


TO_THE_SECOND: Final[Mapping[Language, Dated]] = {"fr": _french_second, "en": _english_second}
"""Write the day and the second: 22/11/2026 à 14:05:12."""

TO_THE_MINUTE: Final[Mapping[Language, Dated]] = {"fr": _french_minute, "en": _english_minute}
"""Write the day and the minute: 22/11/2026 à 14:05."""
