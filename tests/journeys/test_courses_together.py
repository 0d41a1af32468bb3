"""What cannot be chosen together is not offered, and is refused where it is asked for (S64)."""

import pytest
from playwright.async_api import Browser, Locator, expect
from shared.contracts.courses import ImportCourses, ImportEnrolments
from shared.identifiers import imported_id

from tests import exports
from tests.exports import THIS_YEAR, Cells, lines
from tests.harness import eventually
from tests.journeys.family import NEXT, Parent
from tests.system import Household, School, System

pytestmark = [pytest.mark.servers, pytest.mark.browser]


def _choir(school: School, number: str, day: str, start: str, end: str) -> Cells:
    """A group of next year's choir, of the level that is proposed."""
    return exports.group(school.code, f"{school.code}-{number}", "2.1", seats=20) | {
        "discipline": "Chant choral",
        "cursus": "Chant choral",
        "groupe": number,
        "jour": day,
        "debut": start,
        "fin": end,
    }


async def _sings_too(school: School, family: Household) -> None:
    """Have the student sing in a choir this year, and wait until step 4 shows its row.

    Next year it meets during FM 2.1 (0), just after it, at another level, and on another site.
    """
    elsewhere = {"site": f"{school.code}X"}
    groups = (
        _choir(school, "10", "LUNDI", "08:00", "09:00") | {"annee": THIS_YEAR, "niveau": "1.4"},
        _choir(school, "11", "LUNDI", "17:45", "18:45"),
        _choir(school, "12", "LUNDI", "18:30", "19:30"),
        _choir(school, "13", "JEUDI", "10:00", "11:00") | {"niveau": "2.2"},
        _choir(school, "14", "JEUDI", "10:00", "11:00") | elsewhere,
    )
    follows = exports.follow(f"{family.code}-E1", f"{school.code}-10")
    operator, ask = school.system.operator, school.system.ask
    await ask(ImportCourses(lines=lines(*groups)), operator)
    await ask(ImportEnrolments(lines=lines(follows)), operator)

    async def is_shown() -> bool:
        return len(await school.rows(family)) == 2

    await eventually(is_shown)


async def _asks_for(choir: Locator, school: School, code: str) -> None:
    """Have a choice stand for another course, as a page that was tampered with would."""
    course_id = imported_id("course", f"{school.code}-{code}")
    await choir.evaluate("(radio, id) => { radio.value = id; }", str(course_id))


@pytest.mark.spec("S64")
@pytest.mark.parametrize(("script", "width"), [(True, 1280), (False, 320)])
async def test_two_courses_at_the_same_time_are_not_held_together(
    portal: System, browser: Browser, *, script: bool, width: int
) -> None:
    school = await portal.school(families=1)
    (family,) = school.families
    await _sings_too(school, family)
    async with Parent.of(browser, school, family, script=script, width=width) as parent:
        await parent.press("Je souhaite réinscrire Sacha ESSAI")
        await parent.prepares()
        await parent.press(NEXT)
        await parent.chooses("Formation musicale", "FM 2.1 (0)")
        await parent.chooses("Chant choral", "Chant choral 2.1 (11)")
        await parent.press(NEXT)
        await parent.reads("a lieu en même temps que")
        assert [row.hold for row in await school.rows(family)] == [None, None]
        for chosen in ("FM 2.1 (0)", "Chant choral 2.1 (11)"):
            await expect(parent.page.get_by_role("radio", name=chosen)).to_be_checked()
        assert await parent.page.evaluate("document.documentElement.scrollWidth") <= width

        # one that begins as the other ends
        await parent.page.get_by_role("radio", name="Chant choral 2.1 (12)").check()
        await parent.press(NEXT)
        await parent.sees("Récapitulatif de la réinscription")
        await parent.reads("Chant choral 2.1 (12) - LUNDI - 18.30 à 19.30")


@pytest.mark.spec("S64")
async def test_a_course_of_another_level_or_site_is_neither_offered_nor_given(
    portal: System, browser: Browser
) -> None:
    school = await portal.school(families=1)
    (family,) = school.families
    await _sings_too(school, family)
    async with Parent.of(browser, school, family) as parent:
        await parent.press("Je souhaite réinscrire Sacha ESSAI")
        await parent.prepares()
        await parent.press(NEXT)
        await parent.chooses("Chant choral", "Chant choral 2.1 (12)")
        await expect(parent.row("Chant choral").get_by_role("radio")).to_have_count(2)
        for code, refusal in (
            ("13", "n'est pas au niveau proposé pour l'année prochaine"),
            ("14", "Ce cours a lieu dans un autre conservatoire"),
        ):
            choir = parent.page.get_by_role("radio", name="Chant choral 2.1 (12)")
            await choir.check()
            await _asks_for(choir, school, code)
            await parent.press(NEXT)
            await parent.reads(refusal)
        assert [row.hold for row in await school.rows(family)] == [None, None]
