import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import TestClient
from openapi_spec_validator import OpenAPIV31SpecValidator
from shared.ask import ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.accounts import SignedIn
from shared.contracts.courses import Hold, HoldSeats, ReleaseSeat
from shared.contracts.documents import ListPieces, RegisterUpload
from shared.contracts.enrolment import (
    Application,
    Campaign,
    CompleteStep,
    DeclineReenrolment,
    RecordCourseChoices,
    SubmitApplication,
)
from shared.contracts.identity import ListSites, MyFamily, RefreshSession, SignIn
from shared.identifiers import new_id

from tests.harness import family_caller
from tests.portal import Portal

PUBLIC = {
    "confirm_email_change",
    "list_sites",
    "refresh_session",
    "request_password_reset",
    "reset_password",
    "sign_in",
    "verify_receipt",
}
NOW = datetime.now(UTC)

type Operation = tuple[str, str, dict[str, Any]]
type Program = TestClient[Litestar]


def an_application() -> Application:
    campaign = Campaign(
        id=new_id(),
        site_id=new_id(),
        school_year="2027-2028",
        prepares_at=NOW - timedelta(days=1),
        opens_at=NOW - timedelta(days=1),
        closes_at=NOW + timedelta(days=1),
        documents_due_at=NOW + timedelta(days=2),
    )
    return Application(
        id=new_id(), campaign=campaign, student_id=new_id(), state="draft", step_reached=1
    )


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def portal(gateway: Portal) -> Portal:
    gateway.reset({})
    return gateway


@pytest.fixture
def program(portal: Portal) -> Iterator[Program]:
    with portal.program(family_caller()) as program:
        yield program


@pytest.fixture
def description(program: Program) -> dict[str, Any]:
    answer = program.get("/api/openapi.json")
    assert answer.status_code == 200
    described: dict[str, Any] = answer.json()
    return described


def operations(description: dict[str, Any]) -> list[Operation]:
    return [
        (method, path, operation)
        for path, item in description["paths"].items()
        for method, operation in item.items()
    ]


def with_identifiers(path: str) -> str:
    return re.sub(r"\{\w+_id\}", lambda _: str(new_id()), path).replace("{step}", "1")


