"""Signing in and out, and the sites where one can."""

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import Tag
from litestar.params import RequestBody
from shared.ask import Services
from shared.contracts.accounts import SignedIn
from shared.contracts.identity import RefreshSession, SignIn, SignOut, Site

from gateway.api.operations import problems
from gateway.people import Person
from gateway.sites import SiteDirectory

TAG = Tag(name="Session", description="Signing in and out, and the sites where one can.")


@get("/sites", responses=problems())
async def list_sites(directory: NamedDependency[SiteDirectory]) -> tuple[Site, ...]:
    """Give the sites of the territory, by town. Needs no token."""
    return await directory.sites()


@post("/session", status_code=200, responses=problems(401))
async def sign_in(data: RequestBody[SignIn], services: NamedDependency[Services]) -> SignedIn:
    """Open a session. Needs no token.

    A wrong site, username or password gets one same refusal, `wrong_credentials` (401), in the
    same time; several of them slow the account down.
    """
    return await services.ask(data)


@post("/session/refresh", status_code=200, responses=problems(401))
async def refresh_session(
    data: RequestBody[RefreshSession], services: NamedDependency[Services]
) -> SignedIn:
    """Renew a session with its refresh token, which changes each time. Needs no access token.

    Refused with `session_expired` (401) once the session ended or was signed out.
    """
    return await services.ask(data)


@delete("/session", responses=problems(401))
async def sign_out(person: NamedDependency[Person]) -> None:
    """End the session on every device that shares its refresh token."""
    await person.ask(SignOut())


PUBLIC_ROUTES = [list_sites, sign_in, refresh_session]
ROUTES = [sign_out]
