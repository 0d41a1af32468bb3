"""Amending: how a family changes the request that it submitted, until the campaign closes (S74).

::

    submitted ── amend ──▶ submitted, with an amendment ── submit ──▶ submitted, by a new receipt
        ▲                       │  ▲
        └────── abandon ────────┘  └─ complete, authorise, choose

The request stands as it was, its seats claimed, until the amendment is submitted in its place; one
that is not, at closing, changes nothing. Pure functions, as those of :mod:`enrolment.lifecycle`.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from shared.contract import Rejection
from shared.contracts.enrolment import Campaign

from enrolment.lifecycle import require_open, without_seat
from enrolment.progress import COURSES, RECAP, Amendment, Progress


def amend(
    progress: Progress,
    campaign: Campaign,
    at: datetime,
    *,
    is_claimed: bool,
    missing: Collection[UUID],
) -> Progress:
    """Begin to change a submitted request, from the recap; one that is being changed goes on.

    ``is_claimed`` once courses has told what became of its seats, ``missing`` those that it could
    not give: these are to choose again.
    """
    if progress.state != "submitted":
        raise Rejection(
            "not_submitted",
            "Cette demande n'a pas été transmise, ou elle a été retirée : rien n'est à modifier.",
        )
    require_open(campaign, at, since=campaign.opens_at)
    if progress.amendment:
        return progress
    if not is_claimed:
        raise Rejection(
            "claims_not_known_yet",
            "Votre demande vient d'être transmise, et ses places sont en cours d'enregistrement."
            " Réessayez dans un instant.",
            retry_after_seconds=1,
        )
    lost = {choice.hold_id for choice in progress.choices if choice.hold_id in missing}
    draft = replace(
        progress,
        state="draft",
        step_reached=COURSES if lost else RECAP,
        choices=tuple(
            without_seat(choice) if choice.hold_id in lost else choice
            for choice in progress.choices
        ),
        accepted_text_version=None,
        receipt=None,
    )
    return replace(progress, amendment=Amendment(at, draft))


def abandon(progress: Progress, started_at: datetime | None = None) -> Progress:
    """Leave the request as it was submitted, and forget the amendment begun at that instant."""
    amendment = progress.amendment
    if amendment and started_at and amendment.started_at != started_at:
        return progress
    return replace(progress, amendment=None)


def change_at_work(progress: Progress, change: Callable[[Progress], Progress]) -> Progress:
    """Apply a step to what the family works on: its draft, or the amendment of its request."""
    if progress.amendment is None:
        return change(progress)
    amended = replace(progress.amendment, draft=change(progress.amendment.draft))
    return replace(progress, amendment=amended)
