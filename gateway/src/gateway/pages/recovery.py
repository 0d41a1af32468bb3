"""Links by e-mail, for who is not signed in: a forgotten password, a new address (S4).

Opening a link changes nothing: mail scanners do. Its address is told to no other site.
"""

from typing import Annotated, Final
from uuid import UUID

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Redirect, Template
from pydantic import BaseModel, Field
from shared.ask import Services, ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.accounts import EmailLink
from shared.contracts.identity import (
    ConfirmEmailChange,
    ReadEmailLink,
    ReadResetLink,
    RequestPasswordReset,
    ResetPassword,
)

from gateway.forms import WHOLE_FORM, Form
from gateway.language import marked
from gateway.pages.accounts import (
    ACCOUNT_PATH,
    EMAIL_PATH,
    LONGEST_PASSWORD,
    SHORTEST_PASSWORD,
    refused_password,
)
from gateway.pages.public import known_sites, posted_texts
from gateway.pages.rendered import page, refusal_text
from gateway.people import HttpRequest
from gateway.sites import SiteDirectory

FORGOTTEN_PATH: Final = f"{ACCOUNT_PATH}/oublie"
ASKED_PATH: Final = f"{FORGOTTEN_PATH}/demande"
RESET_PATH: Final = f"{ACCOUNT_PATH}/nouveau"
RESET_DONE_PATH: Final = f"{RESET_PATH}/enregistre"
CONFIRM_PATH: Final = f"{EMAIL_PATH}/confirmer"

_JETON: Final = "jeton"
_LONGEST_TOKEN: Final = 100


class ForgottenForm(BaseModel):
    """Whose password is forgotten: the fields of sign-in, but the one that is."""

    site: UUID = Field(title=marked("votre conservatoire"))
    username: str = Field(title=marked("votre identifiant"), max_length=100)


class ResetForm(BaseModel):
    """What sets a password by a link."""

    new_password: str = Field(
        title=marked("votre nouveau mot de passe"),
        min_length=SHORTEST_PASSWORD,
        max_length=LONGEST_PASSWORD,
    )


@get(FORGOTTEN_PATH)
async def forgotten_page(
    request: HttpRequest, directory: NamedDependency[SiteDirectory]
) -> Template:
    """Ask whose password is forgotten."""
    return await _ask_whose(request, directory, Form(ForgottenForm))


@post(FORGOTTEN_PATH)
async def request_reset(
    request: HttpRequest,
    directory: NamedDependency[SiteDirectory],
    services: NamedDependency[Services],
) -> Template | Redirect:
    """Have a link mailed, and say nothing of whether there is such an account."""
    form = Form.read(ForgottenForm, posted_texts(await request.form()))
    if form.value is None:
        return await _ask_whose(request, directory, form)
    asked = RequestPasswordReset(site_id=form.value.site, username=form.value.username)
    try:
        await services.ask(asked)
    except (Rejection, ServiceUnavailable) as error:
        return await _ask_whose(request, directory, form.refuse(WHOLE_FORM, refusal_text(error)))
    return Redirect(ASKED_PATH, status_code=303)


@get(ASKED_PATH)
async def reset_requested(
    request: HttpRequest, directory: NamedDependency[SiteDirectory]
) -> Template:
    """Say where the link is, and what to do without it: the same to everyone."""
    notices: list[str] = []
    sites = await known_sites(directory, notices)
    context = {"sites": sites, "again": FORGOTTEN_PATH}
    return page(request, "public/reset_requested.html", context, notices=notices)


@get(RESET_PATH)
async def reset_page(
    request: HttpRequest,
    services: NamedDependency[Services],
    token: Annotated[str, QueryParameter(name=_JETON)] = "",
) -> Template:
    """Ask for a new password; the link stays good."""
    return await _ask_password(request, services, token, Form(ResetForm))


@post(RESET_PATH)
async def reset_password(
    request: HttpRequest, services: NamedDependency[Services]
) -> Template | Redirect:
    """Set the password, once."""
    posted = posted_texts(await request.form())
    token = _token(posted)
    form = Form.read(ResetForm, posted)
    if form.value is None:
        return await _ask_password(request, services, token, form)
    try:
        await services.ask(ResetPassword(token=token, new_password=form.value.new_password))
    except (Rejection, ServiceUnavailable) as error:
        return await _ask_password(request, services, token, refused_password(form, error))
    return Redirect(RESET_DONE_PATH, status_code=303)


@get(RESET_DONE_PATH)
async def password_reset(request: HttpRequest) -> Template:
    """Lead to sign-in with the new password."""
    return page(request, "public/password_reset.html")


@get(CONFIRM_PATH)
async def email_link_page(
    request: HttpRequest,
    services: NamedDependency[Services],
    token: Annotated[str, QueryParameter(name=_JETON)] = "",
) -> Template:
    """Ask to confirm an address by a button: the link alone changes nothing."""
    link = await _read_email_link(services, token)
    if link is None:
        return _expired(request, EMAIL_PATH)
    context = {"link": link, "token": token, "action": CONFIRM_PATH, "path": EMAIL_PATH}
    return _secret(page(request, "public/email_link.html", context))


@post(CONFIRM_PATH)
async def confirm_email(request: HttpRequest, services: NamedDependency[Services]) -> Template:
    """Record the address, once."""
    token = _token(posted_texts(await request.form()))
    link = await _read_email_link(services, token)
    if link is None:
        return _expired(request, EMAIL_PATH)
    try:
        await services.ask(ConfirmEmailChange(token=token))
    except Rejection as refusal:
        if refusal.code != "link_expired":
            raise
        return _expired(request, EMAIL_PATH)
    return page(request, "public/email_confirmed.html", {"email": link.email})


async def _ask_whose(
    request: HttpRequest, directory: SiteDirectory, form: Form[ForgottenForm]
) -> Template:
    notices: list[str] = []
    options = [(str(site.id), site.name) for site in await known_sites(directory, notices)]
    context = {"form": form, "site_options": options, "action": FORGOTTEN_PATH}
    return page(request, "public/forgotten_password.html", context, forms=[form], notices=notices)


async def _ask_password(
    request: HttpRequest, services: Services, token: str, form: Form[ResetForm]
) -> Template:
    try:
        link = await services.ask(ReadResetLink(token=token[:_LONGEST_TOKEN]))
    except Rejection as refusal:
        if refusal.code != "link_expired":
            raise
        return _expired(request, FORGOTTEN_PATH)
    context = {"form": form, "link": link, "token": token, "action": RESET_PATH}
    return _secret(page(request, "public/reset_password.html", context, forms=[form]))


async def _read_email_link(services: Services, token: str) -> EmailLink | None:
    try:
        return await services.ask(ReadEmailLink(token=token[:_LONGEST_TOKEN]))
    except Rejection as refusal:
        if refusal.code != "link_expired":
            raise
        return None


def _token(posted: list[tuple[str, str]]) -> str:
    return dict(posted).get(_JETON, "")[:_LONGEST_TOKEN]


def _expired(request: HttpRequest, again: str) -> Template:
    """Say that a link is over, alike whatever ended it, and where to have another."""
    return _secret(page(request, "public/link_expired.html", {"again": again}, status_code=410))


def _secret(answer: Template) -> Template:
    """Keep the page's address, which holds the link, from whatever the page leads to."""
    answer.headers["referrer-policy"] = "no-referrer"
    return answer


ROUTES = [
    forgotten_page,
    request_reset,
    reset_requested,
    reset_page,
    reset_password,
    password_reset,
    email_link_page,
    confirm_email,
]
