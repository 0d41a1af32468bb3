"""Step 4 in a real browser, on the real system: ranks, children, waiting lists (S63 to S66)."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import asyncpg
import pytest
from playwright.async_api import Browser, Locator, Page, expect

from tests.harness import eventually
from tests.journeys.family import NEXT, Parent
from tests.journeys.siblings import has_another_child
from tests.system import Household, School, System

pytestmark = [pytest.mark.servers, pytest.mark.browser]

_REMARKS: Final = "Information complémentaire"
_KEEP: Final = "Garder la place plus longtemps"
_JOIN: Final = "Rejoindre la liste d'attente"
_SIZES = pytest.mark.parametrize(
    ("script", "width"), [(True, 1280), (False, 320)], ids=["script", "no script, 320 px"]
)


@asynccontextmanager
async def at_the_courses(
    browser: Browser,
    school: School,
    family: Household,
    *,
    script: bool = True,
    width: int = 1280,
) -> AsyncIterator[Parent]:
    """Seat a family before step 4; it fits the screen's width."""
    async with Parent.of(browser, school, family, script=script, width=width) as parent:
        await parent.press("Je souhaite réinscrire Sacha ESSAI")
        await parent.prepares()
        await parent.press(NEXT)
        await parent.sees("Cours")
        yield parent
        widest = await parent.page.evaluate("document.documentElement.scrollWidth")
        assert widest <= width


async def ranks(parent: Parent, first: str, *later: str) -> None:
    """Tick the one course and choose its slots in order."""
    await parent.chooses("Formation musicale", first)
    for number, slot in enumerate(later, start=2):
        select = parent.page.get_by_label(f"{number}e choix", exact=False)
        option = select.get_by_role("option", name=slot)
        await select.select_option(await option.get_attribute("value"))


async def age(school: School, family: Household, *, begun: timedelta, left: timedelta) -> None:
    """Make the family's hold as old as ``begun``, with ``left`` to live."""
    connection = await asyncpg.connect(school.system.stack.postgresql.url("courses"))
    try:
        await connection.execute(
            "UPDATE seat SET held_at = now() - $2::interval, expires_at = now() + $3::interval"
            " WHERE student_id = $1 AND state = 'held'",
            family.student_id,
            begun,
            left,
        )
    finally:
        await connection.close()


async def held_labels(school: School, family: Household) -> list[str]:
    """The seats that the family's rows hold."""
    return [row.hold.label for row in await school.rows(family) if row.hold]


@pytest.mark.spec("S63")
@_SIZES
async def test_a_later_choice_is_held_where_the_first_filled_up(
    portal: System, browser: Browser, script: bool, width: int
) -> None:
    school = await portal.school(families=2, seats=(1, 5, 5))
    family, other = school.families
    async with at_the_courses(browser, school, family, script=script, width=width) as parent:
        await ranks(parent, "FM 2.1 (0)", "FM 2.1 (2)", "FM 2.1 (1)")
        await school.hold(other, group=0)
        await parent.press(NEXT)
        await parent.sees("Récapitulatif de la réinscription")
        await parent.reads("Votre 1er choix était complet : la place retenue est FM 2.1 (2)")
        await parent.press("Retour à l'étape précédente")
        await expect(parent.page.get_by_role("radio", name="FM 2.1 (2)")).to_be_checked()


async def test_a_choice_given_twice_is_mended_beside_its_field(
    portal: System, browser: Browser
) -> None:
    school = await portal.school(families=1, seats=(5, 5))
    (family,) = school.families
    async with at_the_courses(browser, school, family) as parent:
        await ranks(parent, "FM 2.1 (1)", "FM 2.1 (1)")
        await parent.press(NEXT)
        await parent.page.get_by_role("link", name=re.compile("2e choix est le même")).click()
        second = parent.page.get_by_label("2e choix", exact=False)
        await expect(second).to_be_focused()
        await second.select_option("")
        await parent.press(NEXT)
        await parent.sees("Récapitulatif de la réinscription")


async def test_the_enter_key_goes_on_whatever_buttons_the_page_has(
    portal: System, browser: Browser
) -> None:
    school = await portal.school(families=2, seats=(1, 5))
    family, other = school.families
    await school.hold(other, group=0)
    async with at_the_courses(browser, school, family) as parent:
        await parent.chooses("Formation musicale", "FM 2.1 (1)")
        await expect(parent.page.get_by_role("button", name=_JOIN)).to_be_visible()
        await parent.page.get_by_role("radio", name="FM 2.1 (1)").press("Enter")
        await parent.sees("Récapitulatif de la réinscription")


