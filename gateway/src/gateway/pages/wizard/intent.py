"""The two answers to a campaign: "Je souhaite réinscrire", or not (S20 to S22)."""

from datetime import UTC, datetime
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Template
from pydantic import BaseModel
from shared.contract import Rejection
from shared.contracts.enrolment import (
    Application,
    DeclineReenrolment,
    ListMyApplications,
    MyApplications,
    ShowApplication,
    StartApplication,
    TakeBackDecline,
)
from shared.identifiers import new_id

from gateway.forms import Form, YesNo
from gateway.pages.rendered import page
from gateway.pages.wizard.frame import (
    CAMPAIGN_CLOSED,
    DONE,
    CampaignClosed,
    Elsewhere,
    ask_family,
    find_student,
    is_left_at_closing,
    present_path,
    step_path,
    student_name,
    typed,
)
from gateway.people import HttpRequest, Person


class Intent(BaseModel):
    """The hidden inputs of both answers: the page minted the identifier.

    ``withdraws`` where the page spoke of a request already sent.
    """

    campaign_id: UUID
    application_id: UUID
    withdraws: YesNo = False


@post("/reinscription/{student_id:uuid}/souhaite")
async def wish(
    request: HttpRequest, person: NamedDependency[Person], student_id: FromPath[UUID]
) -> Redirect:
    """Begin the six steps, or go on with them (S21)."""
    intent = _intent(request)
    application = await person.ask(
        StartApplication(
            application_id=intent.application_id,
            campaign_id=intent.campaign_id,
            student_id=student_id,
        )
    )
    return Redirect(present_path(application), status_code=303)


@get("/reinscription/{student_id:uuid}/ne-souhaite-pas")
async def confirm_decline(
    request: HttpRequest, person: NamedDependency[Person], student_id: FromPath[UUID]
) -> Template:
    """Ask to confirm a refusal, or that a request already sent is withdrawn (S22, S74)."""
    mine = await person.ask(ListMyApplications())
    return await _confirmation(request, person, student_id, mine)


@post("/reinscription/{student_id:uuid}/ne-souhaite-pas")
async def decline(
    request: HttpRequest, person: NamedDependency[Person], student_id: FromPath[UUID]
) -> Template | Redirect:
    """Record the refusal; its page shows the receipt's number.

    A request sent since the page was made is not withdrawn unseen: that is asked first.
    """
    received_at = datetime.now(UTC)
    intent = _intent(request)
    if not intent.withdraws:
        mine = await person.ask(ListMyApplications())
        begun = _begun(mine, student_id)
        if begun and begun.state == "submitted":
            return await _confirmation(request, person, student_id, mine)
    question = DeclineReenrolment(
        application_id=intent.application_id,
        campaign_id=intent.campaign_id,
        student_id=student_id,
        received_at=received_at,
    )
    try:
        application = await person.ask(question)
    except Rejection as refusal:
        if refusal.code != CAMPAIGN_CLOSED:
            raise
        mine = await person.ask(ListMyApplications())
        return _too_late(request, _begun(mine, student_id), refusal)
    return Redirect(step_path(application.id, DONE), status_code=303)


@post("/dossiers/{application_id:uuid}/reprendre")
async def take_back(person: NamedDependency[Person], application_id: FromPath[UUID]) -> Redirect:
    """Take the refusal back: the application goes on where it was."""
    received_at = datetime.now(UTC)
    application = await person.ask(
        TakeBackDecline(application_id=application_id, received_at=received_at)
    )
    return Redirect(present_path(application), status_code=303)


@get("/dossiers/{application_id:uuid}")
async def resume(person: NamedDependency[Person], application_id: FromPath[UUID]) -> Redirect:
    """Go on at the last step reached, on any device (S23)."""
    application = await person.ask(ShowApplication(application_id=application_id))
    return Redirect(present_path(application), status_code=303)


async def _confirmation(
    request: HttpRequest, person: Person, student_id: UUID, mine: MyApplications
) -> Template:
    notices: list[str] = []
    family = await ask_family(person, notices)
    is_unknown = family is not None and find_student(family, student_id) is None
    if mine.campaign is None or is_unknown:
        raise Rejection.not_found()
    begun = _begun(mine, student_id)
    if begun and (begun.state == "declined" or is_left_at_closing(begun)):
        raise Elsewhere(present_path(begun))
    if datetime.now(UTC) >= mine.campaign.closes_at:
        return _too_late(request, begun, CampaignClosed(mine.campaign))
    context = {
        "campaign": mine.campaign,
        "application_id": begun.id if begun else new_id(),
        "filed": begun.receipt if begun else None,
        "student_id": student_id,
        "student_name": student_name(family, student_id),
    }
    return page(request, "wizard/ne-souhaite-pas.html", context, notices=notices)


def _too_late(request: HttpRequest, begun: Application | None, refusal: Rejection) -> Template:
    """Say that a request sent before the closing stays as it is; otherwise raise the refusal."""
    if begun is None or begun.state != "submitted":
        raise refusal
    context = {"closes_at": begun.campaign.closes_at, "filed_path": step_path(begun.id, DONE)}
    return page(request, "wizard/retrait-tardif.html", context, status_code=refusal.status)


def _begun(mine: MyApplications, student_id: UUID) -> Application | None:
    return next((one for one in mine.applications if one.student_id == student_id), None)


def _intent(request: HttpRequest) -> Intent:
    """Read the hidden inputs; a form of ours always has them."""
    intent = Form.read(Intent, typed(request)).value
    if intent is None:
        raise Rejection.not_found()
    return intent


ROUTES = [wish, confirm_decline, decline, take_back, resume]
