"""The re-enrolment of one student in one campaign, step by step."""

import asyncio
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi.spec import Tag
from litestar.params import FromPath, RequestBody
from pydantic import Field
from shared.contract import Contract
from shared.contracts.enrolment import (
    AbandonAmendment,
    AmendApplication,
    Application,
    Authorisations,
    CompleteStep,
    CourseChoice,
    DeclineReenrolment,
    ListMyApplications,
    MyApplications,
    RecordAuthorisations,
    RecordCourseChoices,
    Remarks,
    ShowApplication,
    StartApplication,
    SubmitApplication,
    TakeBackDecline,
)
from shared.contracts.notifications import Delivery, ListDeliveries

from gateway.api.operations import CHANGED, MINE
from gateway.people import Person

TAG = Tag(
    name="Applications", description="The re-enrolment of one student in one campaign, by steps."
)


class Choices(Contract):
    """What is decided of each course followed this year (step 4)."""

    choices: tuple[CourseChoice, ...]
    remarks: Remarks = ""


class Submission(Contract):
    """The acceptance of the text shown at the recap (step 5); of an amendment, the receipt number
    of the request that it replaces.
    """

    accepted_text_version: str = Field(min_length=1)
    remarks: Remarks | None = None
    replaces_receipt_number: str | None = None


class Decline(Contract):
    """Which student is not re-enrolled, in which campaign."""

    application_id: UUID
    campaign_id: UUID
    student_id: UUID


@get("/campaign-applications", responses=MINE)
async def list_my_applications(person: NamedDependency[Person]) -> MyApplications:
    """Give the present campaign of the family's site, if any, and its applications in it."""
    return await person.ask(ListMyApplications())


@post("/applications", status_code=200, responses=CHANGED)
async def start_application(
    data: RequestBody[StartApplication], person: NamedDependency[Person]
) -> Application:
    """Begin ("Je souhaite réinscrire"): answers the student's application in the campaign.

    `application_id` is the client's. Where the student has an application already, it is answered
    as it is, with its own identifier; a declined one becomes a draft again. Refused:
    `campaign_not_open`, `campaign_closed`.
    """
    return await person.ask(data)


@get("/applications/{application_id:uuid}", responses=MINE)
async def show_application(
    application_id: FromPath[UUID], person: NamedDependency[Person]
) -> Application:
    """Give one application; `step_reached` is the next step to do."""
    return await person.ask(ShowApplication(application_id=application_id))


@put("/applications/{application_id:uuid}/steps/{step:int}", responses=CHANGED)
async def complete_step(
    application_id: FromPath[UUID], step: FromPath[Literal[1, 3]], person: NamedDependency[Person]
) -> Application:
    """Say that step 1 (contact details) or 3 (documents) is done.

    Their content is sent to the operations of families and documents. This and the other steps are
    refused with `steps_missing`, `campaign_not_open`, `campaign_closed`, `already_submitted` or
    `already_declined`.
    """
    return await person.ask(CompleteStep(application_id=application_id, step=step))


@put("/applications/{application_id:uuid}/authorisations", responses=CHANGED)
async def record_authorisations(
    application_id: FromPath[UUID],
    data: RequestBody[Authorisations],
    person: NamedDependency[Person],
) -> Application:
    """Record the two answers of step 2 and the version of the text that was shown."""
    return await person.ask(
        RecordAuthorisations(application_id=application_id, authorisations=data)
    )


@put("/applications/{application_id:uuid}/choices", responses=CHANGED)
async def record_course_choices(
    application_id: FromPath[UUID], data: RequestBody[Choices], person: NamedDependency[Person]
) -> Application:
    """Record step 4: one choice a row, with the hold and the course where a slot was chosen.

    Refused besides with `invalid_choices`: a row twice, a hold without its course, or a slot
    without a hold.
    """
    return await person.ask(
        RecordCourseChoices(
            application_id=application_id, choices=data.choices, remarks=data.remarks
        )
    )


