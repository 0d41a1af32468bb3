"""What a page asks of the services: few of them, and all at the same time."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from gateway.pages.wizard import whereabouts
from gateway.pages.wizard.frame import PATHS
from shared.contract import Ask
from shared.contracts.courses import CourseRows, FollowedCourses, MyWaitingPlaces
from shared.contracts.enrolment import ApplicationStarted
from shared.contracts.identity import ListSites
from shared.contracts.notifications import ListMessages
from shared.identifiers import new_id

from tests.feeds import BoundOnce
from tests.harness import family_caller
from tests.portal import Portal
from tests.portal_reader import SITE
from tests.wizard import DAY, Household, a_hold, a_row, a_slot, household

_SERVICES_AT_MOST = 3
_AN_ANSWER_TAKES = 0.01


@dataclass
class Asking:
    """What was asked while one page was made, and after how many answers had been waited for."""

    portal: Portal
    depth: int = 0
    services: set[str] = field(default_factory=set)
    _answered: int = 0

    async def ask[Answer](self, question: Ask[Answer], *, token: str | None = None) -> Answer:
        depth = self._answered + 1
        self.depth = max(self.depth, depth)
        self.services.add(question.owner)
        await asyncio.sleep(_AN_ANSWER_TAKES)
        self._answered = max(self._answered, depth)
        answers = type(self.portal.services)
        return await answers.ask(self.portal.services, question, token=token)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    """A family of two children in an open campaign, that holds a seat."""
    with household(portal, family_caller(site_id=SITE.id)) as seated:
        slot = a_slot()
        row = a_row(slot)
        held = row.model_copy(update={"hold": a_hold(slot, row.follow_id)})
        seated.answer(
            {
                ListSites: (SITE,),
                CourseRows: (held,),
                FollowedCourses: (),
                ListMessages: (),
                MyWaitingPlaces: (),
            }
        )
        seated.has_another("Ana")
        yield seated


def asking(portal: Portal, family: Household, path: str, monkeypatch: pytest.MonkeyPatch) -> Asking:
    """Read a page that this replica has shown before, and note what it asks."""
    family.reads(path)
    return asking_at_first(portal, family, path, monkeypatch)


def asking_at_first(
    portal: Portal, family: Household, path: str, monkeypatch: pytest.MonkeyPatch
) -> Asking:
    """Read a page, and note what it asks."""
    noted = Asking(portal)
    monkeypatch.setattr(portal.services, "ask", noted.ask, raising=True)
    family.reads(path)
    monkeypatch.undo()
    return noted


@pytest.mark.parametrize("step", range(1, 7))
def test_a_step_asks_three_services_at_most_all_at_once(
    portal: Portal, family: Household, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: dict[str, Any] = {"state": "submitted"} if step == 6 else {}
    family.stands_at(max(step, 5), **changes)
    noted = asking(portal, family, family.at(PATHS[step]), monkeypatch)
    assert len(noted.services) <= _SERVICES_AT_MOST, noted.services
    assert noted.depth == 1


@pytest.mark.parametrize("page", ["documents", "cours", "recapitulatif"])
async def test_a_step_asks_as_much_at_once_the_first_time_that_a_replica_shows_it(
    portal: Portal, family: Household, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = family.stands_at(5)
    family.reads("/accueil")
    started = ApplicationStarted(
        application_id=application.id,
        campaign_id=application.campaign.id,
        student_id=application.student_id,
        family_id=new_id(),
        started_at=datetime.now(UTC),
    )
    await whereabouts.follow(BoundOnce(started))
    assert asking_at_first(portal, family, family.at(page), monkeypatch).depth == 1


def test_the_page_that_awaits_the_opening_asks_as_little(
    portal: Portal, family: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    family.stands_at(4, opens_in=timedelta(minutes=5), closes_in=30 * DAY)
    noted = asking(portal, family, family.at("cours"), monkeypatch)
    assert noted.services == {"enrolment", "identity"}
    assert noted.depth == 1

    path = f"/dossiers/{family.application.id}/ouverture"
    assert asking(portal, family, path, monkeypatch).services == {"enrolment"}


@pytest.mark.parametrize(
    "page",
    [
        "/accueil",
        "/famille",
        "/famille/messages",
        "/eleves",
        "/eleves/{student}/identite",
        "/eleves/{student}/cours",
        "/eleves/{student}/historique",
        "/eleves/{student}/reinscription",
        "/eleves/{student}/documents",
    ],
)
def test_the_other_pages_ask_all_at_once_too(
    portal: Portal, family: Household, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = family.stands_at(5).campaign.model_copy(update={"site_id": SITE.id})
    family.application = family.application.model_copy(update={"campaign": campaign})
    path = page.format(student=family.student.id)
    assert asking(portal, family, path, monkeypatch).depth == 1


@pytest.mark.parametrize("page", ["recapitulatif", "/accueil", "/famille"])
def test_what_a_page_asks_beforehand_is_asked_once(
    portal: Portal, family: Household, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = family.stands_at(5).campaign.model_copy(update={"site_id": SITE.id})
    family.application = family.application.model_copy(update={"campaign": campaign})
    path = page if page.startswith("/") else family.at(page)
    asking(portal, family, path, monkeypatch)
    portal.services.asked.clear()
    family.reads(path)
    asked = portal.services.asked
    assert len(set(asked)) == len(asked)
