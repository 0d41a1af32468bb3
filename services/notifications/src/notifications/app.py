"""Notifications, wired: what it answers, what it reacts to, and how its messages leave."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode
from shared.handlers import Resources
from shared.service import Chore, Service
from shared.settings import ServiceSettings, comma_separated

from notifications import (
    accounts,
    erasure,
    languages,
    opting_out,
    progress,
    reactions,
    receipts,
    reminders,
    sent_messages,
    site_wordings,
)
from notifications.mail import Letterhead
from notifications.opting_out import ReminderLinks
from notifications.pacing import Pace
from notifications.postman import MailServer, Postman
from notifications.press import Press
from notifications.reminders import queue_reminders
from notifications.sending import Sending, send_due_messages
from notifications.verification import Seal
from notifications.webhooks import endpoints, events, log
from notifications.webhooks.addresses import AddressRule, Network
from notifications.webhooks.courier import deliver_webhooks


class NotificationsSettings(ServiceSettings):
    """What notifications needs besides: the mail server, and in whose name it writes."""

    smtp_url: str
    """``smtp://``, ``smtp+starttls://`` or ``smtps://``, with credentials where they are asked."""
    mail_from: str
    public_url: str
    """The address of the portal, as families use it."""
    receipt_secret: str = Field(min_length=16)
    """What the codes printed on receipts and the links of reminders are made with: the same in
    every replica, for years.
    """
    mails_at_once: int = 1
    """Mails that a replica hands over at the same time: what a crash may repeat at most."""
    mails_per_second: float | None = None
    mails_per_second_to_a_domain: float | None = None
    webhook_allowed_networks: Annotated[
        tuple[Network, ...], NoDecode, BeforeValidator(comma_separated)
    ] = ()
    """Networks that are not public and that webhooks may lead to all the same."""
    webhook_allows_http: bool = False


service = Service(
    name="notifications",
    migrations=Path(__file__).parents[2] / "migrations",
    asks=[
        endpoints.disable_webhook,
        endpoints.enable_webhook,
        endpoints.register_webhook,
        endpoints.remove_webhook,
        endpoints.replay_webhook,
        endpoints.rotate_webhook_secret,
        languages.choose_language,
        log.list_webhook_deliveries,
        log.list_webhooks,
        receipts.list_deliveries,
        receipts.print_receipt,
        receipts.send_receipt_again,
        reminders.launch_reminders,
        reminders.list_reminders,
        reminders.resume_reminders,
        reminders.stop_reminders,
        sent_messages.list_mail_failures,
        sent_messages.list_messages,
        site_wordings.list_wordings,
        site_wordings.preview_wording,
        site_wordings.reset_wording,
        site_wordings.save_wording,
    ],
    public_asks=[
        opting_out.choose_reminders,
        opting_out.reminder_choice,
        receipts.verify_receipt,
    ],
    reactions=[
        accounts.send_email_link,
        accounts.send_reset_link,
        accounts.tell_account_locked,
        accounts.tell_email_changed,
        accounts.tell_password_changed,
        erasure.erase_family,
        events.queue_webhooks,
        progress.remember_change_of_mind,
        progress.remember_draft,
        progress.remember_missing_pieces,
        progress.remember_refusal,
        progress.remember_submission,
        reactions.remember_campaign,
        reactions.remember_families,
        reactions.remember_remarks,
        reactions.remember_sites,
        reactions.send_decline_receipt,
        reactions.send_offer,
        reactions.send_receipt,
        reactions.tell_accepted_document,
        reactions.tell_confirmed_seat,
        reactions.tell_ended_offer,
        reactions.tell_placed_seat,
        reactions.tell_refused_document,
    ],
    chores=[
        Chore(send_due_messages, seconds=0.25),
        Chore(queue_reminders, seconds=20),
        Chore(accounts.forget_tokens, seconds=60),
        Chore(deliver_webhooks, seconds=0.25),
        Chore(events.forget_old_webhook_events, seconds=3600),
    ],
)


def resources(settings: NotificationsSettings) -> Resources:
    """Make what the chore needs; raises ValueError where a setting makes no sense."""
    seal = Seal(settings.receipt_secret)
    press = Press(seal, settings.public_url)
    links = ReminderLinks(settings.receipt_secret, settings.public_url)
    letterhead = Letterhead.of(settings.mail_from, settings.public_url)
    sending = Sending(
        Postman(MailServer.at(settings.smtp_url)),
        letterhead,
        press,
        links,
        Pace(settings.mails_per_second, settings.mails_per_second_to_a_domain),
        settings.mails_at_once,
    )
    rule = AddressRule(settings.webhook_allowed_networks, settings.webhook_allows_http)
    return {
        Sending: sending,
        AddressRule: rule,
        Letterhead: letterhead,
        Press: press,
        ReminderLinks: links,
        Seal: seal,
    }


def main() -> None:
    """Run one replica, configured by its environment."""
    settings = NotificationsSettings()
    service.run(settings, resources(settings))
