"""RabbitMQ is stopped: commands are still answered, and their events leave once it is back."""

import aiohttp
import pytest
from stack.topology import SERVICES

from tests.harness import eventually
from tests.stillness import settled
from tests.system import System

pytestmark = pytest.mark.servers


async def test_a_family_submits_without_the_broker_and_is_told_by_mail_afterwards(
    system: System,
) -> None:
    school = await system.school(families=1)
    (family,) = school.families
    application = await school.prepare(family)
    (choice,) = application.choices
    await eventually(
        lambda: system.count("enrolment", "SELECT count(*) FROM hold WHERE id = $1", choice.hold_id)
    )
    broker = system.stack.process("rabbitmq")
    await broker.stop()
    try:
        submitted = await school.submit(family, application)
        async with aiohttp.ClientSession() as client:
            for service in SERVICES:
                for url in system.stack.urls[service]:
                    async with client.get(f"{url}/health/ready") as response:
                        assert response.status == 200, await response.text()
                        assert (await response.json())["broker"] != "up"
    finally:
        broker.start()
        await broker.wait_ready()
    assert submitted.receipt is not None
    await settled(school)
    assert await school.claims() == 1
    (mail,) = school.mails()
    assert submitted.receipt.number in str(mail["subject"])
