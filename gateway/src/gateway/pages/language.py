"""The reader's own choice of a language: a strictly necessary cookie, since they asked (S12)."""

from datetime import timedelta
from typing import Annotated, Final

from litestar import get
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, QueryParameter
from litestar.response import Redirect
from shared.ask import ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.notifications import ChooseLanguage
from shared.observability import get_logger

from gateway.language import LANGUAGE_COOKIE, Language, language_named
from gateway.pages.rendered import local_path
from gateway.people import HttpRequest, Person, SessionCookies

log = get_logger()

_REMEMBERED: Final = timedelta(days=365)


@get("/langue/{name:str}")
async def choose_language(
    request: HttpRequest,
    session_cookies: NamedDependency[SessionCookies],
    name: FromPath[str],
    back_to: Annotated[str, QueryParameter(name="suite")] = "/",
) -> Redirect:
    """Remember the language, in the browser and for the family's mails, and go back to the page.

    Mails follow only a choice made in a page of ours.
    """
    language = language_named(name)
    if language is None:
        raise NotFoundException
    person: Person | None = request.scope["state"]["person"]
    if _is_from_our_page(request) and person is not None and person.caller.family_id is not None:
        await _have_mails_written(person, language)
    cookie = Cookie(
        key=LANGUAGE_COOKIE,
        value=language,
        max_age=int(_REMEMBERED.total_seconds()),
        path="/",
        secure=session_cookies.secure,
        httponly=True,
        samesite="lax",
    )
    return Redirect(local_path(back_to), status_code=303, cookies=[cookie])


def _is_from_our_page(request: HttpRequest) -> bool:
    """Tell a choice made here from a link on another site; an older browser does not say."""
    return request.headers.get("sec-fetch-site", "same-origin") == "same-origin"


async def _have_mails_written(person: Person, language: Language) -> None:
    """Tell notifications; the pages change language even where it cannot be told."""
    try:
        await person.ask(ChooseLanguage(language=language))
    except (Rejection, ServiceUnavailable) as error:
        log.warning("language of mails not changed", language=language, reason=str(error))


ROUTES = [choose_language]