@pytest.mark.spec("S65")
@_SIZES
async def test_two_children_get_all_their_seats_or_none(
    portal: System, browser: Browser, script: bool, width: int
) -> None:
    school = await portal.school(families=1, seats=(1, 5))
    (family,) = school.families
    await has_another_child(school, family)
    async with at_the_courses(browser, school, family, script=script, width=width) as parent:
        await parent.page.get_by_label(_REMARKS).fill("Alto")
        address = parent.page.url
        await _bring_to_the_courses(parent, "Noa ESSAI")
        await parent.page.goto(address)
        await parent.page.get_by_label(_REMARKS).fill("Alto")
        await parent.press("Choisir en même temps pour Noa : toutes les places ou aucune")
        await expect(parent.page.get_by_label(_REMARKS)).to_have_value("Alto")
        for name, slot in (("Sacha", "FM 2.1 (0)"), ("Noa", "FM 2.1 (0)")):
            await _choose_for(parent, name, slot)
        await parent.press(NEXT)
        await parent.reads("rien n'a été retenu ni changé, pour aucun élève")
        await expect(_courses_of(parent, "Noa")).to_contain_text("il n'y a plus de place")
        await expect(_courses_of(parent, "Sacha")).not_to_contain_text("il n'y a plus de place")
        assert await held_labels(school, family) == []
        await _choose_for(parent, "Noa", "FM 2.1 (1)")
        await parent.press(NEXT)
        await parent.sees("Récapitulatif de la réinscription")
        await parent.reads("Choix enregistrés en même temps pour Noa : FM 2.1 (1)")
        assert [label[:10] for label in await held_labels(school, family)] == ["FM 2.1 (0)"]


@pytest.mark.spec("S62", "S66")
@_SIZES
async def test_a_full_course_is_waited_for_with_everything_typed_kept(
    portal: System, browser: Browser, script: bool, width: int
) -> None:
    school = await portal.school(families=2, seats=(1, 5))
    family, other = school.families
    await school.hold(other, group=0)
    async with at_the_courses(browser, school, family, script=script, width=width) as parent:
        await parent.chooses("Formation musicale", "FM 2.1 (1)")
        await parent.page.get_by_label(_REMARKS).fill("Alto")
        await expect(parent.page.get_by_role("radio", name="FM 2.1 (0)")).to_be_disabled()
        await parent.press(_JOIN)
        await parent.reads("Vous êtes 1er sur la liste d'attente de FM 2.1 (0)")
        await expect(parent.page.get_by_label(_REMARKS)).to_have_value("Alto")
        await expect(parent.page.get_by_role("radio", name="FM 2.1 (1)")).to_be_checked()
        await expect(parent.page.get_by_role("button", name=_JOIN)).to_have_count(0)
        await parent.press(NEXT)
        await parent.sees("Récapitulatif de la réinscription")
        (row,) = await school.rows(family)
        assert row.hold
        assert [(place.state, place.rank) for place in row.waiting] == [("waiting", 1)]
        await parent.press("Retour à l'étape précédente")
        await parent.follow("Voir ou quitter les listes d'attente")
        await parent.reads("FM 2.1 (0)")


@pytest.mark.spec("S62", "S66")
async def test_where_all_is_full_the_course_is_waited_for_and_asked_for_without_a_seat(
    portal: System, browser: Browser
) -> None:
    school = await portal.school(families=2, seats=(1,))
    family, other = school.families
    await school.hold(other, group=0)
    async with at_the_courses(browser, school, family) as parent:
        await parent.chooses("Formation musicale")
        await parent.reads("Tous les créneaux sont complets")
        await parent.press(_JOIN)
        await parent.reads("Vous êtes 1er sur la liste d'attente")
        await parent.press(NEXT)
        await parent.sees("Récapitulatif de la réinscription")
        await parent.reads("en liste d'attente, sans place pour l'instant")
        await parent.validates()


@pytest.mark.spec("S63", "S95")
async def test_a_held_place_is_kept_longer_without_leaving_the_page(
    portal: System, browser: Browser
) -> None:
    school = await portal.school(families=1, seats=(5,))
    (family,) = school.families
    async with at_the_courses(browser, school, family) as parent:
        await parent.chooses("Formation musicale", "FM 2.1 (0)")
        await parent.press(NEXT)
        await parent.press("Retour à l'étape précédente")
        await parent.sees("Cours")
        await age(school, family, begun=timedelta(minutes=15), left=timedelta(minutes=4))
        await parent.page.reload()
        await parent.reads("encore 4 minutes")
        await parent.page.get_by_label(_REMARKS).fill("Alto")
        hold = parent.page.locator("[data-hold-id]")
        async with parent.page.expect_response("**/places/prolonger"):
            await hold.get_by_role("button", name=_KEEP).press("Enter")
        await parent.reads("encore 20 minutes")
        await expect(hold.locator("[aria-live=polite]")).to_contain_text("Place retenue jusqu'au")
        await expect(hold.get_by_role("button", name=_KEEP)).to_be_focused()
        await expect(parent.page.get_by_label(_REMARKS)).to_have_value("Alto")
        await age(school, family, begun=timedelta(minutes=55), left=timedelta(minutes=2))
        async with parent.page.expect_response("**/places/prolonger"):
            await hold.get_by_role("button", name=_KEEP).click()
        await expect(hold.locator("[aria-live=polite]")).to_contain_text(
            "60 minutes sont atteintes"
        )
        await parent.reads("encore 5 minutes")


