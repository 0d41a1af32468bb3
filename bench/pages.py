"""Pages as a browser without script sees them: their text, their forms, what those offer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

_NEVER_FILLED = {"submit", "button", "image", "reset", "file"}

type Answers = Mapping[str, str]


@dataclass(slots=True)
class PageForm:
    """A form: its fields as they stand, the answers it offers, and its buttons by their text."""

    action: str
    filled: list[tuple[str, str]] = field(default_factory=list)
    offered: dict[str, list[str]] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)

    def has_button(self, text: str) -> bool:
        """Tell whether one of its buttons begins with this text."""
        return any(button.startswith(text) for button in self.buttons)

    def posted(self, answers: Answers, button: str) -> list[tuple[str, str]]:
        """Give what a browser posts once these answers are given and that button pressed."""
        kept = [(name, value) for name, value in self.filled if name not in answers]
        pressed = next(pair for text, pair in self.buttons.items() if text.startswith(button))
        return [*kept, *answers.items(), *([pressed] if pressed[0] else [])]


@dataclass(frozen=True, slots=True)
class Page:
    """An answer to a browser: where it came from, its status, what can be read and sent."""

    path: str
    status: int
    text: str
    forms: Sequence[PageForm]

    @classmethod
    def read(cls, path: str, status: int, html: str) -> "Page":
        """Read a page's HTML."""
        reader = _Reader()
        reader.feed(html)
        reader.close()
        return cls(path, status, " ".join("".join(reader.texts).split()), reader.forms)


class _Reader(HTMLParser):
    """Collects texts and forms; elements that hold a value in their text end with it."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.texts: list[str] = []
        self._opened: dict[str, tuple[dict[str, str], int]] = {}
        self._select = ""

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "form":
                self.forms.append(PageForm(given["action"]))
            case "input":
                self._read_input(given)
            case "select":
                self._select = given["name"]
            case "option":
                self._read_option(given)
            case "button" | "textarea":
                self._opened[tag] = given, len(self.texts)
            case "br":
                self.texts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._opened or not self.forms:
            return
        given, start = self._opened.pop(tag)
        text = "".join(self.texts[start:])
        if tag == "button":
            pressed = given.get("name", ""), given.get("value", "")
            self.forms[-1].buttons[" ".join(text.split())] = pressed
        else:
            self.forms[-1].filled.append((given["name"], text.removeprefix("\n")))

    def _read_input(self, given: Mapping[str, str]) -> None:
        kind, name, value = given.get("type", "text"), given.get("name", ""), given.get("value", "")
        if not name or not self.forms or "disabled" in given or kind in _NEVER_FILLED:
            return
        if kind in {"radio", "checkbox"}:
            self.forms[-1].offered.setdefault(name, []).append(value)
            if "checked" not in given:
                return
        self.forms[-1].filled.append((name, value))

    def _read_option(self, given: Mapping[str, str]) -> None:
        """The first option stands until another is selected."""
        form, value = self.forms[-1], given["value"]
        is_first = self._select not in form.offered
        form.offered.setdefault(self._select, []).append(value)
        if is_first:
            form.filled.append((self._select, value))
        elif "selected" in given:
            form.filled = [pair for pair in form.filled if pair[0] != self._select]
            form.filled.append((self._select, value))
