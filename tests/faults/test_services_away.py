"""A service is stopped: the others' pages stay usable, say so in French, and keep what is typed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from shared.contracts.enrolment import Application, ShowApplication

from tests.system import School, System
from tests.visitor import Answer, Visitor

pytestmark = pytest.mark.servers

_SERVICES = ("identity", "enrolment", "documents", "courses", "notifications")
_STEPS = ("coordonnees", "autorisations", "documents", "cours", "recapitulatif")
_NEEDED_BY = {
    "identity": {"/famille", "/eleves", "identite", "coordonnees"},
    "enrolment": {"dossiers"},
    "documents": {"/documents"},
    "courses": {"/cours", "historique"},
    "notifications": set[str](),
}
"""The pages that a service is the whole point of: they may say that they are unavailable."""


@dataclass(frozen=True, slots=True)
class Home:
    """A family with a prepared application, signed in."""

    system: System
    school: School
    application: Application
    visitor: Visitor

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

    def pages(self) -> list[str]:
        """Every page that the family reads."""
        student = f"/eleves/{self.school.families[0].student_id}"
        return [
            "/",
            "/accueil",
            "/famille",
            "/eleves",
            "/facturation",
            "/mot-de-passe",
            "/mentions-legales",
            *(f"{student}/{tab}" for tab in ("identite", "cours", "historique", "reinscription")),
            f"{student}/documents",
            *(f"/dossiers/{self.application.id}/{step}" for step in _STEPS),
        ]


@pytest.fixture(scope="module")
async def home(portal: System) -> AsyncIterator[Home]:
    school = await portal.school(families=1)
    (family,) = school.families
    application = await school.prepare(family)
    async with Visitor.signed_in(portal.stack.public_url, school, family) as visitor:
        yield Home(portal, school, application, visitor)


@pytest.mark.parametrize("service", _SERVICES)
async def test_the_pages_of_the_others_stay_usable(home: Home, service: str) -> None:
    needed = _NEEDED_BY[service]
    async with home.without(service):
        answers = [await home.visitor.get(path) for path in home.pages()]
    for path, answer in zip(home.pages(), answers, strict=True):
        essential = any(part in path for part in needed)
        assert answer.status == 200 or (essential and answer.status == 503), (path, answer.status)
        if answer.status == 503:
            assert "indisponible" in answer.text
            assert "Déconnexion" in answer.text


@pytest.mark.parametrize(
    ("service", "step", "typed"),
    [
        ("identity", "coordonnees", {"nom": "Nom tapé à l'instant"}),
        ("enrolment", "autorisations", {"image_rights": "oui", "leaves_alone": "non"}),
        ("courses", "cours", {"remarks": "Remarque tapée à l'instant"}),
        ("enrolment", "recapitulatif", {"remarks": "Remarque tapée à l'instant"}),
    ],
)
async def test_nothing_typed_is_lost(
    home: Home, service: str, step: str, typed: dict[str, str]
) -> None:
    path = f"/dossiers/{home.application.id}/{step}"
    page = await home.visitor.get(path)
    assert page.status == 200
    form = {**page.hidden(), **typed, "direction": "suite"}
    async with home.without(service):
        answer: Answer = await home.visitor.post(path, form)
    assert answer.status == 503
    assert "indisponible" in answer.text
    kept = answer.hidden()
    assert {name: kept[name] for name in typed} == typed
    assert "Réessayer" in answer.text


async def test_what_was_kept_goes_through_once_the_service_is_back(home: Home) -> None:
    path = f"/dossiers/{home.application.id}/autorisations"
    page = await home.visitor.get(path)
    form = {**page.hidden(), "image_rights": "non", "leaves_alone": "oui", "direction": "suite"}
    async with home.without("enrolment"):
        refused = await home.visitor.post(path, form)
    kept = {**refused.hidden(), "direction": "suite"}
    kept.pop("_csrf_token")
    answer = await home.visitor.post(path, kept)
    assert answer.path.endswith("/documents"), answer.text
    recorded = await home.system.ask(
        ShowApplication(application_id=home.application.id), home.school.families[0].token
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