@pytest.mark.spec("S63", "S68", "S95")
async def test_a_held_place_is_kept_longer_without_a_script_either(
    portal: System, browser: Browser
) -> None:
    school = await portal.school(families=1, seats=(5,))
    (family,) = school.families
    async with at_the_courses(browser, school, family, script=False, width=320) as parent:
        await parent.chooses("Formation musicale", "FM 2.1 (0)")
        await parent.press(NEXT)
        await parent.sees("Récapitulatif de la réinscription")
        await parent.page.get_by_label("J'accepte").check()
        await parent.page.get_by_label(_REMARKS).fill("Alto")
        await parent.press(_KEEP)
        await parent.sees("Récapitulatif de la réinscription")
        await parent.reads("Place retenue jusqu'au")
        await expect(parent.page.get_by_label(_REMARKS)).to_have_value("Alto")
        await expect(parent.page.get_by_label("J'accepte")).to_be_checked()
        await age(school, family, begun=timedelta(minutes=58), left=timedelta(minutes=1))
        await parent.press(_KEEP)
        await parent.reads("Les 60 minutes sont atteintes")


@pytest.mark.spec("S63")
async def test_activity_keeps_a_place_longer_and_its_end_leads_to_choosing_again(
    portal: System, browser: Browser
) -> None:
    school = await portal.school(families=1, seats=(5,))
    (family,) = school.families
    async with at_the_courses(browser, school, family) as parent:
        await parent.chooses("Formation musicale", "FM 2.1 (0)")
        await parent.page.clock.install()
        await parent.press(NEXT)
        await parent.sees("Récapitulatif de la réinscription")
        remarks = parent.page.get_by_label(_REMARKS)
        asked = _prolongations(parent.page)
        await remarks.fill("A")
        assert asked == []
        await parent.page.clock.fast_forward("02:00")
        await parent.reads("encore 18 minutes")
        async with parent.page.expect_response("**/places/prolonger"):
            await remarks.fill("Alto")
        await parent.reads("encore 20 minutes")
        await remarks.fill("Alto, puis cor")
        assert len(asked) == 1

        await parent.page.clock.fast_forward("21:00")
        await parent.reads("Le délai est écoulé pour cette place")
        await parent.follow("choisissez de nouveau un créneau")
        await parent.sees("Cours")


async def test_a_seat_lost_meanwhile_is_said_by_the_recap(portal: System, browser: Browser) -> None:
    school = await portal.school(families=1, seats=(5,))
    (family,) = school.families
    async with at_the_courses(browser, school, family) as parent:
        await parent.chooses("Formation musicale", "FM 2.1 (0)")
        await parent.press(NEXT)
        await parent.sees("Récapitulatif de la réinscription")
        await age(school, family, begun=timedelta(minutes=60), left=-timedelta(minutes=10))
        await eventually(lambda: _has_lost_its_seat(school, family))
        await parent.page.reload()
        await parent.reads("Cette place n'est plus retenue : FM 2.1 (0)")
        await parent.follow("Choisissez de nouveau un créneau")
        await parent.sees("Cours")


def _prolongations(page: Page) -> list[str]:
    asked: list[str] = []
    page.on(
        "request",
        lambda request: asked.append(request.url) if "/places/prolonger" in request.url else None,
    )
    return asked


async def _has_lost_its_seat(school: School, family: Household) -> bool:
    return await held_labels(school, family) == []


def _courses_of(parent: Parent, first_name: str) -> Locator:
    return parent.page.get_by_role("table", name=f"Cours suivis cette année : {first_name}")


async def _choose_for(parent: Parent, first_name: str, slot: str) -> None:
    courses = _courses_of(parent, first_name)
    await courses.get_by_role("checkbox").check()
    await courses.get_by_role("radio", name=slot).check()


async def _bring_to_the_courses(parent: Parent, student: str) -> None:
    """Do the first three steps for another child."""
    await parent.follow("Accueil")
    await parent.press(f"Je souhaite réinscrire {student}")
    await parent.prepares()
    await parent.press(NEXT)
    await parent.sees("Cours")
