"""A crowd of mails, a mail server that goes away, senders that are killed: each family is told."""

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from notifications.outgoing import queue_message
from shared.handlers import Occurrence
from shared.identifiers import new_id
from stack.running import Stack

from tests.faults.mailing import Office
from tests.harness import eventually

pytestmark = pytest.mark.servers

_SUBMISSIONS = int(os.environ.get("MAIL_SERVER_AWAY_SUBMISSIONS", "500"))
_AWAY_SECONDS = float(os.environ.get("MAIL_SERVER_AWAY_SECONDS", "6"))
"""Ten minutes and 2000 submissions show the same: messages then wait longer in the database."""
_MAILS = int(os.environ.get("MAILS_KILLED", "400"))
_FAMILIES = 100
_MEMORY_GROWTH = 40 * 1024**2
"""What may be added to a replica, in bytes. Printing receipts takes 28 MiB; 500 mails of 47 kB that
did not wait in the database would be 22 MiB more.
"""


async def test_a_mail_server_away_during_a_rush_gets_every_receipt_once_when_it_is_back(
    servers: Stack,
) -> None:
    async with Office.of(servers, _SUBMISSIONS) as office:
        await office.open(replicas=2)
        await office.tell(office.applicants[0].submitted())
        await eventually(lambda: office.count("waiting"), within_seconds=30)
        before, away_since = office.memory(), time.monotonic()

        await office.tell(*(each.submitted() for each in office.applicants))
        await eventually(lambda: _is(office, "waiting", _SUBMISSIONS), within_seconds=60)
        await asyncio.sleep(max(0.0, away_since + _AWAY_SECONDS - time.monotonic()))
        assert not office.arrived()
        await office.mailbox.process.bring_up()
        await eventually(lambda: _is(office, "sent", _SUBMISSIONS), within_seconds=400)

        assert office.memory() - before < _MEMORY_GROWTH
        arrived = office.arrived()
        assert len(arrived) == _SUBMISSIONS
        assert set(arrived.values()) == {1}


@pytest.mark.parametrize("seed", [2027])
async def test_senders_killed_each_second_lose_nothing_and_repeat_at_most_a_mail_a_kill(
    servers: Stack, seed: int
) -> None:
    chance, kills = Random(seed), 0
    async with Office.of(servers, _FAMILIES) as office:
        await _fill(office, _MAILS)
        await office.mailbox.process.bring_up()
        await office.open(replicas=2)
        async with asyncio.timeout(60 + _MAILS / 20):
            while not await _is(office, "sent", _MAILS):
                await asyncio.sleep(1)
                await office.replace(chance.randrange(2))
                kills += 1

        arrived = office.arrived()
        repeats = arrived.total() - len(arrived)
        assert len(arrived) == _MAILS
        assert repeats <= kills, f"{repeats} repeats of {_MAILS} mails for {kills} kills"


async def _is(office: Office, state: str, count: int) -> bool:
    return await office.count(state) == count


async def _fill(office: Office, mails: int) -> None:
    """Have this many offers due: a PDF, for each, would be most of a short life's work."""
    until = datetime.now(UTC) + timedelta(hours=24)
    occurrence = Occurrence(id=new_id(), happened_at=until, correlation_id="x")
    async with office.database.transaction() as tx:
        for number in range(mails):
            applicant = office.applicants[number % _FAMILIES]
            await queue_message(
                tx,
                "waiting_list_offer",
                str(number),
                occurrence,
                family_id=applicant.family_id,
                student_id=applicant.student_id,
                campaign_id=applicant.campaign_id,
                place_id=new_id(),
                content={"course": "FM 2.1 (34) - MARDI - 17.00 à 18.30", "until": until},
            )
