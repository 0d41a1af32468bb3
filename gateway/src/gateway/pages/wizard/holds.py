"""How long a seat is held, and keeping it longer (S63; WCAG 2.2.1)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from pydantic import AfterValidator, BaseModel, Field
from shared.contract import Rejection
from shared.contracts.courses import Hold, RenewHolds

from gateway import formats
from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.wizard.frame import Typed
from gateway.people import Person

PROLONG: Final = "prolonger"
"""The button's name; its value names the hold."""
_ENDED: Final = marked("Cette place n'est plus retenue : choisissez de nouveau un créneau.")

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


@dataclass(frozen=True, slots=True)
class KeptLonger:
    """What became of a seat whose button was pressed; no ``hold`` where it has ended."""

    text: str
    hold: Hold | None


async def prolong_one(person: Person, hold_id: UUID) -> KeptLonger:
    """Keep a seat longer; say until when, or that nothing more can be given."""
    asked_at = datetime.now(UTC)
    holds = await person.ask(RenewHolds(hold_ids=(hold_id,)))
    if not holds:
        return KeptLonger(_(_ENDED), None)
    return KeptLonger(_text(holds[0], asked_at), holds[0])


def _kept(hold: Hold, asked_at: datetime) -> HoldKept:
    return HoldKept(
        id=hold.id,
        expires_at=hold.expires_at,
        until=formats.instant(hold.expires_at),
        text=_text(hold, asked_at),
    )


def _text(hold: Hold, asked_at: datetime) -> str:
    if hold.state == "claimed":
        return _("Place gardée pour votre demande : %(label)s.", label=hold.label)
    until = _(
        "Place retenue jusqu'au %(until)s : %(label)s.",
        until=formats.instant(hold.expires_at),
        label=hold.label,
    )
    if hold.expires_at + _CLOCKS_APART >= asked_at + _WHOLE_TERM:
        return until
    most = _("Les 60 minutes sont atteintes : ce délai ne peut plus être prolongé.")
    return f"{until} {most}"


ROUTES = [prolong]
