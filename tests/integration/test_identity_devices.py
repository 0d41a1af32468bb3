"""The devices an account is signed in on, and its address, on real servers (S4, S6)."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from identity.app import resources, service
from identity.devices import REMEMBERED_FOR
from identity.forgetting import forget_sessions
from identity.links import LINK_LIFE, REQUESTS_AT_MOST
from identity.lockout import LOCKED_FROM, SLOWED_FROM
from identity.settings import IdentitySettings
from identity.tables import contact_change, mailed_link, session
from shared.contract import Rejection
from shared.contracts.accounts import SignedIn
from shared.contracts.identity import (
    ChangePassword,
    ConfirmEmailChange,
    EmailChanged,
    EmailChangeOpened,
    EndOtherSessions,
    EndSession,
    FamiliesRecorded,
    ImportGuardians,
    ListSessions,
    MyAccount,
    MyFamily,
    PasswordResetOpened,
    ReadEmailLink,
    ReadResetLink,
    RecentlyEndedSessions,
    RequestEmailChange,
    RequestPasswordReset,
    ResetPassword,
    SessionsEnded,
    SignIn,
    SignOut,
)
from shared.identifiers import new_id
from sqlalchemy import select, update
from stack.running import Stack

from tests.harness import operator, running
from tests.households import PASSWORD, Household, lines, told_of
from tests.integration.accounts import STRONG, Identity, account_id, caller_of, goes_on, hearing

pytestmark = pytest.mark.servers

OLD, NEW = "camille.essai@familles.example", "camille.autre@familles.example"


@pytest_asyncio.fixture(scope="module")
async def identity(servers: Stack) -> AsyncIterator[Identity]:
    async with running(servers, service, IdentitySettings, resources) as replica:
        yield replica


@pytest_asyncio.fixture
async def household(identity: Identity) -> Household:
    household = Household()
    await household.settle(identity)
    return household


async def signs_in_on(identity: Identity, household: Household, device: str) -> SignedIn:
    return await identity.ask(
        SignIn(
            site_id=household.site_id,
            username=household.username,
            password=PASSWORD,
            device=device,
        )
    )


async def asks_for(identity: Identity, household: Household, email: str = NEW) -> str:
    """Ask for another address, and give the token that is mailed there."""
    caller = caller_of(identity, await household.sign_in(identity))
    async with hearing(identity, EmailChangeOpened) as opened:
        await identity.ask(RequestEmailChange(email=email, current_password=PASSWORD), caller)
        event = await opened.next()
    assert (event.account_id, event.to.email) == (account_id(household), email)
    return event.token


async def test_devices_are_listed_by_name_this_one_first(
    identity: Identity, household: Household
) -> None:
    elsewhere = await signs_in_on(identity, household, "Safari sur iPhone")
    here = await signs_in_on(identity, household, "Firefox sur un ordinateur Windows")
    await goes_on(identity, elsewhere)
    sessions = await identity.ask(ListSessions(), caller_of(identity, here))
    assert [(each.device, each.is_this_one) for each in sessions] == [
        ("Firefox sur un ordinateur Windows", True),
        ("Safari sur iPhone", False),
    ]
    assert sessions[1].last_seen_at > sessions[1].opened_at


async def test_a_device_is_signed_out_from_another(
    identity: Identity, household: Household
) -> None:
    here, lost = [await household.sign_in(identity) for _ in range(2)]
    caller, its_session = caller_of(identity, here), caller_of(identity, lost).session_id
    async with hearing(identity, SessionsEnded) as ended:
        for _ in range(2):
            await identity.ask(EndSession(session_id=its_session), caller)
        told = await ended.next()
    assert (told.account_id, told.session_ids) == (account_id(household), (its_session,))
    assert its_session in await identity.ask(RecentlyEndedSessions())
    assert await goes_on(identity, lost) is None
    assert await goes_on(identity, here)
    assert [each.is_this_one for each in await identity.ask(ListSessions(), caller)] == [True]


async def test_every_other_device_is_signed_out_at_once(
    identity: Identity, household: Household
) -> None:
    here, *others = [await household.sign_in(identity) for _ in range(3)]
    async with hearing(identity, SessionsEnded) as ended:
        await identity.ask(EndOtherSessions(), caller_of(identity, here))
        told = await ended.next()
    assert set(told.session_ids) == {caller_of(identity, each).session_id for each in others}
    assert [await goes_on(identity, each) for each in others] == [None, None]
    assert await goes_on(identity, here)


async def test_signing_out_is_told_to_who_verifies_tokens(
    identity: Identity, household: Household
) -> None:
    caller = caller_of(identity, await household.sign_in(identity))
    async with hearing(identity, SessionsEnded) as ended:
        await identity.ask(SignOut(), caller)
        assert (await ended.next()).session_ids == (caller.session_id,)


async def test_the_end_of_a_session_is_remembered_while_its_token_lives(
    identity: Identity, household: Household
) -> None:
    caller = caller_of(identity, await household.sign_in(identity))
    await identity.ask(SignOut(), caller)
    await forget_sessions(identity.database)
    assert caller.session_id in await identity.ask(RecentlyEndedSessions())
    async with identity.database.transaction() as tx:
        await tx.execute(update(session).values(ended_at=session.c.ended_at - REMEMBERED_FOR))
    assert await identity.ask(RecentlyEndedSessions()) == ()
    await forget_sessions(identity.database)
    with pytest.raises(Rejection, match="not_found"):
        await identity.ask(EndSession(session_id=caller.session_id), caller)


async def test_nobody_signs_anothers_device_out(identity: Identity, household: Household) -> None:
    neighbour = Household(household.site, number=2)
    await neighbour.settle(identity)
    mine, theirs = [await each.sign_in(identity) for each in (household, neighbour)]
    me, them = caller_of(identity, mine), caller_of(identity, theirs)
    (seen,) = await identity.ask(ListSessions(), me)
    assert seen.id == me.session_id
    for session_id in (them.session_id, new_id()):
        with pytest.raises(Rejection, match="not_found"):
            await identity.ask(EndSession(session_id=session_id), me)
    await identity.ask(EndOtherSessions(), me)
    assert await goes_on(identity, theirs)


async def test_an_address_changes_once_the_new_one_has_answered(
    identity: Identity, household: Household
) -> None:
    token = await asks_for(identity, household)
    caller = caller_of(identity, await household.sign_in(identity))
    waiting = await identity.ask(MyAccount(), caller)
    assert (waiting.email, waiting.new_email) == (OLD, NEW)
    for _ in range(2):
        assert (await identity.ask(ReadEmailLink(token=token))).email == NEW
    async with (
        hearing(identity, FamiliesRecorded) as families,
        hearing(identity, EmailChanged) as changed,
    ):
        await identity.ask(ConfirmEmailChange(token=token))
        record, notice = await told_of(families, household.id), await changed.next()
    assert record.guardians[0].email == NEW
    assert (notice.guardian_id, notice.to.email, notice.old_email) == (
        household.guardian_id,
        NEW,
        OLD,
    )
    done = await identity.ask(MyAccount(), caller)
    assert (done.email, done.new_email) == (NEW, "")
    (guardian,) = (await identity.ask(MyFamily(), caller)).guardians
    assert guardian.changed == ("email",)
    async with identity.database.transaction() as tx:
        kept = await tx.execute(
            select(contact_change.c.field, contact_change.c.changed_by).where(
                contact_change.c.family_id == household.id
            )
        )
        assert [tuple(row) for row in kept] == [("email", account_id(household))]
    for question in (ReadEmailLink(token=token), ConfirmEmailChange(token=token)):
        with pytest.raises(Rejection, match="link_expired"):
            await identity.ask(question)


async def test_an_address_left_unconfirmed_for_an_hour_is_never_recorded(
    identity: Identity, household: Household
) -> None:
    token = await asks_for(identity, household)
    async with identity.database.transaction() as tx:
        passed = mailed_link.c.expires_at - LINK_LIFE
        await tx.execute(update(mailed_link).values(expires_at=passed))
    with pytest.raises(Rejection, match="link_expired"):
        await identity.ask(ConfirmEmailChange(token=token))
    mine = await identity.ask(MyAccount(), caller_of(identity, await household.sign_in(identity)))
    assert (mine.email, mine.new_email) == (OLD, "")


async def test_the_newest_address_asked_for_is_the_one_that_counts(
    identity: Identity, household: Household
) -> None:
    older = await asks_for(identity, household)
    newer = await asks_for(identity, household, "encore.autre@familles.example")
    with pytest.raises(Rejection, match="link_expired"):
        await identity.ask(ConfirmEmailChange(token=older))
    await identity.ask(ConfirmEmailChange(token=newer))


async def test_no_stranger_is_written_to_again_and_again(
    identity: Identity, household: Household
) -> None:
    caller = caller_of(identity, await household.sign_in(identity))
    for number in range(REQUESTS_AT_MOST):
        email = f"autre{number}@familles.example"
        await identity.ask(RequestEmailChange(email=email, current_password=PASSWORD), caller)
    for _ in range(LOCKED_FROM):
        with pytest.raises(Rejection, match="too_many_requests"):
            await identity.ask(RequestEmailChange(email=NEW, current_password=PASSWORD), caller)
    # asking too often is no failure: the account is not locked
    await household.sign_in(identity)


async def test_who_finds_a_telephone_unlocked_does_not_move_the_account(
    identity: Identity, household: Household
) -> None:
    caller = caller_of(identity, await household.sign_in(identity))
    guess = RequestEmailChange(email=NEW, current_password="un autre mot de passe")
    for _ in range(SLOWED_FROM):
        with pytest.raises(Rejection, match="wrong_password"):
            await identity.ask(guess, caller)
    # the guesses are counted: the right one, too soon after them, is not even read
    with pytest.raises(Rejection, match="wrong_password"):
        await identity.ask(guess.model_copy(update={"current_password": PASSWORD}), caller)
    assert (await identity.ask(MyAccount(), caller)).new_email == ""


async def test_a_new_password_is_the_end_of_an_address_that_waits(
    identity: Identity, household: Household
) -> None:
    token = await asks_for(identity, household)
    session = await household.sign_in(identity)
    change = ChangePassword(current_password=PASSWORD, new_password=STRONG)
    await identity.ask(change, caller_of(identity, session))
    with pytest.raises(Rejection, match="link_expired"):
        await identity.ask(ConfirmEmailChange(token=token))


async def test_a_link_of_one_kind_is_none_of_another(
    identity: Identity, household: Household
) -> None:
    token = await asks_for(identity, household)
    with pytest.raises(Rejection, match="link_expired"):
        await identity.ask(ReadResetLink(token=token))


@pytest.mark.parametrize("is_imported", [False, True])
async def test_a_link_mailed_to_the_old_address_dies_with_it(
    identity: Identity, household: Household, *, is_imported: bool
) -> None:
    confirmation = await asks_for(identity, household)
    async with hearing(identity, PasswordResetOpened) as opened:
        await identity.ask(
            RequestPasswordReset(site_id=household.site_id, username=household.username)
        )
        reset = (await opened.next()).token
    if is_imported:
        corrected = ImportGuardians(lines=lines(household.guardian_line(courriel=NEW)))
        await identity.ask(corrected, operator())
    else:
        await identity.ask(ConfirmEmailChange(token=confirmation))
    for question in (ReadResetLink(token=reset), ResetPassword(token=reset, new_password=STRONG)):
        with pytest.raises(Rejection, match="link_expired"):
            await identity.ask(question)
