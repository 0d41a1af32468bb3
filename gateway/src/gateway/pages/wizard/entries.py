"""What is typed at a step is kept as it is typed: on leaving a field where scripts run, and with
each page that is refused. It is shown again to whoever typed it, on any device.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, HeaderParameter
from litestar.response import Redirect
from shared.ask import ServiceUnavailable
from shared.contract import Contract, Rejection
from shared.contracts.enrolment import (
    Application,
    ForgetEntries,
    KeepEntries,
    KeptEntries,
    ShowEntries,
    StepTyped,
)
from shared.identifiers import new_id
from shared.observability import get_logger

from gateway import formats
from gateway.forms import Form, plain_lines
from gateway.language import gettext as _
from gateway.pages.wizard.choices import RemarksForm
from gateway.pages.wizard.frame import RECAP, Typed, step_path, typed
from gateway.people import HttpRequest, Person

log = get_logger()

PAGE: Final = "saisie"
"""What names the page that a form was shown in."""

type StepShown = Literal[1, 2, 4, 5]

_ENTRIES_AT_MOST: Final = 200
_LONGEST_ENTRY: Final = 8000
_LONGEST_NAME: Final = 100
_OLDEST: Final = timedelta(days=1)
_REMARKS: Final = "remarks"
_TYPED: Final[Mapping[StepTyped, tuple[str, ...]]] = {
    1: ("responsable-", "eleve-"),
    2: ("image_rights", "leaves_alone", "text_version", "revision"),
    4: (_REMARKS,),
}
"""How the names of the fields begin that are kept at each step: a seat is kept by its hold."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """What a step's page needs to keep what is typed in it, and to say what was kept before.

    ``typed_at`` is when what is shown was typed, none where it is what is recorded.
    """

    page_id: UUID
    keep_path: str
    forget_path: str
    typed_at: datetime | None = None


class Kept(Contract):
    """What a page says once what is typed in it is kept."""

    text: str


def keeping(application_id: UUID, step: StepShown, typed_at: datetime | None = None) -> Keeping:
    """Give a new page of a step what its form needs."""
    path = f"/dossiers/{application_id}/saisie/{step}"
    return Keeping(new_id(), path, f"{path}/effacer", typed_at)


async def ask_kept(person: Person, application_id: UUID, step: StepTyped) -> KeptEntries | None:
    """Give what this person typed at a step and did not send."""
    return await person.ask(ShowEntries(application_id=application_id, step=step))


async def keep(person: Person, application_id: UUID, step: StepTyped, posted: Typed) -> None:
    """Keep what a page that is refused had, so that it is not lost with the page.

    Where it cannot be kept the page still has it.
    """
    try:
        await person.ask(
            KeepEntries(
                application_id=application_id,
                step=step,
                page_id=new_id(),
                position=0,
                typed_at=datetime.now(UTC),
                entries=_worth_keeping(step, posted),
            )
        )
    except (Rejection, ServiceUnavailable) as error:
        log.info("entries not kept", step=step, reason=str(error))


def resumed_remarks(
    application: Application, kept: KeptEntries | None, step: Literal[4, 5]
) -> tuple[Form[RemarksForm], Keeping]:
    """Give the free text that steps 4 and 5 share, as it was typed last, or else as recorded."""
    recorded = plain_lines(application.remarks)
    texts = dict(kept.entries) if kept else {}
    text = plain_lines(texts.get(_REMARKS, recorded))
    is_newer = text.strip() != recorded
    typed_at = kept.typed_at if kept and is_newer else None
    form = Form(RemarksForm, typed={_REMARKS: (text if is_newer else recorded,)})
    return form, keeping(application.id, step, typed_at)


@post("/dossiers/{application_id:uuid}/saisie/{step:int}", status_code=200)
async def keep_typed(
    request: HttpRequest,
    person: NamedDependency[Person],
    application_id: FromPath[UUID],
    step: FromPath[StepShown],
    position: Annotated[int, HeaderParameter(name="x-position", ge=1, le=2**31 - 1)] = 1,
    age: Annotated[int, HeaderParameter(name="x-age-milliseconds", ge=0)] = 0,
) -> Kept:
    """Keep what a page has, as our script sends it: the whole form, and how long ago it was typed.

    An age is told rather than an instant: a browser's clock may be hours off.
    """
    now = datetime.now(UTC)
    posted = typed(request)
    await person.ask(
        KeepEntries(
            application_id=application_id,
            step=_typed_at(step),
            page_id=_page_id(posted),
            position=position,
            typed_at=now - min(timedelta(milliseconds=age), _OLDEST),
            entries=_worth_keeping(_typed_at(step), posted),
        )
    )
    return Kept(text=_("Enregistré à %(hour)s", hour=formats.hour(now)))


@post("/dossiers/{application_id:uuid}/saisie/{step:int}/effacer")
async def forget_typed(
    person: NamedDependency[Person], application_id: FromPath[UUID], step: FromPath[StepShown]
) -> Redirect:
    """Forget what was typed and not sent, and show the step as it is recorded."""
    await person.ask(ForgetEntries(application_id=application_id, step=_typed_at(step)))
    return Redirect(step_path(application_id, step), status_code=303)


def _typed_at(shown: StepShown) -> StepTyped:
    """Give the step whose entries a page shows: the recap has step 4's free text."""
    return 4 if shown == RECAP else shown


def _page_id(posted: Typed) -> UUID:
    """Read which page it was typed in; one that does not say is like no other."""
    try:
        return UUID(dict(posted).get(PAGE, ""))
    except ValueError:
        return new_id()


def _worth_keeping(step: StepTyped, posted: Typed) -> tuple[tuple[str, str], ...]:
    kept = [
        (name, text[:_LONGEST_ENTRY])
        for name, text in posted
        if name.startswith(_TYPED[step]) and len(name) <= _LONGEST_NAME
    ]
    return tuple(kept[:_ENTRIES_AT_MOST])


ROUTES = [keep_typed, forget_typed]
