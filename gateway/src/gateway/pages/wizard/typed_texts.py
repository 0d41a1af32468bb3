"""What was typed in a form, by the labels of its fields: to be copied where it cannot be sent."""

import re
from collections.abc import Iterable
from typing import Final

from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.wizard.people_forms import GuardianForm, StudentForm

_PERSON: Final = re.compile(r"(?P<kind>responsable|eleve)-[0-9a-f-]{36}-(?P<field>\w+)")
_LABELS: Final = {
    "remarks": marked("Information complémentaire"),
    "image_rights": marked("Droit à l'image"),
    "leaves_alone": marked("Autorisation de sortie"),
}
_YES_OR_NO: Final = {"image_rights", "leaves_alone"}
_ANSWERS: Final = {"oui": marked("Oui"), "non": marked("Non")}


def readable(posted: Iterable[tuple[str, str]]) -> str:
    """Write a line a field, empty where nobody would read any of it."""
    return "\n".join(
        _("%(subject)s : %(text)s", subject=label, text=_answer(name, text))
        for name, text in posted
        if text.strip() and (label := _label(name))
    )


def _answer(name: str, text: str) -> str:
    return _(_ANSWERS[text]) if name in _YES_OR_NO and text in _ANSWERS else text


def _label(name: str) -> str:
    if name in _LABELS:
        return _(_LABELS[name])
    known = _PERSON.fullmatch(name)
    if known is None:
        return ""
    is_guardian = known["kind"] == "responsable"
    field = (GuardianForm if is_guardian else StudentForm).model_fields.get(known["field"])
    if field is None:
        return ""
    whose = _("Responsable") if is_guardian else _("Élève")
    return f"{whose}, {_(field.description or '')}"
