"""Passwords on real servers: changed, forgotten, chosen anew by a mailed link (S4)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from identity.app import resources, service
from identity.credentials import mail_reset_links, request_password_reset
from identity.forgetting import forget_links
from identity.links import LINK_LIFE, REQUESTS_AT_MOST
from identity.lockout import LOCK, LOCKED_FROM
from identity.passwords import Passwords
from identity.settings import IdentitySettings
from identity.signing_in import sign_in
from identity.tables import link_request, mailed_link
from shared.callers import TokenSigner
from shared.contract import Rejection
from shared.contracts.accounts import SignedIn
from shared.contracts.identity import (
    ChangePassword,
    MyAccount,
    PasswordChanged,
    PasswordResetOpened,
    ReadResetLink,
    RequestPasswordReset,
    ResetPassword,
    SignIn,
)
from shared.identifiers import new_id
from shared.outbox import outbox
from sqlalchemy import func, select
from stack.running import Stack

from tests.harness import family_caller, running
from tests.households import PASSWORD, Household
from tests.integration.accounts import (
    STRONG,
    STRONGER,
    Identity,
    account_id,
    caller_of,
    forgets,
    goes_on,
    hearing,
    is_mailed,
    loses_email,
    statements,
    time_passes,
)

pytestmark = pytest.mark.servers


@pytest_asyncio.fixture(scope="module")
async def identity(servers: Stack) -> AsyncIterator[Identity]:
    async with running(servers, service, IdentitySettings, resources) as replica:
        yield replica


@pytest_asyncio.fixture
async def household(identity: Identity) -> Household:
    household = Household()
    await household.settle(identity)
    return household


async def changes(
    identity: Identity, session: SignedIn, new: str = STRONG, current: str = PASSWORD
) -> None:
    """Change the password as a session's owner does."""
    await identity.services.ask(
        ChangePassword(current_password=current, new_password=new), token=session.access_token
    )


async def refusal_of(identity: Identity, question: ResetPassword | ReadResetLink) -> str:
    with pytest.raises(Rejection) as refused:
        await identity.ask(question)
    return refused.value.code


async def test_a_password_changed_ends_the_other_sessions_and_not_this_one(
    identity: Identity, household: Household
) -> None:
    here, elsewhere = await household.sign_in(identity), await household.sign_in(identity)
    async with hearing(identity, PasswordChanged) as changed:
        await changes(identity, here)
        notice = await changed.next()
    assert notice.account_id == account_id(household)
    assert (notice.to.name, notice.to.email) == (
        "Camille ESSAI",
        "camille.essai@familles.example",
    )
    assert (notice.to.family_id, notice.to.site_id) == (household.id, household.site_id)
    assert await goes_on(identity, here)
    assert await goes_on(identity, elsewhere) is None
    await household.sign_in(identity, STRONG)
    with pytest.raises(Rejection, match="wrong_credentials"):
        await household.sign_in(identity, PASSWORD)


async def test_a_wrong_current_password_changes_nothing_and_is_counted(
    identity: Identity, household: Household
) -> None:
    here, elsewhere = await household.sign_in(identity), await household.sign_in(identity)
    for _ in range(LOCKED_FROM):
        with pytest.raises(Rejection, match="wrong_password"):
            await changes(identity, here, current="un autre mot de passe")
        await time_passes(identity, timedelta(minutes=5))
    with pytest.raises(Rejection, match="wrong_password"):
        await changes(identity, here)
    assert await goes_on(identity, elsewhere)
    await time_passes(identity, LOCK)
    await changes(identity, here)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("quatre mots", "password_too_short"),
        ("motdepasse2027", "password_too_common"),
        ("CamilleEssai13", "password_too_common"),
        ("LéoCamille2027", "password_too_common"),
    ],
)
async def test_a_password_easy_to_guess_is_refused_by_what_is_wrong_with_it(
    identity: Identity, household: Household, password: str, code: str
) -> None:
    session = await household.sign_in(identity)
    with pytest.raises(Rejection, match=code) as refused:
        await changes(identity, session, password)
    assert password not in refused.value.detail
    token = await is_mailed(identity, household)
    reset = ResetPassword(token=token, new_password=password)
    assert await refusal_of(identity, reset) == code
    # refused, it leaves the link good for another
    await identity.ask(ResetPassword(token=token, new_password=STRONG))


async def test_only_an_account_changes_its_password(identity: Identity) -> None:
    change = ChangePassword(current_password=PASSWORD, new_password=STRONG)
    with pytest.raises(Rejection, match="not_found"):
        await identity.ask(change, family_caller())


async def test_a_mailed_link_sets_a_password_once_and_ends_every_session(
    identity: Identity, household: Household
) -> None:
    sessions = [await household.sign_in(identity) for _ in range(2)]
    token = await is_mailed(identity, household)
    for _ in range(3):
        link = await identity.ask(ReadResetLink(token=token))
        assert (link.username, link.site_id) == (household.username, household.site_id)
    reset = ResetPassword(token=token, new_password=STRONG)
    async with hearing(identity, PasswordChanged) as changed:
        await identity.ask(reset)
        assert (await changed.next()).account_id == account_id(household)
    assert [await goes_on(identity, session) for session in sessions] == [None, None]
    again = reset.model_copy(update={"new_password": STRONGER})
    assert await refusal_of(identity, again) == "link_expired"
    assert await refusal_of(identity, ReadResetLink(token=token)) == "link_expired"
    await household.sign_in(identity, STRONG)


