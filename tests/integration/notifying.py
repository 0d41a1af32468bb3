"""Notifications beside a mail server of the test's own, and what it tells."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
from notifications.app import NotificationsSettings, resources, service
from notifications.opting_out import ReminderLinks
from notifications.press import Press
from notifications.verification import Seal
from shared.broker import EVENTS_EXCHANGE
from shared.contract import Event
from shared.handlers import Resources
from stack.running import Stack

from tests.applicants import Applicant
from tests.harness import Running, running
from tests.post_box import PostBox

PRESS = Press(Seal("secret des essais"), "https://portail.example")
LINKS = ReminderLinks("secret des essais", "https://portail.example")

type Notifications = Running[NotificationsSettings]


@asynccontextmanager
async def notifying(servers: Stack, post: PostBox) -> AsyncIterator[Notifications]:
    """Run one replica that hands its mails to ``post``."""

    def with_post_box(settings: NotificationsSettings) -> Resources:
        return resources(settings.model_copy(update={"smtp_url": post.url}))

    async with running(servers, service, NotificationsSettings, with_post_box) as replica:
        yield replica


async def known(notifications: Notifications, applicant: Applicant, *addresses: str) -> None:
    """Tell all that a message to the applicant is written from."""
    await notifications.react(applicant.sites())
    await notifications.react(applicant.campaign())
    await notifications.react(applicant.recorded(*addresses))


@asynccontextmanager
async def subscriber[Told: Event](
    notifications: Notifications, event: type[Told]
) -> AsyncIterator[list[Told]]:
    """The events of one type that reach whoever listens."""
    told: list[Told] = []

    async def keep(incoming: aio_pika.abc.AbstractIncomingMessage) -> None:
        told.append(event.model_validate_json(incoming.body))
        await incoming.ack()

    async with await aio_pika.connect(notifications.settings.broker_url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(EVENTS_EXCHANGE, event.type)
        await queue.consume(keep)
        yield told
