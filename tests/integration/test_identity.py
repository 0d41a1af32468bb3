"""Identity on real servers: sign-in, sessions, and what a family declares."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from identity.app import resources, service
from identity.forgetting import forget_attempts, forget_sessions
from identity.lockout import LOCK, LOCKED_FROM, SLOWED_FROM
from identity.sessions import ACCESS_LIFE, IDLE_LIFE, TWIN_GRACE
from identity.settings import IdentitySettings
from identity.tables import contact_change, session, sign_in_attempt
from shared.callers import TokenVerifier
from shared.contract import Rejection
from shared.contracts.identity import (
    FamiliesRecorded,
    ListSites,
    MyFamily,
    RefreshSession,
    SignIn,
    SignOut,
    UpdateGuardian,
    UpdateStudent,
)
from shared.contracts.people import GuardianDetails, StudentDetails
from shared.identifiers import new_id
from sqlalchemy import func, select, update
from stack.running import Stack

from tests.harness import Running, family_caller, operator, running
from tests.households import PASSWORD, Household, subscribed, told_of

pytestmark = pytest.mark.servers

type Identity = Running[IdentitySettings]

GUARDIAN = GuardianDetails(
    civility="Madame",
    last_name="ESSAI",
    first_name="Camille",
    address="12 rue du Moulin",
    postcode="92190",
    city="Meudon",
    mobile="06 39 98 00 01",
    email="camille.essai@familles.example",
)


@pytest_asyncio.fixture(scope="module")
async def identity(servers: Stack) -> AsyncIterator[Identity]:
    async with running(servers, service, IdentitySettings, resources) as replica:
        yield replica


@pytest_asyncio.fixture
async def household(identity: Identity) -> Household:
    """A household that has just been imported."""
    household = Household()
    await household.settle(identity)
    return household


async def attempts_age(identity: Identity, age: timedelta) -> None:
    """Have every counted attempt be older by ``age``."""
    column = sign_in_attempt.c.last_at
    async with identity.database.transaction() as tx:
        await tx.execute(update(sign_in_attempt).values(last_at=column - age))


async def sessions_age(identity: Identity, age: timedelta) -> None:
    """Have every session be older by ``age``."""
    instants = (session.c.opened_at, session.c.rotated_at, session.c.expires_at)
    async with identity.database.transaction() as tx:
        await tx.execute(update(session).values({at: at - age for at in instants}))


async def refused(identity: Identity, sign_in: SignIn) -> Rejection:
    with pytest.raises(Rejection) as refusal:
        await identity.ask(sign_in)
    return refusal.value


async def fail(identity: Identity, household: Household, times: int) -> None:
    """Fail to sign in, waiting as long as it takes each time."""
    for _ in range(times):
        with pytest.raises(Rejection):
            await household.sign_in(identity, "un autre mot de passe")
        await attempts_age(identity, timedelta(minutes=5))


async def test_anyone_may_list_the_sites(identity: Identity, household: Household) -> None:
    sites = await identity.ask(ListSites())
    assert [site.town for site in sites] == sorted(site.town for site in sites)
    (site,) = (site for site in sites if site.id == household.site_id)
    assert site.name == "Conservatoire d'Essai"
    assert site.email == "conservatoire@territoire.example"


async def test_signing_in_gives_a_token_that_names_the_guardian_and_the_family(
    identity: Identity, household: Household
) -> None:
    before = datetime.now(UTC)
    signed_in = await household.sign_in(identity)
    verifier = TokenVerifier.from_file(identity.settings.token_public_key_file)
    caller = verifier.verify(signed_in.access_token)
    assert caller.role == "family"
    assert caller.name == "Madame ESSAI Camille"
    assert (caller.family_id, caller.site_id) == (household.id, household.site_id)
    assert before + ACCESS_LIFE <= signed_in.access_expires_at
    assert before + IDLE_LIFE <= signed_in.refresh_expires_at
    family = await identity.services.ask(MyFamily(), token=signed_in.access_token)
    assert family.id == household.id


async def test_the_username_is_recognised_whatever_its_case(
    identity: Identity, household: Household
) -> None:
    typed = f" {household.username.upper()} "
    await identity.ask(SignIn(site_id=household.site_id, username=typed, password=PASSWORD))


async def test_a_wrong_site_username_or_password_gives_one_answer_in_the_same_time(
    identity: Identity, household: Household
) -> None:
    right = SignIn(site_id=household.site_id, username=household.username, password=PASSWORD)
    wrong = (
        right.model_copy(update={"site_id": new_id()}),
        right.model_copy(update={"username": "personne"}),
        right.model_copy(update={"password": "pas le bon"}),
    )
    answers = set()
    fastest = [10.0] * len(wrong)
    for _ in range(2 * SLOWED_FROM):  # the last ones come too soon
        for index, sign_in in enumerate(wrong):
            started = time.perf_counter()
            rejection = await refused(identity, sign_in)
            fastest[index] = min(fastest[index], time.perf_counter() - started)
            answers.add((rejection.code, rejection.status, rejection.detail, *rejection.facts))
    assert len(answers) == 1
    assert "wrong_credentials" in answers.pop()
    # without a hash to check, an answer would be five times faster
    assert max(fastest) < 3 * min(fastest)


async def test_a_guardian_without_password_cannot_sign_in(identity: Identity) -> None:
    household = Household()
    await household.settle(identity, password=None)
    for password in ("", "None", PASSWORD):
        rejection = await refused(
            identity,
            SignIn(site_id=household.site_id, username=household.username, password=password),
        )
        assert rejection.code == "wrong_credentials"


async def test_four_failures_do_not_slow_the_fifth_attempt_down(
    identity: Identity, household: Household
) -> None:
    for _ in range(SLOWED_FROM - 1):
        with pytest.raises(Rejection):
            await household.sign_in(identity, "un autre mot de passe")
    await household.sign_in(identity)


async def test_after_five_failures_even_the_right_password_must_wait(
    identity: Identity, household: Household
) -> None:
    await fail(identity, household, SLOWED_FROM - 1)
    with pytest.raises(Rejection):
        await household.sign_in(identity, "un autre mot de passe")
    with pytest.raises(Rejection, match="wrong_credentials"):
        await household.sign_in(identity)
    await attempts_age(identity, timedelta(seconds=5))
    await household.sign_in(identity)


async def test_ten_failures_lock_the_account_for_an_hour(
    identity: Identity, household: Household
) -> None:
    await fail(identity, household, LOCKED_FROM)
    with pytest.raises(Rejection, match="wrong_credentials"):
        await household.sign_in(identity)
    await attempts_age(identity, LOCK - timedelta(minutes=6))
    with pytest.raises(Rejection, match="wrong_credentials"):
        await household.sign_in(identity)
    await attempts_age(identity, timedelta(minutes=1))
    await household.sign_in(identity)


async def test_signing_in_forgets_earlier_failures(
    identity: Identity, household: Household
) -> None:
    for _ in range(3):
        await fail(identity, household, SLOWED_FROM - 1)
        await household.sign_in(identity)


async def test_a_burst_of_attempts_tries_no_more_passwords_than_one_after_the_other(
    identity: Identity, household: Household
) -> None:
    burst = (household.sign_in(identity, f"essai {number}") for number in range(20))
    outcomes = await asyncio.gather(*burst, return_exceptions=True)
    assert all(isinstance(outcome, Rejection) for outcome in outcomes)
    async with identity.database.transaction() as tx:
        most = await tx.scalar(select(func.max(sign_in_attempt.c.failures)))
    assert most == SLOWED_FROM


async def test_old_failures_are_forgotten(identity: Identity, household: Household) -> None:
    await fail(identity, household, 1)
    await attempts_age(identity, LOCK)
    await forget_attempts(identity.database)
    async with identity.database.transaction() as tx:
        assert await tx.scalar(select(func.count()).select_from(sign_in_attempt)) == 0


async def test_a_session_is_renewed_with_other_tokens(
    identity: Identity, household: Household
) -> None:
    first = await household.sign_in(identity)
    second = await identity.ask(RefreshSession(refresh_token=first.refresh_token))
    assert second.refresh_token != first.refresh_token
    await sessions_age(identity, timedelta(hours=1))
    third = await identity.ask(RefreshSession(refresh_token=second.refresh_token))
    family = await identity.services.ask(MyFamily(), token=third.access_token)
    assert family.id == household.id


async def test_two_tabs_that_renew_at_the_same_moment_both_go_on(
    identity: Identity, household: Household
) -> None:
    first = await household.sign_in(identity)
    renewal = RefreshSession(refresh_token=first.refresh_token)
    one, other = await asyncio.gather(identity.ask(renewal), identity.ask(renewal))
    assert one.refresh_token == other.refresh_token
    await sessions_age(identity, timedelta(minutes=10))
    await identity.ask(RefreshSession(refresh_token=other.refresh_token))


async def test_a_replaced_token_that_comes_back_ends_the_session(
    identity: Identity, household: Household
) -> None:
    first = await household.sign_in(identity)
    second = await identity.ask(RefreshSession(refresh_token=first.refresh_token))
    await sessions_age(identity, TWIN_GRACE + timedelta(seconds=1))
    for token in (first.refresh_token, second.refresh_token):
        with pytest.raises(Rejection, match="session_expired"):
            await identity.ask(RefreshSession(refresh_token=token))


async def test_a_session_unused_for_twelve_hours_is_over_and_forgotten(
    identity: Identity, household: Household
) -> None:
    signed_in = await household.sign_in(identity)
    renewal = RefreshSession(refresh_token=signed_in.refresh_token)
    await sessions_age(identity, IDLE_LIFE)
    with pytest.raises(Rejection, match="session_expired"):
        await identity.ask(renewal)
    await forget_sessions(identity.database)
    with pytest.raises(Rejection, match="session_expired"):
        await identity.ask(renewal)


async def test_signing_out_ends_the_session_and_no_other(
    identity: Identity, household: Household
) -> None:
    here, elsewhere = await household.sign_in(identity), await household.sign_in(identity)
    for _ in range(2):
        await identity.services.ask(SignOut(), token=here.access_token)
    with pytest.raises(Rejection, match="session_expired"):
        await identity.ask(RefreshSession(refresh_token=here.refresh_token))
    await identity.ask(RefreshSession(refresh_token=elsewhere.refresh_token))


@pytest.mark.parametrize("text", ["", "quelconque", "é" * 64, "A" * 64])
async def test_what_is_no_refresh_token_is_an_expired_session(
    identity: Identity, text: str
) -> None:
    with pytest.raises(Rejection, match="session_expired"):
        await identity.ask(RefreshSession(refresh_token=text))


async def test_a_guardian_declares_new_details_that_other_services_are_told(
    identity: Identity, household: Household
) -> None:
    moved = GUARDIAN.model_copy(update={"city": "Sèvres", "profession": "Luthière"})
    async with subscribed(identity.settings.broker_url, FamiliesRecorded) as subscriber:
        guardian = await identity.ask(
            UpdateGuardian(guardian_id=household.guardian_id, details=moved), household.caller
        )
        told = await told_of(subscriber, household.id)
    assert guardian.changed == ("profession", "city")
    assert guardian.details["city"] == "Sèvres"
    (in_family,) = (await identity.ask(MyFamily(), household.caller)).guardians
    assert in_family == guardian
    assert told.guardians[0].email == "camille.essai@familles.example"
    assert [student.id for student in told.students] == [household.student_id]


async def test_declaring_the_same_again_changes_and_tells_nothing(
    identity: Identity, household: Household
) -> None:
    caller = household.caller
    once = UpdateGuardian(
        guardian_id=household.guardian_id,
        details=GUARDIAN.model_copy(update={"city": "Sèvres"}),
    )
    async with subscribed(identity.settings.broker_url, FamiliesRecorded) as subscriber:
        answers = [await identity.ask(once, caller) for _ in range(3)]
        first = await told_of(subscriber, household.id)
        back = once.model_copy(update={"details": GUARDIAN})
        guardian = await identity.ask(back, caller)
        second = await told_of(subscriber, household.id)
    assert answers[0] == answers[1] == answers[2]
    assert second.revision == first.revision + 1
    assert guardian.changed == ()
    async with identity.database.transaction() as tx:
        rows = await tx.execute(
            select(contact_change)
            .where(contact_change.c.family_id == household.id)
            .order_by(contact_change.c.id)
        )
        changes = [(row.field, row.old_value, row.new_value, row.changed_by) for row in rows]
    assert changes == [
        ("city", "Meudon", "Sèvres", caller.account_id),
        ("city", "Sèvres", "Meudon", caller.account_id),
    ]


async def test_a_student_is_edited_like_a_guardian(
    identity: Identity, household: Household
) -> None:
    (before,) = (await identity.ask(MyFamily(), household.caller)).students
    assert before.details["mobile"] == "06 39 98 00 01"
    assert before.details["birth_on"] == "2013-07-14"
    details = StudentDetails.model_validate({**before.details, "school_level": "3e"})
    student = await identity.ask(
        UpdateStudent(student_id=household.student_id, details=details), household.caller
    )
    assert student.changed == ("school_level",)
    assert student.details == before.details | {"school_level": "3e"}


async def test_two_guardians_who_edit_at_once_are_told_one_after_the_other(
    identity: Identity, household: Household
) -> None:
    phones = [f"06 39 98 00 {number:02}" for number in range(10, 18)]
    updates = [
        UpdateGuardian(
            guardian_id=household.guardian_id, details=GUARDIAN.model_copy(update={"mobile": phone})
        )
        for phone in phones
    ]
    async with subscribed(identity.settings.broker_url, FamiliesRecorded) as subscriber:
        await asyncio.gather(*(identity.ask(each, household.caller) for each in updates))
        revisions = [(await told_of(subscriber, household.id)).revision for _ in updates]
    assert len(set(revisions)) == len(updates)
    assert max(revisions) - min(revisions) == len(updates) - 1


async def test_nobody_reads_or_changes_another_family(
    identity: Identity, household: Household
) -> None:
    neighbour = Household(household.site, number=2)
    await neighbour.settle(identity)
    (student,) = (await identity.ask(MyFamily(), household.caller)).students
    details = StudentDetails.model_validate(student.details)
    questions = (
        UpdateGuardian(guardian_id=household.guardian_id, details=GUARDIAN),
        UpdateGuardian(guardian_id=new_id(), details=GUARDIAN),
        UpdateGuardian(guardian_id=neighbour.student_id, details=GUARDIAN),
        UpdateStudent(student_id=household.student_id, details=details),
    )
    for caller in (neighbour.caller, family_caller(), operator()):
        for question in questions:
            with pytest.raises(Rejection, match="not_found"):
                await identity.ask(question, caller)
    for caller in (family_caller(), operator()):
        with pytest.raises(Rejection, match="not_found"):
            await identity.ask(MyFamily(), caller)
