"""Families wait for a full course, are offered the seat that is freed, and answer, in a browser."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser, Page, expect
from shared.contracts.courses import JoinWaitingList, WaitingPlace
from shared.contracts.enrolment import Application, ShowApplication
from shared.identifiers import new_id

from tests.harness import eventually
from tests.journeys.family import Parent
from tests.stillness import settled
from tests.system import Household, School, System

pytestmark = [pytest.mark.servers, pytest.mark.browser]

_WANTED, _OTHER = 0, 1
_WANTED_LABEL = "FM 2.1 (0) - LUNDI - 17.00 à 18.30"
_OTHER_LABEL = "FM 2.1 (1) - MARDI - 17.00 à 18.30"
_LIST = "/liste-attente"


@dataclass(frozen=True, slots=True)
class Queue:
    """A group of one seat, whose family has sent its request, and two families that wait for it.

    The first to wait holds a seat in another group meanwhile; the second holds none.
    """

    school: School
    application: Application
    first_application: Application

    @property
    def seated(self) -> Household:
        return self.school.families[0]

    @property
    def first(self) -> Household:
        return self.school.families[1]

    @property
    def second(self) -> Household:
        return self.school.families[2]


@pytest.fixture
async def queue(portal: System) -> Queue:
    school = await portal.school(families=3, seats=(1, 5))
    seated, first, second = school.families
    application = await school.submit(seated, await school.prepare(seated, _WANTED))
    await settled(school)
    first_application = await school.prepare(first, _OTHER)
    for family in (first, second):
        await _joins(school, family)
    return Queue(school, application, first_application)


async def _joins(school: School, family: Household) -> WaitingPlace:
    return await school.system.ask(
        JoinWaitingList(
            place_id=new_id(),
            campaign_id=school.campaign_id,
            student_id=family.student_id,
            follow_id=school.follow_id(family),
            course_id=school.course_id(_WANTED),
        ),
        family.token,
    )


@asynccontextmanager
async def _parents(
    browser: Browser, queue: Queue, *, script: bool = True, width: int = 1280
) -> AsyncIterator[tuple[Parent, Parent, Parent]]:
    async with AsyncExitStack() as stack:
        seated, first, second = [
            await stack.enter_async_context(
                Parent.of(browser, queue.school, family, script=script, width=width)
            )
            for family in queue.school.families
        ]
        yield seated, first, second


@pytest.mark.spec("S66", "S74")
@pytest.mark.parametrize(("script", "width"), [(True, 1280), (False, 320)])
async def test_a_seat_given_up_is_offered_in_order_and_accepted(
    browser: Browser, queue: Queue, *, script: bool, width: int
) -> None:
    async with _parents(browser, queue, script=script, width=width) as (seated, first, second):
        await _goes_to(first, _LIST)
        await first.reads("Sacha ESSAI : en attente")
        await _reads_rank(first, "1er")
        await first.reads(_OTHER_LABEL)
        await _goes_to(second, _LIST)
        await _reads_rank(second, "2e")
        await second.reads("Aucune pour ce cours")

        await seated.follow("Voir la demande")
        await seated.follow("Retirer la demande")
        await seated.sees("Retirer la demande de réinscription pour Sacha ESSAI")
        await _fits(seated.page)
        await seated.press("Retirer la demande")
        await seated.sees("Votre réponse est enregistrée")
        await _goes_to(seated, "/accueil")
        await seated.reads("Refus enregistré")
        await seated.reads("Revenir sur cette décision")

        await _goes_to(first, "/accueil")
        await first.reads_at_last("Une place vous est proposée")
        await _fits(first.page)
        await first.follow("Répondre avant la fin du délai")
        await first.sees("Liste d'attente")
        await first.reads("encore 23 heures")
        await first.reads(f"cette place remplace {_OTHER_LABEL}")
        await _fits(first.page)
        await first.press("Accepter cette place")
        await first.sees("Réinscription")
        await first.reads(f"Vous avez accepté la place : {_WANTED_LABEL}")
        await _fits(first.page)
        await eventually(lambda: _has_adopted(queue))
        await first.follow("Terminer la réinscription")
        await first.sees("Récapitulatif de la réinscription")
        await first.reads(_WANTED_LABEL)
        await first.validates()
        await settled(queue.school)
        await first.page.reload()
        await first.reads("Place gardée pour votre demande")
        await _fits(first.page)

        await _goes_to(second, _LIST)
        await _reads_rank(second, "1er")
        await expect(second.page.get_by_role("button", name="Accepter")).to_have_count(0)


@pytest.mark.spec("S66")
async def test_a_seat_refused_goes_to_the_next_and_one_left_is_left(
    browser: Browser, queue: Queue
) -> None:
    async with _parents(browser, queue, script=False, width=320) as (seated, first, second):
        await seated.follow("Voir la demande")
        await seated.follow("Retirer la demande")
        await seated.press("Retirer la demande")
        await _goes_to(first, "/accueil")
        await first.reads_at_last("Une place vous est proposée")
        await first.follow("Répondre avant la fin du délai")
        await first.follow("Refuser")
        await first.sees("Refuser la place proposée")
        await first.reads(f"La place actuelle ne change pas : {_OTHER_LABEL}")
        await _fits(first.page)
        await first.press("Refuser la place")
        await first.reads("Vous avez refusé la place")
        await first.reads("Vous n'êtes sur aucune liste d'attente.")

        await _goes_to(second, _LIST)
        await second.reads_at_last("Accepter cette place")
        await second.press("Accepter cette place")
        await second.reads(f"Vous avez accepté la place : {_WANTED_LABEL}")


@pytest.mark.spec("S66")
async def test_a_rank_is_given_up_once_that_is_confirmed(browser: Browser, queue: Queue) -> None:
    async with _parents(browser, queue) as (_, first, second):
        await _goes_to(first, _LIST)
        await first.follow("Quitter la liste d'attente")
        await first.sees("Quitter la liste d'attente")
        await first.follow("Annuler")
        await first.follow("Quitter la liste d'attente")
        await first.page.get_by_role("button", name="Quitter la liste").dblclick()
        await first.reads("Vous avez quitté cette liste d'attente")
        await _goes_to(second, _LIST)
        await _reads_rank(second, "1er")


async def _has_adopted(queue: Queue) -> bool:
    """Whether the application names the seat accepted: enrolment is told a moment later."""
    application = await queue.school.system.ask(
        ShowApplication(application_id=queue.first_application.id), queue.first.token
    )
    return [choice.label for choice in application.choices] == [_WANTED_LABEL]


async def _goes_to(parent: Parent, path: str) -> None:
    await parent.page.goto(parent.url + path)


async def _reads_rank(parent: Parent, rank: str) -> None:
    row = parent.page.locator(".govuk-summary-list__row").filter(has_text="Rang")
    await expect(row).to_contain_text(rank)


async def _fits(page: Page) -> None:
    """Nothing is wider than the window: no one scrolls sideways to read (WCAG 1.4.10)."""
    overflow = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow == 0
