"""Where a family gives its pieces: step 3, a student's Mes Documents, Famille (S50, S54, S56)."""

from dataclasses import dataclass
from uuid import UUID

from litestar.di import NamedDependency
from litestar.params import FromPath
from shared.contract import Rejection
from shared.contracts.enrolment import ListMyApplications, ShowApplication

from gateway.pages.wizard.frame import DOCUMENTS, at_work, is_left_at_closing, step_path
from gateway.people import Person

FAMILY_PATH = "/famille/documents"
"""Under which the pieces of the family alone are given."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The pieces of a student and its family, or of the family alone, in one campaign.

    Each piece's page is under ``path``; ``list_path`` is the page that lists them.
    """

    path: str
    list_path: str
    campaign_id: UUID
    student_id: UUID | None = None


def student_path(student_id: UUID) -> str:
    """Give the address of a student's Mes Documents."""
    return f"/eleves/{student_id}/documents"


async def application_folder(
    person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Folder:
    """Open the pieces of an application: step 3's, or the student's once it was submitted."""
    application = at_work(await person.ask(ShowApplication(application_id=application_id)))
    path = step_path(application_id, DOCUMENTS)
    is_open = application.state == "draft" and not is_left_at_closing(application)
    is_at_step = is_open and application.step_reached >= DOCUMENTS
    return Folder(
        path=path,
        list_path=path if is_at_step else student_path(application.student_id),
        campaign_id=application.campaign.id,
        student_id=application.student_id,
    )


async def student_folder(person: NamedDependency[Person], student_id: FromPath[UUID]) -> Folder:
    """Open the pieces of a student, whether or not there is an application (S54)."""
    path = student_path(student_id)
    return Folder(path, path, await _present_campaign_id(person), student_id)


async def family_folder(person: NamedDependency[Person]) -> Folder:
    """Open the pieces of the family alone."""
    return Folder(FAMILY_PATH, "/famille#mes-documents", await _present_campaign_id(person))


async def _present_campaign_id(person: Person) -> UUID:
    mine = await person.ask(ListMyApplications())
    if mine.campaign is None:
        raise Rejection.not_found()
    return mine.campaign.id
