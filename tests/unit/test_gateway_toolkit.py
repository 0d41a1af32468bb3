"""Our own macros write what the library's do: the same tags, attributes and texts, in order."""

from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from gateway import rendering, toolkit
from tests.portal import Portal
from tests.showroom.exhibits import EXHIBITS
from tests.showroom.household import CALLER

type Options = dict[str, Any]
type Written = list[object]


class _Markup(HTMLParser):
    """Reads markup as a browser does, where spaces between tags and around words say nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.written: Written = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        shown = {name: " ".join((value or "").split()) for name, value in attrs}
        self.written.append((tag, shown))

    def handle_endtag(self, tag: str) -> None:
        self.written.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if words := " ".join(data.split()):
            self.written.append(words)


def read(markup: str) -> Written:
    """Give the tags, attributes and texts of some markup."""
    reader = _Markup()
    reader.feed(markup)
    reader.close()
    return reader.written


def optional(value: object) -> Options:
    return {"value": value, "optional": True}


texts = st.text(alphabet="aé <>&\"'", min_size=1, max_size=12).map(str.strip).filter(bool)
markup = texts.map(Markup.escape) | st.just(
    Markup('Nom <span class="mandatory">(obligatoire)</span>')
)
labels = st.fixed_dictionaries({"html": markup}) | st.fixed_dictionaries({"text": texts})
hints = st.none() | st.fixed_dictionaries({"text": texts})
errors = st.none() | st.fixed_dictionaries({"text": texts, "visuallyHiddenText": texts})
classes = st.sampled_from(["", " rentree-mandatory", "govuk-input--width-20 rentree-mandatory"])
attributes = st.fixed_dictionaries(
    {"required": st.booleans().map(optional)},
    optional={"autocomplete": (st.none() | texts).map(optional), "data-x": texts},
)
names = st.sampled_from(["email", "a.b.name"])


def field(**options: st.SearchStrategy[Any]) -> st.SearchStrategy[Options]:
    """Give the options of a field, whatever kind it is."""
    common = {
        "name": names,
        "classes": classes,
        "hint": hints,
        "errorMessage": errors,
    }
    return st.fixed_dictionaries(common | options).map(lambda each: {"id": each["name"], **each})


def choices(**options: st.SearchStrategy[Any]) -> st.SearchStrategy[Options]:
    """Give the options of radios or boxes."""
    item = st.fixed_dictionaries(
        {
            "value": texts,
            "text": texts,
            "checked": st.booleans(),
            "disabled": st.booleans(),
            "hint": hints,
        },
        optional={"attributes": attributes, "html": markup},
    )
    items = st.lists(item, min_size=1, max_size=3)
    given_ = field(items=items, **options)
    return given_.map(lambda each: {"idPrefix": each["name"], **each})


FIELDS = {
    "govukInput": field(
        label=labels,
        attributes=attributes,
        value=st.none() | texts | st.just(""),
        type=st.sampled_from(["text", "email", "tel", "search"]),
        inputmode=st.sampled_from([None, "numeric"]),
        autocomplete=st.none() | texts,
        spellcheck=st.sampled_from([None, False, True]),
    ),
    "govukTextarea": field(
        label=labels, attributes=attributes, value=texts | st.just(""), rows=st.integers(2, 9)
    ),
    "govukSelect": field(
        label=labels,
        attributes=attributes,
        items=st.lists(
            st.fixed_dictionaries(
                {"value": texts | st.just(""), "text": texts}, optional={"selected": st.booleans()}
            ),
            max_size=4,
        ),
    ),
    "govukRadios": choices(
        fieldset=st.fixed_dictionaries(
            {"legend": st.fixed_dictionaries({"html": markup, "classes": classes})}
        )
    ),
    "govukCheckboxes": choices(hint=st.none()),
    "govukSummaryList": st.fixed_dictionaries(
        {
            "card": st.fixed_dictionaries(
                {
                    "title": st.fixed_dictionaries({"text": texts}),
                    "actions": st.fixed_dictionaries(
                        {
                            "items": st.lists(
                                st.fixed_dictionaries({"href": texts, "text": texts}), max_size=1
                            )
                        }
                    ),
                }
            ),
            "rows": st.lists(
                st.fixed_dictionaries(
                    {"key": st.fixed_dictionaries({"text": texts}), "value": labels}
                ),
                max_size=3,
            ),
        }
    ),
}


def test_each_of_our_macros_stands_in_for_one_of_the_librarys_and_is_compared_here() -> None:
    assert toolkit.own_macros().keys() == FIELDS.keys()
    assert toolkit.own_macros().keys() < toolkit.library_macros().keys()


@pytest.mark.parametrize("macro", FIELDS)
@settings(deadline=None)
@given(data=st.data())
def test_a_field_is_written_as_the_library_writes_it(macro: str, data: st.DataObject) -> None:
    options = data.draw(FIELDS[macro])
    assert written(toolkit.own_macros(), macro, options) == written(
        toolkit.library_macros(), macro, options
    )


def written(macros: toolkit.Macros, macro: str, options: Options) -> Written:
    return read(macros[macro](options))


def test_pages_write_their_fields_as_the_library_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alike: dict[str, set[bool]] = {name: set() for name in toolkit.own_macros()}
    both = {name: partial(_written_by_both, name, seen) for name, seen in alike.items()}
    monkeypatch.setattr(rendering, "macros", lambda: {**toolkit.library_macros(), **both})
    portal = Portal(tmp_path)
    with portal.browser(CALLER) as browser:
        for exhibit in filter(lambda each: not each.acts, EXHIBITS.values()):
            portal.reset(exhibit.answers())
            browser.get(exhibit.path)
    assert alike == {name: {True} for name in alike}


def _written_by_both(macro: str, seen: set[bool], options: Options) -> str:
    ours = toolkit.own_macros()[macro](options)
    seen.add(read(ours) == read(toolkit.library_macros()[macro](options)))
    return ours
