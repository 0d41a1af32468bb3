"""The messages sent to a family, and where each stands (S73)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Template
from shared.contracts.notifications import (
    A_PAGE_OF_MESSAGES,
    DeliveryState,
    ListMessages,
    MessageKind,
    SentMessage,
)

from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.rendered import page
from gateway.people import HttpRequest, Person

MESSAGES_PATH: Final = "/famille/messages"

_TITLES: Final[Mapping[MessageKind, str]] = {
    "submission_receipt": marked("Accusé de réception d'une demande de réinscription"),
    "decline_receipt": marked("Accusé de réception d'une non-réinscription"),
    "waiting_list_offer": marked("Place proposée"),
    "waiting_list_offer_ended": marked("Fin d'une proposition de place"),
    "seat_confirmed": marked("Place confirmée"),
    "seat_placed": marked("Place attribuée"),
    "document_accepted": marked("Pièce validée"),
    "document_refused": marked("Pièce à remplacer"),
    "draft_reminder": marked("Rappel : réinscription à terminer"),
    "documents_reminder": marked("Rappel : pièces manquantes"),
    "answer_reminder": marked("Rappel : réponse attendue"),
}
_ABOUT_AN_ACCOUNT: Final = marked("Accès à un compte")
_STATES: Final[Mapping[DeliveryState, str]] = {
    "waiting": marked("En cours d'envoi"),
    "sent": marked("Envoyé"),
    "failed": marked("Non remis : vérifiez votre adresse e-mail"),
    "no_address": marked("Non envoyé : ajoutez une adresse e-mail à vos coordonnées"),
    "too_late": marked("Non envoyé : il était trop tard"),
    "not_needed": marked("Non envoyé : il n'y avait plus lieu"),
}
_SENT_TO_SOME: Final = marked("Envoyé, mais pas à toutes les adresses")


@dataclass(frozen=True, slots=True)
class Shown:
    """A message in a family's words."""

    sent: SentMessage

    @property
    def title(self) -> str:
        """What it is, and about whom."""
        title = _(_TITLES.get(self.sent.kind, _ABOUT_AN_ACCOUNT))
        return f"{title}, {self.sent.student}" if self.sent.student else title

    @property
    def state(self) -> str:
        """Where it stands."""
        is_partial = self.sent.state == "sent" and bool(self.sent.failure)
        return _(_SENT_TO_SOME if is_partial else _STATES[self.sent.state])


@get(MESSAGES_PATH)
async def messages(
    request: HttpRequest,
    person: NamedDependency[Person],
    before: Annotated[UUID | None, QueryParameter(name="avant")] = None,
) -> Template:
    """Show what was sent to the family, the latest first."""
    sent = await person.ask(ListMessages(before=before))
    context = {
        "messages": [Shown(each) for each in sent],
        "older": sent[-1].id if len(sent) == A_PAGE_OF_MESSAGES else None,
    }
    return page(request, "portal/messages.html", context)


ROUTES = [messages]
