"""SIGKILL anything between "Valider" and the mail: one application, one seat, one mail."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import aiohttp
import pytest
from notifications.app import NotificationsSettings
from shared.contracts.enrolment import Application, ShowApplication

from tests.harness import eventually
from tests.stillness import dead_letters, settled
from tests.system import Household, School, System
from tests.visitor import Visitor

pytestmark = pytest.mark.servers

type Submit = Callable[[Household, Application], Awaitable[Application]]
"""How a family presses "Valider", until it is answered."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A wave of families has come to it as soon as one of them has a row in this state."""

    service: str
    table: str
    state: str

    async def has_come(self, school: School, wave: Sequence[Household]) -> bool:
        """Tell whether the wave is there."""
        rows = await school.system.count(
            self.service,
            f"SELECT count(*) FROM {self.table}"
            " WHERE campaign_id = $1 AND student_id = ANY($2) AND state = $3",
            school.campaign_id,
            [family.student_id for family in wave],
            self.state,
        )
        return rows > 0


_MOMENTS = (
    Moment("enrolment", "application", "submitted"),
    Moment("courses", "seat", "claimed"),
    Moment("notifications", "message", "sent"),
)
_WAVE = 6
_FAMILIES = _WAVE * len(_MOMENTS)


@pytest.mark.parametrize(
    "victim",
    ["identity", "enrolment", "documents", "courses", "notifications", "rabbitmq", "postgresql"],
)
async def test_crashes_after_valider_lose_and_double_nothing(system: System, victim: str) -> None:
    school = await system.school(families=_FAMILIES)

    async def submit(family: Household, application: Application) -> Application:
        return await school.submit(family, await school.submit(family, application))

    receipts = await _submit_in_waves(school, victim, submit)
    # a crash between the mail server's acceptance and our commit repeats the mails being handed
    # over, each under its Message-ID: only the sender's end, or its database's, can do it
    in_hand: int = NotificationsSettings.model_fields["mails_at_once"].default
    repeatable = in_hand if victim in ("notifications", "postgresql") else 0
    await _balance_the_books(school, receipts, repeatable * len(_MOMENTS))


async def test_a_gateway_that_crashes_at_valider_loses_and_doubles_nothing(portal: System) -> None:
    """Families press "Valider" on the public port; whoever gets no answer opens the page again."""
    school = await portal.school(families=_FAMILIES)
    async with AsyncExitStack() as stack:
        visitors = {
            family: await stack.enter_async_context(
                Visitor.signed_in(portal.stack.public_url, school, family)
            )
            for family in school.families
        }

        async def submit(family: Household, application: Application) -> Application:
            await _press_valider(visitors[family], application)
            question = ShowApplication(application_id=application.id)
            return await portal.ask(question, family.token)

        receipts = await _submit_in_waves(school, "gateway", submit)
    await _balance_the_books(school, receipts)


async def _submit_in_waves(school: School, victim: str, submit: Submit) -> set[str]:
    """Have families submit close after one another; in each wave the victim falls at another
    moment, its replicas in turn. Gives the receipts' numbers.
    """
    stack = school.system.stack
    applications = {family: await school.prepare(family) for family in school.families}
    receipts: set[str] = set()

    async def in_turn(turn: int, family: Household) -> Application:
        await asyncio.sleep(turn * 0.03)
        return await submit(family, applications[family])

    for number, moment in enumerate(_MOMENTS):
        wave = school.families[number * _WAVE : (number + 1) * _WAVE]
        async with asyncio.TaskGroup() as group:
            submitting = [
                group.create_task(in_turn(turn, family)) for turn, family in enumerate(wave)
            ]
            await eventually(partial(moment.has_come, school, wave))
            replicas = len(stack.urls.get(victim, [victim]))
            await stack.process(victim, number % replicas + 1).kill()
        await stack.wait_ready()
        receipts |= {receipt.number for task in submitting if (receipt := task.result().receipt)}
    return receipts


async def _press_valider(visitor: Visitor, application: Application) -> None:
    """Open the recap and validate, again and again while no page comes of it."""
    path = f"/dossiers/{application.id}/recapitulatif"
    async with asyncio.timeout(60):
        while True:
            try:
                page = await visitor.get(path)
                if page.status == 200 and page.path == path:
                    form = page.hidden() | {"accepted": "oui", "direction": "suite"}
                    page = await visitor.post(path, form)
            except aiohttp.ClientConnectionError:
                continue  # cut off with the replica: a browser's user tries again
            if page.status == 200 and page.path.endswith("/finalisation"):
                return
            await asyncio.sleep(0.2)


async def _balance_the_books(school: School, receipts: set[str], repeatable: int = 0) -> None:
    """One receipt, one application, one seat and one mail a family, once nothing moves any more."""
    await settled(school)
    families = len(school.families)
    assert len(receipts) == families
    assert await school.claims() == families
    placed = await school.system.count(
        "enrolment",
        "SELECT count(*) FROM application WHERE campaign_id = $1 AND state = 'submitted'"
        " AND claimed_at IS NOT NULL AND missing_hold_ids = '{}'",
        school.campaign_id,
    )
    assert placed == families
    mails = school.mails()
    assert len({mail["message-id"] for mail in mails}) == families
    assert all(any(receipt in str(mail["subject"]) for mail in mails) for receipt in receipts)
    assert len(mails) <= families + repeatable
    assert await dead_letters(school.system) == 0
