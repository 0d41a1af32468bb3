"""What families read: a subject, a text and its HTML twin, in plain words. Pure functions.

A folder of templates for each language; a kind of message has two there, and the subject is what
its text sets under that name. News (:mod:`notifications.digest`) is a section without a frame.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from shared.contracts.letters import Language
from shared.elision import de

from notifications.dates import TO_THE_MINUTE, TO_THE_SECOND
from notifications.matters import Matter
from notifications.wordings import opening


@dataclass(frozen=True, slots=True)
class Letter:
    """The words of a mail, or of one section of it."""

    subject: str
    text: str
    html: str
    language: Language = "fr"


@dataclass(frozen=True, slots=True)
class Frame:
    """What a mail has besides its matter: the site's own openings, by kind, and the link by which
    its family refuses more of the kind, where it may.
    """

    wordings: Mapping[str, str] = field(default_factory=dict)
    unsubscribe_url: str = ""


_BARE: Final = Frame()


def write_letter(
    matter: Matter, portal_url: str, language: Language = "fr", frame: Frame = _BARE
) -> Letter:
    """Write a message that leaves alone."""
    return _render(language, matter.kind, _words(matter, portal_url, language, frame))


def write_news(
    matters: Sequence[Matter], portal_url: str, language: Language = "fr", frame: Frame = _BARE
) -> Letter:
    """Write news to a family, one section each; the subject is the only one's, or their number."""
    told = [_words(matter, portal_url, language, frame) for matter in matters]
    sections = [
        (_render(language, matter.kind, words), words["opening"])
        for matter, words in zip(matters, told, strict=True)
    ]
    return _render(language, "news", told[0] | {"opening": (), "sections": sections})


def _words(matter: Matter, portal_url: str, language: Language, frame: Frame) -> dict[str, object]:
    return {
        "matter": matter,
        "portal_url": portal_url.rstrip("/"),
        "opening": opening(matter, language, TO_THE_MINUTE[language], frame.wordings),
        "unsubscribe_url": frame.unsubscribe_url,
    }


def _render(language: Language, name: str, words: Mapping[str, object]) -> Letter:
    templates = _TEMPLATES[language]
    text = templates.get_template(f"{name}.txt").make_module(dict(words))
    subject = " ".join(str(vars(text)["subject"]).split())
    html = templates.get_template(f"{name}.html").render({**words, "subject": subject})
    return Letter(subject, str(text), html, language)


def _legible(value: object) -> object:
    """Leave out the signs that steer a display, as those that turn the direction of a line."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return "".join(sign for sign in value if sign.isprintable() or sign == "\n")


def _templates(language: Language, filters: Mapping[str, Callable[..., str]]) -> Environment:
    environment = Environment(
        loader=PackageLoader("notifications", f"templates/{language}"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        finalize=_legible,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        **filters,
        "to_the_second": TO_THE_SECOND[language],
        "to_the_minute": TO_THE_MINUTE[language],
    }
    return environment


_TEMPLATES: Final[dict[Language, Environment]] = {
    "fr": _templates("fr", {"de": de}),
    "en": _templates("en", {}),
}
