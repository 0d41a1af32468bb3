"""Step 2: the two authorisations (S40)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Template
from pydantic import BaseModel, Field
from shared.contract import Rejection
from shared.contracts.enrolment import (
    Application,
    Authorisations,
    KeptEntries,
    RecordAuthorisations,
)
from shared.contracts.identity import Family

from gateway import formats, texts
from gateway.forms import WHOLE_FORM, Form, YesNo
from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.wizard.entries import ask_kept, keep, keeping
from gateway.pages.wizard.frame import (
    AUTHORISATIONS,
    CAMPAIGN_CLOSED,
    CONTACT_DETAILS,
    DOCUMENTS,
    ask_family,
    goes_back,
    open_step,
    step_page,
    step_path,
    typed,
)
from gateway.people import HttpRequest, Person
from gateway.refusals import detail_of

_TEXT_CHANGED = marked(
    "Le texte des autorisations a changé : relisez-le, puis envoyez vos réponses."
)


_ANSWERED: Final = marked(
    "%(author)s a répondu entre-temps, le %(instant)s : %(answer)s. Votre réponse est gardée :"
    " envoyez de nouveau pour l'enregistrer."
)
_YES: Final = marked("Oui")
_NO: Final = marked("Non")
_ANSWERS: Final = ("image_rights", "leaves_alone")
_KEPT: Final = (*_ANSWERS, "revision")


class AuthorisationsForm(BaseModel):
    """The answers, the version of the text that the page showed, and that of former answers."""

    image_rights: YesNo = Field(title=marked("votre réponse pour le droit à l'image"))
    leaves_alone: YesNo = Field(title=marked("votre réponse pour l'autorisation de sortie"))
    text_version: str = Field("", title=marked("la version du texte"))
    revision: int = Field(0, title=marked("la version des réponses"))


@get("/dossiers/{application_id:uuid}/autorisations")
async def show(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Template:
    """Ask for the two answers, none given beforehand but by this very person."""
    notices: list[str] = []
    application, kept, family = await asyncio.gather(
        open_step(person, application_id, AUTHORISATIONS),
        ask_kept(person, application_id, AUTHORISATIONS),
        ask_family(person, notices),
    )
    given = application.authorisations
    form = Form.of(AuthorisationsForm(**given.model_dump())) if given else Form(AuthorisationsForm)
    resumed = _resumed(form, kept)
    typed_at = kept.typed_at if kept and resumed is not form else None
    context = {"form": resumed, "keeping": keeping(application_id, AUTHORISATIONS, typed_at)}
    return _page(request, application, context, [], family, notices)


@post("/dossiers/{application_id:uuid}/autorisations")
async def record(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Template | Redirect:
    """Keep the answers with the version of the text they answer.

    Going back keeps them too; a page left without any answer is all that can be left so (S21).
    """
    posted = typed(request)
    form = Form.read(AuthorisationsForm, posted)
    if form.value and not texts.is_present(form.value.text_version, texts.AUTHORISATIONS):
        form = form.refuse(WHOLE_FORM, _(_TEXT_CHANGED))
    if form.value:
        form = await _keep(person, application_id, form, form.value)
    following = CONTACT_DETAILS if goes_back(posted) else DOCUMENTS
    if not form.value:
        application = await open_step(person, application_id, AUTHORISATIONS)
        if following == DOCUMENTS or form.text("image_rights") or form.text("leaves_alone"):
            return await _ask_again(request, person, application, form)
    return Redirect(step_path(application_id, following), status_code=303)


async def _keep(
    person: Person,
    application_id: UUID,
    form: Form[AuthorisationsForm],
    answers: AuthorisationsForm,
) -> Form[AuthorisationsForm]:
    """Record the answers; give the form back, with why where enrolment refuses them."""
    try:
        await person.ask(
            RecordAuthorisations(
                application_id=application_id,
                authorisations=Authorisations(
                    image_rights=answers.image_rights,
                    leaves_alone=answers.leaves_alone,
                    text_version=answers.text_version,
                ),
                revision=answers.revision,
            )
        )
    except Rejection as rejection:
        if rejection.code == "authorisations_changed":
            return _overtaken(form, answers, Authorisations.model_validate(rejection.facts))
        if rejection.status == 404 or rejection.code == CAMPAIGN_CLOSED:
            raise
        return form.refuse(WHOLE_FORM, detail_of(rejection))
    return form


def _overtaken(
    form: Form[AuthorisationsForm], answers: AuthorisationsForm, given: Authorisations
) -> Form[AuthorisationsForm]:
    """Say who answered otherwise meanwhile, and keep these answers to be sent again."""
    told = {
        "author": given.answered_by,
        "instant": formats.instant(given.answered_at) if given.answered_at else "",
    }
    for name in _ANSWERS:
        theirs = getattr(given, name)
        if theirs != getattr(answers, name):
            text = _(_ANSWERED, answer=_(_YES if theirs else _NO), **told)
            form = form.refuse(name, text)
    if not form.errors:
        form = form.refuse(WHOLE_FORM, _(_TEXT_CHANGED))
    return replace(form, typed={**form.typed, "revision": (str(given.revision),)})


def _resumed(
    recorded: Form[AuthorisationsForm], kept: KeptEntries | None
) -> Form[AuthorisationsForm]:
    """Show the answers last given and not sent, where they are others, to the text shown now."""
    entries = dict(kept.entries) if kept else {}
    is_same_text = texts.is_present(entries.get("text_version", ""), texts.AUTHORISATIONS)
    answers: dict[str, tuple[str, ...]] = {
        name: (entries[name],) for name in _KEPT if name in entries
    }
    is_newer = any(recorded.texts(name) != answers.get(name, ()) for name in _ANSWERS)
    if not is_same_text or not is_newer or not any(name in answers for name in _ANSWERS):
        return recorded
    return Form(AuthorisationsForm, typed={**recorded.typed, **answers})


async def _ask_again(
    request: HttpRequest,
    person: Person,
    application: Application,
    form: Form[AuthorisationsForm],
) -> Template:
    """Show the page with what was answered, which is kept in case it is left so."""
    notices: list[str] = []
    entries = [(name, text) for name in form.typed for text in form.texts(name)]
    _done, family = await asyncio.gather(
        keep(person, application.id, AUTHORISATIONS, entries), ask_family(person, notices)
    )
    context = {"form": form, "keeping": keeping(application.id, AUTHORISATIONS)}
    return _page(request, application, context, [form], family, notices)


def _page(
    request: HttpRequest,
    application: Application,
    context: Mapping[str, object],
    forms: Sequence[Form[AuthorisationsForm]],
    family: Family | None,
    notices: Sequence[str],
) -> Template:
    shown = {**context, "texts": texts.authorisation_texts()}
    return step_page(
        request, application, AUTHORISATIONS, shown, family=family, forms=forms, notices=notices
    )


ROUTES = [show, record]