def test_the_description_is_openapi_3_1(description: dict[str, Any]) -> None:
    assert description["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(description).validate()


def test_every_route_under_the_prefix_is_described(
    portal: Portal, description: dict[str, Any]
) -> None:
    served = {
        (method, route.path_format)
        for route in portal.app.routes
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/v1")
        for method in route.methods - {"OPTIONS"}
    }
    assert served == {(method.upper(), path) for method, path, _ in operations(description)}
    assert len(served) == 79


def test_an_operation_says_what_it_is_for_and_how_it_refuses(description: dict[str, Any]) -> None:
    for method, path, operation in operations(description):
        assert operation["description"], (method, path)
        assert len(operation["tags"]) == 1
        refusals = {
            status: response
            for status, response in operation["responses"].items()
            if not status.startswith("2")
        }
        assert "503" in refusals
        assert "500" not in refusals
        for response in refusals.values():
            assert list(response["content"]) == ["application/problem+json"]


def test_shapes_keep_what_the_contracts_say_of_them(description: dict[str, Any]) -> None:
    shapes = description["components"]["schemas"]
    assert shapes["Postcode"]["pattern"] == "^[0-9]{5}$"
    assert shapes["HoldSeats"]["properties"]["requests"]["maxItems"] == 20
    assert "all or nothing" in shapes["HoldSeats"]["description"]


def test_every_operation_but_the_public_ones_needs_a_token(
    portal: Portal, description: dict[str, Any]
) -> None:
    with portal.program() as stranger:
        for method, path, operation in operations(description):
            if operation["operationId"] in PUBLIC:
                assert "security" not in operation
                continue
            assert operation["security"] == [{"bearer": []}]
            answer = stranger.request(method, with_identifiers(path), json={})
            assert answer.status_code == 401, (method, path)
            assert answer.json()["code"] == "not_signed_in"
    assert portal.services.asked == []


def test_a_browser_session_is_no_token(portal: Portal) -> None:
    with portal.browser(family_caller()) as browser:
        assert browser.get("/api/v1/family").status_code == 401


def test_another_familys_identifiers_get_the_answer_of_what_does_not_exist(
    portal: Portal, program: Program
) -> None:
    portal.services.answers |= {
        question: Rejection.not_found() for question in (CompleteStep, RegisterUpload, ReleaseSeat)
    }
    for method, path in (
        ("PUT", f"/api/v1/applications/{new_id()}/steps/1"),
        ("PUT", f"/api/v1/uploads/{new_id()}/registration"),
        ("DELETE", f"/api/v1/holds/{new_id()}"),
        ("GET", "/api/v1/nothing"),
        ("GET", "/api/v1/applications/not-an-identifier"),
    ):
        answer = program.request(method, path)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "not_found"


def test_a_refusal_is_problem_details_with_its_facts(portal: Portal, program: Program) -> None:
    course_id = new_id()
    portal.services.answers[HoldSeats] = Rejection(
        "course_full", "Complet", course_id=str(course_id), label="FM 2.1"
    )
    seat = {"hold_id": new_id(), "student_id": new_id(), "follow_id": new_id()}
    wish = {name: str(value) for name, value in seat.items()} | {"course_ids": [str(course_id)]}
    answer = program.post("/api/v1/holds", json={"campaign_id": str(new_id()), "requests": [wish]})
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:rentree:problem:course_full"
    assert problem["detail"] == "Complet"
    assert problem["facts"] == {"course_id": str(course_id), "label": "FM 2.1"}
    assert problem["correlation_id"] == answer.headers["x-correlation-id"]


@pytest.mark.parametrize(
    ("method", "path", "body", "fields"),
    [
        ("PUT", f"/api/v1/students/{new_id()}", {"civility": "Docteur"}, {"civility", "last_name"}),
        ("POST", "/api/v1/holds", {"campaign_id": "x", "requests": []}, {"campaign_id"}),
        ("POST", "/api/v1/applications", {"surprise": 1}, {"surprise"}),
        ("PUT", f"/api/v1/applications/{new_id()}/steps/2", None, {"step"}),
        ("GET", f"/api/v1/students/{new_id()}/pieces?campaign_id=x", None, {"campaign_id"}),
    ],
)
def test_what_does_not_fit_is_named_field_by_field(
    portal: Portal, program: Program, method: str, path: str, body: object, fields: set[str]
) -> None:
    answer = program.request(method, path, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "invalid"
    assert fields <= {error["field"] for error in problem["facts"]["errors"]}
    assert "Traceback" not in answer.text
    assert portal.services.asked == []


def test_a_missing_parameter_is_named(program: Program) -> None:
    answer = program.get(f"/api/v1/students/{new_id()}/pieces")
    assert answer.status_code == 422
    (error,) = answer.json()["facts"]["errors"]
    assert "campaign_id" in error["reason"]
    assert error["message"] == "Le portail ne comprend pas cette demande."


def test_what_is_no_json_is_a_bad_request(program: Program) -> None:
    answer = program.post("/api/v1/applications", content=b"{nope")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_password_that_was_refused_is_never_repeated(portal: Portal) -> None:
    with portal.program() as stranger:
        answer = stranger.post(
            "/api/v1/session", json={"site_id": "x", "username": "a", "password": "se-cret"}
        )
    assert answer.status_code == 422
    assert "se-cret" not in answer.text


def test_a_service_that_is_away_says_when_to_come_back(portal: Portal, program: Program) -> None:
    portal.services.answers[ListPieces] = ServiceUnavailable("documents", retry_after=3)
    answer = program.get(f"/api/v1/students/{new_id()}/pieces?campaign_id={new_id()}")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "3"
    problem = answer.json()
    assert problem["code"] == "service_unavailable"
    assert problem["facts"] == {"service": "documents"}


def test_a_mistake_of_ours_shows_nothing_of_itself(portal: Portal, program: Program) -> None:
    portal.services.answers[MyFamily] = RuntimeError("SELECT secret")
    answer = program.get("/api/v1/family")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text


def test_a_session_is_opened_and_renewed_without_a_token(portal: Portal) -> None:
    session = SignedIn(
        access_token="a",
        access_expires_at=NOW,
        refresh_token="b",
        refresh_expires_at=NOW,
    )
    portal.services.answers |= {SignIn: session, RefreshSession: session, ListSites: ()}
    with portal.program() as stranger:
        signed_in = stranger.post(
            "/api/v1/session",
            json={"site_id": str(new_id()), "username": "nicole.test", "password": "secret"},
        )
        renewed = stranger.post("/api/v1/session/refresh", json={"refresh_token": "b"})
        sites = stranger.get("/api/v1/sites")
    assert signed_in.json()["access_token"] == renewed.json()["access_token"] == "a"
    assert "set-cookie" not in signed_in.headers
    assert sites.json() == []


def test_a_submission_counts_by_the_instant_it_was_received(
    portal: Portal, program: Program
) -> None:
    portal.services.answers[SubmitApplication] = an_application()
    portal.services.answers[DeclineReenrolment] = an_application()
    before = datetime.now(UTC)
    program.post(
        f"/api/v1/applications/{new_id()}/submission", json={"accepted_text_version": "1"}
    ).raise_for_status()
    ids = {name: str(new_id()) for name in ("application_id", "campaign_id", "student_id")}
    program.post("/api/v1/declines", json=ids).raise_for_status()
    submission, decline = portal.services.asked
    assert isinstance(submission, SubmitApplication)
    assert isinstance(decline, DeclineReenrolment)
    assert before <= submission.received_at <= decline.received_at <= datetime.now(UTC)


def test_identifiers_of_the_path_join_the_body(portal: Portal, program: Program) -> None:
    portal.services.answers[RecordCourseChoices] = an_application()
    application_id, follow_id = new_id(), new_id()
    choice = {"follow_id": str(follow_id), "re_enrol": True, "label": "Piano"}
    answer = program.put(
        f"/api/v1/applications/{application_id}/choices", json={"choices": [choice]}
    )
    assert answer.json()["state"] == "draft"
    (asked,) = portal.services.asked
    assert isinstance(asked, RecordCourseChoices)
    assert asked.application_id == application_id
    assert asked.choices[0].follow_id == follow_id


def test_answers_are_those_of_the_contracts(portal: Portal, program: Program) -> None:
    hold = Hold(
        id=new_id(),
        student_id=new_id(),
        follow_id=new_id(),
        course_id=new_id(),
        label="FM 2.1 (33) - JEUDI - 17.00 à 18.30",
        state="held",
        expires_at=NOW,
    )
    portal.services.answers |= {HoldSeats: (hold,), ReleaseSeat: None}
    request = {"hold_id": hold.id, "student_id": hold.student_id, "follow_id": hold.follow_id}
    wish = {name: str(value) for name, value in request.items()}
    wish_list = [wish | {"course_ids": [str(hold.course_id)]}]
    held = program.post("/api/v1/holds", json={"campaign_id": str(new_id()), "requests": wish_list})
    assert [Hold.model_validate_json(held.content.strip(b"[]"))] == [hold]
    released = program.delete(f"/api/v1/holds/{UUID(held.json()[0]['id'])}")
    assert (released.status_code, released.content) == (204, b"")
