"""The guardian's account: its password, its e-mail, and where it is signed in."""

from uuid import UUID

from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.openapi.spec import Tag
from litestar.params import FromPath, RequestBody
from shared.ask import Services
from shared.contracts.accounts import Account, OpenSession
from shared.contracts.identity import (
    ChangePassword,
    ConfirmEmailChange,
    EndOtherSessions,
    EndSession,
    ListSessions,
    MyAccount,
    RequestEmailChange,
    RequestPasswordReset,
    ResetPassword,
)

from gateway.api.operations import CHANGED, MINE, problems
from gateway.people import Person

TAG = Tag(name="Account", description="A guardian's password, e-mail and open sessions.")


@get("/account", responses=MINE)
async def show_account(person: NamedDependency[Person]) -> Account:
    """Give the username and the e-mail, and the address that waits to be confirmed."""
    return await person.ask(MyAccount())


@put("/account/password", status_code=204, responses=CHANGED)
async def change_password(
    data: RequestBody[ChangePassword], person: NamedDependency[Person]
) -> None:
    """Replace the password: every other session ends, this one goes on.

    Refused with `wrong_password`, `password_too_short` (12 characters at least) or
    `password_too_common`.
    """
    await person.ask(data)


@post("/account/email-change", status_code=204, responses=problems(401, 404, 409, 429))
async def request_email_change(
    data: RequestBody[RequestEmailChange], person: NamedDependency[Person]
) -> None:
    """Have a link mailed to a new address, which is recorded once the link is confirmed.

    Refused with `wrong_password`, and with `too_many_requests` (429) beyond three an hour.
    """
    await person.ask(data)


@get("/account/sessions", responses=MINE)
async def list_sessions(person: NamedDependency[Person]) -> tuple[OpenSession, ...]:
    """Give the account's open sessions, this one first."""
    return await person.ask(ListSessions())


@delete("/account/sessions/{session_id:uuid}", responses=MINE)
async def end_session(session_id: FromPath[UUID], person: NamedDependency[Person]) -> None:
    """Sign one of the account's sessions out, wherever it is."""
    await person.ask(EndSession(session_id=session_id))


@delete("/account/sessions", responses=MINE)
async def end_other_sessions(person: NamedDependency[Person]) -> None:
    """Sign every session of the account out but this one."""
    await person.ask(EndOtherSessions())


@post("/password-reset-request", status_code=204, responses=problems())
async def request_password_reset(
    data: RequestBody[RequestPasswordReset], services: NamedDependency[Services]
) -> None:
    """Have a link mailed to choose a password anew. Needs no token.

    Answered alike whether or not there is such an account, with an e-mail or without, and however
    often it is asked.
    """
    await services.ask(data)


@post("/password-reset", status_code=204, responses=problems(409, 410))
async def reset_password(
    data: RequestBody[ResetPassword], services: NamedDependency[Services]
) -> None:
    """Choose a password by a mailed link, once. Needs no token.

    Every session ends, and so does a lock. Refused with `link_expired` (410),
    `password_too_short` or `password_too_common`.
    """
    await services.ask(data)


@post("/email-confirmation", status_code=204, responses=problems(410))
async def confirm_email_change(
    data: RequestBody[ConfirmEmailChange], services: NamedDependency[Services]
) -> None:
    """Record the address that a link was mailed to, once. Needs no token.

    Refused with `link_expired` (410).
    """
    await services.ask(data)


PUBLIC_ROUTES = [request_password_reset, reset_password, confirm_email_change]
ROUTES = [
    show_account,
    change_password,
    request_email_change,
    list_sessions,
    end_session,
    end_other_sessions,
]
