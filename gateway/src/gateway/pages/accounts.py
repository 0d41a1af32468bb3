"""The signed-in guardian's account: password, e-mail and the devices it is signed in on (S4)."""

from typing import Annotated, Final, Literal
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect, Template
from pydantic import BaseModel, Field, ValidationError
from shared.ask import ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.identity import (
    ChangePassword,
    EndOtherSessions,
    EndSession,
    ListSessions,
    MyAccount,
    RequestEmailChange,
)

from gateway.forms import WHOLE_FORM, Email, Form
from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.public import posted_texts
from gateway.pages.rendered import page, refusal_text
from gateway.people import HttpRequest, Person

ACCOUNT_PATH: Final = "/mot-de-passe"
EMAIL_PATH: Final = f"{ACCOUNT_PATH}/email"
DEVICES_PATH: Final = f"{ACCOUNT_PATH}/appareils"
SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 200

_EMAIL_UNREADABLE: Final = marked("Écrivez une adresse complète, comme nom@exemple.fr")
_PLACES: Final = {
    "wrong_password": "current_password",
    "password_too_short": "new_password",
    "password_too_common": "new_password",
}
"""The field that a refusal of identity's is about."""


class PasswordForm(BaseModel):
    """What changes a password."""

    current_password: str = Field(
        title=marked("votre mot de passe actuel"), max_length=LONGEST_PASSWORD
    )
    new_password: str = Field(
        title=marked("votre nouveau mot de passe"),
        min_length=SHORTEST_PASSWORD,
        max_length=LONGEST_PASSWORD,
    )


class EmailForm(BaseModel):
    """What changes an address."""

    email: Email = Field(title=marked("votre nouvelle adresse e-mail"), max_length=200)
    current_password: str = Field(
        title=marked("votre mot de passe actuel"), max_length=LONGEST_PASSWORD
    )


@get(ACCOUNT_PATH)
async def account_page(
    request: HttpRequest,
    person: NamedDependency[Person],
    done: Annotated[Literal["oui"] | None, QueryParameter(name="change")] = None,
) -> Template:
    """Show the account, and ask for another password."""
    success = ""
    if done:
        success = _("Votre mot de passe est changé. Vos autres appareils ont été déconnectés.")
    return await _ask_password(request, person, Form(PasswordForm), success)


@post(ACCOUNT_PATH)
async def change_password(
    request: HttpRequest, person: NamedDependency[Person]
) -> Template | Redirect:
    """Change the password; this session goes on, the others end."""
    form = Form.read(PasswordForm, posted_texts(await request.form()))
    if form.value is None:
        return await _ask_password(request, person, form)
    try:
        await person.ask(
            ChangePassword(
                current_password=form.value.current_password,
                new_password=form.value.new_password,
            )
        )
    except (Rejection, ServiceUnavailable) as error:
        return await _ask_password(request, person, refused_password(form, error))
    return Redirect(f"{ACCOUNT_PATH}?change=oui", status_code=303)


@get(EMAIL_PATH)
async def email_page(request: HttpRequest, person: NamedDependency[Person]) -> Template:
    """Show the address on file, and ask for another."""
    return await _ask_email(request, person, Form(EmailForm))


@post(EMAIL_PATH)
async def request_email_change(
    request: HttpRequest, person: NamedDependency[Person]
) -> Template | Redirect:
    """Have a link mailed to the new address: until it is followed nothing changes."""
    form = Form.read(EmailForm, posted_texts(await request.form()))
    if form.value is None:
        return await _ask_email(request, person, form)
    try:
        change = RequestEmailChange(
            email=form.value.email, current_password=form.value.current_password
        )
    except ValidationError:
        return await _ask_email(request, person, form.refuse("email", _(_EMAIL_UNREADABLE)))
    try:
        await person.ask(change)
    except Rejection as refusal:
        place = _PLACES.get(refusal.code, WHOLE_FORM)
        return await _ask_email(request, person, form.refuse(place, refusal_text(refusal)))
    return Redirect(EMAIL_PATH, status_code=303)


@get(DEVICES_PATH)
async def devices_page(request: HttpRequest, person: NamedDependency[Person]) -> Template:
    """List the devices that the account is signed in on."""
    sessions = await person.ask(ListSessions())
    return page(request, "portal/devices.html", {"sessions": sessions, "path": DEVICES_PATH})


@post(f"{DEVICES_PATH}/{{session_id:uuid}}/deconnecter")
async def end_session(person: NamedDependency[Person], session_id: FromPath[UUID]) -> Redirect:
    """Sign one device out."""
    await person.ask(EndSession(session_id=session_id))
    return Redirect(DEVICES_PATH, status_code=303)


@post(f"{DEVICES_PATH}/deconnecter-les-autres")
async def end_other_sessions(person: NamedDependency[Person]) -> Redirect:
    """Sign every other device out."""
    await person.ask(EndOtherSessions())
    return Redirect(DEVICES_PATH, status_code=303)


def refused_password[M: BaseModel](form: Form[M], error: Rejection | ServiceUnavailable) -> Form[M]:
    """Refuse a form for what identity says of its passwords, beside the field that it is about."""
    place = _PLACES.get(error.code, WHOLE_FORM) if isinstance(error, Rejection) else WHOLE_FORM
    text = refusal_text(error)
    if isinstance(error, ServiceUnavailable) and error.maybe_recorded:
        maybe = _("Votre mot de passe a peut-être déjà été changé : essayez d'abord le nouveau.")
        text = f"{text} {maybe}"
    return form.refuse(place, text)


async def _ask_password(
    request: HttpRequest, person: Person, form: Form[PasswordForm], success: str = ""
) -> Template:
    notices: list[str] = []
    account = await person.ask_if_up(
        MyAccount(), notices, marked("Votre compte est momentanément indisponible.")
    )
    context = {
        "form": form,
        "account": account,
        "action": ACCOUNT_PATH,
        "email_path": EMAIL_PATH,
        "devices_path": DEVICES_PATH,
    }
    return page(
        request, "portal/password.html", context, forms=[form], notices=notices, success=success
    )


async def _ask_email(request: HttpRequest, person: Person, form: Form[EmailForm]) -> Template:
    account = await person.ask(MyAccount())
    context = {"form": form, "account": account, "action": EMAIL_PATH}
    return page(request, "portal/email.html", context, forms=[form])


ROUTES = [
    account_page,
    change_password,
    email_page,
    request_email_change,
    devices_page,
    end_session,
    end_other_sessions,
]
