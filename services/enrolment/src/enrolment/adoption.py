"""The seat that a row was given after it was chosen: an accepted offer, or the staff's decision.

What a family recorded stays as it is stored. Where an application stands is read from that and
from the placements known by now, so that it never depends on the order in which they were told.
Pure functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from shared.contracts.enrolment import CourseChoice

from enrolment.progress import Progress


@dataclass(frozen=True, slots=True)
class Placement:
    """A seat given to a row in the place of ``replaces``, the one it had before, if any."""

    hold_id: UUID
    follow_id: UUID
    course_id: UUID
    label: str
    replaces: UUID | None
    placed_at: datetime


def adopt(progress: Progress, placements: Sequence[Placement]) -> Progress:
    """Give each row the seat where it was placed last.

    Not where the family chose another one since, and nothing to a declined application: it waits
    for no seat.
    """
    if progress.state == "declined":
        return progress
    amendment = progress.amendment
    return replace(
        progress,
        amendment=amendment and replace(amendment, draft=adopt(amendment.draft, placements)),
        choices=tuple(
            _adopted(
                choice,
                [each for each in placements if each.follow_id == choice.follow_id],
                progress.chosen_at,
            )
            for choice in progress.choices
        ),
    )


def _adopted(
    choice: CourseChoice, placements: Sequence[Placement], chosen_at: datetime | None
) -> CourseChoice:
    """What replaces the chosen seat, directly or not, counts whatever the clocks say."""
    placement = _last(placements)
    if placement is None or placement.hold_id == choice.hold_id:
        return choice
    is_later = chosen_at is None or placement.placed_at > chosen_at
    if not is_later and choice.hold_id not in _former_seats(placement, placements):
        return choice
    return choice.model_copy(
        update={
            "re_enrol": True,
            "label": placement.label,
            "course_id": placement.course_id,
            "hold_id": placement.hold_id,
        }
    )


def _last(placements: Sequence[Placement]) -> Placement | None:
    """Give the placement that no other replaces; of several, the latest."""
    replaced = {placement.replaces for placement in placements}
    standing = [placement for placement in placements if placement.hold_id not in replaced]
    return max(standing, key=lambda each: (each.placed_at, each.hold_id), default=None)


def _former_seats(placement: Placement, placements: Sequence[Placement]) -> set[UUID]:
    """Give the seats that led to a placement, one replacing the other."""
    replaces = {each.hold_id: each.replaces for each in placements}
    former: set[UUID] = set()
    seat = placement.replaces
    while seat is not None and seat not in former:
        former.add(seat)
        seat = replaces.get(seat)
    return former
