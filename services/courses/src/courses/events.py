"""What the other parts are told of a batch: its facts, as events."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from shared.contract import Event
from shared.contracts.courses import (
    Hold,
    OfferEnded,
    SeatConfirmed,
    SeatOffered,
    SeatPlaced,
    SeatsClaimed,
    SeatsHeld,
    SeatsReleased,
)

from courses.book import Claimed, Confirmed, Ended, Fact, Freed, Kept, Offered, Placed
from courses.seats import Course, Room, Seat


def as_hold(seat: Seat, course: Course) -> Hold:
    """Show a seat to its family."""
    return Hold(
        id=seat.id,
        student_id=seat.student_id,
        follow_id=seat.follow_id,
        course_id=seat.course_id,
        label=course.label,
        state="claimed" if seat.state == "claimed" else "held",
        expires_at=seat.expires_at,
    )


class Holds:
    """The seats of a batch as families see them, each made once."""

    def __init__(self, rooms: Mapping[UUID, Room]) -> None:
        self._rooms = rooms
        self._made: dict[UUID, tuple[Seat, Hold]] = {}

    def of(self, seat: Seat) -> Hold:
        """Show a seat as it is in ``seat``."""
        made = self._made.get(seat.id)
        if made is not None and made[0] is seat:
            return made[1]
        hold = as_hold(seat, self._rooms[seat.course_id].course)
        self._made[seat.id] = seat, hold
        return hold


def events_of(facts: Iterable[Fact], rooms: Mapping[UUID, Room], holds: Holds) -> list[Event]:
    """Tell the facts of a batch: holds together by campaign, releases together."""
    held: dict[UUID, dict[UUID, Hold]] = {}
    replaced: dict[UUID, list[UUID]] = {}
    released: list[UUID] = []
    others: list[Event] = []
    for fact in facts:
        if isinstance(fact, Kept):
            for seat in fact.seats:
                held.setdefault(seat.campaign_id, {})[seat.id] = holds.of(seat)
                replaced.setdefault(seat.campaign_id, []).extend(fact.replaced_ids)
        elif isinstance(fact, Freed):
            released.append(fact.seat_id)
        else:
            others.append(_event(fact, rooms, holds))
    events: list[Event] = [
        SeatsHeld(
            campaign_id=campaign_id,
            holds=tuple(of_campaign.values()),
            replaced_hold_ids=tuple(dict.fromkeys(replaced[campaign_id])),
        )
        for campaign_id, of_campaign in held.items()
    ]
    if released:
        events.append(SeatsReleased(hold_ids=tuple(released)))
    return events + others


def _event(
    fact: Claimed | Placed | Confirmed | Offered | Ended, rooms: Mapping[UUID, Room], holds: Holds
) -> Event:
    match fact:
        case Claimed():
            return SeatsClaimed(
                application_id=fact.application_id,
                hold_ids=fact.seat_ids,
                missing_hold_ids=fact.missing_ids,
                replaced_hold_ids=fact.replaced_ids,
                received_at=fact.received_at,
            )
        case Placed():
            return SeatPlaced(
                campaign_id=fact.seat.campaign_id,
                family_id=fact.seat.family_id,
                student_id=fact.seat.student_id,
                hold=holds.of(fact.seat),
                replaced_hold_id=fact.replaced_id,
                decided_by=fact.decided_by,
            )
        case Confirmed(seat):
            return SeatConfirmed(
                hold_id=seat.id,
                campaign_id=seat.campaign_id,
                family_id=seat.family_id,
                student_id=seat.student_id,
                follow_id=seat.follow_id,
                course_id=seat.course_id,
                label=holds.of(seat).label,
            )
        case Offered(place):
            if place.offered_until is None:
                message = f"{place.id} is offered without an end"
                raise ValueError(message)
            return SeatOffered(
                place_id=place.id,
                campaign_id=place.campaign_id,
                family_id=place.family_id,
                student_id=place.student_id,
                follow_id=place.follow_id,
                course_id=place.course_id,
                label=rooms[place.course_id].course.label,
                offered_until=place.offered_until,
            )
        case Ended(place, end):
            return OfferEnded(
                place_id=place.id,
                campaign_id=place.campaign_id,
                family_id=place.family_id,
                student_id=place.student_id,
                course_id=place.course_id,
                label=rooms[place.course_id].course.label,
                end=end,
            )
