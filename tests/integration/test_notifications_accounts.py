"""Notices about an account on real servers: to the address told, once, and never too late (S4)."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from notifications.accounts import forget_tokens
from notifications.tables import message
from shared.contract import Event
from shared.contracts.identity import (
    AccountLocked,
    Addressee,
    EmailChanged,
    EmailChangeOpened,
    PasswordChanged,
    PasswordResetOpened,
)
from shared.identifiers import new_id

from tests.applicants import Applicant
from tests.harness import eventually
from tests.integration.notifying import Notifications, known
from tests.post_box import PostBox

pytestmark = pytest.mark.servers

TOKEN = "pQ3x0v2mF6kR8s1tY5uW7zA9bC4dE6fG8hJ0kL2mN4o"
HOUR = timedelta(hours=1)


def to(applicant: Applicant, email: str = "") -> Addressee:
    """The applicant's guardian, at an address of their own."""
    return Addressee(
        name="Camille N'DIAYE",
        email=email or applicant.address,
        family_id=applicant.family_id,
        site_id=applicant.site_id,
    )


async def text_for(post: PostBox, address: str) -> tuple[str, str]:
    """Give the subject and the text of the one mail that came to an address."""
    await eventually(lambda: post.received_by(address))
    (mail,) = post.received_by(address)
    assert mail["X-Envelope-To"] == address
    assert mail["Reply-To"] == "conservatoire.essai@territoire.example"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert mail["Subject"] in html.get_content()
    return mail["Subject"], text.get_content()


async def contents(notifications: Notifications, applicant: Applicant) -> list[tuple[str, str]]:
    """The states of the family's messages, and what they say."""
    async with notifications.database.transaction() as tx:
        rows = await tx.execute(
            sa.select(message.c.state, message.c.content).where(
                message.c.family_id == applicant.family_id
            )
        )
        return [(row.state, str(row.content)) for row in rows]


async def test_a_link_reaches_its_guardian_alone_and_is_forgotten(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.other_address)
    opened = PasswordResetOpened(
        account_id=new_id(), to=to(applicant), token=TOKEN, expires_at=datetime.now(UTC) + HOUR
    )
    event_id = new_id()
    for _ in range(2):
        await notifications.react(opened, event_id=event_id)
    subject, text = await text_for(post, applicant.address)
    assert subject == "Choisissez un nouveau mot de passe"
    portal = notifications.settings.public_url
    assert f"{portal}/mot-de-passe/nouveau?jeton={TOKEN}" in text
    assert post.received_by(applicant.other_address) == []

    async def is_sent() -> bool:
        return [state for state, _ in await contents(notifications, applicant)] == ["sent"]

    await eventually(is_sent)
    await forget_tokens(notifications.database)
    ((_, content),) = await contents(notifications, applicant)
    assert TOKEN not in content


async def test_a_link_that_has_expired_is_not_sent_and_is_forgotten(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant)
    await notifications.react(
        EmailChangeOpened(
            account_id=new_id(), to=to(applicant), token=TOKEN, expires_at=datetime.now(UTC)
        )
    )

    async def is_too_late() -> bool:
        return [state for state, _ in await contents(notifications, applicant)] == ["too_late"]

    await eventually(is_too_late)
    await forget_tokens(notifications.database)
    ((_, content),) = await contents(notifications, applicant)
    assert TOKEN not in content
    assert post.received_by(applicant.address) == []


async def test_an_address_is_confirmed_by_who_reads_it(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)
    opened = EmailChangeOpened(
        account_id=new_id(),
        to=to(applicant, applicant.other_address),
        token=TOKEN,
        expires_at=datetime.now(UTC) + HOUR,
    )
    await notifications.react(opened)
    subject, text = await text_for(post, applicant.other_address)
    assert subject == "Confirmez votre nouvelle adresse e-mail"
    portal = notifications.settings.public_url
    assert f"{portal}/mot-de-passe/email/confirmer?jeton={TOKEN}" in text
    assert post.received_by(applicant.address) == []


@pytest.mark.parametrize("kind", [PasswordChanged, AccountLocked])
async def test_what_was_done_is_told_with_what_to_do_about_it(
    notifications: Notifications, post: PostBox, kind: type[Event]
) -> None:
    applicant = Applicant()
    await known(notifications, applicant)
    at = datetime(2027, 5, 12, 8, 0, tzinfo=UTC)
    instants = {"changed_at": at, "locked_until": at}
    told = {"account_id": new_id(), "to": to(applicant), **instants}
    await notifications.react(kind.model_validate(told))
    _, text = await text_for(post, applicant.address)
    assert "12/05/2027 à 10:00" in text
    assert f"{notifications.settings.public_url}/mot-de-passe/oublie" in text


async def test_a_change_of_address_is_told_to_the_old_one_and_to_the_new_one(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant)
    await notifications.react(
        EmailChanged(
            guardian_id=new_id(),
            to=to(applicant),
            old_email=applicant.other_address,
            changed_at=datetime.now(UTC),
        )
    )
    subject, _ = await text_for(post, applicant.address)
    assert subject == "Votre adresse e-mail est enregistrée"
    subject, text = await text_for(post, applicant.other_address)
    assert subject == "Votre adresse e-mail a été changée"
    assert applicant.address not in text


async def test_a_first_address_is_told_to_itself_alone(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant)
    first = EmailChanged(
        guardian_id=new_id(), to=to(applicant), old_email="", changed_at=datetime.now(UTC)
    )
    await notifications.react(first)
    await text_for(post, applicant.address)
    assert len(await contents(notifications, applicant)) == 1
