"""How hard a password is to guess (S4): its length, and no word or pattern that is tried first.

No composition rule and no forced rotation, after CNIL's recommendation 2022-100: zxcvbn counts the
guesses that the password would take, with the account's own words and the French ones it does not
know.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final, Literal

from zxcvbn import zxcvbn

type Weakness = Literal["password_too_short", "password_too_common"]

SHORTEST: Final = 12
_SAFE_SCORE: Final = 4
"""Of 4, by zxcvbn: 10^10 guesses. At 3, two of the family's words and a year would do."""
_JUDGED_LENGTH: Final = 32
"""Its time grows fast with strange texts: what follows can only make a password harder."""
_SHORTEST_WORD: Final = 3
_WORD: Final = re.compile(r"\w+")

_TRIED_FIRST: Final = (
    "motdepasse",
    "azerty",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "nopassword",
    "rentree",
    "reinscription",
    "inscription",
    "conservatoire",
    "musique",
    "piano",
    "violon",
    "guitare",
    "danse",
    "theatre",
    "solfege",
    "bonjour",
    "bonsoir",
    "bienvenue",
    "soleil",
    "etoile",
    "chocolat",
    "doudou",
    "loulou",
    "chouchou",
    "coucou",
    "cheval",
    "chaton",
    "papillon",
    "princesse",
    "licorne",
    "maman",
    "papa",
    "famille",
    "maison",
    "amour",
    "jetaime",
    "jevousaime",
    "toujours",
    "vacances",
    "printemps",
    "automne",
    "football",
    "france",
    "paris",
    "marseille",
    "janvier",
    "fevrier",
    "juillet",
    "septembre",
    "octobre",
    "novembre",
    "decembre",
)


def weakness(password: str, own_words: Iterable[str]) -> Weakness | None:
    """Say what makes a password easy to guess, nothing where it is not."""
    password = unicodedata.normalize("NFC", password)
    if len(password) < SHORTEST:
        return "password_too_short"
    known = [*_words(own_words), *_TRIED_FIRST]
    judged = zxcvbn(_plain(password)[:_JUDGED_LENGTH], user_inputs=known)
    return "password_too_common" if judged["score"] < _SAFE_SCORE else None


def _words(texts: Iterable[str]) -> list[str]:
    """Give texts whole and word by word, each once: a name may be typed in one or in two."""
    found = dict.fromkeys(
        word
        for text in map(_plain, texts)
        for word in (text, *_WORD.findall(text))
        if len(word) >= _SHORTEST_WORD
    )
    return list(found)


def _plain(text: str) -> str:
    """Leave accents and case out: they hide no word."""
    letters = unicodedata.normalize("NFKD", text).casefold()
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
