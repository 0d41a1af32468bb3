"""Joining the waiting list of a full course from step 4, keeping the present seat (S66)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID, uuid5

from shared.contract import Rejection
from shared.contracts.courses import JoinWaitingList, WaitingPlace
from shared.identifiers import new_id

from gateway import formats
from gateway.language import gettext as _
from gateway.pages.wizard.children import Child
from gateway.pages.wizard.choices import Line
from gateway.pages.wizard.frame import Typed, is_beyond_the_page
from gateway.people import Person
from gateway.refusals import detail_of

JOIN: Final = "rejoindre"
"""The button's name; its value tells the row and the course."""


def joined_in(posted: Typed) -> tuple[UUID, UUID] | None:
    """Give the row and the course of the button pressed, if it was one of these."""
    value = next((text for name, text in posted if name == JOIN), None)
    if value is None:
        return None
    try:
        follow_id, course_id = map(UUID, value.split("."))
    except ValueError:
        raise Rejection.not_found() from None
    return follow_id, course_id


async def join(
    person: Person, child: Child, line: Line, course_id: UUID
) -> tuple[WaitingPlace | None, Line]:
    """Join the list; give the row as typed, to be re-enrolled, or with why it could not be."""
    wish = JoinWaitingList(
        place_id=_place_id(line, course_id),
        campaign_id=child.application.campaign.id,
        student_id=child.application.student_id,
        follow_id=line.row.follow_id,
        course_id=course_id,
    )
    try:
        place = await _join(person, wish)
    except Rejection as rejection:
        if is_beyond_the_page(rejection):
            raise
        return None, line.refuse(detail_of(rejection))
    typed = {**line.form.typed, "re_enrol": ("oui",)}
    return place, replace(line, form=replace(line.form, typed=typed))


def find_row(children: Sequence[Child], follow_id: UUID) -> tuple[Child, Line]:
    """Find a row of the page; raises not_found for any other."""
    for child in children:
        for line in child.lines:
            if line.row.follow_id == follow_id:
                return child, line
    raise Rejection.not_found()


def place_text(place: WaitingPlace) -> str:
    """Say where a place stands."""
    if place.offered_until:
        return _(
            "Une place vous est proposée dans %(label)s jusqu'au %(until)s.",
            label=place.label,
            until=formats.instant(place.offered_until),
        )
    return _(
        "Vous êtes %(rank)s sur la liste d'attente de %(label)s.",
        rank=formats.rank(place.rank),
        label=place.label,
    )


async def _join(person: Person, wish: JoinWaitingList) -> WaitingPlace:
    """Join; an old page's identifier may name a place that the family has left since."""
    try:
        return await person.ask(wish)
    except Rejection as rejection:
        if rejection.code != "place_ended":
            raise
    return await person.ask(wish.model_copy(update={"place_id": new_id()}))


def _place_id(line: Line, course_id: UUID) -> UUID:
    """Derive the place from the page, so that sending it twice asks for one."""
    answer = line.form.value
    return uuid5(answer.hold_id, f"liste d'attente {course_id}") if answer else new_id()
