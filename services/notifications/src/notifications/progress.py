"""How far each family is, as enrolment and documents tell it: what reminders are decided on.

Events come in any order. Of an application the latest instant counts, and of two at one instant
the one that says more; of what a family lacks, what was reckoned last.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from shared.contracts.documents import PiecesReckoned
from shared.contracts.enrolment import (
    ApplicationStarted,
    ApplicationState,
    ApplicationSubmitted,
    DeclineTakenBack,
    ReenrolmentDeclined,
)
from shared.db import Transaction
from sqlalchemy.dialects.postgresql import insert

from notifications.tables import application, missing_pieces

_SAYS_MORE: Final[Mapping[ApplicationState, int]] = {"draft": 0, "submitted": 1, "declined": 2}

type _AnApplication = (
    ApplicationStarted | ApplicationSubmitted | ReenrolmentDeclined | DeclineTakenBack
)


async def remember_draft(event: ApplicationStarted, tx: Transaction) -> None:
    """Keep that a family began an application."""
    await _remember(tx, event, "draft", event.started_at)


async def remember_submission(event: ApplicationSubmitted, tx: Transaction) -> None:
    """Keep that a family sent its request."""
    await _remember(tx, event, "submitted", event.received_at)


async def remember_refusal(event: ReenrolmentDeclined, tx: Transaction) -> None:
    """Keep that a family does not re-enrol a student, or withdrew its request."""
    await _remember(tx, event, "declined", event.received_at)


async def remember_change_of_mind(event: DeclineTakenBack, tx: Transaction) -> None:
    """Keep that an application is a draft again."""
    await _remember(tx, event, "draft", event.received_at)


async def remember_missing_pieces(event: PiecesReckoned, tx: Transaction) -> None:
    """Keep what families lack: nothing is said of those that are complete."""
    rows = {
        family.family_id: {
            "campaign_id": event.campaign_id,
            "family_id": family.family_id,
            "reckoned_at": event.reckoned_at,
            "pieces": [piece.model_dump(mode="json") for piece in family.pieces],
        }
        for family in event.families
    }
    if not rows:
        return
    told = insert(missing_pieces).values([rows[key] for key in sorted(rows)])
    await tx.execute(
        told.on_conflict_do_update(
            index_elements=["campaign_id", "family_id"],
            set_={"pieces": told.excluded.pieces, "reckoned_at": told.excluded.reckoned_at},
            where=missing_pieces.c.reckoned_at < told.excluded.reckoned_at,
        )
    )


async def _remember(
    tx: Transaction, event: _AnApplication, state: ApplicationState, at: datetime
) -> None:
    told = insert(application).values(
        id=event.application_id,
        campaign_id=event.campaign_id,
        student_id=event.student_id,
        family_id=event.family_id,
        state=state,
        state_at=at,
    )
    says_less = [each for each, weight in _SAYS_MORE.items() if weight < _SAYS_MORE[state]]
    await tx.execute(
        told.on_conflict_do_update(
            index_elements=["id"],
            set_={"state": state, "state_at": at, "family_id": told.excluded.family_id},
            where=sa.or_(
                application.c.state_at < at,
                sa.and_(application.c.state_at == at, application.c.state.in_(says_less)),
            ),
        )
    )
