"""How long a seat is held, and keeping it longer (S63; WCAG 2.2.1)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from pydantic import AfterValidator, BaseModel, Field
from shared.contract import Rejection
from shared.contracts.courses import Hold, RenewHolds

from gateway.pages.wizard.frame import Typed
from gateway.people import Person
from gateway.rendering import instant_fr

PROLONG: Final = "prolonger"
"""The button's name; its value names the hold."""
ENDED: Final = "Cette place n'est plus retenue : choisissez de nouveau un créneau."

_WHOLE_TERM: Final = timedelta(minutes=20)
"""What a renewal gives; less is the end of what can be given."""
_CLOCKS_APART: Final = timedelta(seconds=30)


class HoldsNamed(BaseModel):
    """The holds that a page shows."""

    hold_ids: Annotated[
        list[UUID],
        Field(min_length=1, max_length=20),
        AfterValidator(lambda ids: list(dict.fromkeys(ids))),
    ]


class HoldKept(BaseModel):
    """A hold prolonged, as the page says it."""

    id: UUID
    expires_at: datetime
    until: str
    text: str


class HoldsKept(BaseModel):
    """What became of the holds asked for: one that is not here has ended. ``now`` is the server's
    clock, by which the script counts.
    """

    now: datetime
    holds: list[HoldKept]


@post("/places/prolonger", status_code=200)
async def prolong(person: NamedDependency[Person], data: JSONBody[HoldsNamed]) -> HoldsKept:
    """Prolong the holds of the page that the script watches."""
    asked_at = datetime.now(UTC)
    holds = await person.ask(RenewHolds(hold_ids=tuple(data.hold_ids)))
    return HoldsKept(now=datetime.now(UTC), holds=[_kept(hold, asked_at) for hold in holds])


def prolonged_in(posted: Typed) -> UUID | None:
    """Give the hold of the button pressed, if it was one of these."""
    value = next((text for name, text in posted if name == PROLONG), None)
    if value is None:
        return None
    try:
        return UUID(value)
    except ValueError:
        raise Rejection.not_found() from None


async def prolong_one(person: Person, hold_id: UUID) -> str:
    """Keep a seat longer; say until when, or that nothing more can be given."""
    asked_at = datetime.now(UTC)
    holds = await person.ask(RenewHolds(hold_ids=(hold_id,)))
    return _text(holds[0], asked_at) if holds else ENDED


async def renew(
    person: Person, hold_ids: Sequence[UUID], notices: list[str], away: str
) -> tuple[Hold, ...] | None:
    """Prolong the holds that a page counts on, where courses answers.

    A seat that courses does not know is not held.
    """
    if not hold_ids:
        return ()
    try:
        question = RenewHolds(hold_ids=tuple(dict.fromkeys(hold_ids)))
        return await person.ask_if_up(question, notices, away)
    except Rejection:
        return ()


def _kept(hold: Hold, asked_at: datetime) -> HoldKept:
    return HoldKept(
        id=hold.id,
        expires_at=hold.expires_at,
        until=instant_fr(hold.expires_at),
        text=_text(hold, asked_at),
    )


def _text(hold: Hold, asked_at: datetime) -> str:
    if hold.state == "claimed":
        return f"Place gardée pour votre demande : {hold.label}."
    until = f"Place retenue jusqu'au {instant_fr(hold.expires_at)} : {hold.label}."
    if hold.expires_at + _CLOCKS_APART >= asked_at + _WHOLE_TERM:
        return until
    return f"{until} Les 60 minutes sont atteintes : ce délai ne peut plus être prolongé."


ROUTES = [prolong]
