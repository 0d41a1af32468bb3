"""A session survives what it should, and what is typed survives the session (S6)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from gateway.people import ACCESS_COOKIE, REFRESH_COOKIE
from shared.contracts.enrolment import Application, ShowApplication
from shared.identifiers import imported_id
from stack.demonstration import PASSWORD

from tests.system import School, System
from tests.visitor import Visitor

pytestmark = pytest.mark.servers


@dataclass(frozen=True, slots=True)
class Home:
    """A family with a prepared application."""

    system: System
    school: School
    application: Application


@pytest.fixture(scope="module")
async def home(portal: System) -> Home:
    school = await portal.school(families=1)
    return Home(portal, school, await school.prepare(school.families[0]))


@pytest.fixture
async def visitor(home: Home) -> AsyncIterator[Visitor]:
    url = home.system.stack.public_url
    async with Visitor.signed_in(url, home.school, home.school.families[0]) as signed_in:
        yield signed_in


def forget(visitor: Visitor, *names: str) -> None:
    """Lose cookies, as a browser does when they expire."""
    visitor.client.cookie_jar.clear(lambda cookie: cookie.key in names)


async def test_an_expired_access_is_renewed_without_a_word(visitor: Visitor) -> None:
    forget(visitor, ACCESS_COOKIE)
    assert (await visitor.get("/accueil")).path == "/accueil"


async def test_a_session_serves_on_every_replica(home: Home, visitor: Visitor) -> None:
    for url in home.system.stack.urls["gateway"]:
        assert (await Visitor(visitor.client, url).get("/accueil")).path == "/accueil"


async def test_signing_out_ends_the_session_for_good(visitor: Visitor) -> None:
    cookies = {cookie.key: cookie.value for cookie in visitor.client.cookie_jar}
    assert (await visitor.post("/deconnexion", {})).path == "/"
    assert (await visitor.get("/accueil")).path == "/connexion"
    visitor.client.cookie_jar.update_cookies({REFRESH_COOKIE: cookies[REFRESH_COOKIE]})
    assert (await visitor.get("/accueil")).path == "/connexion"


async def test_an_expired_session_leads_back_to_the_very_page(home: Home, visitor: Visitor) -> None:
    forget(visitor, ACCESS_COOKIE, REFRESH_COOKIE)
    asked = await visitor.get(f"/dossiers/{home.application.id}/cours")
    assert asked.path == "/connexion"
    back = await visitor.post("/connexion", asked.hidden() | _credentials(home))
    assert back.path == f"/dossiers/{home.application.id}/cours"


async def test_what_was_typed_survives_an_expired_session(home: Home, visitor: Visitor) -> None:
    path = f"/dossiers/{home.application.id}/autorisations"
    typed = {"image_rights": "non", "leaves_alone": "oui", "direction": "suite"}
    form = (await visitor.get(path)).hidden() | typed
    forget(visitor, ACCESS_COOKIE, REFRESH_COOKIE)
    expired = await visitor.post(path, form)
    assert expired.status == 401
    sign_in = await visitor.post("/connexion/reprise", _without_token(expired.hidden()))
    resumed = await visitor.post(
        "/connexion", _without_token(sign_in.hidden()) | _credentials(home)
    )
    done = await visitor.post(path, _without_token(resumed.hidden()))
    assert done.path.endswith("/documents")
    recorded = await home.system.ask(
        ShowApplication(application_id=home.application.id), home.school.families[0].token
    )
    assert recorded.authorisations is not None
    assert recorded.authorisations.image_rights is False


async def test_a_form_without_its_token_is_refused(home: Home, visitor: Visitor) -> None:
    path = f"{visitor.url}/dossiers/{home.application.id}/autorisations"
    async with visitor.client.post(path, data={"image_rights": "oui"}) as response:
        assert response.status == 403


async def test_sign_in_leads_nowhere_else(home: Home, visitor: Visitor) -> None:
    for elsewhere in ("https://ailleurs.example/", "//ailleurs.example/", "/\\ailleurs.example"):
        form = _credentials(home) | {"suite": elsewhere}
        assert (await visitor.post("/connexion", form)).path == "/accueil"


def _credentials(home: Home) -> dict[str, str]:
    return {
        "site": str(imported_id("site", home.school.code)),
        "username": home.school.families[0].username,
        "password": PASSWORD,
    }


def _without_token(hidden: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in hidden.items() if name != "_csrf_token"}
