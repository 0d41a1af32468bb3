"""Step 4's form and its script reach no other family's children, seats and waiting lists (S97)."""

from collections.abc import Callable

import pytest
from shared.contracts.enrolment import Application, ShowApplication

from tests.system import Household, School, System
from tests.visitor import Visitor

pytestmark = pytest.mark.servers

type Named = Callable[[School, Household, Application], str]
"""What a form names, of a family's."""


def application_of(school: School, family: Household, application: Application) -> str:
    del school, family
    return str(application.id)


def hold_of(school: School, family: Household, application: Application) -> str:
    del school, family
    return str(application.choices[0].hold_id)


def full_course_of(school: School, family: Household, application: Application) -> str:
    del application
    return f"{school.follow_id(family)}.{school.course_id(0)}"


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("avec", application_of),
        ("ajouter", application_of),
        ("prolonger", hold_of),
        ("rejoindre", full_course_of),
    ],
)
async def test_a_form_that_names_anothers_is_not_found(
    portal: System, name: str, named: Named
) -> None:
    school = await portal.school(families=2, seats=(1, 5))
    owner, neighbour = school.families
    theirs = await school.prepare(owner, group=0)
    mine = await school.prepare(neighbour, group=1)
    before = await _view(school, owner, theirs)
    async with Visitor.signed_in(portal.stack.public_url, school, neighbour) as visitor:
        path = f"/dossiers/{mine.id}/cours"
        refused = await visitor.post(path, {name: named(school, owner, theirs)})
        assert refused.status == 404, refused.text[:1000]
        assert str(owner.student_id) not in refused.text
        assert await _view(school, owner, theirs) == before
        accepted = await visitor.post(path, {name: named(school, neighbour, mine)})
        assert accepted.status == 200, accepted.text[:1000]


async def test_the_script_prolongs_no_other_familys_hold(portal: System) -> None:
    school = await portal.school(families=2)
    owner, neighbour = school.families
    theirs, mine = await school.prepare(owner), await school.prepare(neighbour)
    before = await _view(school, owner, theirs)
    own = hold_of(school, neighbour, mine)
    async with Visitor.signed_in(portal.stack.public_url, school, neighbour) as visitor:
        for hold_ids in ([hold_of(school, owner, theirs)], [own, hold_of(school, owner, theirs)]):
            refused = await visitor.post_json("/places/prolonger", {"hold_ids": hold_ids})
            assert refused.status == 404, refused.text
        assert (await visitor.post_json("/places/prolonger", {"hold_ids": [own]})).status == 200
    assert await _view(school, owner, theirs) == before


async def _view(school: School, family: Household, application: Application) -> tuple[object, ...]:
    """All of it that another could have changed, as the family sees it."""
    rows = await school.rows(family)
    shown = await school.system.ask(ShowApplication(application_id=application.id), family.token)
    return shown, [(row.hold, row.waiting) for row in rows]
