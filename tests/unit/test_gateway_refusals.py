"""What becomes of a request that no page takes: a stale form, no such address, no session."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from gateway.pages.rendered import local_path
from gateway.people import ACCESS_COOKIE, REFRESH_COOKIE
from gateway.settings import GatewaySettings
from pydantic import ValidationError
from shared.ask import ServiceUnavailable
from shared.contracts.accounts import SignedIn
from shared.contracts.enrolment import RecordAuthorisations
from shared.contracts.identity import ListSites, RefreshSession, SignIn
from shared.identifiers import new_id
from structlog.testing import capture_logs

from tests.forms import filled_in, words
from tests.harness import family_caller
from tests.portal import Portal
from tests.portal_reader import SITE
from tests.wizard import NEXT, Household, household, yes_to_both

FOREIGN = "a" * 64 + "b" * 64
"""A token that another secret signed, as another stack on this host leaves in a browser."""


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal) as seated:
        seated.stands_at(2)
        seated.answer({RecordAuthorisations: None})
        yield seated


def a_session(portal: Portal) -> SignedIn:
    end = datetime.now(UTC) + timedelta(hours=1)
    return SignedIn(
        access_token=portal.token_for(family_caller()),
        access_expires_at=end,
        refresh_token="renewed",
        refresh_expires_at=end,
    )


# A form that is not known as ours


@pytest.mark.parametrize("token", [FOREIGN, "court", "é" * 128])
def test_a_token_of_another_secret_is_replaced_at_the_next_page(portal: Portal, token: str) -> None:
    portal.reset({})
    with portal.browser() as browser:
        cookie = (b"cookie", f"rentree_csrf={token}".encode())
        page = browser.get("/mentions-legales", headers=[cookie])
        assert len(page.cookies["rentree_csrf"]) == 128
        assert page.cookies["rentree_csrf"] != token
        kept = browser.get("/mentions-legales")
    assert "rentree_csrf" not in kept.cookies


def test_a_form_of_another_secret_is_given_back_to_send_again(family: Household) -> None:
    path = family.at("autorisations")
    family.client.cookies.set("rentree_csrf", FOREIGN)
    refused = family.posts(path, [*yes_to_both(), NEXT])
    assert refused.status_code == 403
    assert "Vos réponses sont conservées dans cette page" in words(refused.text)
    assert not family.asked(RecordAuthorisations)
    kept = filled_in(refused.text, path)
    assert set(kept) == {*yes_to_both(), NEXT}
    family.client.cookies.delete("rentree_csrf")
    family.client.cookies.set("rentree_csrf", refused.cookies["rentree_csrf"])
    assert refused.cookies["rentree_csrf"] in refused.text
    assert family.goes_on(path, kept) == family.at("documents")


def test_a_form_older_than_its_token_is_given_back_with_the_present_one(
    family: Household,
) -> None:
    path = family.at("autorisations")
    family.reads(path)
    stale = {"_csrf_token": FOREIGN, **dict(yes_to_both())}
    refused = family.client.post(path, data=stale)
    assert refused.status_code == 403
    assert "rentree_csrf" not in refused.cookies
    assert family.client.cookies["rentree_csrf"] in refused.text


def test_nothing_is_given_back_of_what_another_site_sent(family: Household) -> None:
    path = family.at("autorisations")
    for origin in ("https://ailleurs.example", "null"):
        refused = family.client.post(path, data=dict(yes_to_both()), headers={"origin": origin})
        assert refused.status_code == 403
        assert "image_rights" not in refused.text
        assert "rechargez-la" in words(refused.text)
    ours = family.client.post(
        path, data=dict(yes_to_both()), headers={"origin": "http://testserver.local"}
    )
    assert "image_rights" in ours.text


def test_a_refused_script_is_told_in_french(family: Household) -> None:
    answer = family.client.post(
        family.at("documents/domicile/ticket"), json={}, headers={"accept": "application/json"}
    )
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "forbidden"
    assert "ne vient pas d'une page du portail" in answer.json()["detail"]
    assert "CSRF" in answer.json()["facts"]["reason"]


def test_a_refused_form_keeps_the_session_that_was_renewed(
    family: Household, portal: Portal
) -> None:
    family.client.cookies.clear()
    family.client.cookies.set(REFRESH_COOKIE, "before")
    family.answer({RefreshSession: a_session(portal)})
    with capture_logs() as logs:
        refused = family.client.post(family.at("autorisations"), data=dict(yes_to_both()))
    assert refused.status_code == 403
    assert refused.cookies[REFRESH_COOKIE] == "renewed"
    assert refused.headers["x-correlation-id"]
    (line,) = (line for line in logs if line["event"] == "request")
    assert line["status"] == 403


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nulle-part", 404),
        ("PUT", "/accueil", 405),
        ("GET", "/dossiers/pas-un-identifiant", 404),
        ("GET", "/api/nulle-part", 404),
        ("POST", "/api/v1/sites", 405),
    ],
)
def test_an_address_that_leads_nowhere_is_correlated_and_logged(
    portal: Portal, method: str, path: str, status: int
) -> None:
    portal.reset({})
    with portal.browser() as browser, capture_logs() as logs:
        answer = browser.request(method, path)
    assert answer.status_code == status
    assert answer.headers["x-correlation-id"]
    assert [line["status"] for line in logs if line["event"] == "request"] == [status]


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", "/api/nulle-part", "not_found"),
        ("GET", "/api/v1/nulle-part", "not_found"),
        ("GET", "/api/v1/nulle/part", "not_found"),
        ("PATCH", "/api/v1/sites", "method_not_allowed"),
    ],
)
def test_a_program_is_told_in_problem_details_wherever_it_goes(
    portal: Portal, method: str, path: str, code: str
) -> None:
    portal.reset({})
    with portal.program() as program:
        answer = program.request(method, path)
        assert program.get("/api/openapi.json").status_code == 200
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == code
    assert problem["detail"].startswith("Cette ")
    assert problem["correlation_id"] == answer.headers["x-correlation-id"]


def test_what_litestar_refuses_is_told_in_french_with_its_reason(portal: Portal) -> None:
    portal.reset({})
    with portal.program() as program:
        unreadable = program.post("/api/v1/session", content=b"{nope").json()
        heavy = program.post("/api/v1/session", content=b" " * 300_000).json()
    assert unreadable["detail"] == "Le portail ne comprend pas cette demande."
    assert unreadable["facts"]["reason"]
    assert heavy["detail"] == "Cette demande est trop lourde."


def test_a_gateway_does_not_start_with_a_secret_too_short_to_sign() -> None:
    with pytest.raises(ValidationError, match="cookie_secret"):
        GatewaySettings.model_validate({"cookie_secret": "trop court"})


# Signing in again


def test_a_form_that_holds_nothing_is_sent_again_after_signing_in(
    family: Household, portal: Portal
) -> None:
    family.client.cookies.delete(ACCESS_COOKIE)
    path = family.at("autorisations").replace("autorisations", "reprendre")
    expired = family.sends(path, [], status=401)
    assert "gardées" not in words(expired)
    asked = family.sends("/connexion/reprise", filled_in(expired, "/connexion/reprise"), 200)
    assert "Votre session a expiré" in words(asked)
    family.answer({SignIn: a_session(portal), ListSites: (SITE,)})
    credentials = [("site", str(SITE.id)), ("username", "nicole.test"), ("password", "secret")]
    carried = [pair for pair in filled_in(asked, "/connexion") if pair[0] in {"suite", "reprise"}]
    resumed = family.sends("/connexion", [*carried, *credentials], 200)
    assert filled_in(resumed, path) == []
    assert "Vous pouvez reprendre là où vous en étiez" in words(resumed)


def test_a_file_sent_without_a_session_is_said_to_be_chosen_again(
    family: Household, portal: Portal
) -> None:
    family.client.cookies.delete(ACCESS_COOKIE)
    path = family.at("documents/domicile")
    answer = family.uploads(path, [("document_id", str(new_id()))], "quittance.pdf", b"%PDF")
    assert answer.status_code == 401
    assert "Vous choisirez de nouveau votre fichier" in words(answer.text)
    assert "gardées" not in words(answer.text)
    carried = filled_in(answer.text, "/connexion/reprise")
    assert carried == [("suite", path)]
    family.answer({SignIn: a_session(portal)})
    credentials = [("site", str(SITE.id)), ("username", "nicole.test"), ("password", "secret")]
    assert family.goes_on("/connexion", [*carried, *credentials]) == path


def test_signing_in_never_claims_to_have_recorded_something(portal: Portal) -> None:
    portal.reset({SignIn: ServiceUnavailable("identity", maybe_recorded=True), ListSites: (SITE,)})
    with household(portal) as stranger:
        stranger.answer({SignIn: ServiceUnavailable("identity", maybe_recorded=True)})
        credentials = [("site", str(SITE.id)), ("username", "nicole.test"), ("password", "secret")]
        page = words(stranger.sends("/connexion", credentials))
    assert "Les comptes et les coordonnées sont momentanément indisponibles." in page
    assert "enregistrée" not in page


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://ailleurs.example/",
        "//ailleurs",
        "/\\ailleurs",
        "/\t/ailleurs",
        "/\r\nx",
        "",
        "/\x00",
    ],
)
def test_signing_in_leads_nowhere_else(elsewhere: str) -> None:
    assert local_path(elsewhere) == "/accueil"


def test_signing_in_leads_back_into_the_portal() -> None:
    assert local_path("/eleves/1/cours?suite=été") == "/eleves/1/cours?suite=été"
