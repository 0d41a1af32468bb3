"""The delivery log and a site's own words on real servers: each sees its own, and no more."""

import pytest
from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.identity import Addressee, PasswordChanged
from shared.contracts.notifications import (
    ListMailFailures,
    ListMessages,
    ListWordings,
    PreviewWording,
    ResetWording,
    SaveWording,
    SentMessage,
)
from shared.identifiers import new_id

from tests.applicants import Applicant
from tests.harness import eventually, family_caller, operator, staff_caller
from tests.integration.notifying import Notifications, known
from tests.post_box import PostBox

pytestmark = pytest.mark.servers

UNKNOWN = "550 5.1.1 nobody here"


def guardian_of(applicant: Applicant) -> Caller:
    return family_caller(applicant.family_id, applicant.site_id)


async def log_of(notifications: Notifications, applicant: Applicant) -> tuple[SentMessage, ...]:
    """What the family reads, once nothing waits any more."""
    caller = guardian_of(applicant)
    found: tuple[SentMessage, ...] = ()

    async def is_settled() -> bool:
        nonlocal found
        found = await notifications.ask(ListMessages(), caller)
        return bool(found) and all(message.state != "waiting" for message in found)

    await eventually(is_settled)
    return found


async def test_a_family_reads_what_it_was_sent_to_whom_and_what_the_server_answered(
    notifications: Notifications,
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address, applicant.other_address)
    await notifications.react(applicant.submitted())

    (message,) = await log_of(notifications, applicant)
    assert (message.kind, message.state, message.failure) == ("submission_receipt", "sent", "")
    assert message.to == f"{applicant.address}, {applicant.other_address}"
    assert message.student == "Zoé N'DIAYE"

    async def has_its_answer() -> bool:
        (now,) = await notifications.ask(ListMessages(), guardian_of(applicant))
        return [(one.outcome, one.answer) for one in now.attempts] == [("sent", "Stored")]

    await eventually(has_its_answer)


async def test_what_concerns_one_guardians_account_is_for_the_staff_alone(
    notifications: Notifications,
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)
    await notifications.react(applicant.submitted())
    to = Addressee(
        name="Camille",
        email=applicant.address,
        family_id=applicant.family_id,
        site_id=applicant.site_id,
    )
    await notifications.react(PasswordChanged(account_id=new_id(), to=to, changed_at=applicant.now))
    assert [one.kind for one in await log_of(notifications, applicant)] == ["submission_receipt"]
    asked = ListMessages(family_id=applicant.family_id)
    for caller in (staff_caller(applicant.site_id), operator()):
        seen = await notifications.ask(asked, caller)
        assert {one.kind for one in seen} == {"submission_receipt", "password_changed"}


async def test_the_staff_see_what_their_families_were_not_sent(
    notifications: Notifications, post: PostBox
) -> None:
    reached, half, refused, nowhere = (
        Applicant(),
        *(Applicant() for _ in range(3)),
    )
    site_id = reached.site_id
    post.refused_recipients |= {refused.address: UNKNOWN, half.other_address: UNKNOWN}
    addresses = {
        reached: (reached.address,),
        half: (half.address, half.other_address),
        refused: (refused.address,),
        nowhere: ("",),
    }
    for each, of_family in addresses.items():
        applicant = Applicant(
            family_id=each.family_id, site_id=site_id, campaign_id=reached.campaign_id
        )
        await known(notifications, applicant, *of_family)
        await notifications.react(applicant.submitted())
        await log_of(notifications, applicant)

    asked = ListMailFailures(site_id=site_id)
    failures = await notifications.ask(asked, staff_caller(site_id))
    states = {failure.family_id: (failure.state, failure.failure) for failure in failures}
    assert states.keys() == {half.family_id, refused.family_id, nowhere.family_id}
    assert states[half.family_id][0] == "sent"
    assert "5.1.1 nobody here" in states[half.family_id][1]
    assert states[refused.family_id][0] == "failed"
    assert states[nowhere.family_id] == ("no_address", "")
    (_, *older) = failures
    further = asked.model_copy(update={"before": failures[0].id})
    beyond = await notifications.ask(further, staff_caller(site_id))
    assert list(beyond) == older


async def test_nobody_reads_anothers_log(notifications: Notifications) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)
    await notifications.react(applicant.submitted())
    await log_of(notifications, applicant)
    theirs = ListMessages(family_id=applicant.family_id)
    with pytest.raises(Rejection, match="not_found"):
        await notifications.ask(theirs, family_caller())
    assert await notifications.ask(ListMessages(), family_caller()) == ()
    assert await notifications.ask(theirs, staff_caller()) == ()
    assert await notifications.ask(ListMessages(), staff_caller(applicant.site_id)) == ()
    for stranger in (staff_caller(), guardian_of(applicant)):
        with pytest.raises(Rejection, match="not_found"):
            await notifications.ask(ListMailFailures(site_id=applicant.site_id), stranger)


async def test_a_site_opens_its_offers_in_its_own_words_until_it_gives_them_up(
    notifications: Notifications, post: PostBox
) -> None:
    applicant, staff = Applicant(), staff_caller()
    applicant = Applicant(site_id=staff.site_id or new_id())
    await known(notifications, applicant, applicant.address)
    own = {"site_id": applicant.site_id, "kind": "waiting_list_offer"}
    text = "Bonne nouvelle <b> pour {{ eleve }} !\n\nVotre conservatoire"
    with pytest.raises(Rejection, match="wording_refused") as refused:
        await notifications.ask(
            SaveWording.model_validate(own | {"text": "Bonjour\n{{ prenom }}"}), staff
        )
    assert refused.value.facts.items() >= {"line": 2, "variable": "prenom"}.items()
    saving = SaveWording.model_validate(own | {"text": text})
    preview = await notifications.ask(PreviewWording.model_validate(own | {"text": text}), staff)
    assert "Bonne nouvelle <b> pour Camille EXEMPLE !" in preview.text
    assert "Bonne nouvelle &lt;b&gt; pour Camille EXEMPLE !" in preview.html
    for _ in range(2):
        assert (await notifications.ask(saving, staff)).is_own

    await notifications.react(applicant.offered())
    await eventually(lambda: post.received_by(applicant.address))
    (mail,) = post.received_by(applicant.address)
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Bonne nouvelle <b> pour Zoé N'DIAYE !" in body.get_content()
    assert "FM 2.1 (34) - MARDI - 17.00 à 18.30" in body.get_content()

    assert not (await notifications.ask(ResetWording.model_validate(own), staff)).is_own
    listed = await notifications.ask(ListWordings(site_id=applicant.site_id), staff)
    assert not any(wording.is_own for wording in listed)


async def test_another_sites_words_are_not_found(notifications: Notifications) -> None:
    site_id = new_id()
    saving = SaveWording(site_id=site_id, kind="draft_reminder", text="Bonjour")
    for stranger in (staff_caller(), family_caller(site_id=site_id)):
        for asked in (
            saving,
            ListWordings(site_id=site_id),
            ResetWording(site_id=site_id, kind="draft_reminder"),
            PreviewWording(site_id=site_id, kind="draft_reminder"),
        ):
            with pytest.raises(Rejection, match="not_found"):
                await notifications.ask(asked, stranger)
