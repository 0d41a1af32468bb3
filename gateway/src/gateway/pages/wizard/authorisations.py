"""Step 2: the two authorisations (S40)."""

from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect, Template
from pydantic import BaseModel, Field
from shared.contract import Rejection
from shared.contracts.enrolment import Application, Authorisations, RecordAuthorisations

from gateway import texts
from gateway.forms import WHOLE_FORM, Form, YesNo
from gateway.pages.wizard.frame import (
    AUTHORISATIONS,
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

_TEXT_CHANGED = "Le texte des autorisations a changé : relisez-le, puis envoyez vos réponses."


class AuthorisationsForm(BaseModel):
    """The answers, and the version of the text that the page showed."""

    image_rights: YesNo = Field(title="votre réponse pour le droit à l'image")
    leaves_alone: YesNo = Field(title="votre réponse pour l'autorisation de sortie")
    text_version: str = Field("", title="la version du texte")


@get("/dossiers/{application_id:uuid}/autorisations")
async def show(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Template:
    """Ask for the two answers, none given beforehand."""
    application = await open_step(person, application_id, AUTHORISATIONS)
    given = application.authorisations
    form = Form.of(AuthorisationsForm(**given.model_dump())) if given else Form(AuthorisationsForm)
    return await _ask(request, person, application, form)


@post("/dossiers/{application_id:uuid}/autorisations")
async def record(
    request: HttpRequest, person: NamedDependency[Person], application_id: FromPath[UUID]
) -> Template | Redirect:
    """Keep the answers with the version of the text they answer.

    Going back keeps them too; a page left without any answer is all that can be left so (S21).
    """
    posted = typed(request)
    form = Form.read(AuthorisationsForm, posted)
    if form.value and form.value.text_version != texts.AUTHORISATIONS.version:
        form = form.refuse(WHOLE_FORM, _TEXT_CHANGED)
    if form.value:
        form = await _keep(person, application_id, form, form.value)
    following = CONTACT_DETAILS if goes_back(posted) else DOCUMENTS
    if not form.value:
        application = await open_step(person, application_id, AUTHORISATIONS)
        if following == DOCUMENTS or form.text("image_rights") or form.text("leaves_alone"):
            return await _ask(request, person, application, form)
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
                authorisations=Authorisations(**answers.model_dump()),
            )
        )
    except Rejection as rejection:
        if rejection.status == 404:
            raise
        return form.refuse(WHOLE_FORM, rejection.detail)
    return form


async def _ask(
    request: HttpRequest,
    person: Person,
    application: Application,
    form: Form[AuthorisationsForm],
) -> Template:
    notices: list[str] = []
    return step_page(
        request,
        application,
        AUTHORISATIONS,
        {"form": form, "texts": texts.AUTHORISATIONS},
        family=await ask_family(person, notices),
        forms=[form],
        notices=notices,
    )


ROUTES = [show, record]
