"""The pieces that a family gives, as several pages list them, and what the site published."""

import unicodedata
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from shared.contract import Query, Rejection
from shared.contracts.documents import (
    ListPieces,
    Missing,
    MissingPieces,
    Piece,
    Pieces,
    Publication,
    PublishedDocuments,
)
from shared.contracts.enrolment import Campaign

from gateway.language import gettext as _
from gateway.language import marked
from gateway.people import Person

SEARCH: Final = "q"
"""What names the search in the address of a list."""

_PIECES_AWAY: Final = marked(
    "Les pièces à fournir sont momentanément indisponibles : rechargez cette page dans un instant."
)
_NOT_KNOWN_YET: Final = marked(
    "La liste des pièces à fournir sera affichée dans quelques instants."
)
_PUBLICATIONS_AWAY: Final = marked(
    "Les documents publiés par le conservatoire sont momentanément indisponibles : rechargez cette"
    " page dans un instant."
)


async def pieces_if_known(
    person: Person, campaign: Campaign | None, student_id: UUID | None, notices: list[str]
) -> Pieces | None:
    """Ask for the pieces of a student of the caller's, or of the family alone, where there is a
    campaign to give them in.
    """
    if campaign is None:
        return None
    question = ListPieces(campaign_id=campaign.id, student_id=student_id)
    return await _if_known(person, question, notices, _PIECES_AWAY, _NOT_KNOWN_YET)


async def missing_if_known(
    person: Person, campaign: Campaign | None, student_id: UUID, notices: list[str]
) -> Missing | None:
    """Ask what a student's application still lacks (S73)."""
    if campaign is None:
        return None
    question = MissingPieces(
        campaign_id=campaign.id, family_id=person.caller.family(), student_id=student_id
    )
    return await _if_known(person, question, notices, _PIECES_AWAY, _NOT_KNOWN_YET)


async def publications_if_known(
    person: Person, student_id: UUID, notices: list[str]
) -> tuple[Publication, ...] | None:
    """Ask for what the site published for a student (S18)."""
    question = PublishedDocuments(student_id=student_id)
    return await _if_known(person, question, notices, _PUBLICATIONS_AWAY)


def searched(pieces: Pieces, search: str) -> Pieces:
    """Keep the pieces whose name, or a file's, has every word of ``search``, accents aside."""
    wanted = _plain(search).split()
    return pieces.model_copy(
        update={
            "family": tuple(piece for piece in pieces.family if _has(piece, wanted)),
            "student": tuple(piece for piece in pieces.student if _has(piece, wanted)),
        }
    )


async def _if_known[Answer](
    person: Person, question: Query[Answer], notices: list[str], away: str, not_known_yet: str = ""
) -> Answer | None:
    """Ask documents for a part of a page, and say once what is absent from it.

    Documents learns of campaigns and families from events: it may be a moment late.
    """
    absent: list[str] = []
    try:
        answer = await person.ask_if_up(question, absent, away)
    except Rejection as refusal:
        if refusal.status != 404:
            raise
        answer = None
        absent.append(not_known_yet and _(not_known_yet))
    notices += [text for text in absent if text and text not in notices]
    return answer


def _has(piece: Piece, wanted: Iterable[str]) -> bool:
    files = (one.filename for one in (piece.document, piece.attempt) if one)
    texts = _plain(" ".join((piece.name, *files)))
    return all(word in texts for word in wanted)


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
