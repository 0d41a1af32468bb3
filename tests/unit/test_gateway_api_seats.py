"""The JSON API of waiting lists, of holds that last, and of what the staff decide of seats."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from shared.contracts.courses import (
    AcceptOffer,
    ConfirmSeat,
    Hold,
    JoinWaitingList,
    LeaveWaitingList,
    MyWaitingPlaces,
    PlaceStudent,
    RenewHolds,
    WaitingPlace,
)
from shared.identifiers import new_id

from tests.harness import family_caller
from tests.portal import Portal
from tests.portal_reader import a_place

type Program = TestClient[Litestar]


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


def a_hold() -> Hold:
    return Hold(
        id=new_id(),
        student_id=new_id(),
        follow_id=new_id(),
        course_id=new_id(),
        label="FM 2.1 (33) - JEUDI - 17.00 à 18.30",
        state="held",
        expires_at=datetime.now(UTC) + timedelta(minutes=20),
    )


def test_a_waiting_list_is_joined_shown_and_left(portal: Portal, program: Program) -> None:
    place = a_place(new_id())
    portal.services.answers |= {
        JoinWaitingList: place,
        MyWaitingPlaces: (place,),
        LeaveWaitingList: None,
    }
    wish = JoinWaitingList(
        place_id=place.id,
        campaign_id=place.campaign_id,
        student_id=place.student_id,
        follow_id=place.follow_id,
        course_id=place.course_id,
    )
    joined = program.post("/api/v1/waiting-places", json=wish.model_dump(mode="json"))
    assert WaitingPlace.model_validate_json(joined.content) == place
    listed = program.get("/api/v1/waiting-places").json()
    assert listed == [joined.json()]
    assert program.delete(f"/api/v1/waiting-places/{place.id}").status_code == 204
    assert portal.services.asked == [wish, MyWaitingPlaces(), LeaveWaitingList(place_id=place.id)]


def test_an_offer_is_accepted_and_holds_are_renewed(portal: Portal, program: Program) -> None:
    hold = a_hold()
    portal.services.answers[AcceptOffer] = hold
    portal.services.answers[RenewHolds] = (hold,)
    accepted = program.put(f"/api/v1/waiting-places/{hold.id}/acceptance")
    assert Hold.model_validate_json(accepted.content) == hold
    renewed = program.post("/api/v1/holds/renewal", json={"hold_ids": [str(hold.id)]})
    assert renewed.json() == [accepted.json()]
    assert portal.services.asked == [AcceptOffer(place_id=hold.id), RenewHolds(hold_ids=(hold.id,))]


def test_the_staff_confirm_a_seat_and_place_a_student_with_a_reason(
    portal: Portal, program: Program
) -> None:
    hold = a_hold()
    portal.services.answers |= {ConfirmSeat: hold, PlaceStudent: hold}
    reason = {"reason": "Avis du professeur"}
    path = f"/api/v1/holds/{hold.id}/confirmation"
    assert program.put(path, json=reason).json()["id"] == str(hold.id)
    placement = PlaceStudent(
        hold_id=hold.id,
        campaign_id=new_id(),
        student_id=hold.student_id,
        follow_id=hold.follow_id,
        course_id=hold.course_id,
        reason="Avis du professeur",
    )
    placed = program.post("/api/v1/placements", json=placement.model_dump(mode="json"))
    assert placed.json()["id"] == str(hold.id)
    assert portal.services.asked == [ConfirmSeat(hold_id=hold.id, **reason), placement]
    without = program.put(path, json={"reason": " "})
    assert (without.status_code, without.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize(
    ("operation_id", "codes"),
    [
        (
            "join_waiting_list",
            ["course_not_full", "already_held", "place_ended", "campaign_closed"],
        ),
        ("accept_offer", ["offer_ended", "not_offered", "same_time"]),
        ("confirm_seat", ["not_claimed"]),
        ("place_student", ["course_full", "hold_id_reused", "same_time"]),
    ],
)
def test_an_operation_on_seats_names_its_refusals(
    program: Program, operation_id: str, codes: list[str]
) -> None:
    paths = program.get("/api/openapi.json").json()["paths"]
    (operation,) = (
        operation
        for methods in paths.values()
        for operation in methods.values()
        if operation["operationId"] == operation_id
    )
    assert [code for code in codes if f"`{code}`" not in operation["description"]] == []
