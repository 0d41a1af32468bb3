"""The store, the antivirus or the service itself leave: each file is there once all the same."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import product

import pytest
from documents.erasure import finish_uploads
from shared.contract import Rejection
from shared.contracts.documents import OpenDocument
from shared.contracts.files import Document, UploadTicket
from shared.db import Database

from bench.documents.replicas import store_of
from tests.faults.depositing import Deposit, Outside, Shelf, ask_for
from tests.harness import eventually
from tests.system import School, System

pytestmark = pytest.mark.servers

_LIFE = ("expected", "analysing", "deposited")
_AWAY_SECONDS = float(os.environ.get("STORE_AWAY_SECONDS", "9"))
"""Half a minute, as 30, shows the same: files then wait longer."""
_BETWEEN_OUTAGES_SECONDS = _AWAY_SECONDS / 3
_VERIFIED_WITHIN_SECONDS = 120


@asynccontextmanager
async def _deposits(
    system: System, families: int, pieces: int
) -> AsyncIterator[tuple[Shelf, list[Deposit]]]:
    """Give a school's shelf, and one file to come for each piece of each family."""
    school = await system.school(families=families)
    types = await ask_for(school, pieces)
    async with Outside.of(system.stack.public_url) as outside:
        yield (
            Shelf(school),
            [
                Deposit(outside, school, family, type_code)
                for type_code, family in product(types, school.families)
            ],
        )


async def _are_all_there_once(shelf: Shelf, deposits: Sequence[Deposit]) -> None:
    await eventually(
        lambda: shelf.are(*["deposited"] * len(deposits)), within_seconds=_VERIFIED_WITHIN_SECONDS
    )
    assert await shelf.steps() == {each.document_id: _LIFE for each in deposits}
    for each in deposits:
        assert await each.is_kept()


async def _is_unreadable(school: School, deposit: Deposit) -> bool:
    question = OpenDocument(document_id=deposit.document_id)
    try:
        await school.system.ask(question, deposit.family.token)
    except Rejection as refusal:
        return refusal.status == 404
    return False


async def test_files_given_while_the_store_and_the_antivirus_are_away_are_there_once(
    portal: System,
) -> None:
    store, antivirus = portal.stack.process("store"), portal.stack.process("antivirus")
    async with _deposits(portal, families=4, pieces=4) as (shelf, deposits):
        told, sent, announced, new = (deposits[number::4] for number in range(4))
        async with asyncio.TaskGroup() as group:
            await antivirus.stop()
            for each in told:
                assert (await each.make()).state == "analysing"
            for each in sent:
                await each.give()
            tickets = [await each.open() for each in announced]
            await asyncio.sleep(_BETWEEN_OUTAGES_SECONDS)
            # nothing was scanned, so nothing is read
            assert await shelf.states() == Counter(
                analysing=len(told), expected=len(sent) + len(announced)
            )
            for each in told:
                assert await _is_unreadable(shelf.school, each)
            await store.stop()
            registering = [group.create_task(each.register()) for each in sent]
            registering += [
                group.create_task(_send_and_register(each, ticket))
                for each, ticket in zip(announced, tickets, strict=True)
            ]
            registering += [group.create_task(each.make()) for each in new]
            await asyncio.sleep(_AWAY_SECONDS - _BETWEEN_OUTAGES_SECONDS)
            await antivirus.bring_up()
            await asyncio.sleep(_BETWEEN_OUTAGES_SECONDS)
            assert not [each for each in registering if each.done()]
            await store.bring_up()
        await _are_all_there_once(shelf, deposits)


async def _send_and_register(deposit: Deposit, ticket: UploadTicket) -> Document:
    await deposit.send(ticket)
    return await deposit.register()


async def test_a_registration_that_a_kill_cut_short_is_repeated_and_counts_once(
    portal: System,
) -> None:
    replicas = [portal.stack.process("documents", number) for number in (1, 2)]
    async with _deposits(portal, families=5, pieces=4) as (shelf, deposits):
        async with asyncio.TaskGroup() as group:
            for each in deposits:
                group.create_task(each.give())
        for replica in replicas:
            await replica.kill_for_good()
        async with asyncio.TaskGroup() as group:
            registering = [group.create_task(each.register()) for each in deposits]
            for replica in replicas:
                replica.start()
            # cut it short again, once some answers are on their way
            await eventually(lambda: _some_are_registered(shelf), within_seconds=120)
            for replica in replicas:
                await replica.kill_for_good()
            await shelf.let_the_leases_run_out()
            for replica in replicas:
                replica.start()
        assert [each.result().id for each in registering] == [each.document_id for each in deposits]
        await portal.stack.wait_ready()
        await _are_all_there_once(shelf, deposits)
        assert (await deposits[0].register()).state == "deposited"
        assert (await shelf.steps())[deposits[0].document_id] == _LIFE


async def _some_are_registered(shelf: Shelf) -> bool:
    return (await shelf.states())["expected"] < (await shelf.states()).total()


async def test_a_file_whose_browser_left_before_telling_is_there_all_the_same(
    portal: System,
) -> None:
    async with _deposits(portal, families=2, pieces=1) as (shelf, (sent, never_sent)):
        before = datetime.now(UTC)
        await sent.give()
        await never_sent.open()
        await _sweep(portal, before)
        assert await shelf.are("expected", "expected"), "too early to tell that a browser left"
        for _ in range(2):
            await _sweep(portal, datetime.now(UTC))
        await eventually(lambda: shelf.are("deposited", "abandoned"))
        steps = await shelf.steps()
        assert steps[sent.document_id] == _LIFE
        assert steps[never_sent.document_id] == ("expected", "abandoned")
        assert await sent.is_kept()
        assert (await sent.register()).state == "deposited"


async def _sweep(system: System, begun_before: datetime) -> None:
    """Finish the uploads that were left, as a replica does half an hour later."""
    database = Database(system.stack.postgresql.url("documents"), name="test", connections=2)
    try:
        await finish_uploads(database, store_of(system.stack), begun_before)
    finally:
        await database.close()
