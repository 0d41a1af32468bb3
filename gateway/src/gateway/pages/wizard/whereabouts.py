"""Whose an application is, and in which campaign: it hardly changes, so a replica remembers it.

Knowing it, a page asks every service at the same time; not yet, or not any more, it asks in turn.
Each replica is told of an application as soon as it is begun on any; of those begun before it
started, it knows what it has shown. It says nothing of who may see what: each service answers that
for itself.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from shared.contracts.courses import CourseRows
from shared.contracts.documents import ListPieces, MissingPieces
from shared.contracts.enrolment import (
    Application,
    ApplicationStarted,
    Campaign,
    ListMyApplications,
)
from shared.feed import Feed, Told

from gateway.people import Person

_REMEMBERED_AT_MOST: Final = 20_000


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """A student in a campaign."""

    campaign_id: UUID
    student_id: UUID


_opens_at: dict[UUID, datetime] = {}
"""When each campaign opens, as it was last shown."""
_of_applications: OrderedDict[UUID, Whereabouts] = OrderedDict()
_present: dict[UUID, Campaign] = {}
"""The campaign of each site as it was last shown."""
_begun: OrderedDict[UUID, tuple[Whereabouts, ...]] = OrderedDict()
"""The students of each family whose application was begun, as they were last shown."""


async def follow(feed: Feed[ApplicationStarted]) -> None:
    """Take note of every application that is begun, for ever."""

    async def read(told: Told[ApplicationStarted]) -> None:
        async for started in told:
            known = Whereabouts(started.campaign_id, started.student_id)
            _note(_of_applications, started.application_id, known)

    await feed.follow(read)


def remember(application: Application) -> None:
    """Take note of an application that was just shown; the longest unseen is forgotten."""
    campaign = application.campaign
    _opens_at[campaign.id] = campaign.opens_at
    _note(_of_applications, application.id, Whereabouts(campaign.id, application.student_id))


def remember_present(campaign: Campaign) -> None:
    """Take note of the present campaign of a site."""
    _opens_at[campaign.id] = campaign.opens_at
    _present[campaign.site_id] = campaign


def remember_begun(person: Person, campaign: Campaign, student_ids: Iterable[UUID]) -> None:
    """Take note of whose applications were begun in the caller's family."""
    begun = tuple(Whereabouts(campaign.id, each) for each in student_ids)
    _note(_begun, person.caller.family(), begun)


def of_application(application_id: UUID) -> Whereabouts | None:
    """Give what an application is of, where it was told or shown before."""
    return _of_applications.get(application_id)


def of_student(person: Person, student_id: UUID) -> Whereabouts | None:
    """Give a student in the present campaign of the caller's site, where it was shown before."""
    campaign = _present.get(person.caller.site_id) if person.caller.site_id else None
    return Whereabouts(campaign.id, student_id) if campaign else None


def of_begun(person: Person) -> tuple[Whereabouts, ...]:
    """Give the students of the caller's family whose application was begun, as last shown."""
    family_id = person.caller.family_id
    return _begun.get(family_id, ()) if family_id else ()


def foresee_rows(person: Person, known: Whereabouts | None) -> None:
    """Ask now for the rows of a student's courses; there are none before the campaign opens."""
    if known is not None and _is_open(known.campaign_id):
        person.foresee(CourseRows(campaign_id=known.campaign_id, student_id=known.student_id))


def foresee_siblings(person: Person, known: Whereabouts | None) -> None:
    """Ask now for the other children's applications, which step 4 offers once it is open."""
    if known is not None and _is_open(known.campaign_id):
        person.foresee(ListMyApplications())


def foresee_pieces(person: Person, known: Whereabouts | None) -> None:
    """Ask now for the pieces to provide."""
    if known is not None:
        person.foresee(ListPieces(campaign_id=known.campaign_id, student_id=known.student_id))


def foresee_family_pieces(person: Person) -> None:
    """Ask now for the family's own pieces to provide in the present campaign of its site."""
    campaign = _present.get(person.caller.site_id) if person.caller.site_id else None
    if campaign is not None:
        person.foresee(ListPieces(campaign_id=campaign.id, student_id=None))


def foresee_missing(person: Person, known: Whereabouts | None) -> None:
    """Ask now for the pieces that are missing."""
    if known is not None:
        question = MissingPieces(
            campaign_id=known.campaign_id,
            family_id=person.caller.family(),
            student_id=known.student_id,
        )
        person.foresee(question)


def _is_open(campaign_id: UUID) -> bool:
    """Tell whether a campaign is known to be open: the page itself looks again."""
    opens_at = _opens_at.get(campaign_id)
    return opens_at is not None and datetime.now(UTC) >= opens_at


def _note[Known](noted: OrderedDict[UUID, Known], about: UUID, known: Known) -> None:
    noted[about] = known
    noted.move_to_end(about)
    if len(noted) > _REMEMBERED_AT_MOST:
        noted.popitem(last=False)
