"""Which letters a site may put in its own words, and what reminders are about."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import StringConstraints

from shared.contract import Contract

type ReminderKind = Literal["draft_reminder", "documents_reminder", "answer_reminder"]
"""Of a draft that was not sent, of pieces that lack, of a student nothing was answered for."""
type WordedKind = (
    ReminderKind
    | Literal["submission_receipt", "decline_receipt", "waiting_list_offer", "document_refused"]
)
"""The kinds whose opening a site may put in its own words."""
type Language = Literal["fr", "en"]
type WordingText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)
]


class Reminders(Contract):
    """How the reminders of one kind stand in a campaign.

    ``concerned`` is how many families have something to be reminded of now, ``sent`` how many
    messages left; ``launch_from`` is from when on the staff may launch them again.
    """

    kind: ReminderKind
    is_stopped: bool
    concerned: int
    sent: int
    launch_from: datetime | None = None


class Wording(Contract):
    """How a message of its kind opens, in paragraphs: a site's own words, or the territory's.

    ``variables`` are what may stand between double braces, as ``{{ eleve }}``.
    """

    kind: WordedKind
    language: Language
    text: str
    is_own: bool
    variables: tuple[str, ...]


class WordingPreview(Contract):
    """An example of a message, as its mail would read."""

    subject: str
    text: str
    html: str
