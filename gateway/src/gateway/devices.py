"""The device that a browser runs on, in words that its owner recognises it by.

Nothing else of the ``User-Agent`` is kept: its versions name a person too well.
"""

from typing import Final

from gateway.language import gettext as _
from gateway.language import marked, translation

_ON: Final = " sur "

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
    ("Android", marked("une tablette Android")),
    ("CrOS", marked("un Chromebook")),
    ("Windows", marked("un ordinateur Windows")),
    ("Macintosh", marked("un Mac")),
    ("Linux", marked("un ordinateur Linux")),
)


def device_in_words(user_agent: str) -> str:
    """Name the browser and the machine: "Firefox sur un ordinateur Windows"."""
    browser = _named(user_agent, _BROWSERS) or marked("Un navigateur")
    machine = _named(user_agent, _MACHINES) or marked("un appareil inconnu")
    if "Android" in user_agent and "Mobile" in user_agent:
        machine = marked("un téléphone Android")
    return f"{browser}{_ON}{machine}"


def device_shown(words: str) -> str:
    """Say in the reader's language what was recorded in French."""
    browser, _on, machine = words.partition(_ON)
    return _(
        "%(browser)s sur %(machine)s", browser=translation(browser), machine=translation(machine)
    )


def _named(user_agent: str, marks: tuple[tuple[str, str], ...]) -> str:
    return next((name for mark, name in marks if mark in user_agent), "")
