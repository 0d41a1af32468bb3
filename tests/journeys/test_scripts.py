"""The scripts where something is missing: in an older browser, or where a form does not arrive."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from gateway.pages.wizard import opening
from playwright.async_api import Browser, Page, Request, expect

from tests.showroom import household, situations
from tests.showroom.room import Exhibit, Room

pytestmark = pytest.mark.browser

_STEP = f"/dossiers/{household.APPLICATION_ID}"
_OLDER = """
delete AbortSignal.timeout;
delete HTMLFormElement.prototype.requestSubmit;
"""
"""What the browser of a telephone of 2021 does not have."""


@pytest.fixture
async def older(browser: Browser) -> AsyncIterator[Page]:
    """A page in an older browser."""
    context = await browser.new_context(locale="fr-FR")
    await context.add_init_script(_OLDER)
    yield await context.new_page()
    await context.close()


@pytest.fixture
async def fresh(browser: Browser) -> AsyncIterator[Page]:
    """A page of its own, whose time may be moved."""
    context = await browser.new_context(locale="fr-FR")
    page = await context.new_page()
    await page.clock.install()
    yield page
    await context.close()


async def test_an_older_browser_is_let_in_at_the_opening_too(
    room: Room, older: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_SPREAD_SECONDS", 0)
    campaign = household.campaign(opens_in=timedelta(seconds=2))
    answers = situations.at_step(4, household.theory(household.THURSDAY), within=campaign)
    asked: list[Request] = []
    older.on(
        "requestfinished", lambda each: asked.append(each) if "/ouverture" in each.url else None
    )
    await room.show(older, Exhibit("ouverture", f"{_STEP}/cours", lambda: answers, signed_in=True))
    await expect(older.get_by_role("table", name="Cours suivis cette année")).to_be_visible(
        timeout=15_000
    )
    assert len(asked) == 1


async def test_a_place_that_no_script_can_keep_is_kept_by_its_form(room: Room, older: Page) -> None:
    row = household.theory(household.THURSDAY, hold=household.hold(left=timedelta(minutes=4)))
    answers = situations.at_step(4, row)
    await room.show(older, Exhibit("cours", f"{_STEP}/cours", lambda: answers, signed_in=True))
    await older.route("**/places/prolonger", lambda route: route.abort())
    async with older.expect_request(
        lambda each: each.method == "POST" and each.is_navigation_request()
    ) as sent:
        await older.get_by_role("button", name="Garder la place plus longtemps").click()
    request = await sent.value
    assert "prolonger=" in (request.post_data or "")


async def test_what_is_typed_after_a_form_that_did_not_leave_is_kept(
    room: Room, fresh: Page
) -> None:
    await room.show(
        fresh,
        Exhibit(
            "coordonnees", f"{_STEP}/coordonnees", lambda: situations.at_step(1), signed_in=True
        ),
    )
    await fresh.route("**/coordonnees", lambda route: route.fulfill(status=204))
    profession = fresh.get_by_label("Profession", exact=True).first
    status = fresh.locator("[data-autosave]")
    await profession.fill("Luth")
    async with fresh.expect_response("**/coordonnees"):
        await fresh.get_by_role("button", name="Passer à l'étape suivante").last.click()
    await profession.fill("Luthière")
    await profession.blur()
    await expect(status).not_to_contain_text("Enregistré à")
    async with fresh.expect_request("**/saisie/1") as kept:
        await fresh.clock.fast_forward("00:15")
        await fresh.clock.fast_forward("00:05")
    assert "Luthi" in ((await kept.value).post_data or "")
    await expect(status).to_contain_text("Enregistré à")


async def test_a_form_is_sent_once_and_says_that_it_leaves_by_a_status_that_was_there(
    room: Room, fresh: Page
) -> None:
    await room.show(
        fresh,
        Exhibit(
            "coordonnees", f"{_STEP}/coordonnees", lambda: situations.at_step(1), signed_in=True
        ),
    )
    status = await fresh.locator("[role=status][data-sending]").element_handle()
    assert status is not None
    assert await status.text_content() == ""
    sent: list[str] = []
    fresh.on("request", lambda each: sent.append(each.url) if each.method == "POST" else None)
    await fresh.route("**/coordonnees", lambda route: route.fulfill(status=204))
    go_on = fresh.get_by_role("button", name="Passer à l'étape suivante").last
    async with fresh.expect_response("**/coordonnees"):
        await go_on.dblclick()
    assert await status.text_content() == "Envoi en cours."
    await expect(go_on).to_have_attribute("aria-disabled", "true")
    assert len(sent) == 1
    # it seems lost: it may be sent again
    await fresh.clock.fast_forward("00:11")
    assert await status.text_content() == ""
    async with fresh.expect_response("**/coordonnees"):
        await go_on.click()
    assert len(sent) == 2
