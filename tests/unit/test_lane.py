"""The lane: what waits together goes together, and nobody waits for ever."""

import asyncio
from collections.abc import Callable, Sequence

import pytest
from courses.lane import Lane


class Desk:
    """Settles what a lane brings while its door is open; ``fail`` says what spoils a batch."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.door = asyncio.Event()
        self.door.set()
        self.fail: Callable[[list[str]], BaseException | None] = lambda _: None

    async def settle(self, asked: Sequence[str]) -> list[str]:
        batch = list(asked)
        self.batches.append(batch)
        await self.door.wait()
        error = self.fail(batch)
        if error is not None:
            raise error
        return [f"{each} answered" for each in batch]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def lane(desk: Desk) -> Lane[str, str]:
    return Lane(desk.settle, batch=4)


async def _turns(count: int = 5) -> None:
    """Let everything go on that can."""
    for _ in range(count):
        await asyncio.sleep(0)


async def _join(lane: Lane[str, str], *asked: str) -> list[asyncio.Task[str]]:
    tasks = [asyncio.create_task(lane.join(each)) for each in asked]
    await _turns()
    return tasks


async def _outcomes(*tasks: asyncio.Task[str]) -> list[str | BaseException]:
    async with asyncio.timeout(5):
        return await asyncio.gather(*tasks, return_exceptions=True)


async def test_alone_a_request_goes_at_once(desk: Desk, lane: Lane[str, str]) -> None:
    desk.door.clear()
    waiting = await _join(lane, "a")
    assert desk.batches == [["a"]]
    desk.door.set()
    assert await _outcomes(*waiting) == ["a answered"]


async def test_what_comes_while_a_batch_is_in_flight_goes_together_in_its_order(
    desk: Desk, lane: Lane[str, str]
) -> None:
    desk.door.clear()
    waiting = await _join(lane, "a")
    waiting += await _join(lane, "b", "c")
    waiting += await _join(lane, "d", "e", "f")
    desk.door.set()
    assert await _outcomes(*waiting) == [f"{each} answered" for each in "abcdef"]
    assert desk.batches == [["a"], ["b", "c", "d", "e"], ["f"]]


async def test_one_batch_is_in_flight_at_a_time(desk: Desk, lane: Lane[str, str]) -> None:
    desk.door.clear()
    waiting = await _join(lane, "a")
    waiting += await _join(lane, "b")
    await _turns(50)
    assert desk.batches == [["a"]]
    desk.door.set()
    await _outcomes(*waiting)


async def test_twins_have_each_their_answer(desk: Desk, lane: Lane[str, str]) -> None:
    assert await _outcomes(*await _join(lane, "a", "a")) == ["a answered", "a answered"]
    assert desk.batches == [["a", "a"]]


async def test_what_spoils_a_batch_fails_alone(desk: Desk, lane: Lane[str, str]) -> None:
    desk.fail = lambda batch: ValueError("poison") if "c" in batch else None
    outcomes = await _outcomes(*await _join(lane, "a", "b", "c", "d"))
    assert outcomes[:2] + outcomes[3:] == ["a answered", "b answered", "d answered"]
    assert isinstance(outcomes[2], ValueError)


async def test_a_batch_whose_database_went_away_is_tried_once_more(
    desk: Desk, lane: Lane[str, str]
) -> None:
    errors: list[ConnectionError | None] = [ConnectionError("gone"), None]
    desk.fail = lambda _: errors.pop(0)
    assert await _outcomes(*await _join(lane, "a", "b")) == ["a answered", "b answered"]
    assert desk.batches == [["a", "b"]] * 2


async def test_where_the_database_stays_away_all_are_told_and_the_next_are_tried(
    desk: Desk, lane: Lane[str, str]
) -> None:
    desk.fail = lambda _: ConnectionError("gone")
    outcomes = await _outcomes(*await _join(lane, "a", "b"))
    assert [type(outcome) for outcome in outcomes] == [ConnectionError, ConnectionError]
    assert len(desk.batches) == 2
    desk.fail = lambda _: None
    assert await _outcomes(*await _join(lane, "c")) == ["c answered"]


async def test_whoever_stops_waiting_harms_nobody(desk: Desk, lane: Lane[str, str]) -> None:
    desk.door.clear()
    in_flight, *pending = [*await _join(lane, "a"), *await _join(lane, "b", "c")]
    in_flight.cancel()
    pending[0].cancel()
    desk.door.set()
    assert await _outcomes(pending[1]) == ["c answered"]
    assert await _outcomes(*await _join(lane, "d")) == ["d answered"]


async def test_nobody_waits_for_ever_where_the_answers_are_not_as_many(desk: Desk) -> None:
    async def settle(asked: Sequence[str]) -> list[str]:
        return (await desk.settle(asked))[1:]

    lane = Lane(settle)
    outcomes = await _outcomes(*await _join(lane, "a", "b"))
    assert [type(outcome) for outcome in outcomes] == [ValueError, ValueError]


async def test_nobody_waits_for_ever_where_a_batch_is_cancelled(
    desk: Desk, lane: Lane[str, str]
) -> None:
    desk.fail = lambda _: asyncio.CancelledError()
    desk.door.clear()
    waiting = await _join(lane, "a")
    waiting += await _join(lane, "b")
    desk.door.set()
    outcomes = await _outcomes(*waiting)
    assert [type(outcome) for outcome in outcomes] == [ConnectionError, ConnectionError]
    desk.fail = lambda _: None
    assert await _outcomes(*await _join(lane, "c")) == ["c answered"]
