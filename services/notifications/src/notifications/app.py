"""Notifications, wired: what it answers, what it reacts to, and how its messages leave."""

from pathlib import Path

from shared.handlers import Resources
from shared.service import Chore, Service
from shared.settings import ServiceSettings

from notifications import queries, reactions
from notifications.mail import Letterhead
from notifications.postman import MailServer, Postman
from notifications.sending import send_due_messages


class NotificationsSettings(ServiceSettings):
    """What notifications needs besides: the mail server, and in whose name it writes."""

    smtp_url: str
    """``smtp://``, ``smtp+starttls://`` or ``smtps://``, with credentials where they are asked."""
    mail_from: str
    public_url: str
    """The address of the portal, as families use it."""


service = Service(
    name="notifications",
    migrations=Path(__file__).parents[2] / "migrations",
    asks=[queries.list_deliveries],
    reactions=[
        reactions.remember_campaign,
        reactions.remember_families,
        reactions.remember_sites,
        reactions.send_decline_receipt,
        reactions.send_offer,
        reactions.send_receipt,
    ],
    chores=[Chore(send_due_messages, seconds=0.25)],
)


def resources(settings: NotificationsSettings) -> Resources:
    """Make what the chore needs; raises ValueError where a setting makes no sense."""
    return {
        Postman: Postman(MailServer.at(settings.smtp_url)),
        Letterhead: Letterhead.of(settings.mail_from, settings.public_url),
    }


def main() -> None:
    """Run one replica, configured by its environment."""
    settings = NotificationsSettings()
    service.run(settings, resources(settings))
