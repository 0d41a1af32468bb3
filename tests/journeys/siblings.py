"""A second child for a family that has one."""

from shared.contract import Rejection
from shared.contracts.courses import CourseRows, ImportEnrolments
from shared.contracts.identity import ImportStudents
from shared.identifiers import imported_id

from tests.harness import eventually
from tests.system import Household, School, lines


async def has_another_child(school: School, family: Household) -> None:
    """Import Noa, and wait until every service that asks knows them."""
    code, operator, ask = f"{family.code}-E2", school.system.operator, school.system.ask
    student = {
        "code": code,
        "famille": family.code,
        "civilite": "Monsieur",
        "nom": "ESSAI",
        "prenom": "Noa",
        "ne_le": "01/02/2016",
        "niveau_scolaire": "CM1",
        "etablissement": "École de l'Essai",
    }
    followed = {
        "eleve": code,
        "cours": school.this_year,
        "annee": "2026-2027",
        "niveau_propose": "2.1",
    }
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
