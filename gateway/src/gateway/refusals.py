"""A refusal in the words of whoever reads it.

A service says it in French, as a text whose values are facts: the facts are written, and the text
translated, here.
"""

from datetime import datetime

from shared.contract import Rejection

from gateway import formats
from gateway.language import gettext, translation


def detail_of(refusal: Rejection) -> str:
    """Say what a refusal says, in the reader's language."""
    said = {name for name in refusal.facts if f"%({name})s" in refusal.detail}
    facts = {name: _written(refusal.facts[name]) for name in said}
    return gettext(refusal.detail, **facts)


def _written(fact: object) -> object:
    """Write a fact as a person reads it: an instant has travelled as text."""
    if isinstance(fact, list):
        return ", ".join(str(_written(each)) for each in fact)
    if not isinstance(fact, str):
        return fact
    try:
        instant = datetime.fromisoformat(fact)
    except ValueError:
        # the name of a step is translated, that of a course is not in the catalogue
        return translation(fact)
    return formats.instant(instant) if instant.tzinfo else fact
