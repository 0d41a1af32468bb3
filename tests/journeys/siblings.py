"""A second child for a family that has one."""

from shared.contract import Rejection
from shared.contracts.courses import CourseRows, ImportEnrolments
from shared.contracts.identity import ImportStudents
from shared.identifiers import imported_id

from tests import exports
from tests.exports import lines
from tests.harness import eventually
from tests.system import Household, School


async def has_another_child(school: School, family: Household) -> None:
    """Import Noa, and wait until every service that asks knows them."""
    code, operator, ask = f"{family.code}-E2", school.system.operator, school.system.ask
    student = exports.student(family.code) | {"code": code, "prenom": "Noa"}
    followed = exports.follow(code, school.this_year)
    await ask(ImportStudents(lines=lines(student)), operator)
    await ask(ImportEnrolments(lines=lines(followed)), operator)
    student_id = imported_id("student", code)

    async def is_known() -> bool:
        rows = CourseRows(campaign_id=school.campaign_id, student_id=student_id)
        try:
            await school.system.services.ask(rows, token=family.token)
        except Rejection:
            return False
        return True

    await eventually(is_known)
