"""What a process is told of the events that it follows."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest.mock import Mock

import pytest
from aio_pika.abc import AbstractIncomingMessage
from shared.contract import Event
from shared.contracts.courses import SeatsChanged, SeatsReleased
from shared.feed import Feed, Told
from shared.identifiers import new_id


def message(kind: str, body: bytes) -> AbstractIncomingMessage:
    return Mock(spec=AbstractIncomingMessage, type=kind, body=body)


async def test_events_come_in_order_until_the_link_is_lost() -> None:
    told = Told[Event]({kind.type: kind for kind in (SeatsChanged, SeatsReleased)})
    events = [SeatsReleased(hold_ids=(new_id(),)), SeatsChanged(courses=())]
    for event in events:
        await told.add(message(event.type, event.model_dump_json().encode()))
    told.end()
    async with asyncio.timeout(1):
        assert [event async for event in told] == events


async def test_what_does_not_parse_is_passed_over() -> None:
    told = Told({SeatsChanged.type: SeatsChanged})
    for kind, body in (
        (SeatsChanged.type, b"{}"),
        (SeatsChanged.type, b"not json"),
        ("courses.unheard_of.v1", b"{}"),
        (SeatsChanged.type, b'{"courses": [], "field_of_a_later_release": 1}'),
    ):
        await told.add(message(kind, body))
    told.end()
    async with asyncio.timeout(1):
        assert [event async for event in told] == [SeatsChanged(courses=())]


async def test_a_reader_that_keeps_failing_is_called_again_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @asynccontextmanager
    async def bound(_: Feed[SeatsChanged]) -> AsyncIterator[Told[SeatsChanged]]:
        yield Told({})

    longest_pauses: list[float] = []

    def at_once(_: float, longest: float) -> float:
        longest_pauses.append(longest)
        return 0

    async def read(_: Told[SeatsChanged]) -> None:
        if len(longest_pauses) == 7:
            enough.set()
        raise ValueError

    monkeypatch.setattr(Feed, "_bound", bound)
    monkeypatch.setattr("shared.feed.random.uniform", at_once)
    enough = asyncio.Event()
    following = asyncio.create_task(Feed("amqp://broker.example", SeatsChanged).follow(read))
    async with asyncio.timeout(5):
        await enough.wait()
    following.cancel()
    await asyncio.wait({following})
    assert longest_pauses[:7] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