@post(
    "/applications/{application_id:uuid}/submission",
    status_code=200,
    responses=CHANGED,
)
async def submit_application(
    application_id: FromPath[UUID], data: RequestBody[Submission], person: NamedDependency[Person]
) -> Application:
    """File the request ("Valider"), or its amendment. Filing it again changes nothing: one receipt.

    Refused: `steps_missing`, `seat_not_held` (the hold expired: hold again, then record the
    choices), `hold_not_known_yet` (repeat in a moment), `nothing_asked` (no course and no remark),
    `campaign_not_open`, `campaign_closed`, `already_declined`, `amendment_abandoned` (the request
    stands).
    """
    received_at = datetime.now(UTC)
    return await person.ask(
        SubmitApplication(
            application_id=application_id,
            received_at=received_at,
            accepted_text_version=data.accepted_text_version,
            remarks=data.remarks,
            replaces_receipt_number=data.replaces_receipt_number,
        )
    )


@get("/applications/{application_id:uuid}/deliveries", responses=MINE)
async def list_deliveries(
    application_id: FromPath[UUID], person: NamedDependency[Person]
) -> tuple[Delivery, ...]:
    """Give the receipts of one application and where they stand, the latest first.

    One may be sent again from `again_from` on; it has none while it is on its way, or where the
    family has no address.
    """
    _, deliveries = await asyncio.gather(
        person.ask(ShowApplication(application_id=application_id)),
        person.ask(ListDeliveries(application_id=application_id)),
    )
    return deliveries


@post("/applications/{application_id:uuid}/amendment", status_code=200, responses=CHANGED)
async def amend_application(
    application_id: FromPath[UUID], person: NamedDependency[Person]
) -> Application:
    """Change a submitted request ("Modifier la demande"); one that is being changed goes on.

    The answer has an `amendment`: the steps then change that, and the submission that names the
    present receipt files it in the place of the request, with a receipt of its own. Until then the
    request stands, and none of its seats is let go of. Refused: `not_submitted`,
    `claims_not_known_yet` (repeat in a moment), `campaign_not_open`, `campaign_closed`.
    """
    received_at = datetime.now(UTC)
    return await person.ask(
        AmendApplication(application_id=application_id, received_at=received_at)
    )


@delete("/applications/{application_id:uuid}/amendment", status_code=200, responses=CHANGED)
async def abandon_amendment(
    application_id: FromPath[UUID], person: NamedDependency[Person]
) -> Application:
    """Leave the request as it was submitted. Release what was held for the amendment besides."""
    return await person.ask(AbandonAmendment(application_id=application_id))


@post("/declines", status_code=200, responses=CHANGED)
async def decline_reenrolment(
    data: RequestBody[Decline], person: NamedDependency[Person]
) -> Application:
    """Decline ("Je ne souhaite pas réinscrire"), or withdraw what was submitted.

    The student's seats are freed; the answer has a receipt of its own. `application_id` is the
    client's where the student had no application. Refused: `campaign_not_open`, `campaign_closed`.
    """
    received_at = datetime.now(UTC)
    return await person.ask(
        DeclineReenrolment(
            application_id=data.application_id,
            campaign_id=data.campaign_id,
            student_id=data.student_id,
            received_at=received_at,
        )
    )


@delete("/declines/{application_id:uuid}", status_code=200, responses=CHANGED)
async def take_back_decline(
    application_id: FromPath[UUID], person: NamedDependency[Person]
) -> Application:
    """Take a decline back: the application is a draft again. Refused: `campaign_closed`."""
    received_at = datetime.now(UTC)
    return await person.ask(TakeBackDecline(application_id=application_id, received_at=received_at))


ROUTES = [
    list_my_applications,
    start_application,
    show_application,
    complete_step,
    record_authorisations,
    record_course_choices,
    submit_application,
    amend_application,
    abandon_amendment,
    list_deliveries,
    decline_reenrolment,
    take_back_decline,
]
