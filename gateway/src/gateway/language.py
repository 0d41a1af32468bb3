"""The language of whoever reads: the one that they chose, else their browser's, else French.

Texts are written in French and looked up by it (ADR 18). Every text is a format string, in Python
as in templates: values are named, `%(name)s`, and a percent sign is doubled. A text that a module
keeps is `marked` there, and translated where it is said.

What is set at the top of a template that others import is kept from one page to the next: texts
there belong in a macro.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Final, Literal, get_args

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from litestar import Request
from litestar.datastructures import MutableScopeHeaders, State
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from shared import contract

type Language = Literal["fr", "en"]

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language.__value__)
FRENCH: Final[Language] = "fr"
LANGUAGE_COOKIE: Final = "langue"

_FOLDER: Final = Path(__file__).parent / "locale"
_TRANSLATED: Final = ("text/html", "application/problem+json")
"""The answers whose words depend on who reads."""

marked = contract.marked
"""Marks a text that is kept now and translated when it is said."""

_SET_APART: Final = re.compile(r" (?=[:;?!»])|(?<=«) ")
_ASKED_BY_A_PERSON: Final = "Accept-Language, Cookie"

_current: ContextVar[Language] = ContextVar("language", default=FRENCH)


def catalogue_path(language: Language) -> Path:
    """Say where the translations into a language are."""
    return _FOLDER / language / "LC_MESSAGES" / "messages.po"


class _French(NullTranslations):
    """French says what is written: its plural begins at two."""

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return msgid1 if n < 2 else msgid2


@dataclass(frozen=True, slots=True)
class _Speech:
    """What a language says: all of it, and the part that scripts say."""

    texts: NullTranslations
    of_scripts: Mapping[str, str | Sequence[str]]


def _load(language: Language) -> _Speech:
    if language == FRENCH:
        return _Speech(_French(), {})
    with catalogue_path(language).open("rb") as file:
        catalogue = read_po(file, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    of_scripts = {
        message.id if isinstance(message.id, str) else message.id[0]: message.string
        for message in catalogue
        if message.string and any(path.endswith(".js") for path, _ in message.locations)
    }
    return _Speech(Translations(compiled), of_scripts)


_SPEECHES: Final = {language: _load(language) for language in LANGUAGES}


def current_language() -> Language:
    """Give the language of whoever reads what is being written."""
    return _current.get()


def translation(text: str) -> str:
    """Find a text in the reader's language, its values still to be filled in."""
    # an empty text is that of the catalogue's own header
    return _typeset(_SPEECHES[_current.get()].texts.gettext(text)) if text else ""


def plural_translation(one: str, several: str, number: int) -> str:
    """Find the text that fits a number in the reader's language, its values to be filled in."""
    return _typeset(_SPEECHES[_current.get()].texts.ngettext(one, several, number))


def translation_of(context: str, text: str) -> str:
    """Find a text that is said otherwise elsewhere, by where this one is said."""
    return _typeset(_SPEECHES[_current.get()].texts.pgettext(context, text))


@lru_cache(maxsize=4096)
def _typeset(text: str) -> str:
    """Keep on one line the marks that French sets apart: no other language has them so."""
    return _SET_APART.sub("\u00a0", text)


def script_translations() -> Mapping[str, str | Sequence[str]]:
    """Give what the scripts of a page say in the reader's language: none where it is French."""
    return _SPEECHES[_current.get()].of_scripts


def gettext(text: str, /, **values: object) -> str:
    """Say a text in the reader's language."""
    return translation(text) % values


def ngettext(one: str, several: str, number: int, /, **values: object) -> str:
    """Say the text that fits a number, which is its value `num`, in the reader's language."""
    return plural_translation(one, several, number) % {"num": number, **values}


@contextmanager
def reading(language: Language) -> Iterator[None]:
    """Write for someone who reads this language, for as long as it lasts."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def language_named(name: str | None) -> Language | None:
    """Read the name of a language; nothing where we do not speak it."""
    return next((language for language in LANGUAGES if language == name), None)


def preferred_language(accept_language: str) -> Language:
    """Choose among ours the language that a browser would rather read."""
    ranked: list[tuple[float, Language]] = []
    for item in accept_language.split(","):
        tag, _, weight = item.partition(";")
        language = language_named(tag.strip().lower().partition("-")[0])
        quality = _quality(weight)
        if language is not None and quality > 0:
            ranked.append((quality, language))
    return max(ranked, key=lambda each: each[0], default=(1.0, FRENCH))[1]


def _quality(weight: str) -> float:
    try:
        return float(weight.replace(" ", "").removeprefix("q=") or 1)
    except ValueError:
        return 0.0


class LanguageMiddleware:
    """Has every answer written in its reader's language, and says which it is.

    Under the API's prefix no cookie is read: a program says its language each time.
    """

    def __init__(self, app: ASGIApp, api_prefix: str) -> None:
        self._app = app
        self._api_prefix = api_prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Find out the language, then go on."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        request: Request[None, None, State] = Request(scope, receive, send)
        is_program = request.url.path.startswith(self._api_prefix)
        chosen = None if is_program else language_named(request.cookies.get(LANGUAGE_COOKIE))
        language = chosen or preferred_language(request.headers.get("accept-language", ""))

        async def send_in_language(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableScopeHeaders.from_message(message)
                if headers.get("content-type", "").startswith(_TRANSLATED):
                    headers["content-language"] = language
                    headers.add("vary", "Accept-Language" if is_program else _ASKED_BY_A_PERSON)
            await send(message)

        with reading(language):
            await self._app(scope, receive, send_in_language)
