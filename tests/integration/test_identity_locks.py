"""Accounts locked by wrong passwords, on real servers: told to their owner and nobody else (S4)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from identity.app import resources, service
from identity.attempts import tell_locks
from identity.lockout import LOCK, LOCKED_FROM
from identity.passwords import Passwords
from identity.settings import IdentitySettings
from identity.signing_in import sign_in
from shared.callers import TokenSigner
from shared.contract import Rejection
from shared.contracts.identity import AccountLocked, ResetPassword, SignIn
from stack.running import Stack

from tests.harness import running
from tests.households import Household, Subscriber
from tests.integration.accounts import (
    STRONG,
    Identity,
    account_id,
    hearing,
    is_mailed,
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


async def fails(identity: Identity, household: Household, times: int) -> None:
    """Fail to sign in, waiting as long as it takes after each."""
    for _ in range(times):
        with pytest.raises(Rejection, match="wrong_credentials"):
            await household.sign_in(identity, "un autre mot de passe")
        await time_passes(identity, timedelta(minutes=5))


class CountedPasswords(Passwords):
    """Passwords, with how often one was checked."""

    checks = 0

    async def match(self, password: str, password_hash: str | None) -> bool:
        self.checks += 1
        return await super().match(password, password_hash)


async def test_signing_in_takes_the_same_work_until_the_lock_and_beyond(
    identity: Identity, household: Household
) -> None:
    passwords = CountedPasswords()
    signer = TokenSigner.from_file(identity.settings.token_private_key_file)
    done = []
    for username in (household.username, "personne"):
        wrong = SignIn(site_id=household.site_id, username=username, password="pas le bon")
        for attempt in range(1, LOCKED_FROM + 3):
            with statements() as taken, pytest.raises(Rejection, match="wrong_credentials"):
                await sign_in(wrong, identity.database, passwords, signer)
            done.append([each for each in taken if "pg_catalog" not in each])
            if attempt < LOCKED_FROM:
                await time_passes(identity, timedelta(minutes=5))
    assert len(done[0]) == 3
    assert all(taken == done[0] for taken in done)
    assert passwords.checks == len(done)


async def _next_of(locked: Subscriber[AccountLocked], household: Household) -> AccountLocked:
    """Give the next lock of one household's account: other tests lock theirs."""
    while True:
        told = await locked.next()
        if told.account_id == account_id(household):
            return told


async def test_a_lock_is_told_to_its_owner_once(identity: Identity, household: Household) -> None:
    async with hearing(identity, AccountLocked) as locked:
        await fails(identity, household, LOCKED_FROM)
        for _ in range(3):
            await tell_locks(identity.database)
            with pytest.raises(Rejection):
                await household.sign_in(identity)
        first = await _next_of(locked, household)
        await time_passes(identity, LOCK)
        await fails(identity, household, LOCKED_FROM)
        await tell_locks(identity.database)
        second = await _next_of(locked, household)
    assert first.to.email == "camille.essai@familles.example"
    assert first.locked_until > datetime.now(UTC)
    assert first != second


async def test_nine_failures_are_told_to_nobody(identity: Identity, household: Household) -> None:
    await fails(identity, household, LOCKED_FROM - 1)
    neighbour = Household(household.site, number=2)
    await neighbour.settle(identity)
    async with hearing(identity, AccountLocked) as locked:
        await fails(identity, neighbour, LOCKED_FROM)
        await tell_locks(identity.database)
        assert (await locked.next()).account_id == account_id(neighbour)


async def test_a_mailed_link_lifts_the_lock(identity: Identity, household: Household) -> None:
    await fails(identity, household, LOCKED_FROM)
    with pytest.raises(Rejection, match="wrong_credentials"):
        await household.sign_in(identity)
    token = await is_mailed(identity, household)
    await identity.ask(ResetPassword(token=token, new_password=STRONG))
    await household.sign_in(identity, STRONG)
