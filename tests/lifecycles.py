"""An application and its campaign, valid by default, and what a family does with it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from enrolment import lifecycle
from enrolment import progress as steps
from enrolment.progress import KnownHold, Progress
from shared.contract import Rejection
from shared.contracts.enrolment import Authorisations, Campaign, CourseChoice, Receipt

SECOND = timedelta(seconds=1)
ANSWERS = Authorisations(image_rights=True, leaves_alone=False, text_version="2027-1")
CAMPAIGN = Campaign(
    id=uuid4(),
    site_id=uuid4(),
    school_year="2027-2028",
    prepares_at=datetime(2027, 5, 1, 8, tzinfo=UTC),
    opens_at=datetime(2027, 6, 1, 7, tzinfo=UTC),
    closes_at=datetime(2027, 7, 1, 10, tzinfo=UTC),
    documents_due_at=datetime(2027, 9, 30, 22, tzinfo=UTC),
)
OPEN = CAMPAIGN.opens_at + timedelta(days=1)


def choice(**changes: object) -> CourseChoice:
    """A row whose slot is chosen and held."""
    values = {
        "follow_id": uuid4(),
        "re_enrol": True,
        "label": "FM 2.1 (33) - JEUDI - 17.00 à 18.30",
        "course_id": uuid4(),
        "hold_id": uuid4(),
    }
    return CourseChoice.model_validate(values | changes)


CHOICE = choice()
RECAP = Progress(step_reached=steps.RECAP, authorisations=ANSWERS, choices=(CHOICE,))


def hold(of: CourseChoice = CHOICE, **changes: object) -> dict[UUID, KnownHold]:
    """What is known of the choice's hold: it ends twenty minutes after ``OPEN``."""
    assert of.hold_id
    assert of.course_id
    known = KnownHold(
        follow_id=of.follow_id,
        course_id=of.course_id,
        label=of.label,
        expires_at=OPEN + timedelta(minutes=20),
        released=False,
        claimed=False,
    )
    return {of.hold_id: replace(known, **changes)}  # type: ignore[arg-type]


def receipt(at: datetime = OPEN, number: str = "MEU-2027-000001-A") -> Receipt:
    return Receipt(number=number, received_at=at)


def submit(
    progress: Progress = RECAP,
    *,
    at: datetime = OPEN,
    holds: dict[UUID, KnownHold] | None = None,
    number: str = "MEU-2027-000001-A",
    remarks: str | None = None,
    replaces: str | None = None,
) -> Progress:
    return lifecycle.submit(
        progress,
        CAMPAIGN,
        hold() if holds is None else holds,
        receipt=receipt(at, number),
        accepted_text_version="2027-1",
        remarks=remarks,
        replaces=replaces,
    )


def decline(progress: Progress, at: datetime = OPEN) -> Progress:
    return lifecycle.decline(progress, CAMPAIGN, receipt=receipt(at))


def refusal(act: Callable[[], object]) -> Rejection:
    with pytest.raises(Rejection) as refused:
        act()
    return refused.value
