"""Where an application stands, as a value."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from shared.contracts.enrolment import ApplicationState, Authorisations, CourseChoice, Receipt

CONTACT_DETAILS: Final = 1
AUTHORISATIONS: Final = 2
DOCUMENTS: Final = 3
COURSES: Final = 4
RECAP: Final = 5
DONE: Final = 6

HOLD_MARGIN = timedelta(minutes=2)
"""How long past its shown end a held seat still counts: less than courses keeps it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an application stands. ``step_reached`` is the next step to do: all before are done.

    ``chosen_at`` is since when the choices stand; ``given_up`` are the holds that a refusal freed.
    A submitted one may have an ``amendment``.
    """

    state: ApplicationState = "draft"
    step_reached: int = CONTACT_DETAILS
    authorisations: Authorisations | None = None
    choices: tuple[CourseChoice, ...] = ()
    chosen_at: datetime | None = None
    given_up: frozenset[UUID] = frozenset()
    remarks: str = ""
    accepted_text_version: str | None = None
    receipt: Receipt | None = None
    amendment: "Amendment | None" = None

    @property
    def at_work(self) -> "Progress":
        """Give what the family's steps change: the draft, or that of its amendment."""
        return self.amendment.draft if self.amendment else self


@dataclass(frozen=True, slots=True)
class Amendment:
    """What a family changes in the request that it submitted, which stands until this is too."""

    started_at: datetime
    draft: Progress


@dataclass(frozen=True, slots=True)
class KnownHold:
    """What is known here of a seat that courses holds.

    One that was ``replaced``, by a later request, serves no more, though it was claimed;
    ``replaces`` is the seat in whose place it was given.
    """

    follow_id: UUID
    course_id: UUID
    label: str
    expires_at: datetime
    released: bool
    claimed: bool
    replaced: bool = False
    replaces: UUID | None = None

    @property
    def is_lost(self) -> bool:
        """Tell whether it is nobody's here any more."""
        return self.replaced or (self.released and not self.claimed)

    def serves(self, choice: CourseChoice, at: datetime) -> bool:
        """Tell whether the seat is still kept at that instant, for that very choice."""
        if (self.follow_id, self.course_id) != (choice.follow_id, choice.course_id):
            return False
        if self.is_lost:
            return False
        return self.claimed or at <= self.expires_at + HOLD_MARGIN
