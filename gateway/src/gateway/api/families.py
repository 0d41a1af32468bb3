"""The signed-in family: its guardians and its students."""

from typing import Annotated
from uuid import UUID

from litestar import get, put
from litestar.di import NamedDependency
from litestar.openapi.spec import Tag
from litestar.params import FromPath, QueryParameter, RequestBody
from shared.contracts.identity import (
    Family,
    Guardian,
    MyFamily,
    Student,
    UpdateGuardian,
    UpdateStudent,
)
from shared.contracts.people import GuardianDetails, StudentDetails

from gateway.api.operations import CHANGED, MINE
from gateway.people import Person

Revision = Annotated[
    int | None,
    QueryParameter(
        name="revision",
        ge=0,
        description="The one that the details were read with; without it the last change wins.",
    ),
]

TAG = Tag(name="Family", description="The guardians and the students of the signed-in family.")


@get("/family", responses=MINE)
async def show_family(person: NamedDependency[Person]) -> Family:
    """Give the family with its guardians and its students.

    `changed` names the details that the family has changed since the site's import.
    """
    return await person.ask(MyFamily())


@put("/guardians/{guardian_id:uuid}", responses=CHANGED)
async def update_guardian(
    guardian_id: FromPath[UUID],
    data: RequestBody[GuardianDetails],
    person: NamedDependency[Person],
    revision: Revision = None,
) -> Guardian:
    """Replace all the details of a guardian.

    Refused: `details_changed`, with what was changed since `revision` and would be undone;
    `email_protected`, for another address of a guardian who has an account.
    """
    return await person.ask(
        UpdateGuardian(guardian_id=guardian_id, details=data, revision=revision)
    )


@put("/students/{student_id:uuid}", responses=CHANGED)
async def update_student(
    student_id: FromPath[UUID],
    data: RequestBody[StudentDetails],
    person: NamedDependency[Person],
    revision: Revision = None,
) -> Student:
    """Replace all the details of a student. Refused: `details_changed`, as for a guardian.

    A campaign names in `fields_not_asked` what its site has no need for: send these as they are.
    """
    return await person.ask(UpdateStudent(student_id=student_id, details=data, revision=revision))


ROUTES = [show_family, update_guardian, update_student]
