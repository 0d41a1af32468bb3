"""Every text of the code is in the catalogue, and says in English what it says in French."""

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po
from gateway.language import FRENCH, LANGUAGES, Language, catalogue_path

ROOT = Path(__file__).parents[2]
SOURCES = ("gateway/src", "services", "shared/src")
TRANSLATED = [language for language in LANGUAGES if language != FRENCH]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """All the texts of the code, as `make catalogue` takes them."""
    template = tmp_path_factory.mktemp("texts") / "texts.pot"
    sources = [str(ROOT / source) for source in SOURCES]
    mapping = str(ROOT / "pyproject.toml")
    command = ["pybabel", "--quiet", "extract", "-F", mapping, "-o", str(template), *sources]
    CommandLineInterface().run(command)  # type: ignore[no-untyped-call]
    return catalogue(template)


@pytest.fixture(scope="module", params=TRANSLATED)
def translated(request: pytest.FixtureRequest) -> Catalog:
    language: Language = request.param
    return catalogue(catalogue_path(language), language)


def catalogue(path: Path, language: Language | None = None) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language)


def messages(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text or ())


def found(pattern: str, text: str) -> list[str]:
    return sorted(re.findall(pattern, text))


def test_the_catalogue_has_every_text_and_no_other(written: Catalog, translated: Catalog) -> None:
    ours, theirs = (
        {(message.context, *forms(message.id)) for message in messages(each)}
        for each in (written, translated)
    )
    assert not ours - theirs, "run `make catalogue`, then translate what is new"
    assert not theirs - ours, "run `make catalogue`: some texts are no longer said"
    assert not translated.obsolete


def test_every_text_is_translated(translated: Catalog) -> None:
    assert [message.id for message in messages(translated) if not all(forms(message.string))] == []
    assert [message.id for message in messages(translated) if message.fuzzy] == []


def test_a_translation_has_the_values_and_the_marks_of_its_text(translated: Catalog) -> None:
    for message in messages(translated):
        for french, english in zip(forms(message.id), forms(message.string), strict=True):
            assert found(r"%\(\w+\)s|%%", english) == found(r"%\(\w+\)s|%%", french), french
            assert found(r"<[^>]*>", english) == found(r"<[^>]*>", french), french
            assert '"' not in re.sub(r"<[^>]*>", "", english), "it may stand in an attribute"
            assert (english[-1] == " ") == (french[-1] == " "), french


def test_what_a_refusal_says_is_in_its_facts() -> None:
    """A value that is no fact of the refusal could not be written."""
    for source in SOURCES:
        for path in (ROOT / source).rglob("*.py"):
            for call in refusals(path):
                code, detail = call.args
                if isinstance(detail, ast.Constant):
                    facts = {keyword.arg for keyword in call.keywords}
                    said = set(re.findall(r"%\((\w+)\)s", str(detail.value)))
                    assert said <= facts, f"{path}: {ast.unparse(code)}"
                else:
                    assert not isinstance(detail, ast.JoinedStr), f"{path}: {ast.unparse(code)}"


def refusals(path: Path) -> Iterator[ast.Call]:
    return (
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Rejection"
        and len(node.args) == 2
    )
