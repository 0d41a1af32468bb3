"""The children of a family side by side, with what is left to do for each (S10, S20, S63, S66)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.contracts.courses import PlaceState, WaitingPlace
from shared.contracts.documents import Missing, MissingPiece, Owner
from shared.contracts.enrolment import CourseChoice

from gateway.pages.intents import Intent, Intents
from gateway.pages.wizard.frame import COURSES, RECAP, at_work


@dataclass(frozen=True, slots=True)
class Card:
    """One child: what was decided, and what waits for the family.

    ``is_ready`` is a draft whose next step opens with the campaign: everything that could be
    prepared is.
    """

    intent: Intent
    steps_left: tuple[int, ...]
    is_ready: bool
    held: tuple[CourseChoice, ...]
    offers: tuple[WaitingPlace, ...]
    waits: tuple[WaitingPlace, ...]
    missing: tuple[MissingPiece, ...]


def cards(
    shown: Intents,
    places: Sequence[WaitingPlace],
    missing: Mapping[UUID, Missing],
    now: datetime,
) -> list[Card]:
    """Put together, for each child, what the services know."""
    return [
        Card(
            intent=intent,
            steps_left=_steps_left(intent, shown),
            is_ready=shown.phase == "preparation" and _next_step(intent) == COURSES,
            held=_held(intent, shown, now),
            offers=_places(intent, places, "offered"),
            waits=_places(intent, places, "waiting"),
            missing=tuple(_pieces([missing.get(intent.student_id)], "student", now)),
        )
        for intent in shown.students
    ]


def family_pieces(missing: Mapping[UUID, Missing], now: datetime) -> list[MissingPiece]:
    """Give the family's own missing pieces once: each serves all its students (S56)."""
    return _pieces(missing.values(), "family", now)


def _pieces(lacking: Iterable[Missing | None], owner: Owner, now: datetime) -> list[MissingPiece]:
    """Give the pieces that may still be given, each once."""
    pieces = {
        piece.type_code: piece
        for each in lacking
        if each is not None and now < each.due_at
        for piece in each.pieces
        if piece.owner == owner
    }
    return list(pieces.values())


def _places(
    intent: Intent, places: Sequence[WaitingPlace], state: PlaceState
) -> tuple[WaitingPlace, ...]:
    return tuple(
        each for each in places if each.student_id == intent.student_id and each.state == state
    )


def _held(intent: Intent, shown: Intents, now: datetime) -> tuple[CourseChoice, ...]:
    """Give the choices not submitted yet whose seat is to be confirmed before it ends."""
    if shown.phase != "open" or _next_step(intent) is None or intent.application is None:
        return ()
    return tuple(
        choice
        for choice in at_work(intent.application).choices
        if choice.held_until is not None and choice.held_until > now
    )


def _next_step(intent: Intent) -> int | None:
    application = intent.application and at_work(intent.application)
    if application is None or application.state != "draft":
        return None
    return min(application.step_reached, RECAP)


def _steps_left(intent: Intent, shown: Intents) -> tuple[int, ...]:
    following = _next_step(intent)
    if following is None or shown.phase not in {"preparation", "open"}:
        return ()
    if intent.application and intent.application.amendment:
        # a request that was sent lacks nothing
        return ()
    return tuple(range(following, RECAP + 1))
