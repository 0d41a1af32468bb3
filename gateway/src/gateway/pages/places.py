"""Seats and waiting lists, as several pages show them beside their main matter (S63, S66)."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from shared.contract import Rejection
from shared.contracts.courses import CourseRow, CourseRows, MyWaitingPlaces, WaitingPlace
from shared.contracts.enrolment import Campaign

from gateway.language import marked
from gateway.people import Person

WAITING_LISTS_AWAY: Final = marked(
    "Les listes d'attente sont momentanément indisponibles. Une place qui vous a été proposée vous"
    " reste réservée jusqu'à l'heure annoncée."
)
SEATS_AWAY: Final = marked(
    "Les places sont momentanément indisponibles : rechargez cette page dans un instant."
)


async def ask_waiting_places(person: Person, notices: list[str]) -> tuple[WaitingPlace, ...]:
    """Give the family's places on waiting lists, offers first, where courses answers."""
    return await person.ask_if_up(MyWaitingPlaces(), notices, WAITING_LISTS_AWAY) or ()


async def ask_present_rows(
    person: Person, campaign: Campaign | None, student_id: UUID, notices: list[str]
) -> dict[UUID, CourseRow]:
    """Give where the seat of each row stands now; there is none before the campaign opens."""
    if campaign is None or datetime.now(UTC) < campaign.opens_at:
        return {}
    rows = await ask_rows(person, campaign.id, student_id, notices)
    return {row.follow_id: row for row in rows}


async def ask_rows(
    person: Person, campaign_id: UUID, student_id: UUID, notices: list[str]
) -> tuple[CourseRow, ...]:
    """Ask for the rows of a student of the caller's, where courses answers.

    Courses learns of campaigns and families from events: what it does not know yet has no seat.
    """
    question = CourseRows(campaign_id=campaign_id, student_id=student_id)
    try:
        return await person.ask_if_up(question, notices, SEATS_AWAY) or ()
    except Rejection as refusal:
        if refusal.status != 404:
            raise
        return ()
