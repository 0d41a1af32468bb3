"""A service is stopped: the others' pages stay usable, say so in French, and keep what is typed."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

import pytest
from shared.contracts.enrolment import Application, ShowApplication
from stack.topology import SERVICES

from tests.system import Household, School, System
from tests.visitor import Answer, Visitor

pytestmark = pytest.mark.servers


@dataclass(frozen=True, slots=True)
class Sources:
    """The services that a page is nothing without, and those that only add to it."""

    needs: frozenset[str]
    shows: frozenset[str]


def _page(needs: str = "", shows: str = "") -> Sources:
    return Sources(frozenset(needs.split()), frozenset(shows.split()))


_PAGES = {
    "/": _page(),
    "/mentions-legales": _page(),
    "/facturation": _page(),
    "/mot-de-passe": _page(shows="identity"),
    "/mot-de-passe/email": _page(needs="identity"),
    "/mot-de-passe/appareils": _page(needs="identity"),
    "/mot-de-passe/oublie": _page(),
    "/verification": _page(),
    "/accueil": _page(shows="identity enrolment courses documents"),
    "/liste-attente": _page(needs="courses", shows="identity"),
    "/famille": _page(needs="identity", shows="enrolment documents"),
    "/famille/responsables/{guardian}": _page(needs="identity"),
    "/famille/messages": _page(needs="notifications"),
    "/eleves": _page(needs="identity"),
    "/eleves/{student}/identite": _page(needs="identity"),
    "/eleves/{student}/identite/modifier": _page(needs="identity"),
    "/eleves/{student}/cours": _page(shows="identity courses"),
    "/eleves/{student}/historique": _page(shows="identity courses"),
    "/eleves/{student}/reinscription": _page(shows="identity enrolment courses documents"),
    "/eleves/{student}/documents": _page(shows="identity enrolment documents"),
    "/reinscription/{student}/ne-souhaite-pas": _page(needs="enrolment", shows="identity"),
    "/dossiers/{draft}/coordonnees": _page(needs="identity enrolment"),
    "/dossiers/{draft}/autorisations": _page(needs="enrolment", shows="identity"),
    "/dossiers/{draft}/documents": _page(needs="enrolment", shows="identity documents"),
    "/dossiers/{draft}/documents/domicile": _page(needs="enrolment documents"),
    "/dossiers/{draft}/cours": _page(needs="enrolment courses", shows="identity"),
    "/dossiers/{draft}/recapitulatif": _page(needs="enrolment", shows="identity documents"),
    "/dossiers/{draft}/ouverture": _page(needs="enrolment"),
    "/dossiers/{submitted}/finalisation": _page(needs="enrolment", shows="identity notifications"),
    "/dossiers/{left}/brouillon": _page(needs="enrolment", shows="identity"),
}
"""Every page that a family reads, and what it is made of."""


@dataclass(frozen=True, slots=True)
class Home:
    """A family with a prepared application, signed in, beside one whose application is filed, and
    one of another site, whose draft was left at closing.
    """

    system: System
    school: School
    draft: Application
    visitor: Visitor
    submitted: Application
    other_visitor: Visitor
    left: Application
    late_visitor: Visitor

    @property
    def family(self) -> Household:
        return self.school.families[0]

    @asynccontextmanager
    async def without(self, service: str) -> AsyncIterator[None]:
        """Stop every replica of a service, for a while."""
        stack = self.system.stack
        replicas = [
            stack.process(service, number) for number in range(1, len(stack.urls[service]) + 1)
        ]
        await asyncio.gather(*(replica.stop() for replica in replicas))
        try:
            yield
        finally:
            await stack.start(service)

    @contextmanager
    def freezing(self, service: str) -> Iterator[None]:
        """Suspend a service, for a while: its connections stay open and nothing answers."""
        process = self.system.stack.process(service)
        process.freeze()
        try:
            yield
        finally:
            process.thaw()

    async def read(self, page: str) -> Answer:
        """Open one of the pages above."""
        visitors = {"{submitted}": self.other_visitor, "{left}": self.late_visitor}
        visitor = next((each for name, each in visitors.items() if name in page), self.visitor)
        return await visitor.get(
            page.format(
                student=self.family.student_id,
                guardian=self.family.guardian_id,
                draft=self.draft.id,
                submitted=self.submitted.id,
                left=self.left.id,
            )
        )


@pytest.fixture(scope="module")
async def home(portal: System) -> AsyncIterator[Home]:
    school, closed = await portal.school(families=2), await portal.school(families=1)
    (family, other), (late,) = school.families, closed.families
    url = portal.stack.public_url
    left = await closed.prepare(late)
    await closed.close()
    async with AsyncExitStack() as stack:
        yield Home(
            system=portal,
            school=school,
            draft=await school.prepare(family),
            visitor=await stack.enter_async_context(Visitor.signed_in(url, school, family)),
            submitted=await school.submit(other, await school.prepare(other)),
            other_visitor=await stack.enter_async_context(Visitor.signed_in(url, school, other)),
            left=left,
            late_visitor=await stack.enter_async_context(Visitor.signed_in(url, closed, late)),
        )


async def test_nothing_is_said_to_be_unavailable_while_nothing_is(home: Home) -> None:
    for page in _PAGES:
        answer = await home.read(page)
        assert answer.status == 200, page
        assert "indisponible" not in answer.text, page


@pytest.mark.parametrize("service", SERVICES)
async def test_the_pages_of_the_others_stay_usable(home: Home, service: str) -> None:
    async with home.without(service):
        answers = {page: await home.read(page) for page in _PAGES}
    for page, sources in _PAGES.items():
        answer = answers[page]
        assert answer.status == (503 if service in sources.needs else 200), page
        lacks_something = service in sources.needs | sources.shows
        assert ("indisponible" in answer.text) is lacks_something, page
        if answer.status == 503:
            assert "Déconnexion" in answer.text, page


async def test_a_frozen_service_holds_up_its_own_pages_alone(home: Home) -> None:
    """Nothing refuses the connection: only patience tells that nobody is there."""
    pages = [page for page, sources in _PAGES.items() if "identity" not in sources.needs]
    with home.freezing("identity"):
        answers = await asyncio.gather(*(home.read(page) for page in pages))
    for page, answer in zip(pages, answers, strict=True):
        assert answer.status == 200, page
        assert ("indisponible" in answer.text) is ("identity" in _PAGES[page].shows), page


@pytest.mark.parametrize(
    ("service", "step", "typed"),
    [
        (
            "identity",
            "coordonnees",
            {
                "responsable-{guardian}-last_name": "Nom tapé à l'instant",
                "responsable-{guardian}-profession": "Luthière",
                "eleve-{student}-school": "École tapée à l'instant",
            },
        ),
        ("enrolment", "autorisations", {"image_rights": "oui", "leaves_alone": "non"}),
        (
            "courses",
            "cours",
            {
                "cours-{follow}-re_enrol": "oui",
                "cours-{follow}-course_id": "{course}",
                "remarks": "Remarque tapée à l'instant",
            },
        ),
        (
            "enrolment",
            "recapitulatif",
            {"accepted": "oui", "remarks": "Remarque tapée à l'instant"},
        ),
    ],
)
async def test_nothing_typed_is_lost(
    home: Home, service: str, step: str, typed: dict[str, str]
) -> None:
    ids = {
        "guardian": home.family.guardian_id,
        "student": home.family.student_id,
        "follow": home.school.follow_id(home.family),
        "course": home.school.course_id(),
    }
    typed = {name.format_map(ids): text.format_map(ids) for name, text in typed.items()}
    path = f"/dossiers/{home.draft.id}/{step}"
    page = await home.visitor.get(path)
    assert page.status == 200
    assert not [name for name in typed if f'name="{name}"' not in page.text]
    form = {**page.hidden(), **typed, "direction": "suite"}
    async with home.without(service):
        answer = await home.visitor.post(path, form)
    assert answer.status == 503
    assert "indisponible" in answer.text
    kept = answer.hidden()
    assert {name: kept.get(name) for name in typed} == typed
    assert "Réessayer" in answer.text


async def test_what_was_kept_goes_through_once_the_service_is_back(home: Home) -> None:
    path = f"/dossiers/{home.draft.id}/autorisations"
    page = await home.visitor.get(path)
    form = {**page.hidden(), "image_rights": "non", "leaves_alone": "oui", "direction": "suite"}
    async with home.without("enrolment"):
        refused = await home.visitor.post(path, form)
    kept = {**refused.hidden(), "direction": "suite"}
    kept.pop("_csrf_token")
    answer = await home.visitor.post(path, kept)
    assert answer.path.endswith("/documents"), answer.text
    recorded = await home.system.ask(
        ShowApplication(application_id=home.draft.id), home.family.token
    )
    assert recorded.authorisations is not None
    assert recorded.authorisations.image_rights is False


async def test_a_stopped_replica_of_the_gateway_is_not_noticed(home: Home) -> None:
    stack = home.system.stack
    await stack.process("gateway", 1).kill_for_good()
    try:
        for _ in range(6):
            assert (await home.visitor.get("/accueil")).status == 200
    finally:
        await stack.start("gateway")
