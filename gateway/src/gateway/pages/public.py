"""What anyone may read: the landing page, sign-in and sign-out, the legal pages."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.datastructures import FormMultiDict
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Redirect, Template
from pydantic import BaseModel, Field
from shared.ask import Services, ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.identity import SignIn, SignOut, Site

from gateway.devices import device_in_words
from gateway.forms import WHOLE_FORM, Form
from gateway.language import gettext as _
from gateway.language import marked
from gateway.pages.rendered import local_path, page, refusal_text
from gateway.people import HttpRequest, NotSignedIn, SessionCookies, signed_in
from gateway.sites import SiteDirectory

_KEPT_PREFIX = "garde-"
_DECLARED_ON = date(2026, 11, 22)
"""When the accessibility statement was last seen to be true."""


class SignInForm(BaseModel):
    """What the sign-in page asks (S2)."""

    site: UUID = Field(title=marked("votre conservatoire"))
    username: str = Field(title=marked("votre identifiant"), max_length=100)
    password: str = Field(title=marked("votre mot de passe"), max_length=200)


@dataclass(frozen=True, slots=True)
class Resumption:
    """Where a person goes on once signed in.

    ``sends_again`` where they were sending a form: ``kept`` is what it held.
    """

    back_to: str
    kept: tuple[tuple[str, str], ...] = ()
    sends_again: bool = False


@get("/")
async def landing(request: HttpRequest, directory: NamedDependency[SiteDirectory]) -> Template:
    """Name the territory, list its sites, lead to sign-in (S1)."""
    notices: list[str] = []
    sites = await known_sites(directory, notices)
    return page(request, "public/landing.html", {"sites": sites}, notices=notices)


@get("/connexion")
async def sign_in_page(
    request: HttpRequest,
    directory: NamedDependency[SiteDirectory],
    back_to: Annotated[str, QueryParameter(name="suite")] = "/accueil",
) -> Template:
    """Ask who is there (S2)."""
    return await _ask_who(request, directory, Form(SignInForm), Resumption(local_path(back_to)))


@post("/connexion")
async def sign_in(
    request: HttpRequest,
    directory: NamedDependency[SiteDirectory],
    services: NamedDependency[Services],
    session_cookies: NamedDependency[SessionCookies],
) -> Template | Redirect:
    """Open a session, then go back to where the person was, with what they had typed (S6)."""
    form = Form.read(SignInForm, posted_texts(await request.form()))
    resumption = _resumption(request.scope["state"]["typed"])
    if form.value is None:
        return await _ask_who(request, directory, form, resumption)
    try:
        session = await services.ask(
            SignIn(
                site_id=form.value.site,
                username=form.value.username,
                password=form.value.password,
                device=device_in_words(request.headers.get("user-agent", "")),
            )
        )
    except (Rejection, ServiceUnavailable) as error:
        refused = form.refuse(WHOLE_FORM, refusal_text(error))
        return await _ask_who(request, directory, refused, resumption)
    cookies = session_cookies.opening(session)
    if not resumption.sends_again:
        return Redirect(resumption.back_to, status_code=303, cookies=cookies)
    answer = page(request, "public/go_on.html", asdict(resumption))
    answer.cookies = [*answer.cookies, *cookies]
    return answer


@post("/connexion/reprise")
async def sign_in_to_go_on(
    request: HttpRequest, directory: NamedDependency[SiteDirectory]
) -> Template:
    """Ask who is there when a session expired while something was being sent (S6)."""
    resumption = _resumption(request.scope["state"]["typed"])
    return await _ask_who(request, directory, Form(SignInForm), resumption)


@post("/deconnexion")
async def sign_out(
    request: HttpRequest, session_cookies: NamedDependency[SessionCookies]
) -> Redirect:
    """End the session, in the browser even where identity is away."""
    # the browser forgets it in any case; its refresh token expires by itself
    with suppress(NotSignedIn, Rejection, ServiceUnavailable):
        await signed_in(request).ask(SignOut())
    return Redirect("/", status_code=303, cookies=session_cookies.closing())


@get("/mentions-legales")
async def legal_notice(request: HttpRequest) -> Template:
    """Say who publishes the portal and what becomes of personal data (S11)."""
    return page(request, "public/legal_notice.html")


@get("/accessibilite")
async def accessibility(
    request: HttpRequest, directory: NamedDependency[SiteDirectory]
) -> Template:
    """Give the accessibility statement (S11)."""
    notices: list[str] = []
    sites = await known_sites(directory, notices)
    context = {"sites": sites, "declared_on": _DECLARED_ON}
    return page(request, "public/accessibility.html", context, notices=notices)


def posted_texts(form: FormMultiDict) -> list[tuple[str, str]]:
    """Give all that was typed in a form, secrets included."""
    return [(name, text) for name, text in form.multi_items() if isinstance(text, str)]


def _resumption(posted: Sequence[tuple[str, str]]) -> Resumption:
    kept = tuple(
        (name.removeprefix(_KEPT_PREFIX), text)
        for name, text in posted
        if name.startswith(_KEPT_PREFIX)
    )
    back_to = next((text for name, text in posted if name == "suite"), "/accueil")
    return Resumption(local_path(back_to), kept, sends_again=("reprise", "oui") in posted)


async def known_sites(directory: SiteDirectory, notices: list[str]) -> tuple[Site, ...]:
    """Give the sites of the territory, or none and the reason."""
    try:
        return await directory.sites()
    except ServiceUnavailable:
        notices.append(_("La liste des conservatoires est momentanément indisponible."))
        return ()


async def _ask_who(
    request: HttpRequest,
    directory: SiteDirectory,
    form: Form[SignInForm],
    resumption: Resumption,
) -> Template:
    notices: list[str] = []
    options = [(str(site.id), site.name) for site in await known_sites(directory, notices)]
    context = {"form": form, "site_options": options, **asdict(resumption)}
    return page(request, "public/sign_in.html", context, forms=[form], notices=notices)


ROUTES = [landing, sign_in_page, sign_in, sign_in_to_go_on, sign_out, legal_notice, accessibility]
