"""Step 4 before the campaign opens: a calm page that lets everyone in by itself (S23, S24).

The page has the server's clock. At the opening each browser waits a moment of its own, asks here
whether it may go on, and again with growing pauses while it may not: nobody asks before the hour,
and nobody reloads a page.
"""

from datetime import UTC, datetime, timedelta
from secrets import randbelow
from typing import Final
from uuid import UUID

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Template
from pydantic import BaseModel
from shared.contracts.enrolment import Application, ShowApplication
from shared.contracts.identity import Family

from gateway.forms import Form
from gateway.pages.wizard.choices import RemarksForm
from gateway.pages.wizard.frame import COURSES, step_page
from gateway.people import HttpRequest, Person

_SPREAD_SECONDS: Final = 4
"""Over how long the browsers that waited come in, once it is open."""
_RELOADED_WITHIN: Final = timedelta(minutes=15)
"""How long before the opening a page without script is set to reload itself, once."""
_RELOADS_SPREAD_SECONDS: Final = 10


class Opening(BaseModel):
    """Whether step 4 may be opened, and the server's clock, by which the script counts."""

    is_open: bool
    opens_at: datetime
    now: datetime


@get("/dossiers/{application_id:uuid}/ouverture")
async def ask_whether_open(
    person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Opening:
    """Tell the script of a page that waits."""
    application = await person.ask(ShowApplication(application_id=application_id))
    now, opens_at = datetime.now(UTC), application.campaign.opens_at
    return Opening(is_open=now >= opens_at, opens_at=opens_at, now=now)


def opening_page(
    request: HttpRequest,
    application: Application,
    family: Family | None,
    remarks: Form[RemarksForm],
    notices: list[str],
) -> Template:
    """Say when step 4 opens, and what can be prepared meanwhile."""
    now = datetime.now(UTC)
    left = application.campaign.opens_at - now
    context = {
        "now": now,
        "spread_seconds": _SPREAD_SECONDS,
        "reload_after": _reload_after(left) if left <= _RELOADED_WITHIN else None,
    }
    return step_page(
        request,
        application,
        COURSES,
        context,
        family=family,
        forms=[remarks],
        notices=notices,
        template="wizard/ouverture.html",
    )


def _reload_after(left: timedelta) -> int:
    return int(left.total_seconds()) + 1 + randbelow(_RELOADS_SPREAD_SECONDS)


ROUTES = [ask_whether_open]
