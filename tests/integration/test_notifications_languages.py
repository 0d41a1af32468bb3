"""Families are written to in the language that they chose, whatever is told of them besides."""

from datetime import UTC, datetime

import pytest
from shared.contract import Rejection
from shared.contracts.identity import FamilyErased
from shared.contracts.notifications import ChooseLanguage

from tests.applicants import Applicant
from tests.harness import eventually, family_caller, staff_caller
from tests.integration.notifying import Notifications, known
from tests.post_box import PostBox

pytestmark = pytest.mark.servers


async def choose(notifications: Notifications, applicant: Applicant, *languages: str) -> None:
    """Have the family choose, one language after the other."""
    caller = family_caller(applicant.family_id, applicant.site_id)
    for language in languages:
        question = ChooseLanguage.model_validate({"language": language})
        await notifications.ask(question, caller)


async def language_of_receipt(
    notifications: Notifications, post: PostBox, applicant: Applicant
) -> str:
    """The language of the receipt that the family then gets."""
    await notifications.react(applicant.submitted())
    await eventually(lambda: post.received_by(applicant.address))
    (mail,) = post.received_by(applicant.address)
    return str(mail["Content-Language"])


async def test_a_family_is_written_to_in_french_until_it_chooses(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)

    assert await language_of_receipt(notifications, post, applicant) == "fr"


@pytest.mark.parametrize("chosen", [("en",), ("en", "en"), ("en", "fr", "en")])
async def test_a_family_is_written_to_in_the_language_that_it_chose_last(
    notifications: Notifications, post: PostBox, chosen: tuple[str, ...]
) -> None:
    applicant = Applicant()
    await known(notifications, applicant, applicant.address)
    await choose(notifications, applicant, *chosen)

    await notifications.react(applicant.recorded(applicant.address, revision=2))

    assert await language_of_receipt(notifications, post, applicant) == "en"
    (mail,) = post.received_by(applicant.address)
    assert mail["Subject"].endswith("re-enrolment request for Zoé N'DIAYE")


async def test_a_family_may_choose_before_it_is_told_of(
    notifications: Notifications, post: PostBox
) -> None:
    applicant = Applicant()
    await choose(notifications, applicant, "en")

    await known(notifications, applicant, applicant.address)

    assert await language_of_receipt(notifications, post, applicant) == "en"


async def test_a_family_that_was_erased_is_written_to_no_more_whatever_it_chooses(
    notifications: Notifications, post: PostBox
) -> None:
    applicant, another = Applicant(), Applicant()
    await known(notifications, applicant, applicant.address)
    await notifications.react(
        FamilyErased(
            family_id=applicant.family_id,
            student_ids=(applicant.student_id,),
            erased_at=datetime.now(UTC),
        )
    )

    await choose(notifications, applicant, "en")
    await known(notifications, applicant, applicant.address)
    await notifications.react(applicant.submitted())

    await known(notifications, another, another.address)
    await language_of_receipt(notifications, post, another)
    assert post.received_by(applicant.address) == []


async def test_only_a_family_has_a_language(notifications: Notifications) -> None:
    with pytest.raises(Rejection):
        await notifications.ask(ChooseLanguage(language="en"), staff_caller())
