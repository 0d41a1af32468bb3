"""Refusing reminders, or taking them again, by the link of any of them: no session is needed.

A mail reader posts to that very link when its user presses "unsubscribe" (RFC 8058).
"""

from typing import Annotated, Final

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Template
from shared.ask import Services
from shared.contracts.notifications import ChooseReminders, ReminderChoice

from gateway.pages.public import posted_texts
from gateway.pages.rendered import page
from gateway.people import WITHOUT_SESSION, HttpRequest

REMINDERS_PATH: Final = "/rappels"

_Token = Annotated[str, QueryParameter(name="jeton", max_length=200)]


@get(REMINDERS_PATH, opt=WITHOUT_SESSION)
async def show_choice(
    request: HttpRequest, services: NamedDependency[Services], token: _Token
) -> Template:
    """Show whether the family gets reminders. Reading the link changes nothing: readers of mails
    follow links by themselves.
    """
    wanted = await services.ask(ReminderChoice(token=token))
    return page(request, "public/reminders.html", {"token": token, "wanted": wanted, "done": False})


@post(REMINDERS_PATH, status_code=200, opt=WITHOUT_SESSION)
async def choose(
    request: HttpRequest, services: NamedDependency[Services], token: _Token
) -> Template:
    """Stop reminders, as whatever is posted means, or send them again where the form says so."""
    wanted = dict(posted_texts(await request.form())).get("rappels") == "oui"
    await services.ask(ChooseReminders(token=token, wanted=wanted))
    return page(request, "public/reminders.html", {"token": token, "wanted": wanted, "done": True})


ROUTES = [show_choice, choose]
