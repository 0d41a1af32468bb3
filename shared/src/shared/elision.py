"""How French names whose something is: "de Marc", "d'Émile", "d'Hélène"."""

import unicodedata
from typing import Final

_VOWELS: Final = frozenset("aeiouœæø")
_MUTE_H: Final = frozenset(
    {
        "hector",
        "helene",
        "henri",
        "henriette",
        "hermine",
        "herve",
        "hilaire",
        "hippolyte",
        "honore",
        "honorine",
        "hortense",
        "hubert",
        "hugo",
        "hugues",
        "hyacinthe",
    }
)
"""First names before which French elides as before a vowel; other names with an H keep "de"."""


def de(name: str) -> str:
    """Put "de" before a name, elided before a vowel, a mute H, or a Y that sounds as one."""
    return f"d'{name}" if _elides(name) else f"de {name}"


def _elides(name: str) -> bool:
    plain = unicodedata.normalize("NFD", name.casefold())
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    if plain.startswith("y"):
        return plain[1:2].isalpha() and plain[1] not in _VOWELS
    first_name = plain.replace("-", " ").partition(" ")[0]
    return plain[:1] in _VOWELS or first_name in _MUTE_H
