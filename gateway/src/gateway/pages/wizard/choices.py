"""What a family decides of each course followed this year, between the form and courses (S60)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID, uuid5

from pydantic import BaseModel, Field
from shared.contract import Rejection
from shared.contracts.courses import CourseMode, CourseRow, Hold, SeatRequest, Slot
from shared.contracts.enrolment import CourseChoice
from shared.identifiers import new_id

from gateway.forms import Form, YesNo
from gateway.pages.wizard.frame import Typed

WITHOUT_CHOICE: Final[Mapping[CourseMode, str]] = {
    "slot": "Aucun créneau n'est proposé à ce niveau : le secrétariat vous en proposera un",
    "level": "Attribué d'office selon le niveau",
    "teacher": "Horaire à fixer avec le professeur début septembre",
    "reduced_schedule": "Classe à horaires aménagés (CHAM) : aucun horaire à choisir",
}
"""Why a row offers no choice (S62)."""
ALL_FULL: Final = "Tous les créneaux sont complets : le secrétariat vous contactera"


class RowForm(BaseModel):
    """What is decided of one course. ``hold_id`` was minted when the page was made."""

    re_enrol: YesNo = Field(default=False, title="la réinscription")
    course_id: UUID | None = Field(None, title="le créneau")
    hold_id: UUID = Field(default_factory=new_id)


class RemarksForm(BaseModel):
    """The free text of S68."""

    remarks: str = Field("", title="l'information complémentaire", max_length=4000)


@dataclass(frozen=True, slots=True)
class Line:
    """A row of step 4: the course, and what was answered for it."""

    row: CourseRow
    form: Form[RowForm]

    @property
    def has_choice(self) -> bool:
        """Tell whether a slot can be chosen at all."""
        return any(self._is_free(slot) for slot in self.row.slots)

    @property
    def no_choice(self) -> str:
        """Say why there is nothing to choose, or nothing at all."""
        if self.has_choice:
            return ""
        return ALL_FULL if self.row.slots else WITHOUT_CHOICE[self.row.mode]

    @property
    def options(self) -> list[tuple[str, str, str, bool]]:
        """The slots as answers to one question; a full one is shown, and cannot be chosen."""
        return [
            (str(slot.course_id), slot.label, self._seats(slot), not self._is_free(slot))
            for slot in self.row.slots
        ]

    @property
    def wished(self) -> UUID | None:
        """The slot to hold: none for a row left aside, or without choice.

        One that filled up meanwhile is asked for all the same: courses says that it is full.
        """
        answer = self.form.value
        return answer.course_id if answer and answer.re_enrol else None

    def _is_free(self, slot: Slot) -> bool:
        return slot.seats_left > 0 or self._is_held(slot)

    def _is_held(self, slot: Slot) -> bool:
        return self.row.hold is not None and self.row.hold.course_id == slot.course_id

    def _seats(self, slot: Slot) -> str:
        if self._is_held(slot):
            return "Place retenue pour vous"
        if not slot.seats_left:
            return "Complet"
        return f"{slot.seats_left} place{'s' if slot.seats_left > 1 else ''}"


def recorded_lines(rows: Sequence[CourseRow], choices: Sequence[CourseChoice]) -> list[Line]:
    """Show what was decided before; a seat held without its choice recorded counts as one."""
    decided = {choice.follow_id: choice for choice in choices}
    return [_recorded_line(row, decided.get(row.follow_id)) for row in rows]


def read_lines(rows: Sequence[CourseRow], posted: Typed) -> list[Line]:
    """Read the rows of a posted form; a row re-enrolled needs its slot where there is a choice."""
    return [_read_line(row, posted) for row in rows]


def are_whole(lines: Sequence[Line]) -> bool:
    """Tell whether every row was answered so that it can be recorded."""
    return all(line.form.value is not None for line in lines)


def seat_requests(lines: Sequence[Line], student_id: UUID) -> tuple[SeatRequest, ...]:
    """Ask for each chosen slot; the seats held already are asked for again, to renew them.

    Each choice has its own identifier, derived from the page's: sending the page twice asks for
    the same seat, another choice from the same page asks for another.
    """
    return tuple(
        SeatRequest(
            hold_id=_hold_id(line, line.wished),
            student_id=student_id,
            follow_id=line.row.follow_id,
            course_ids=(line.wished,),
        )
        for line in lines
        if line.wished is not None
    )


def newly_named(requests: Sequence[SeatRequest]) -> tuple[SeatRequest, ...]:
    """Ask for the same seats by new identifiers: those of an old page may have ended."""
    return tuple(request.model_copy(update={"hold_id": new_id()}) for request in requests)


def holds_to_give_back(lines: Sequence[Line]) -> tuple[UUID, ...]:
    """Name the seats held for rows that are no longer re-enrolled."""
    return tuple(
        line.row.hold.id
        for line in lines
        if line.row.hold and line.form.value and not line.form.value.re_enrol
    )


def decisions(lines: Sequence[Line], holds: Sequence[Hold]) -> tuple[CourseChoice, ...]:
    """State what is decided of each row, by the words that the family read."""
    by_row = {hold.follow_id: hold for hold in holds}
    return tuple(_decision(line, by_row.get(line.row.follow_id)) for line in lines)


def refused(lines: Sequence[Line], rejection: Rejection) -> list[Line] | None:
    """Say a refusal beside the row that it is about; nothing where it is about none of them."""
    facts = rejection.facts
    rows = {facts.get("follow_id"), *_texts(facts.get("follow_ids"))}
    concerned = [
        line
        for line in lines
        if str(line.row.follow_id) in rows
        or (line.wished is not None and str(line.wished) == facts.get("course_id"))
    ]
    if not concerned:
        return None
    return [
        replace(line, form=line.form.refuse("course_id", rejection.detail))
        if line in concerned
        else line
        for line in lines
    ]


def _recorded_line(row: CourseRow, choice: CourseChoice | None) -> Line:
    answer = RowForm(re_enrol=choice.re_enrol if choice else row.hold is not None)
    if answer.re_enrol:
        held = row.hold.course_id if row.hold else None
        answer.course_id = held or (choice.course_id if choice else None)
    return Line(row, Form.of(answer, _prefix(row)))


def _read_line(row: CourseRow, posted: Typed) -> Line:
    line = Line(row, Form.read(RowForm, posted, _prefix(row)))
    answer = line.form.value
    if answer and answer.re_enrol and line.has_choice and answer.course_id is None:
        message = f"Choisissez un créneau pour {row.course}, ou décochez sa réinscription"
        return replace(line, form=line.form.refuse("course_id", message))
    return line


def _prefix(row: CourseRow) -> str:
    return f"cours-{row.follow_id}"


def _hold_id(line: Line, course_id: UUID) -> UUID:
    held, answer = line.row.hold, line.form.value
    if held and held.course_id == course_id:
        return held.id
    return uuid5(answer.hold_id, str(course_id)) if answer else new_id()


def _decision(line: Line, hold: Hold | None) -> CourseChoice:
    answer, row = line.form.value, line.row
    if hold is not None:
        return CourseChoice(
            follow_id=row.follow_id,
            re_enrol=True,
            label=hold.label,
            course_id=hold.course_id,
            hold_id=hold.id,
        )
    if answer is None or not answer.re_enrol:
        return CourseChoice(follow_id=row.follow_id, re_enrol=False, label=row.course)
    label = f"{row.course} : {line.no_choice}"
    return CourseChoice(follow_id=row.follow_id, re_enrol=True, label=label)


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple) else []
