"""The signed-in family: its guardians and its students."""

from uuid import UUID

from litestar import get, put
from litestar.di import NamedDependency
from litestar.openapi.spec import Tag
from litestar.params import FromPath, RequestBody
from shared.contracts.identity import (
    Family,
    Guardian,
    MyFamily,
    Student,
    UpdateGuardian,
    UpdateStudent,
)
from shared.contracts.people import GuardianDetails, StudentDetails

from gateway.api.operations import MINE
from gateway.people import Person

TAG = Tag(name="Family", description="The guardians and the students of the signed-in family.")


@get("/family", responses=MINE)
async def show_family(person: NamedDependency[Person]) -> Family:
    """Give the family with its guardians and its students.

    `changed` names the details that the family has changed since the site's import.
    """
    return await person.ask(MyFamily())


@put("/guardians/{guardian_id:uuid}", responses=MINE)
async def update_guardian(
    guardian_id: FromPath[UUID],
    data: RequestBody[GuardianDetails],
    person: NamedDependency[Person],
) -> Guardian:
    """Replace all the details of a guardian."""
    return await person.ask(UpdateGuardian(guardian_id=guardian_id, details=data))


@put("/students/{student_id:uuid}", responses=MINE)
async def update_student(
    student_id: FromPath[UUID],
    data: RequestBody[StudentDetails],
    person: NamedDependency[Person],
) -> Student:
    """Replace all the details of a student."""
    return await person.ask(UpdateStudent(student_id=student_id, details=data))


ROUTES = [show_family, update_guardian, update_student]
