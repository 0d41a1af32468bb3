"""What the six steps share: how far an application is, and the frame of its pages."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from litestar.response import Redirect, Template
from shared.contract import Rejection
from shared.contracts.enrolment import Application, Campaign, ShowApplication
from shared.contracts.identity import Family, MyFamily, Student

from gateway.forms import Form
from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.rendered import page
from gateway.pages.wizard.whereabouts import remember
from gateway.people import HttpRequest, Person

CONTACT_DETAILS: Final = 1
AUTHORISATIONS: Final = 2
DOCUMENTS: Final = 3
COURSES: Final = 4
RECAP: Final = 5
DONE: Final = 6

PATHS: Final = {
    CONTACT_DETAILS: "coordonnees",
    AUTHORISATIONS: "autorisations",
    DOCUMENTS: "documents",
    COURSES: "cours",
    RECAP: "recapitulatif",
    DONE: "finalisation",
}
"""The last word of each step's address."""

CAMPAIGN_CLOSED: Final = "campaign_closed"
"""The code of what was refused because it came after the closing."""

FAMILY_AWAY: Final = marked(
    "Les coordonnées sont momentanément indisponibles : elles ne sont pas affichées."
)

type Typed = Sequence[tuple[str, str]]


class Elsewhere(Exception):
    """The page asked for is not where this application stands."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class AlreadyAnswered(Elsewhere):
    """A step is asked for of an application that was submitted or declined.

    ``why``, in the reader's language, where more is known than that.
    """

    def __init__(self, application: Application, why: str = "") -> None:
        super().__init__(present_path(application))
        self.application = application
        self.why = why


class CampaignClosed(Rejection):
    """What is asked for can no longer be done: a draft is read, and no step of it is done (S24)."""

    def __init__(self, campaign: Campaign) -> None:
        super().__init__(
            CAMPAIGN_CLOSED,
            marked("La campagne de réinscription est close depuis le %(closes_at)s."),
            closes_at=campaign.closes_at.isoformat(),
        )


def is_beyond_the_page(rejection: Rejection) -> bool:
    """Tell a refusal that the page which was sent cannot mend: nothing here, or closed."""
    return rejection.status == 404 or rejection.code == CAMPAIGN_CLOSED


def lead_elsewhere(request: HttpRequest, elsewhere: Elsewhere) -> Redirect:  # noqa: ARG001
    """Send the person where their application stands."""
    return Redirect(elsewhere.path, status_code=303)


def step_path(application_id: UUID, step: int) -> str:
    """Give the address of a step."""
    return f"/dossiers/{application_id}/{PATHS[step]}"


def at_work(application: Application) -> Application:
    """Give an application as its steps change it: until the closing, an amendment in the place of
    what was submitted, whose receipt it keeps (S74).
    """
    amendment = application.amendment
    if amendment is None or datetime.now(UTC) >= application.campaign.closes_at:
        return application
    return application.model_copy(
        update={
            "state": "draft",
            "step_reached": amendment.step_reached,
            "authorisations": amendment.authorisations,
            "choices": amendment.choices,
            "remarks": amendment.remarks,
        }
    )


def present_path(application: Application) -> str:
    """Give the address where a person goes on with an application (S23), or reads it again."""
    application = at_work(application)
    if is_left_at_closing(application):
        return left_path(application.id)
    is_draft = application.state == "draft"
    return step_path(application.id, min(application.step_reached, RECAP) if is_draft else DONE)


def left_path(application_id: UUID) -> str:
    """Give the address where a draft left at closing is read."""
    return f"/dossiers/{application_id}/brouillon"


def is_left_at_closing(application: Application) -> bool:
    """Tell a draft that can be sent no more."""
    return application.state == "draft" and datetime.now(UTC) >= application.campaign.closes_at


async def open_step(person: Person, application_id: UUID, step: int) -> Application:
    """Give an application whose ``step`` may be opened.

    Raises Elsewhere, or CampaignClosed, where it may not.
    """
    application = at_work(await person.ask(ShowApplication(application_id=application_id)))
    remember(application)
    is_amended_too_late = application.state == "submitted" and application.amendment is not None
    if is_left_at_closing(application) or is_amended_too_late:
        raise CampaignClosed(application.campaign)
    if application.state != "draft":
        raise AlreadyAnswered(application)
    if application.step_reached < step:
        raise Elsewhere(present_path(application))
    return application


async def ask_family(person: Person, notices: list[str]) -> Family | None:
    """Give the family, for the names that a page shows beside its main matter."""
    return await person.ask_if_up(MyFamily(), notices, FAMILY_AWAY)


def typed(request: HttpRequest) -> Typed:
    """Give what the posted form holds."""
    pairs: Typed = request.scope["state"]["typed"]
    return pairs


def goes_back(posted: Typed) -> bool:
    """Tell whether "Retour à l'étape précédente" was pressed."""
    return ("direction", "retour") in posted


def find_student(family: Family | None, student_id: UUID) -> Student | None:
    """Find a student in a family, where the family is known."""
    students = family.students if family else ()
    return next((student for student in students if student.id == student_id), None)


def full_name(details: Mapping[str, str]) -> str:
    """Name a person as the portal writes them: Nicole TEST."""
    return f"{details['first_name']} {details['last_name']}".strip()


def student_name(family: Family | None, student_id: UUID) -> str:
    """Name a student, or say "l'élève" while names are unavailable."""
    student = find_student(family, student_id)
    return full_name(student.details) if student else _("l'élève")


def step_page(
    request: HttpRequest,
    application: Application,
    step: int,
    context: Mapping[str, object],
    *,
    family: Family | None,
    forms: Sequence[Form[Any]] = (),
    notices: Sequence[str] = (),
    template: str = "",
) -> Template:
    """Render a step's template in the wizard's frame: its progress, the student, their tabs."""
    is_draft = application.state == "draft"
    links = [
        step_path(application.id, number)
        if is_draft and number <= application.step_reached
        else None
        for number in range(CONTACT_DETAILS, DONE)
    ]
    shared = {
        "application": application,
        "step": step,
        "links": links,
        "student_id": application.student_id,
        "student_name": student_name(family, application.student_id),
        "shown_at": datetime.now(UTC),
    }
    return page(
        request,
        template or f"wizard/{PATHS[step]}.html",
        {**shared, **context},
        forms=forms,
        notices=notices,
    )
