"""The pieces that a family gave, to read outside the wizard."""

from uuid import UUID

from shared.contract import Rejection
from shared.contracts.documents import ListPieces, Pieces
from shared.contracts.enrolment import Campaign

from gateway.people import Person


async def pieces_if_known(
    person: Person, campaign: Campaign | None, student_id: UUID | None, notices: list[str]
) -> Pieces | None:
    """Ask for the pieces of a student of the caller's, where there is a campaign to give them in.

    Documents learns of campaigns and families from events: it may be a moment late.
    """
    if campaign is None or student_id is None:
        return None
    try:
        return await person.ask_if_up(
            ListPieces(campaign_id=campaign.id, student_id=student_id),
            notices,
            "Les pièces à fournir sont momentanément indisponibles.",
        )
    except Rejection as refusal:
        if refusal.status != 404:
            raise
        notices.append("La liste des pièces à fournir sera affichée dans quelques instants.")
        return None
