"""What a family decides of each course followed this year, between the form and courses (S60)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from pydantic import BaseModel, Field
from shared.contract import Rejection
from shared.contracts.courses import CourseMode, CourseRow, Hold, Slot
from shared.contracts.enrolment import CourseChoice
from shared.identifiers import new_id

from gateway.forms import Form, YesNo
from gateway.language import gettext as _
from gateway.language import marked, ngettext
from gateway.pages.wizard.frame import Typed
from gateway.refusals import detail_of

WITHOUT_CHOICE: Final[Mapping[CourseMode, str]] = {
    "slot": marked("Aucun créneau n'est proposé à ce niveau : le secrétariat vous en proposera un"),
    "level": marked("Attribué d'office selon le niveau"),
    "teacher": marked("Horaire à fixer avec le professeur début septembre"),
    "reduced_schedule": marked("Classe à horaires aménagés (CHAM) : aucun horaire à choisir"),
}
"""Why a row offers no choice (S62)."""
ALL_FULL: Final = marked("Tous les créneaux sont complets")
FULL: Final = marked("Complet")


class RowForm(BaseModel):
    """What is decided of one course: up to three slots, in the order wished (S63).

    ``hold_id`` was minted when the page was made.
    """

    re_enrol: YesNo = Field(default=False, title=marked("la réinscription"))
    course_id: UUID | None = Field(None, title=marked("le créneau"))
    second_id: UUID | None = Field(None, title=marked("le 2e choix"))
    third_id: UUID | None = Field(None, title=marked("le 3e choix"))
    hold_id: UUID = Field(default_factory=new_id)


class RemarksForm(BaseModel):
    """The free text of S68."""

    remarks: str = Field("", title=marked("l'information complémentaire"), max_length=4000)


@dataclass(frozen=True, slots=True)
class SlotOption:
    """A slot as one row may choose it; the row may hold its seat already, or have claimed it."""

    slot: Slot
    is_held: bool
    is_claimed: bool

    @property
    def is_own(self) -> bool:
        """Tell whether the row has its seat already."""
        return self.is_held or self.is_claimed

    @property
    def is_free(self) -> bool:
        """Tell whether the row may choose it."""
        return self.is_own or self.slot.seats_left > 0

    @property
    def seats(self) -> str:
        """Say how many seats are left."""
        if self.is_claimed:
            return _("Votre place actuelle")
        if self.is_held:
            return _("Place retenue pour vous")
        if not self.slot.seats_left:
            return _(FULL)
        return ngettext("%(num)s place", "%(num)s places", self.slot.seats_left)


@dataclass(frozen=True, slots=True)
class Line:
    """A row of step 4: the course, and what was answered for it."""

    row: CourseRow
    form: Form[RowForm]

    @property
    def options(self) -> list[SlotOption]:
        """The slots of next year; a full one is shown, and cannot be chosen."""
        held = self.held.course_id if self.held else None
        claimed = self.row.claimed.course_id if self.row.claimed else None
        return [
            SlotOption(slot, slot.course_id == held, slot.course_id == claimed)
            for slot in self.row.slots
        ]

    @property
    def held(self) -> Hold | None:
        """The seat that the family holds for a while, until it submits."""
        return self.row.hold if self.row.hold and self.row.hold.state == "held" else None

    @property
    def has_choice(self) -> bool:
        """Tell whether a slot can be chosen at all."""
        return any(option.is_free for option in self.options)

    @property
    def may_wait(self) -> bool:
        """Tell whether the row may go on without any slot: it waits for one."""
        return bool(self.row.waiting)

    @property
    def no_choice(self) -> str:
        """Say why there is nothing to choose, or nothing at all: a marked text."""
        if self.has_choice or self.row.claimed:
            return ""
        return ALL_FULL if self.row.slots else WITHOUT_CHOICE[self.row.mode]

    @property
    def lists_to_join(self) -> list[SlotOption]:
        """The slots whose waiting list can be joined, those not full yet included (S66)."""
        waited_for = {place.course_id for place in self.row.waiting}
        return [
            option
            for option in self.options
            if not option.is_own and option.slot.course_id not in waited_for
        ]

    @property
    def later_choices(self) -> list[tuple[str, str]]:
        """The slots that may come second or third, those typed already included."""
        typed = {self.form.text(name) for name in ("second_id", "third_id")}
        return [
            (
                course_id,
                option.slot.label if option.is_free else f"{option.slot.label} ({_(FULL)})",
            )
            for option in self.options
            if (course_id := str(option.slot.course_id)) in typed or option.is_free
        ]

    @property
    def is_left(self) -> bool:
        """Tell whether the course is answered, and not to be followed again."""
        return self.form.value is not None and not self.form.value.re_enrol

    @property
    def wished(self) -> tuple[UUID, ...]:
        """The slots to hold one of, in order: none for a row left aside, or without choice.

        One that filled up meanwhile is asked for all the same: courses says that it is full.
        """
        answer = self.form.value
        if answer is None or not answer.re_enrol:
            return ()
        ranked = (answer.course_id, answer.second_id, answer.third_id)
        return tuple(course_id for course_id in ranked if course_id is not None)

    def refuse(self, message: str, field_name: str = "course_id") -> "Line":
        """Say beside the row why it is not as wished."""
        return replace(self, form=self.form.refuse(field_name, message))


def recorded_lines(
    rows: Sequence[CourseRow], choices: Sequence[CourseChoice], *, is_amended: bool
) -> list[Line]:
    """Show what was decided before; a seat held without its choice recorded counts as one, and so
    does a place on a waiting list, which a change of a request gives up only once it is submitted.
    """
    decided = {choice.follow_id: choice for choice in choices}
    return [_recorded_line(row, decided.get(row.follow_id), is_amended=is_amended) for row in rows]


def typed_lines(rows: Sequence[CourseRow], posted: Typed) -> list[Line]:
    """Give the rows of a posted form as they were typed, whatever they lack: none is sent yet."""
    return [Line(row, Form.read(RowForm, posted, _prefix(row))) for row in rows]


def read_lines(rows: Sequence[CourseRow], posted: Typed) -> list[Line]:
    """Read the rows of a posted form; a row re-enrolled needs its slot where there is a choice."""
    return [_judged(line) for line in typed_lines(rows, posted)]


def are_whole(lines: Sequence[Line]) -> bool:
    """Tell whether every row was answered so that it can be recorded."""
    return all(line.form.value is not None for line in lines)


def refused(lines: Sequence[Line], rejection: Rejection) -> list[Line] | None:
    """Say a refusal beside the row that it is about; nothing where it is about none of them."""
    facts = rejection.facts
    rows = {facts.get("follow_id"), *_texts(facts.get("follow_ids"))}
    named = [line for line in lines if str(line.row.follow_id) in rows]
    concerned = named or [
        line for line in lines if facts.get("course_id") in {str(each) for each in line.wished}
    ]
    if not concerned:
        return None
    return [line.refuse(detail_of(rejection)) if line in concerned else line for line in lines]


def _recorded_line(row: CourseRow, choice: CourseChoice | None, *, is_amended: bool) -> Line:
    is_kept = choice.re_enrol if choice else row.hold is not None
    counts_waiting = choice is None or not is_amended
    answer = RowForm(re_enrol=is_kept or (counts_waiting and bool(row.waiting)))
    if answer.re_enrol:
        held = row.hold.course_id if row.hold else None
        answer.course_id = held or (choice.course_id if choice else None)
    return Line(row, Form.of(answer, _prefix(row)))


def _judged(line: Line) -> Line:
    """Refuse what contradicts itself in a row to be re-enrolled."""
    answer = line.form.value
    if answer is None or not answer.re_enrol:
        return line
    course = line.row.course
    if answer.second_id is not None and answer.second_id == answer.course_id:
        line = line.refuse(
            _(
                "%(course)s : le 2e choix est le même que le 1er. Indiquez-en un autre, ou aucun",
                course=course,
            ),
            "second_id",
        )
    if answer.third_id is not None and answer.third_id in {answer.course_id, answer.second_id}:
        line = line.refuse(
            _(
                "%(course)s : le 3e choix est déjà le 1er ou le 2e. Indiquez-en un autre, ou aucun",
                course=course,
            ),
            "third_id",
        )
    if answer.course_id is None and _needs_a_slot(line, answer):
        line = line.refuse(
            _("Choisissez un créneau pour %(course)s, ou décochez sa réinscription", course=course)
        )
    return line


def _needs_a_slot(line: Line, answer: RowForm) -> bool:
    if answer.second_id or answer.third_id:
        return True
    return line.has_choice and not line.may_wait and line.row.claimed is None


def _prefix(row: CourseRow) -> str:
    return f"cours-{row.follow_id}"


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple) else []
