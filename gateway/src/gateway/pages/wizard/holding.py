"""Seats asked for and decisions recorded: what leaves step 4 for courses and enrolment."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID, uuid5

from shared.contract import Rejection
from shared.contracts.courses import Hold, HoldSeats, LeaveWaitingList, ReleaseSeat, SeatRequest
from shared.contracts.enrolment import CourseChoice, RecordCourseChoices
from shared.identifiers import new_id

from gateway.pages.wizard.children import Child
from gateway.pages.wizard.choices import Line
from gateway.people import Person

type Ranks = Mapping[UUID, int]
"""By row, which of its choices was obtained: 1 for the first."""

SEATS_AT_ONCE: Final = 20
"""How many seats one act may ask for."""


async def hold_and_record(person: Person, children: Sequence[Child], remarks: str) -> Ranks:
    """Hold the seats of every child, all or none, then record what is decided for each (S65).

    A seat is let go of only with what replaces it held, or recorded as wished no longer (S74).
    """
    requests = [request for child in children for request in seat_requests(child)]
    lines = [line for child in children for line in child.lines]
    given_back = holds_to_give_back(lines)
    holds: tuple[Hold, ...] = ()
    if requests:
        campaign_id = children[0].application.campaign.id
        holds = await _hold(
            person,
            HoldSeats(
                campaign_id=campaign_id,
                requests=tuple(requests),
                give_back=given_back,
                left_rows=rows_left(lines),
            ),
        )
    own, *_ = children
    for child in children:
        await person.ask(
            RecordCourseChoices(
                application_id=child.application.id,
                choices=decisions(child.lines, holds),
                remarks=remarks if child is own else child.application.remarks,
            )
        )
    for hold_id in () if requests else given_back:
        await person.ask(ReleaseSeat(hold_id=hold_id))
    for place_id in places_to_leave(children):
        await person.ask(LeaveWaitingList(place_id=place_id))
    return _ranks(lines, holds)


def seat_requests(child: Child) -> tuple[SeatRequest, ...]:
    """Ask for each row's choices; the seats held already are asked for again, to renew them.

    Each ranked choice has its own identifier, derived from the page's: sending the page twice asks
    for the same seat, another choice from the same page asks for another.
    """
    return tuple(
        SeatRequest(
            hold_id=_hold_id(line),
            student_id=child.application.student_id,
            follow_id=line.row.follow_id,
            course_ids=line.wished,
        )
        for line in child.lines
        if line.wished
    )


def holds_to_give_back(lines: Sequence[Line]) -> tuple[UUID, ...]:
    """Name the seats held for rows that wish none any more."""
    return tuple(
        line.held.id for line in lines if line.held and line.form.value and not line.wished
    )


def rows_left(lines: Sequence[Line]) -> tuple[UUID, ...]:
    """Name the rows that are not re-enrolled, or no longer."""
    return tuple(line.row.follow_id for line in lines if line.is_left)


def places_to_leave(children: Sequence[Child]) -> tuple[UUID, ...]:
    """Name the places on waiting lists of rows that are no longer re-enrolled.

    Those of a request that is being changed stay until the change is submitted (S74).
    """
    return tuple(
        place.id
        for child in children
        if child.application.amendment is None
        for line in child.lines
        if line.is_left
        for place in line.row.waiting
    )


def decisions(lines: Sequence[Line], holds: Sequence[Hold]) -> tuple[CourseChoice, ...]:
    """State what is decided of each row, by the words that the family read.

    One that wishes no other seat goes on with the one that is its own already.
    """
    by_row = {hold.follow_id: hold for hold in holds}
    return tuple(
        _decision(line, by_row.get(line.row.follow_id) or line.row.claimed) for line in lines
    )


async def _hold(person: Person, wish: HoldSeats) -> tuple[Hold, ...]:
    """Hold the seats; those that the page's identifiers named before may have ended."""
    try:
        return await person.ask(wish)
    except Rejection as rejection:
        if rejection.code != "hold_ended":
            raise
    renamed = [each.model_copy(update={"hold_id": new_id()}) for each in wish.requests]
    return await person.ask(wish.model_copy(update={"requests": tuple(renamed)}))


def _hold_id(line: Line) -> UUID:
    """Derive the hold from the page and its choices; a row that has the seat keeps it."""
    answer = line.form.value
    return uuid5(answer.hold_id, ",".join(map(str, line.wished))) if answer else new_id()


def _decision(line: Line, hold: Hold | None) -> CourseChoice:
    answer, row = line.form.value, line.row
    if answer is None or not answer.re_enrol:
        return CourseChoice(follow_id=row.follow_id, re_enrol=False, label=row.course)
    if hold is not None:
        return CourseChoice(
            follow_id=row.follow_id,
            re_enrol=True,
            label=hold.label,
            course_id=hold.course_id,
            hold_id=hold.id,
            held_until=None if hold.state == "claimed" else hold.expires_at,
        )
    label = f"{row.course} : {_without_seat(line)}"
    return CourseChoice(follow_id=row.follow_id, re_enrol=True, label=label)


def _without_seat(line: Line) -> str:
    if line.may_wait:
        return "en liste d'attente, sans place pour l'instant"
    if line.row.slots:
        return "tous les créneaux sont complets, sans place pour l'instant"
    return line.no_choice


def _ranks(lines: Sequence[Line], holds: Sequence[Hold]) -> Ranks:
    obtained = {hold.follow_id: hold.course_id for hold in holds}
    return {
        line.row.follow_id: line.wished.index(obtained[line.row.follow_id]) + 1
        for line in lines
        if obtained.get(line.row.follow_id) in line.wished
    }
