"""What tests of accounts have in common: events told, sessions opened, links mailed, time passed,
statements counted.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from contextvars import ContextVar
from datetime import timedelta
from uuid import UUID

from identity.settings import IdentitySettings
from identity.tables import link_request, mailed_link, sign_in_attempt
from shared.callers import Caller, TokenVerifier
from shared.contract import Event, Rejection
from shared.contracts.accounts import SignedIn
from shared.contracts.identity import (
    ImportGuardians,
    PasswordResetOpened,
    RefreshSession,
    RequestPasswordReset,
)
from shared.identifiers import imported_id
from sqlalchemy import Engine, event, update

from tests.harness import Running, operator
from tests.households import Household, Subscriber, everything_told, lines, subscribed

type Identity = Running[IdentitySettings]

STRONG = "girafe tambour nuage"
STRONGER = "lampe verte et trois chats"

_STATEMENTS: ContextVar[list[str] | None] = ContextVar("statements", default=None)


def caller_of(identity: Identity, signed_in: SignedIn) -> Caller:
    """Who a session's access token names."""
    verifier = TokenVerifier.from_file(identity.settings.token_public_key_file)
    return verifier.verify(signed_in.access_token)


async def goes_on(identity: Identity, session: SignedIn) -> SignedIn | None:
    """Renew a session; none where it is over."""
    try:
        return await identity.ask(RefreshSession(refresh_token=session.refresh_token))
    except Rejection as refusal:
        if refusal.code != "session_expired":
            raise
        return None


@asynccontextmanager
async def hearing[Told: Event](
    identity: Identity, kind: type[Told]
) -> AsyncIterator[Subscriber[Told]]:
    """Hear one kind of event, once all that the test arranged was told."""
    await everything_told(identity)
    async with subscribed(identity.settings.broker_url, kind) as subscriber:
        yield subscriber


@contextmanager
def statements() -> Iterator[list[str]]:
    """The statements that this task sends to a database, until the block ends."""

    def note(*given: object) -> None:
        noted = _STATEMENTS.get()
        if noted is not None:
            noted.append(str(given[2]))

    with ExitStack() as stack:
        event.listen(Engine, "before_cursor_execute", note)
        stack.callback(event.remove, Engine, "before_cursor_execute", note)
        noted: list[str] = []
        before = _STATEMENTS.set(noted)
        stack.callback(_STATEMENTS.reset, before)
        yield noted


async def loses_email(identity: Identity, household: Household) -> None:
    """Have the site import the guardian without an e-mail."""
    unreachable = ImportGuardians(lines=lines(household.guardian_line(courriel="")))
    await identity.ask(unreachable, operator())


def account_id(household: Household) -> UUID:
    """The account of the household's guardian."""
    return imported_id("account", f"{household.code}-R1")


async def forgets(identity: Identity, household: Household, username: str = "") -> None:
    """Ask for a link under a name."""
    await identity.ask(
        RequestPasswordReset(site_id=household.site_id, username=username or household.username)
    )


async def is_mailed(identity: Identity, household: Household) -> str:
    """Ask for a link, and give its token."""
    async with hearing(identity, PasswordResetOpened) as opened:
        await forgets(identity, household)
        return (await opened.next()).token


async def time_passes(identity: Identity, passed: timedelta) -> None:
    """Have every attempt, request and link be older."""
    async with identity.database.transaction() as tx:
        for column in (sign_in_attempt.c.last_at, link_request.c.since, mailed_link.c.expires_at):
            await tx.execute(update(column.table).values({column: column - passed}))
