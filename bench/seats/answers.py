"""The answer to a wish and the event that tells it, as every contender gives them."""

from datetime import datetime, timedelta

from shared.contracts.courses import Hold, SeatsHeld

from bench.seats.school import CAMPAIGN_ID, Wish

HOLD = timedelta(minutes=20)


def held(wish: Wish, now: datetime) -> Hold:
    """Give the seat that was wished for, held from now."""
    request = wish.request
    return Hold(
        id=request.hold_id,
        student_id=request.student_id,
        follow_id=request.follow_id,
        course_id=wish.course_id,
        label=wish.label,
        state="held",
        expires_at=now + HOLD,
    )


def told(*holds: Hold) -> str:
    """Give the event of these answers, as the outbox has it."""
    return SeatsHeld(campaign_id=CAMPAIGN_ID, holds=holds).model_dump_json()
