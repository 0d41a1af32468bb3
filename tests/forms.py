"""What a browser makes of a page: its words, and its forms filled in or changed."""

import re
from html import unescape
from html.parser import HTMLParser

type Fields = list[tuple[str, str]]


def words(page: str) -> str:
    """Give a page's text, its markup and its spaces aside."""
    text = unescape(re.sub(r"<[^>]+>", " ", page.replace("<wbr>", ""))).replace("\u00a0", " ")
    return re.sub(r"\s+", " ", text)


def filled_in(page: str, action: str) -> Fields:
    """Give what a browser would send of a form left as the page shows it."""
    form = _Form(action)
    form.feed(page)
    assert form.fields, f"no form is sent to {action}"
    return [(name, value) for name, value in form.fields if name != "_csrf_token"]


def changed(fields: Fields, **values: str) -> Fields:
    """Type other answers: a field is named by its ending."""
    kept = [pair for pair in fields if not any(pair[0].endswith(name) for name in values)]
    typed = {name: pair[0] for pair in fields for name in values if pair[0].endswith(name)}
    return [*kept, *((typed.get(name, name), value) for name, value in values.items())]


class _Form(HTMLParser):
    """Reads the fields of the form that is sent to ``action``."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.fields: Fields = []
        self._action = action
        self._is_inside = False
        self._select = ""
        self._textarea: tuple[str, list[str]] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._is_inside = given.get("action") == self._action
        if not self._is_inside:
            return
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "input" and name and "disabled" not in given:
            if given.get("type") not in {"radio", "checkbox"} or "checked" in given:
                self.fields.append((name, value))
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            self.fields.append((self._select, value))
        elif tag == "textarea":
            self._textarea = (name, [])

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self._textarea[1].append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        if tag == "textarea" and self._textarea:
            name, texts = self._textarea
            self.fields.append((name, "".join(texts)))
            self._textarea = None
