"""Messages to families: what was sent, the reminders of a campaign, and how a site words them."""

from uuid import UUID

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi.spec import Tag
from litestar.params import FromPath, FromQuery, RequestBody
from shared.contract import Contract
from shared.contracts.letters import (
    Language,
    ReminderKind,
    Reminders,
    WordedKind,
    Wording,
    WordingPreview,
    WordingText,
)
from shared.contracts.notifications import (
    LaunchReminders,
    ListMailFailures,
    ListMessages,
    ListReminders,
    ListWordings,
    PreviewWording,
    ResetWording,
    ResumeReminders,
    SaveWording,
    SentMessage,
    StopReminders,
)

from gateway.api.operations import CHANGED, MINE
from gateway.people import Person

TAG = Tag(
    name="Messages",
    description="What families are sent, and what the mail server answered; the reminders of a"
    " campaign and the words of a site, for its staff.",
)


class Launch(Contract):
    """The client's identifier of a launch: repeated, it reminds once."""

    launch_id: UUID


class Words(Contract):
    """A site's own words, with variables between double braces."""

    text: WordingText


class Draft(Contract):
    """Words to try, not saved; without them, those that the site has now."""

    text: WordingText | None = None


@get("/messages", responses=MINE)
async def list_my_messages(
    person: NamedDependency[Person], before: FromQuery[UUID | None] = None
) -> tuple[SentMessage, ...]:
    """Give the messages to the caller's family, the latest first, fifty at a time.

    `before` is the `id` of the last one of the page before. What was sent to one guardian
    alone about their account is not there.
    """
    return await person.ask(ListMessages(before=before))


@get("/families/{family_id:uuid}/messages", responses=MINE)
async def list_family_messages(
    family_id: FromPath[UUID],
    person: NamedDependency[Person],
    before: FromQuery[UUID | None] = None,
) -> tuple[SentMessage, ...]:
    """Give the messages to a family of the site, for its staff, as `/messages` does."""
    return await person.ask(ListMessages(family_id=family_id, before=before))


@get("/sites/{site_id:uuid}/mail-failures", responses=MINE)
async def list_mail_failures(
    site_id: FromPath[UUID],
    person: NamedDependency[Person],
    before: FromQuery[UUID | None] = None,
) -> tuple[SentMessage, ...]:
    """Give what the families of a site were not sent, or not at every address, for its staff."""
    return await person.ask(ListMailFailures(site_id=site_id, before=before))


@get("/campaigns/{campaign_id:uuid}/reminders", responses=MINE)
async def list_reminders(
    campaign_id: FromPath[UUID], person: NamedDependency[Person]
) -> tuple[Reminders, ...]:
    """Tell how the reminders of a campaign stand, by kind (staff of its site)."""
    return await person.ask(ListReminders(campaign_id=campaign_id))


@post(
    "/campaigns/{campaign_id:uuid}/reminders/{kind:str}/launches",
    status_code=200,
    responses=CHANGED,
)
async def launch_reminders(
    campaign_id: FromPath[UUID],
    kind: FromPath[ReminderKind],
    data: RequestBody[Launch],
    person: NamedDependency[Person],
) -> Reminders:
    """Remind now every family that a kind concerns, each once (staff of the site).

    Refused: `reminders_stopped`, `reminded_lately` (once a day, with `facts.launch_from`),
    `deadline_passed`.
    """
    return await person.ask(
        LaunchReminders(launch_id=data.launch_id, campaign_id=campaign_id, kind=kind)
    )


@put(
    "/campaigns/{campaign_id:uuid}/reminders/{kind:str}/stop",
    status_code=204,
    responses=CHANGED,
)
async def stop_reminders(
    campaign_id: FromPath[UUID], kind: FromPath[ReminderKind], person: NamedDependency[Person]
) -> None:
    """Send no more reminders of a kind in a campaign, those that wait included."""
    await person.ask(StopReminders(campaign_id=campaign_id, kind=kind))


@delete("/campaigns/{campaign_id:uuid}/reminders/{kind:str}/stop", responses=CHANGED)
async def resume_reminders(
    campaign_id: FromPath[UUID], kind: FromPath[ReminderKind], person: NamedDependency[Person]
) -> None:
    """Send them again; those whose occasion has not passed are sent to all."""
    await person.ask(ResumeReminders(campaign_id=campaign_id, kind=kind))


@get("/sites/{site_id:uuid}/wordings", responses=MINE)
async def list_wordings(
    site_id: FromPath[UUID], person: NamedDependency[Person]
) -> tuple[Wording, ...]:
    """Give how each kind of message opens at a site, and what its words may name (staff)."""
    return await person.ask(ListWordings(site_id=site_id))


@put("/sites/{site_id:uuid}/wordings/{kind:str}/{language:str}", responses=CHANGED)
async def save_wording(
    site_id: FromPath[UUID],
    kind: FromPath[WordedKind],
    language: FromPath[Language],
    data: RequestBody[Words],
    person: NamedDependency[Person],
) -> Wording:
    """Open the messages of a kind in the site's own words, from now on.

    Refused: `wording_refused` (422: `facts.line`, and `facts.variable` where it does not exist).
    """
    return await person.ask(
        SaveWording(site_id=site_id, kind=kind, language=language, text=data.text)
    )


@delete(
    "/sites/{site_id:uuid}/wordings/{kind:str}/{language:str}", status_code=200, responses=CHANGED
)
async def reset_wording(
    site_id: FromPath[UUID],
    kind: FromPath[WordedKind],
    language: FromPath[Language],
    person: NamedDependency[Person],
) -> Wording:
    """Come back to the territory's words."""
    return await person.ask(ResetWording(site_id=site_id, kind=kind, language=language))


@post(
    "/sites/{site_id:uuid}/wordings/{kind:str}/{language:str}/preview",
    status_code=200,
    responses=CHANGED,
)
async def preview_wording(
    site_id: FromPath[UUID],
    kind: FromPath[WordedKind],
    language: FromPath[Language],
    data: RequestBody[Draft],
    person: NamedDependency[Person],
) -> WordingPreview:
    """Give an example of the message as its mail would read. Refused as saving is."""
    return await person.ask(
        PreviewWording(site_id=site_id, kind=kind, language=language, text=data.text)
    )


ROUTES = [
    list_my_messages,
    list_family_messages,
    list_mail_failures,
    list_reminders,
    launch_reminders,
    stop_reminders,
    resume_reminders,
    list_wordings,
    save_wording,
    reset_wording,
    preview_wording,
]
