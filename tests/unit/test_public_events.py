"""Events that may leave the territory's own services, and a reaction to all of them."""

import json

import pytest
from pydantic import ValidationError
from shared.contract import AnyEvent
from shared.contracts.courses import SeatsReleased
from shared.contracts.identity import FamiliesRecorded
from shared.contracts.reactions import EVENTS, PUBLIC_TYPES, types_of


def test_a_reaction_to_any_event_is_bound_to_every_public_type_and_to_no_personal_one() -> None:
    personal = {event.type for event in EVENTS if event.personal}
    assert FamiliesRecorded.type in personal
    assert set(types_of(AnyEvent)) == {event.type for event in EVENTS} - personal
    assert types_of(AnyEvent) == PUBLIC_TYPES


def test_a_reaction_to_one_event_is_bound_to_its_type() -> None:
    assert types_of(SeatsReleased) == (SeatsReleased.type,)


def test_any_event_has_whatever_was_told() -> None:
    told = '{"hold_ids":["x"],"added_later":{"a":[1,2.5,null,"é"]}}'
    assert json.loads(AnyEvent.model_validate_json(told).model_dump_json()) == json.loads(told)


def test_what_is_no_json_object_is_no_event() -> None:
    with pytest.raises(ValidationError):
        AnyEvent.model_validate_json("[1]")
