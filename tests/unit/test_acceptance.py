"""Every line of the acceptance list that a parent can see is shown by a test in a browser.

The tests say which by the marker ``spec``: `pytest tests/journeys -m browser` shows them all, and
`grep -rn '"S42"' tests` the ones of a line.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_JOURNEYS: Final = Path(__file__).parents[1] / "journeys"
_PARTS: Final = {
    "access": range(1, 7),
    "home, family, student": range(10, 19),
    "intent": range(20, 25),
    "step 1, coordonnées": range(30, 34),
    "step 2, autorisations": range(40, 41),
    "step 3, documents": range(50, 57),
    "step 4, cours": range(60, 69),
    "steps 5 and 6": range(70, 76),
}
_SEEN_BY_PARENTS: Final = {f"S{number}" for part in _PARTS.values() for number in part}
_SEEN_BESIDES: Final = {"S95"}


def test_every_line_that_a_parent_can_see_is_shown_in_a_browser() -> None:
    shown = _shown()
    assert sorted(_SEEN_BY_PARENTS - shown.keys()) == []
    assert sorted(shown.keys() - _SEEN_BY_PARENTS - _SEEN_BESIDES) == []


def _shown() -> dict[str, list[str]]:
    """Give each line the tests that say they show it."""
    shown = defaultdict[str, list[str]](list)
    for path in sorted(_JOURNEYS.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.AsyncFunctionDef):
                for line in _lines(node):
                    shown[line].append(node.name)
    return shown


def _lines(test: ast.AsyncFunctionDef) -> Iterator[str]:
    for decorator in test.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.spec":
            yield from (ast.literal_eval(argument) for argument in decorator.args)
