"""The account's pages: what they ask, how they refuse, and what they never give away (S4)."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from uuid import UUID

import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient
from shared.ask import ServiceUnavailable
from shared.callers import Caller
from shared.contract import Rejection
from shared.contracts.accounts import Account, EmailLink, OpenSession, ResetLink
from shared.contracts.identity import (
    ChangePassword,
    ConfirmEmailChange,
    EndSession,
    ListSessions,
    ListSites,
    MyAccount,
    ReadEmailLink,
    ReadResetLink,
    RequestEmailChange,
    RequestPasswordReset,
    ResetPassword,
)
from shared.identifiers import new_id

from tests.forms import words
from tests.harness import family_caller
from tests.portal import Portal
from tests.portal_reader import SITE

NOW = datetime.now(UTC)
TOKEN = "pQ3x0v2mF6kR8s1tY5uW7zA9bC4dE6fG8hJ0kL2mN4o"
EXPIRED = Rejection("link_expired", "Ce lien n'est plus valable.", status=410)
SECRETS = ("le mot de passe actuel", "le nouveau mot de passe")

type Browser = TestClient[Litestar]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def portal(gateway: Portal) -> Portal:
    later = NOW + timedelta(minutes=60)
    gateway.reset(
        {
            ListSites: (SITE,),
            MyAccount: Account(username="nicole.test", email="nicole@familles.example"),
            ChangePassword: None,
            RequestEmailChange: None,
            RequestPasswordReset: None,
            ReadResetLink: ResetLink(username="nicole.test", site_id=SITE.id, expires_at=later),
            ResetPassword: None,
            ReadEmailLink: EmailLink(email="autre@familles.example", expires_at=later),
            ConfirmEmailChange: None,
        }
    )
    return gateway


@pytest.fixture
def caller() -> Caller:
    return family_caller(site_id=SITE.id)


@pytest.fixture
def browser(portal: Portal, caller: Caller) -> Iterator[Browser]:
    with portal.browser(caller) as browser:
        yield browser


@pytest.fixture
def stranger(portal: Portal) -> Iterator[Browser]:
    with portal.browser() as browser:
        yield browser


def post(browser: Browser, path: str, **form: str) -> Response:
    """Post a form with the token that its page carries."""
    if "rentree_csrf" not in browser.cookies:
        browser.get("/connexion")
    data = {"_csrf_token": browser.cookies["rentree_csrf"], **form}
    return browser.post(path, data=data, follow_redirects=False)


def text_of(answer: Response) -> str:
    return unescape(re.sub(r"\s+", " ", answer.text)).replace("\u00a0", " ")


def asked[Question](portal: Portal, kind: type[Question]) -> list[Question]:
    return [question for question in portal.services.asked if isinstance(question, kind)]


def changes_password(browser: Browser) -> Response:
    current, new = SECRETS
    return post(browser, "/mot-de-passe", current_password=current, new_password=new)


def test_fields_tell_password_managers_what_they_are(browser: Browser) -> None:
    text = browser.get("/mot-de-passe").text
    fields = {
        name: field
        for field in re.findall(r"<input[^>]*>", text)
        for name in re.findall(r'\bname="(\w+)"', field)
    }
    assert 'autocomplete="username"' in fields["username"]
    assert 'autocomplete="current-password"' in fields["current_password"]
    assert 'autocomplete="new-password"' in fields["new_password"]
    assert "maxlength" not in text
    assert "onpaste" not in text


def changes_email(browser: Browser, email: str = "autre@familles.example") -> Response:
    return post(browser, "/mot-de-passe/email", email=email, current_password=SECRETS[0])


def test_a_password_changed_is_said_to_be(portal: Portal, browser: Browser) -> None:
    answer = changes_password(browser)
    assert (answer.status_code, answer.headers["location"]) == (303, "/mot-de-passe?change=oui")
    assert [each.new_password for each in asked(portal, ChangePassword)] == [SECRETS[1]]
    page = words(browser.get("/mot-de-passe?change=oui").text)
    assert "Votre mot de passe est changé. Vos autres appareils ont été déconnectés." in page


@pytest.mark.parametrize(
    ("code", "field"),
    [
        ("wrong_password", "current_password"),
        ("password_too_short", "new_password"),
        ("password_too_common", "new_password"),
    ],
)
def test_a_refusal_is_told_beside_its_field_and_shows_no_password(
    portal: Portal, browser: Browser, code: str, field: str
) -> None:
    portal.services.answers[ChangePassword] = Rejection(code, "Voici pourquoi.")
    answer = changes_password(browser)
    assert answer.status_code == 422
    assert f'<a href="#{field}">Voici pourquoi.</a>' in text_of(answer)
    assert not [secret for secret in SECRETS if secret in answer.text]


def test_a_reply_that_was_lost_is_told_honestly(portal: Portal, browser: Browser) -> None:
    portal.services.answers[ChangePassword] = ServiceUnavailable("identity", maybe_recorded=True)
    answer = changes_password(browser)
    assert "a peut-être déjà été changé" in text_of(answer)
    assert not [secret for secret in SECRETS if secret in answer.text]


def test_a_password_typed_in_an_expired_session_is_not_carried_through_sign_in(
    stranger: Browser,
) -> None:
    answer = changes_password(stranger)
    assert answer.status_code == 401
    assert not [secret for secret in SECRETS if secret in answer.text]


def test_a_forgotten_password_is_answered_alike_whatever_the_name(
    portal: Portal, stranger: Browser
) -> None:
    answers = [
        post(stranger, "/mot-de-passe/oublie", site=str(SITE.id), username=username)
        for username in ("nicole.test", "personne")
    ]
    assert {(each.status_code, each.headers["location"]) for each in answers} == {
        (303, "/mot-de-passe/oublie/demande")
    }
    assert len(asked(portal, RequestPasswordReset)) == 2
    page = text_of(stranger.get("/mot-de-passe/oublie/demande"))
    assert "Si un compte porte cet identifiant" in page
    assert "secrétariat" in page
    assert SITE.phone in page


def test_sign_in_leads_to_help_for_who_forgot(stranger: Browser) -> None:
    assert 'href="/mot-de-passe/oublie"' in stranger.get("/connexion").text
    assert stranger.get("/mot-de-passe/oublie").status_code == 200


def test_opening_a_link_changes_nothing_and_tells_no_site_of_it(
    portal: Portal, stranger: Browser
) -> None:
    for path in ("/mot-de-passe/nouveau", "/mot-de-passe/email/confirmer"):
        answer = stranger.get(f"{path}?jeton={TOKEN}")
        assert answer.status_code == 200
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert f'name="jeton" value="{TOKEN}"' in answer.text
        # nothing of the page leads elsewhere with it
        assert answer.text.count(TOKEN) == 1
    assert asked(portal, ResetPassword) == []
    assert asked(portal, ConfirmEmailChange) == []


@pytest.mark.parametrize(
    ("path", "again"),
    [
        ("/mot-de-passe/nouveau", "/mot-de-passe/oublie"),
        ("/mot-de-passe/email/confirmer", "/mot-de-passe/email"),
    ],
)
@pytest.mark.parametrize("query", ["", f"?jeton={TOKEN}", f"?jeton={'x' * 5000}"])
def test_a_link_that_is_over_says_so_and_offers_another(
    portal: Portal, stranger: Browser, path: str, again: str, query: str
) -> None:
    portal.services.answers |= {ReadResetLink: EXPIRED, ReadEmailLink: EXPIRED}
    answer = stranger.get(path + query)
    assert answer.status_code == 410
    assert "Ce lien n'est plus valable" in text_of(answer)
    assert f'href="{again}"' in answer.text
    assert TOKEN not in answer.text


def test_a_new_password_is_set_by_the_links_form(portal: Portal, stranger: Browser) -> None:
    answer = post(stranger, "/mot-de-passe/nouveau", jeton=TOKEN, new_password=SECRETS[1])
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/mot-de-passe/nouveau/enregistre",
    )
    (reset,) = asked(portal, ResetPassword)
    assert (reset.token, reset.new_password) == (TOKEN, SECRETS[1])
    assert 'href="/connexion"' in stranger.get("/mot-de-passe/nouveau/enregistre").text


def test_a_password_too_easy_leaves_the_link_in_the_form(portal: Portal, stranger: Browser) -> None:
    portal.services.answers[ResetPassword] = Rejection("password_too_common", "Trop facile.")
    answer = post(stranger, "/mot-de-passe/nouveau", jeton=TOKEN, new_password=SECRETS[1])
    assert answer.status_code == 422
    assert f'name="jeton" value="{TOKEN}"' in answer.text
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert '<a href="#new_password">Trop facile.</a>' in text_of(answer)


@pytest.mark.parametrize("token", [TOKEN, "", "x" * 5000])
def test_a_link_used_meanwhile_or_made_up_says_so(
    portal: Portal, stranger: Browser, token: str
) -> None:
    portal.services.answers |= {ResetPassword: EXPIRED, ReadResetLink: EXPIRED}
    portal.services.answers |= {ReadEmailLink: EXPIRED, ConfirmEmailChange: EXPIRED}
    for path in ("/mot-de-passe/nouveau", "/mot-de-passe/email/confirmer"):
        answer = post(stranger, path, jeton=token, new_password=SECRETS[1])
        assert answer.status_code == 410


def test_a_button_pressed_twice_is_told_that_it_may_be_done(
    portal: Portal, stranger: Browser
) -> None:
    portal.services.answers[ConfirmEmailChange] = EXPIRED
    answer = post(stranger, "/mot-de-passe/email/confirmer", jeton=TOKEN)
    assert answer.status_code == 410
    assert "Si vous venez de l'utiliser, ce que vous avez demandé est fait." in text_of(answer)


def test_an_address_is_confirmed_by_a_button(portal: Portal, stranger: Browser) -> None:
    answer = post(stranger, "/mot-de-passe/email/confirmer", jeton=TOKEN)
    assert "autre@familles.example" in words(answer.text)
    assert [each.token for each in asked(portal, ConfirmEmailChange)] == [TOKEN]


@pytest.mark.parametrize("email", ["", "nicole", "a@b", "nicole@localhost..fr", "é@@familles.fr"])
def test_what_is_no_address_is_refused_beside_its_field(
    portal: Portal, browser: Browser, email: str
) -> None:
    answer = changes_email(browser, email)
    assert answer.status_code == 422
    assert 'href="#email"' in answer.text
    assert SECRETS[0] not in answer.text
    assert asked(portal, RequestEmailChange) == []


def test_an_address_is_changed_by_who_knows_the_password(portal: Portal, browser: Browser) -> None:
    assert changes_email(browser).headers["location"] == "/mot-de-passe/email"
    (change,) = asked(portal, RequestEmailChange)
    assert (change.email, change.current_password) == ("autre@familles.example", SECRETS[0])
    without = post(browser, "/mot-de-passe/email", email="autre@familles.example")
    assert 'href="#current_password"' in without.text
    portal.services.answers[RequestEmailChange] = Rejection("wrong_password", "Voici pourquoi.")
    refused = changes_email(browser)
    assert '<a href="#current_password">Voici pourquoi.</a>' in text_of(refused)
    assert 'value="autre@familles.example"' in refused.text
    assert SECRETS[0] not in refused.text


def test_devices_are_named_and_all_but_this_one_can_be_signed_out(
    portal: Portal, browser: Browser
) -> None:
    here, elsewhere = _sessions()
    portal.services.answers |= {ListSessions: (here, elsewhere), EndSession: None}
    text = browser.get("/mot-de-passe/appareils").text
    assert "Firefox sur un ordinateur Windows" in text
    assert f"/mot-de-passe/appareils/{elsewhere.id}/deconnecter" in text
    assert f"/mot-de-passe/appareils/{here.id}/deconnecter" not in text
    answer = post(browser, f"/mot-de-passe/appareils/{elsewhere.id}/deconnecter")
    assert answer.headers["location"] == "/mot-de-passe/appareils"
    assert [each.session_id for each in asked(portal, EndSession)] == [elsewhere.id]


def test_a_session_ended_elsewhere_is_over_at_once(
    portal: Portal, browser: Browser, caller: Caller
) -> None:
    assert browser.get("/mot-de-passe").status_code == 200
    portal.ended.learn([caller.session_id])
    answer = browser.get("/mot-de-passe", follow_redirects=False)
    assert answer.headers["location"].startswith("/connexion?suite=")
    with portal.program(caller) as program:
        assert program.get("/api/v1/account").status_code == 401
    with portal.browser(family_caller(site_id=SITE.id)) as another:
        assert another.get("/mot-de-passe").status_code == 200


def _sessions() -> tuple[OpenSession, OpenSession]:
    def open_on(device: str, session_id: UUID, *, is_this_one: bool) -> OpenSession:
        return OpenSession(
            id=session_id,
            device=device,
            opened_at=NOW,
            last_seen_at=NOW,
            is_this_one=is_this_one,
        )

    return (
        open_on("Firefox sur un ordinateur Windows", new_id(), is_this_one=True),
        open_on("", new_id(), is_this_one=False),
    )
