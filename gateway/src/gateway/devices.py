"""The device that a browser runs on, in words that its owner recognises it by.

Nothing else of the ``User-Agent`` is kept: its versions name a person too well.
"""

from typing import Final

_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
"""Marks in the order in which they tell: a browser claims to be those that came before it."""

_MACHINES: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "une tablette Android"),
    ("CrOS", "un Chromebook"),
    ("Windows", "un ordinateur Windows"),
    ("Macintosh", "un Mac"),
    ("Linux", "un ordinateur Linux"),
)


def device_in_words(user_agent: str) -> str:
    """Name the browser and the machine: "Firefox sur un ordinateur Windows"."""
    browser = _marked(user_agent, _BROWSERS) or "Un navigateur"
    machine = _marked(user_agent, _MACHINES) or "un appareil inconnu"
    if "Android" in user_agent and "Mobile" in user_agent:
        machine = "un téléphone Android"
    return f"{browser} sur {machine}"


def _marked(user_agent: str, marks: tuple[tuple[str, str], ...]) -> str:
    return next((name for mark, name in marks if mark in user_agent), "")
