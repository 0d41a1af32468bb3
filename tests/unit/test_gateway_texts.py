"""No page, no module and no script says anything that the catalogue could not translate."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from gateway.assets import OWN_FOLDER
from jinja2 import Environment

PACKAGE = OWN_FOLDER.parent
TEMPLATES = sorted((PACKAGE / "templates").rglob("*.html"))
MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted((PACKAGE / "static").glob("*.js"))

SAID_AS_IT_IS = {"Français", "English", "Rentrée"}
"""Names, which are the same in every language."""
NOT_SAID = {
    "-choix",  # ends an identifier
    "liste d'attente ",  # begins one
    # recorded with a choice, for the office to read
    "en liste d'attente, sans place pour l'instant",
    "tous les créneaux sont complets, sans place pour l'instant",
}
OTHERWISE_TRANSLATED = {"texts.py", "formats.py"}
"""Where each language has its own: the texts that families agree to, how an instant is written."""
ATTRIBUTES_READ = {"alt", "aria-label", "placeholder", "title"}
MARKERS = {"_", "gettext", "ngettext", "pgettext", "marked", "Rejection"}

SAID_TO_BE_FRENCH = re.compile(r'<(\w+)[^>]* lang="fr">.*?</\1>', re.DOTALL)
LETTERS = re.compile(r"[^\W\d_]{2,}")
FRENCH = re.compile(r"[àâçèéêëîïôùûœÀÂÇÈÉÊÎÔŒ«]|\b[ldnsjcm]'[a-zé]", re.IGNORECASE)
SENTENCE = re.compile(r"[A-ZÀ-Ý][a-zà-ÿ]+(?![a-zA-Z]*[A-Z])")
CALL_BEFORE = re.compile(r"(?:\b_|ngettext)\(\s*(?:(?:\"[^\"]*\"|'[^']*'),\s*)?$")


def named(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def unmarked(*texts: str) -> list[str]:
    """Those that hold words, but for names."""
    said = (text for text in texts if not NOT_SAID & {text, text.strip()})
    return [text for text in said if set(LETTERS.findall(text)) - SAID_AS_IT_IS]


class Words(HTMLParser):
    """What a person reads of a page's markup."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ATTRIBUTES_READ and value]


def words_of_markup(source: str) -> Iterator[str]:
    """The markup around the expressions of a template, but for what `trans` translates."""
    tokens = list(Environment(extensions=["jinja2.ext.i18n"]).lex(source))
    kept: list[str] = []
    translating = False
    for before, (_, kind, value) in zip([(0, "", ""), *tokens], tokens, strict=False):
        if kind == "name" and value in {"trans", "endtrans"} and before[1] == "whitespace":
            translating = value == "trans"
        if kind == "data" and not translating:
            kept.append(value)
    reader = Words()
    reader.feed(SAID_TO_BE_FRENCH.sub("", "".join(kept)))
    # an attribute that an expression writes is no word
    return (text for text in reader.found if '="' not in text)


def literals_of_template(source: str) -> Iterator[str]:
    """The texts within the expressions of a template that no marker is called with."""
    tokens = [(kind, value) for _, kind, value in Environment().lex(source) if kind != "whitespace"]
    for index, (kind, value) in enumerate(tokens):
        text = value[1:-1]
        called = {before for _, before in tokens[max(0, index - 4) : index]} & MARKERS
        if kind == "string" and not called and (FRENCH.search(text) or SENTENCE.match(text)):
            yield text


def literals_of_module(source: str) -> Iterator[str]:
    """The French of a module that no marker is called with, but for what is said of the code."""
    tree = ast.parse(source)
    marked = {
        id(inner)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in MARKERS
        for inner in ast.walk(call)
    }
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_said = id(node) not in marked | docstrings
            if is_said and FRENCH.search(node.value):
                yield node.value


def literals_of_script(source: str) -> Iterator[str]:
    """The French of a script that no marker is called with."""
    code = re.sub(r"/\*.*?\*/|^\s*//[^\n]*", "", source, flags=re.DOTALL | re.MULTILINE)
    for literal in re.finditer(r"\"[^\"\n]*\"|`[^`]*`", code):
        if FRENCH.search(literal.group()) and not CALL_BEFORE.search(code[: literal.start()]):
            yield literal.group()


@pytest.mark.parametrize("path", TEMPLATES, ids=named)
def test_a_template_has_every_word_translated(path: Path) -> None:
    source = path.read_text()
    assert unmarked(*words_of_markup(source), *literals_of_template(source)) == []


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_has_its_french_marked(path: Path) -> None:
    if path.name in OTHERWISE_TRANSLATED:
        return
    assert unmarked(*literals_of_module(path.read_text())) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=named)
def test_a_script_has_its_french_marked(path: Path) -> None:
    assert unmarked(*literals_of_script(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Bonjour</p>",
        '<p aria-label="Bonjour"></p>',
        "{{ submit('Envoyer') }}",
        "{{ _('Bonjour') }} à tous",
        "{% trans %}Bonjour{% endtrans %}<p>à tous</p>",
    ],
)
def test_an_unmarked_text_is_found(source: str) -> None:
    assert unmarked(*words_of_markup(source), *literals_of_template(source))
