"""What step 4 has just done, told by the recap that it leads to (S63, S65)."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from shared.contracts.enrolment import Application, CourseChoice
from shared.contracts.identity import Family

from gateway.formats import semicolon
from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.wizard.children import TOGETHER, first_name
from gateway.pages.wizard.frame import RECAP, step_path

OBTAINED: Final = "obtenu"
"""What names in the recap's address a row that obtained a later choice than its first."""

_OBTAINED_TEXTS: Final = {
    "2": marked("Votre 1er choix était complet : la place retenue est %(label)s."),
    "3": marked("Vos deux premiers choix étaient complets : la place retenue est %(label)s."),
}


def recap_path(applications: Sequence[Application], ranks: Mapping[UUID, int]) -> str:
    """Lead to the recap of the first application, with what to tell there."""
    own, *others = applications
    told = [(TOGETHER, str(other.id)) for other in others]
    told += [(OBTAINED, f"{follow_id}.{rank}") for follow_id, rank in ranks.items() if rank > 1]
    return step_path(own.id, RECAP) + (f"?{urlencode(told)}" if told else "")


def outcome_texts(
    applications: Sequence[Application], family: Family | None, obtained: Sequence[str]
) -> list[str]:
    """Say which later choices were obtained, and what was recorded for the other children."""
    choices = {
        str(choice.follow_id): choice
        for application in applications
        for choice in application.choices
    }
    later = [
        _(_OBTAINED_TEXTS[rank], label=choices[row].label)
        for row, rank in (_row_and_rank(text) for text in obtained)
        if row in choices and rank in _OBTAINED_TEXTS
    ]
    return later + [
        _(
            "Choix enregistrés en même temps pour %(name)s : %(courses)s. Sa demande reste à"
            " valider, à son récapitulatif.",
            name=first_name(family, other.student_id),
            courses=_labels(other.choices),
        )
        for other in applications[1:]
    ]


def _row_and_rank(text: str) -> tuple[str, str]:
    row, _dot, rank = text.partition(".")
    return row, rank


def _labels(choices: Sequence[CourseChoice]) -> str:
    wished = [choice.label for choice in choices if choice.re_enrol]
    return semicolon().join(wished) or _("aucun cours à poursuivre")
