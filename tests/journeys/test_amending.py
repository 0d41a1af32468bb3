"""A parent changes a request that was submitted: no place is lost before another is certain."""

import pytest
from playwright.async_api import Browser, expect

from tests.journeys.family import NEXT, Parent
from tests.stillness import settled
from tests.system import Household, School, System

pytestmark = [pytest.mark.servers, pytest.mark.browser, pytest.mark.spec("S74")]

_FIRST, _SECOND = "FM 2.1 (0)", "FM 2.1 (1)"


async def _filed(portal: System, seats: tuple[int, int]) -> tuple[School, Household, str]:
    """A family whose request is submitted with a seat in the first group; give its receipt."""
    school = await portal.school(families=2, seats=seats)
    family = school.families[0]
    filed = await school.submit(family, await school.prepare(family))
    assert filed.receipt
    await settled(school)
    return school, family, filed.receipt.number


async def _taken(school: School) -> list[int]:
    """Count the seats taken of each group."""
    return [
        await school.system.count(
            "courses", "SELECT taken FROM occupancy WHERE course_id = $1", school.course_id(group)
        )
        for group in (0, 1)
    ]


async def _changes(parent: Parent) -> None:
    """Begin to change the request, from home, and come to the courses."""
    await parent.press("Modifier la demande")
    await parent.sees("Récapitulatif de la réinscription")
    await parent.reads("Vous modifiez la demande transmise le")
    await parent.page.goto(parent.page.url.replace("recapitulatif", "cours"))
    await parent.sees("Cours")


async def _abandons(parent: Parent) -> None:
    await parent.follow("Abandonner la modification")
    await parent.reads("reste valable, avec ses places")
    await parent.press("Abandonner la modification")


@pytest.mark.parametrize(("script", "width"), [(True, 1280), (False, 320)])
async def test_a_slot_is_changed_and_the_first_kept_until_the_new_one_is_validated(
    portal: System, browser: Browser, script: bool, width: int
) -> None:
    school, family, first = await _filed(portal, (1, 1))
    async with Parent.of(browser, school, family, script=script, width=width) as parent:
        await _changes(parent)
        await expect(parent.row("Formation musicale")).to_contain_text("Votre place actuelle")
        await parent.chooses("Formation musicale", _SECOND)
        await parent.press(NEXT)
        await parent.reads("Place retenue jusqu'au")
        assert await _taken(school) == [1, 1]
        second = await parent.validates()
        await settled(school)
        await parent.page.reload()
        await parent.reads(_SECOND)
    assert second != first
    assert await _taken(school) == [0, 1]
    subjects = [str(mail["subject"]) for mail in school.mails()]
    assert all(each in subject for each, subject in zip((first, second), subjects, strict=True))
    assert "modifiée" in subjects[1]


async def test_a_change_that_finds_no_place_or_is_abandoned_leaves_the_request(
    portal: System, browser: Browser
) -> None:
    school, family, number = await _filed(portal, (1, 1))
    async with Parent.of(browser, school, family) as parent:
        await _changes(parent)
        await parent.chooses("Formation musicale", _SECOND)
        await school.hold(school.families[1], group=1)
        await parent.press(NEXT)
        await parent.reads("Complet")
        await _abandons(parent)
        await parent.sees("Réinscription terminée")
        await parent.reads(number)
        await expect(parent.page.get_by_role("button", name="Modifier la demande")).to_be_visible()
    assert await _taken(school) == [1, 1]
    assert await school.claims() == 1


async def test_what_was_held_for_a_change_is_given_back_when_it_is_abandoned(
    portal: System, browser: Browser
) -> None:
    school, family, _ = await _filed(portal, (1, 1))
    async with Parent.of(browser, school, family) as parent:
        await _changes(parent)
        await parent.chooses("Formation musicale", _SECOND)
        await parent.press(NEXT)
        await parent.reads("Place retenue jusqu'au")
        await _abandons(parent)
        await parent.sees("Réinscription terminée")
    assert await _taken(school) == [1, 0]


async def test_a_change_left_at_closing_leaves_the_request(
    portal: System, browser: Browser
) -> None:
    school, family, number = await _filed(portal, (1, 1))
    async with Parent.of(browser, school, family) as parent:
        await _changes(parent)
        await parent.chooses("Formation musicale", _SECOND)
        await school.close()
        await parent.press(NEXT)
        await parent.sees("La campagne de réinscription est close")
        await parent.reads("Si vous aviez déjà transmis une demande, elle reste valable")
        await parent.follow("Relire le dossier")
        await parent.sees("Réinscription terminée")
        await parent.reads(number)
        await parent.reads("la demande reste telle que vous l'aviez transmise")
    assert await _taken(school) == [1, 0]