async def test_a_newer_link_is_the_end_of_the_older_ones(
    identity: Identity, household: Household
) -> None:
    older = await is_mailed(identity, household)
    newer = await is_mailed(identity, household)
    reset = ResetPassword(token=older, new_password=STRONG)
    assert await refusal_of(identity, reset) == "link_expired"
    await identity.ask(reset.model_copy(update={"token": newer}))


async def test_a_link_is_good_for_an_hour(identity: Identity, household: Household) -> None:
    before = datetime.now(UTC)
    token = await is_mailed(identity, household)
    link = await identity.ask(ReadResetLink(token=token))
    assert before + LINK_LIFE <= link.expires_at <= datetime.now(UTC) + LINK_LIFE
    await time_passes(identity, LINK_LIFE)
    assert await refusal_of(identity, ReadResetLink(token=token)) == "link_expired"
    reset = ResetPassword(token=token, new_password=STRONG)
    assert await refusal_of(identity, reset) == "link_expired"
    await forget_links(identity.database)
    async with identity.database.transaction() as tx:
        for table in (mailed_link, link_request):
            assert await tx.scalar(select(func.count()).select_from(table)) == 0


@pytest.mark.parametrize("token", ["", "x" * 43, "é" * 50])
async def test_what_is_no_link_is_an_expired_one(identity: Identity, token: str) -> None:
    assert await refusal_of(identity, ReadResetLink(token=token)) == "link_expired"


async def test_a_guardian_who_never_had_a_password_chooses_one_by_the_link(
    identity: Identity,
) -> None:
    household = Household()
    await household.settle(identity, password=None)
    token = await is_mailed(identity, household)
    await identity.ask(ResetPassword(token=token, new_password=STRONG))
    await household.sign_in(identity, STRONG)


async def test_a_password_changed_meanwhile_is_the_end_of_a_link(
    identity: Identity, household: Household
) -> None:
    token = await is_mailed(identity, household)
    await changes(identity, await household.sign_in(identity))
    assert await refusal_of(identity, ReadResetLink(token=token)) == "link_expired"


async def test_links_asked_for_too_often_are_not_mailed_and_nobody_is_told(
    identity: Identity, household: Household
) -> None:
    tokens = [await is_mailed(identity, household) for _ in range(REQUESTS_AT_MOST)]
    for _ in range(3):
        await forgets(identity, household)
    await mail_reset_links(identity.database)
    # the last link would be dead, had another been opened
    await identity.ask(ReadResetLink(token=tokens[-1]))
    await time_passes(identity, timedelta(hours=1))
    assert await is_mailed(identity, household) not in tokens


async def test_a_link_is_stored_nowhere_in_clear(identity: Identity, household: Household) -> None:
    token = await is_mailed(identity, household)
    async with identity.database.transaction() as tx:
        rows = [str(row) for row in await tx.execute(select(mailed_link))]
        rows += [str(row) for row in await tx.execute(select(link_request))]
        rows += [str(row) for row in await tx.execute(select(outbox))]
    assert rows
    assert not [row for row in rows if token in row]


async def test_a_forgotten_password_takes_the_same_work_whoever_asks(
    identity: Identity, household: Household
) -> None:
    """An account, one without an e-mail, and none: the same answer by the same statements."""
    without = Household(household.site, number=2)
    await without.settle(identity)
    await loses_email(identity, without)
    done = []
    for username in (household.username, without.username, "personne"):
        for _ in range(REQUESTS_AT_MOST + 1):
            command = RequestPasswordReset(site_id=household.site_id, username=username)
            async with identity.database.transaction() as tx:
                with statements() as taken:
                    await request_password_reset(command, tx)
            done.append(taken)
    assert len(done[0]) == 3
    assert all(taken == done[0] for taken in done)


async def test_no_link_is_opened_for_who_has_no_account_or_no_email(
    identity: Identity, household: Household
) -> None:
    without = Household(household.site, number=2)
    await without.settle(identity)
    await loses_email(identity, without)
    async with hearing(identity, PasswordResetOpened) as opened:
        for username in ("personne", without.username, household.username):
            await forgets(identity, household, username)
        told = [await opened.next()]
        while told[-1].account_id != account_id(household):  # what other tests asked for
            told.append(await opened.next())
        assert account_id(without) not in {one.account_id for one in told}
    async with identity.database.transaction() as tx:
        waiting = select(func.count()).select_from(link_request).where(link_request.c.is_pending)
        assert await tx.scalar(waiting) == 0


async def test_a_password_changed_while_it_is_checked_opens_no_session(
    identity: Identity, household: Household
) -> None:
    session = await household.sign_in(identity)

    class Slow(Passwords):
        """Passwords whose check lasts until the password is another one."""

        async def match(self, password: str, password_hash: str | None) -> bool:
            is_right = await super().match(password, password_hash)
            await changes(identity, session)
            return is_right

    signer = TokenSigner.from_file(identity.settings.token_private_key_file)
    right = SignIn(site_id=household.site_id, username=household.username, password=PASSWORD)
    with pytest.raises(Rejection, match="wrong_credentials"):
        await sign_in(right, identity.database, Slow(), signer)


async def test_an_account_names_its_username_and_its_address(
    identity: Identity, household: Household
) -> None:
    caller = caller_of(identity, await household.sign_in(identity))
    mine = await identity.ask(MyAccount(), caller)
    assert (mine.username, mine.email) == (household.username, "camille.essai@familles.example")
    with pytest.raises(Rejection, match="not_found"):
        await identity.ask(MyAccount(), caller.model_copy(update={"account_id": new_id()}))
