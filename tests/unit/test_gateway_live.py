"""Live seats: what the board knows, and how it is shown to whoever follows it."""

from collections.abc import AsyncIterator
from itertools import permutations
from pathlib import Path

import pytest
from gateway.assets import OWN_FOLDER
from gateway.live import COURSES_AT_MOST
from gateway.people import REFRESH_COOKIE
from gateway.seats_board import SeatsBoard
from shared.identifiers import new_id

from tests.harness import eventually
from tests.live import Address, listening, query, seats
from tests.portal import Portal

DANCE, CHOIR, BAND = new_id(), new_id(), new_id()


@pytest.fixture
def portal(tmp_path: Path) -> Portal:
    return Portal(tmp_path)


@pytest.fixture
async def address(portal: Portal) -> AsyncIterator[Address]:
    """The portal, listening, its board current."""
    portal.board.start_from([seats(DANCE, 3), seats(CHOIR, 0, waiting=2)])
    async with listening(portal.app) as address:
        yield address


def open_streams(portal: Portal) -> int:
    return portal.live_seats.streams_open


def test_of_what_is_told_in_any_order_the_latest_version_stays() -> None:
    told = [seats(DANCE, 3, version=1), seats(DANCE, 2, version=2), seats(DANCE, 9, version=3)]
    for order in permutations(told):
        board = SeatsBoard()
        for each in order:
            board.learn([each])
        (notice,) = board.notices([DANCE])
        assert (notice.version, b'"seats_left":9' in notice.json) == (3, True)


def test_a_snapshot_older_than_what_was_told_changes_nothing() -> None:
    board = SeatsBoard()
    board.learn([seats(DANCE, 1, version=8)])
    board.start_from([seats(DANCE, 5, version=7), seats(CHOIR, 2)])
    assert [notice.version for notice in board.notices([DANCE, CHOIR])] == [8, 1]


async def test_whoever_asks_reads_the_courses_named_and_those_alone(address: Address) -> None:
    assert await address.seats(CHOIR, new_id()) == {CHOIR: seats(CHOIR, 0, waiting=2)}


async def test_what_has_not_changed_is_not_sent_again(address: Address, portal: Portal) -> None:
    url = f"{address.url}/places?{query([DANCE])}"
    async with address.client.get(url) as first:
        known = {"if-none-match": first.headers["etag"]}
    async with address.client.get(url, headers=known) as again:
        assert (again.status, await again.read()) == (304, b"")
    portal.board.learn([seats(DANCE, 2, version=2)])
    async with address.client.get(url, headers=known) as changed:
        assert changed.status == 200


@pytest.mark.parametrize("path", ["/places", "/places/flux"])
async def test_what_cannot_be_read_is_refused(address: Address, path: str) -> None:
    too_many = query([new_id()] * (COURSES_AT_MOST + 1))
    for asked in ("", "cours=", "cours=dance", "cours[]=1", too_many):
        headers = {"accept": "application/json"}
        async with address.client.get(f"{address.url}{path}?{asked}", headers=headers) as answer:
            assert (answer.status, (await answer.json())["code"]) == (400, "invalid"), asked


def test_the_script_follows_as_many_courses_as_it_may() -> None:
    script = (OWN_FOLDER / "seats.js").read_text()
    assert f"FOLLOWED_AT_MOST = {COURSES_AT_MOST};" in script


async def test_nothing_is_said_while_it_is_not_known(address: Address, portal: Portal) -> None:
    portal.board.lose_track()
    async with address.client.get(f"{address.url}/places?{query([DANCE])}") as answer:
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    async with address.stream(DANCE) as stream:
        portal.board.learn([seats(DANCE, 2, version=2)])
        assert await stream.is_silent()
        portal.board.start_from([])
        assert await stream.told() == {DANCE: seats(DANCE, 2, version=2)}


async def test_what_changed_while_it_was_not_known_is_told_afterwards(
    address: Address, portal: Portal
) -> None:
    async with address.stream(DANCE, CHOIR) as stream:
        assert (await stream.told()).keys() == {DANCE, CHOIR}
        portal.board.lose_track()
        portal.board.start_from([seats(DANCE, 3), seats(CHOIR, 1, version=5)])
        assert await stream.told() == {CHOIR: seats(CHOIR, 1, version=5)}


async def test_a_stream_tells_how_it_stands_then_what_changes_in_its_courses(
    address: Address, portal: Portal
) -> None:
    async with address.stream(DANCE, BAND) as stream:
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["x-accel-buffering"] == "no"
        assert stream.response.headers["cache-control"] == "no-store"
        assert stream.response.headers["x-content-type-options"] == "nosniff"
        assert await stream.told() == {DANCE: seats(DANCE, 3)}
        portal.board.learn([seats(CHOIR, 4, version=2)])
        assert await stream.is_silent()
        portal.board.learn([seats(BAND, 7)])
        assert await stream.told() == {BAND: seats(BAND, 7)}


async def test_a_course_that_changes_often_is_told_as_it_last_was(
    address: Address, portal: Portal
) -> None:
    async with address.stream(DANCE) as stream:
        await stream.told()
        for version in range(2, 40):
            portal.board.learn([seats(DANCE, version % 4, version=version)])
        assert await stream.told() == {DANCE: seats(DANCE, 39 % 4, version=39)}
        assert await stream.is_silent()


async def test_a_stream_says_now_and_then_that_it_is_still_there(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.live._PING_SECONDS", 0.05)
    async with address.stream(DANCE) as stream:
        await stream.told()
        assert await stream.response.content.readuntil(b": ping\n\n")


async def test_a_browser_that_has_gone_leaves_nothing_behind(
    address: Address, portal: Portal
) -> None:
    async with address.stream(DANCE), address.stream(DANCE, CHOIR):
        await eventually(lambda: open_streams(portal) == 2)
    await eventually(lambda: open_streams(portal) == 0)
    assert portal.board.watched == 0


async def test_streams_end_when_the_process_stops(address: Address, portal: Portal) -> None:
    async with address.stream(DANCE) as stream:
        await stream.told()
        portal.live_seats.close()
        assert await stream.ends()
    async with address.client.get(f"{address.url}/places/flux?{query([DANCE])}") as answer:
        assert answer.status == 503


async def test_a_crowd_is_sent_to_ask_now_and_then(tmp_path: Path) -> None:
    portal = Portal(tmp_path, streams_at_most=1)
    async with (
        listening(portal.app) as address,
        address.stream(DANCE),
        address.client.get(f"{address.url}/places/flux?{query([DANCE])}") as answer,
    ):
        assert (answer.status, answer.headers["retry-after"]) == (503, "60")


@pytest.mark.parametrize("path", ["/places", "/places/flux"])
async def test_live_seats_read_and_set_no_cookie(
    address: Address, portal: Portal, path: str
) -> None:
    asked = f"{address.url}{path}?{query([DANCE])}"
    async with address.client.get(asked, cookies={REFRESH_COOKIE: "worn"}) as answer:
        assert answer.status == 200
        assert "set-cookie" not in answer.headers
    assert portal.services.asked == []
