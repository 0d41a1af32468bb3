"""The seats left of each slot stay true in an open page, in a real browser, on the real system."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Locator, Route, expect
from shared.contracts.courses import ReleaseSeat

from tests.journeys.family import NEXT, Parent
from tests.system import Household, School, System

pytestmark = [pytest.mark.servers, pytest.mark.browser]

_AT_LAST_MILLISECONDS = 30_000


@asynccontextmanager
async def at_the_courses(
    browser: Browser, school: School, family: Household, *, script: bool = True
) -> AsyncIterator[Parent]:
    """A parent before the slots of step 4."""
    async with Parent.of(browser, school, family, script=script) as parent:
        await parent.press("Je souhaite réinscrire Sacha ESSAI")
        await parent.prepares()
        await parent.press(NEXT)
        await parent.row("Formation musicale").get_by_role("checkbox").check()
        yield parent


def count(parent: Parent, school: School, group: int) -> Locator:
    return parent.page.locator(f'[data-seats-of="{school.course_id(group)}"]')


def slot(parent: Parent, group: int) -> Locator:
    return parent.page.get_by_role("radio", name=f"FM 2.1 ({group})")


def waiting_list(parent: Parent, group: int) -> Locator:
    name = f"Rejoindre la liste d'attente : FM 2.1 ({group})"
    return parent.page.get_by_role("button", name=name)


def voice(parent: Parent) -> Locator:
    return parent.page.locator("[data-seats-stream] > [aria-live=polite]")


@pytest.mark.spec("S61", "S62")
async def test_seats_that_others_take_and_give_back_are_counted_without_a_reload(
    portal: System, browser: Browser
) -> None:
    school = await portal.school(families=4, seats=(3, 1))
    one, other, third, fourth = school.families
    async with (
        at_the_courses(browser, school, one) as first,
        at_the_courses(browser, school, other) as second,
    ):
        for parent in (first, second):
            await expect(count(parent, school, 0)).to_have_text("3 places")
            await expect(count(parent, school, 1)).to_have_text("1 place")
            await expect(waiting_list(parent, 1)).to_be_hidden()
        await slot(second, 1).check()

        await school.hold(third, 0)
        hold = await school.hold(fourth, 1)
        for parent in (first, second):
            await expect(count(parent, school, 0)).to_have_text("2 places")
            await expect(count(parent, school, 1)).to_have_text("Complet")
            await expect(waiting_list(parent, 1)).to_be_visible()
        # a slot chosen already can be sent, and be said to be full; another cannot be chosen
        await expect(slot(first, 1)).to_be_disabled()
        await expect(slot(second, 1)).to_be_enabled()
        await expect(voice(first)).to_contain_text("Complet : FM 2.1 (1)")
        await expect(voice(first)).not_to_contain_text("FM 2.1 (0)")

        await portal.ask(ReleaseSeat(hold_id=hold.id), fourth.token)
        for parent in (first, second):
            await expect(count(parent, school, 1)).to_have_text("1 place")
            await expect(slot(parent, 1)).to_be_enabled()
            await expect(waiting_list(parent, 1)).to_be_hidden()
        await expect(voice(first)).to_contain_text("De nouveau des places : FM 2.1 (1)")


async def test_the_seat_that_a_family_holds_stays_theirs_in_its_page(
    portal: System, browser: Browser
) -> None:
    school = await portal.school(families=1, seats=(1,))
    (family,) = school.families
    async with at_the_courses(browser, school, family) as parent:
        await slot(parent, 0).check()
        await parent.press(NEXT)
        await parent.sees("Récapitulatif")
        await parent.page.go_back()
        await expect(count(parent, school, 0)).to_have_text("Place retenue pour vous")
        await expect(slot(parent, 0)).to_be_enabled()


async def test_a_page_whose_stream_fails_asks_instead(portal: System, browser: Browser) -> None:
    school = await portal.school(families=2, seats=(2,))
    family, other = school.families

    async def refuse(route: Route) -> None:
        await route.fulfill(status=503)

    async with Parent.of(browser, school, family) as parent:
        await parent.page.route("**/places/flux?**", refuse)
        await parent.press("Je souhaite réinscrire Sacha ESSAI")
        await parent.prepares()
        await parent.press(NEXT)
        await expect(count(parent, school, 0)).to_have_text("2 places")
        await school.hold(other, 0)
        await expect(count(parent, school, 0)).to_have_text(
            "1 place", timeout=_AT_LAST_MILLISECONDS
        )


async def test_a_hidden_page_follows_nothing_and_is_true_again_when_it_is_shown(
    portal: System, browser: Browser
) -> None:
    school = await portal.school(families=2, seats=(2,))
    family, other = school.families
    async with at_the_courses(browser, school, family) as parent:
        await _show(parent, is_hidden=True)
        await school.hold(other, 0)
        async with parent.page.expect_request("**/places/flux?**"):
            await _show(parent, is_hidden=False)
        await expect(count(parent, school, 0)).to_have_text("1 place")


@pytest.mark.spec("S61", "S62")
async def test_without_a_script_the_page_has_the_count_of_when_it_was_opened(
    portal: System, browser: Browser
) -> None:
    school = await portal.school(families=3, seats=(3, 1))
    family, other, third = school.families
    await school.hold(other, 0)
    await school.hold(third, 1)
    async with at_the_courses(browser, school, family, script=False) as parent:
        await expect(count(parent, school, 0)).to_have_text("2 places")
        await expect(count(parent, school, 1)).to_have_text("Complet")
        await expect(slot(parent, 1)).to_be_disabled()


async def _show(parent: Parent, *, is_hidden: bool) -> None:
    """Put the page in the background, or before the eyes again, as a browser tells it."""
    await parent.page.evaluate(
        """(isHidden) => {
          Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        is_hidden,
    )
