"""Events are promises: the table of reactions is the code's, and old messages still parse.

``samples/<queue>.json`` is what each reaction once received. A sample is never edited: an event
that cannot read it any more is a break, and ships as ``.v2`` beside ``.v1``.
"""

import json
from pathlib import Path

import pytest
import shared.contracts
from shared.contract import Event
from shared.contracts.reactions import EVENTS, REACTIONS

from tests.territory import SERVICES

_SAMPLES = Path(__file__).parent / "samples"
_DROPPED = {"enrolment.remember_holds": {"family_id"}}
"""Fields that went before the first release, because no reader ever used them. No more will go."""


def test_every_event_is_in_the_table_of_events() -> None:
    published = {
        event
        for event in Event.__subclasses__()
        if event.__module__.startswith(f"{shared.contracts.__name__}.")
    }
    assert published == set(EVENTS)


def test_the_table_of_reactions_is_what_the_services_do() -> None:
    done = {
        reaction.queue: reaction.signature.message
        for service in SERVICES
        for reaction in service.reacting()
    }
    assert done == REACTIONS


def test_an_event_with_personal_data_is_read_by_the_territorys_own_services() -> None:
    """It is in no archive: without a reader of ours it would be returned for ever."""
    assert {event for event in EVENTS if event.personal} <= set(REACTIONS.values())


@pytest.mark.parametrize("queue", sorted(REACTIONS))
def test_what_a_reaction_once_received_still_parses(queue: str) -> None:
    sample = (_SAMPLES / f"{queue}.json").read_text()
    event = REACTIONS[queue].model_validate_json(sample)
    received, read = json.loads(sample), json.loads(event.model_dump_json())
    assert received.keys() - read.keys() == _DROPPED.get(queue, set())
    assert _holds(read, {name: received[name] for name in received.keys() & read.keys()})


def _holds(read: object, received: object) -> bool:
    """Whether all that was received is there, beside fields that were added since."""
    match received, read:
        case dict(), dict():
            return received.keys() <= read.keys() and all(
                _holds(read[name], value) for name, value in received.items()
            )
        case list(), list():
            return len(received) == len(read) and all(map(_holds, read, received))
        case _:
            return received == read


def test_there_is_no_sample_without_its_reaction() -> None:
    assert {path.stem for path in _SAMPLES.iterdir()} == set(REACTIONS)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)
def test_an_unknown_field_is_ignored_so_that_events_may_grow(event: type[Event]) -> None:
    queue = next((name for name, kind in REACTIONS.items() if kind is event), None)
    if queue is None:
        assert event.model_config["extra"] == "ignore"
        return
    grown = json.loads((_SAMPLES / f"{queue}.json").read_text()) | {"added_later": 1}
    event.model_validate_json(json.dumps(grown))
