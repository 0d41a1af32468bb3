"""SIGKILL anything between "Valider" and the mail: one application, one seat, one mail."""

import asyncio

import pytest
from notifications.sending import MAILS_AT_ONCE
from shared.contracts.enrolment import Application

from tests.harness import eventually
from tests.system import Household, System

pytestmark = pytest.mark.servers

_FAMILIES = 16


@pytest.mark.parametrize(
    "victim",
    ["identity", "enrolment", "documents", "courses", "notifications", "rabbitmq", "postgresql"],
)
async def test_a_crash_after_valider_loses_and_doubles_nothing(system: System, victim: str) -> None:
    """Families submit one after the other, so that the crash finds each at another point."""
    school = await system.school(families=_FAMILIES)
    applications = [await school.prepare(family) for family in school.families]

    async def submit_in_turn(turn: int, family: Household, application: Application) -> Application:
        await asyncio.sleep(turn * 0.03)
        submitted = await school.submit(family, application)
        return await school.submit(family, submitted)

    async def crash() -> None:
        await asyncio.sleep(_FAMILIES * 0.015)
        await system.stack.process(victim).kill()

    async with asyncio.TaskGroup() as group:
        group.create_task(crash())
        submitting = [
            group.create_task(submit_in_turn(turn, family, application))
            for turn, (family, application) in enumerate(
                zip(school.families, applications, strict=True)
            )
        ]
    await system.stack.wait_ready()
    receipts = {receipt.number for task in submitting if (receipt := task.result().receipt)}
    assert len(receipts) == _FAMILIES

    async def every_seat_is_claimed() -> bool:
        return await school.claims() == _FAMILIES

    await eventually(every_seat_is_claimed, within_seconds=60)
    await eventually(
        lambda: all(system.mails_about(receipt) for receipt in receipts), within_seconds=60
    )
    mails = [mail for receipt in receipts for mail in system.mails_about(receipt)]
    assert len({mail["message-id"] for mail in mails}) == _FAMILIES
    # a crash between the mail server's acceptance and our commit repeats the mails being handed
    # over, each under its Message-ID: only the sender's end, or its database's, can do it
    repeatable = MAILS_AT_ONCE if victim in ("notifications", "postgresql") else 0
    assert len(mails) <= _FAMILIES + repeatable
