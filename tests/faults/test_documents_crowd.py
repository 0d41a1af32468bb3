"""Five hundred files at once: none is lost, each is verified once, and none goes through us."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from itertools import product

import pytest
from shared.contracts.documents import DocumentDeposited

from tests.faults.depositing import Deposit, Memory, Outside, Shelf, ask_for
from tests.faults.replaying import Recorder
from tests.harness import eventually
from tests.system import School, System

pytestmark = pytest.mark.servers

_FAMILIES, _PIECES = 50, 10
_UPLOADS = _FAMILIES * _PIECES
_SENT_AT_FIRST_KILL, _VERIFIED_AT_SECOND_KILL = _UPLOADS // 3, _UPLOADS // 2
_WITHIN_SECONDS = 240
"""On a busy machine; a quiet one needs a quarter of it."""
_GROWTH_MIB = {"gateway": 32, "documents": 96}
"""All the files together weigh 950. The gateway has room for hundreds of requests in flight;
documents also for the two files that it verifies at a time, of 2 Mo at most, copied a few times
in as many threads as it has for the store.
"""
_LIFE = ("expected", "analysing", "deposited")


async def test_five_hundred_uploads_survive_two_kills_and_each_is_verified_once(
    portal: System,
) -> None:
    school = await portal.school(families=_FAMILIES)
    types = await ask_for(school, _PIECES)
    shelf = Shelf(school)
    async with (
        Recorder.at_work(portal) as recorder,
        Outside.of(portal.stack.public_url) as outside,
    ):
        deposits = [
            Deposit(outside, school, family, type_code)
            for family, type_code in product(school.families, types)
        ]
        async with Memory.watched(
            portal.stack.process(package, replica)
            for package, replica in product(("gateway", "documents"), (1, 2))
        ) as memory:
            await _deposit_through_two_kills(deposits, shelf)
        for name, mib in memory.growth().items():
            assert mib < _GROWTH_MIB[name.partition("-")[0]], name
        assert await shelf.steps() == {each.document_id: _LIFE for each in deposits}
        assert await shelf.taken_again() > 0, "no verification was cut short"
        assert await _told_of(recorder, school) == Counter(each.document_id for each in deposits)
        await _all_are_kept(deposits)
    await shelf.clear()


async def _deposit_through_two_kills(deposits: Sequence[Deposit], shelf: Shelf) -> None:
    """Send everything; a replica of documents falls while it is sent, the other while it is
    verified.
    """
    stack = shelf.school.system.stack
    async with asyncio.TaskGroup() as browsers:
        for deposit in deposits:
            browsers.create_task(deposit.make())
        await eventually(
            lambda: sum(each.is_sent for each in deposits) > _SENT_AT_FIRST_KILL,
            within_seconds=_WITHIN_SECONDS,
        )
        await stack.process("documents", 1).kill()

    async def is_half_verified() -> bool:
        return (await shelf.states())["deposited"] > _VERIFIED_AT_SECOND_KILL

    await eventually(is_half_verified, within_seconds=_WITHIN_SECONDS)
    await stack.process("documents", 2).kill()
    await stack.wait_ready()
    await eventually(
        lambda: shelf.are(*["deposited"] * len(deposits)),
        within_seconds=_WITHIN_SECONDS,
        every_seconds=0.5,
    )


async def _told_of(recorder: Recorder, school: School) -> Counter[object]:
    """Count what was told of each document; a repeat by a relay that fell is the same event."""

    async def is_all_told() -> bool:
        return not await school.system.count("documents", "SELECT count(*) FROM outbox")

    await eventually(is_all_told)
    told = {
        event.occurrence.id: DocumentDeposited.model_validate_json(event.body).document_id
        for event in await recorder.events([str(school.campaign_id)])
        if event.type == DocumentDeposited.type
    }
    return Counter(told.values())


async def _all_are_kept(deposits: Sequence[Deposit]) -> None:
    left = iter(deposits)

    async def compare_in_turn() -> None:
        for deposit in left:
            assert await deposit.is_kept(), deposit.document_id

    async with asyncio.TaskGroup() as browsers:
        for _ in range(8):
            browsers.create_task(compare_in_turn())
