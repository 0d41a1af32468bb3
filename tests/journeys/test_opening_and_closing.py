"""The opening awaited and the closing come while one types, in a real browser, in the showroom."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
from gateway.pages.wizard import opening
from playwright.async_api import Browser, Page, Request, expect
from shared.ask import ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.enrolment import Application, ShowApplication, SubmitApplication

from tests.showroom import household, situations
from tests.showroom.room import Exhibit, Room

pytestmark = pytest.mark.browser

_COURSES = f"/dossiers/{household.APPLICATION_ID}/cours"
_RECAP = f"/dossiers/{household.APPLICATION_ID}/recapitulatif"
_SOON = timedelta(seconds=4)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else waits: nobody lets the others go first."""
    monkeypatch.setattr(opening, "_SPREAD_SECONDS", 0)


@pytest.fixture
async def plain_page(browser: Browser) -> AsyncIterator[Page]:
    """A page without a script."""
    context = await browser.new_context(java_script_enabled=False, locale="fr-FR")
    yield await context.new_page()
    await context.close()


def waiting_for_it(opens_in: timedelta) -> Exhibit:
    """Step 4, before the campaign opens."""
    campaign = household.campaign(opens_in=opens_in)
    answers = situations.at_step(4, household.theory(household.THURSDAY), within=campaign)
    return Exhibit("ouverture", _COURSES, lambda: answers, signed_in=True)


def asked_whether_open(page: Page) -> list[Request]:
    asked: list[Request] = []
    page.on("request", lambda each: asked.append(each) if "/ouverture" in each.url else None)
    return asked


@pytest.mark.spec("S23", "S24")
async def test_the_page_that_waits_lets_the_family_in_by_itself(room: Room, page: Page) -> None:
    asked = asked_whether_open(page)
    await room.show(page, waiting_for_it(_SOON))
    await expect(page.get_by_role("timer")).to_contain_text("seconde")
    await expect(page.get_by_role("main")).to_contain_text("Gardez cette page ouverte")
    assert asked == []
    await expect(page.get_by_role("table", name="Cours suivis cette année")).to_be_visible(
        timeout=15_000
    )
    assert len(asked) == 1


async def test_while_the_service_is_away_the_page_goes_on_trying(room: Room, page: Page) -> None:
    asked = asked_whether_open(page)
    await room.show(page, waiting_for_it(_SOON))
    draft = room.portal.services.answers[ShowApplication]
    room.portal.services.answers[ShowApplication] = ServiceUnavailable("enrolment")
    await expect(page.locator("[data-opening-told]")).to_contain_text(
        "beaucoup de familles arrivent en même temps", timeout=15_000
    )
    room.portal.services.answers[ShowApplication] = draft
    await expect(page.get_by_role("table", name="Cours suivis cette année")).to_be_visible(
        timeout=15_000
    )
    assert len(asked) <= 3


async def test_a_page_whose_clock_ran_ahead_waits_again(room: Room, page: Page) -> None:
    later = datetime.now(UTC) + timedelta(hours=2)
    answer = {
        "is_open": False,
        "opens_at": later.isoformat(),
        "now": datetime.now(UTC).isoformat(),
    }
    await page.route("**/ouverture", lambda route: route.fulfill(status=503))
    await room.show(page, waiting_for_it(_SOON))
    told = page.locator("[data-opening-told]")
    await expect(told).to_contain_text("C'est ouvert", timeout=15_000)
    await page.unroute("**/ouverture")
    await page.route("**/ouverture", lambda route: route.fulfill(json=answer))
    await expect(page.get_by_role("timer")).to_contain_text("heure", timeout=15_000)
    await expect(told).to_be_empty()
    await page.unroute("**/ouverture")


async def test_an_answer_that_the_page_cannot_read_leads_on(room: Room, page: Page) -> None:
    await page.route("**/ouverture", lambda route: route.fulfill(body="<p>Portail</p>"))
    await room.show(page, waiting_for_it(_SOON))
    await expect(page.get_by_role("table", name="Cours suivis cette année")).to_be_visible(
        timeout=15_000
    )
    await page.unroute("**/ouverture")


async def test_without_a_script_the_page_says_how_to_come_in(room: Room, plain_page: Page) -> None:
    await room.show(plain_page, waiting_for_it(_SOON))
    main = plain_page.get_by_role("main")
    await expect(main).to_contain_text("Revenez à partir de ce moment.")
    courses = plain_page.get_by_role("table", name="Cours suivis cette année")
    async with asyncio.timeout(15):
        while not await courses.is_visible():
            await main.get_by_role("link", name="Voir si c'est ouvert").click()


@pytest.mark.spec("S24")
async def test_what_one_types_while_the_campaign_closes_is_given_back(
    room: Room, page: Page
) -> None:
    campaign = household.campaign(closes_in=timedelta(seconds=3))
    draft = household.application(within=campaign)
    answers = dict(situations.at_recap()) | {
        ShowApplication: draft,
        SubmitApplication: refused_once_closed(draft),
    }
    await room.show(page, Exhibit("cloture", _RECAP, lambda: answers, signed_in=True))
    await expect(page.get_by_role("main")).to_contain_text("La campagne ferme le")
    await page.get_by_label("Information complémentaire").fill("Alto, puis cor")
    await page.get_by_label("J'accepte").check()
    while datetime.now(UTC) < campaign.closes_at:
        await page.wait_for_timeout(100)
    await page.get_by_role("button", name="Valider").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(
        "La campagne de réinscription est close"
    )
    await expect(page.get_by_label("Votre saisie")).to_have_value(
        "Information complémentaire\u00a0: Alto, puis cor"
    )
    await expect(page.get_by_role("main")).to_contain_text("Conservatoire de Meudon")
    await page.get_by_role("link", name="Relire le dossier").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("brouillon")


async def test_the_last_minutes_are_said_in_a_page_that_is_open(room: Room, page: Page) -> None:
    campaign = household.campaign(closes_in=timedelta(minutes=11))
    draft = household.application(within=campaign)
    answers = dict(situations.at_recap()) | {ShowApplication: draft}
    await page.clock.install()
    await room.show(page, Exhibit("fermeture", _RECAP, lambda: answers, signed_in=True))
    notice = page.get_by_text("La campagne ferme le")
    await expect(notice).to_be_hidden()
    await page.clock.fast_forward("02:00")
    await expect(notice).to_be_visible()
    await expect(notice).to_contain_text("8 minutes")
    await page.clock.fast_forward("09:00")
    closed = page.get_by_text("La campagne de réinscription est close depuis le")
    await expect(closed).to_be_visible()
    await expect(notice).to_have_count(0)


def refused_once_closed(draft: Application) -> Callable[[SubmitApplication], Application]:
    """Answer as enrolment does to the second."""

    def answer(asked: SubmitApplication) -> Application:
        if asked.received_at >= draft.campaign.closes_at:
            raise Rejection(
                "campaign_closed",
                "La campagne de réinscription est close.",
                closes_at=draft.campaign.closes_at.isoformat(),
            )
        return draft

    return answer
