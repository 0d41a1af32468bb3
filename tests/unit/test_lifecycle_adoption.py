"""The seat of a row follows accepted offers and the staff's decisions: S66, S74, S84."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from enrolment.adoption import Placement, adopt
from enrolment.progress import Progress
from hypothesis import given
from hypothesis import strategies as st
from shared.contracts.enrolment import ApplicationState, CourseChoice

CHOSEN_AT = datetime(2027, 6, 2, 8, tzinfo=UTC)
LATER = CHOSEN_AT + timedelta(hours=1)
ROW = uuid4()


def choice(**changes: object) -> CourseChoice:
    values = {
        "follow_id": ROW,
        "re_enrol": True,
        "label": "FM 2.1 (33) - JEUDI - 17.00 à 18.30",
        "course_id": uuid4(),
        "hold_id": uuid4(),
    }
    return CourseChoice.model_validate(values | changes)


CHOICE = choice()
WITHOUT_SEAT = choice(course_id=None, hold_id=None, re_enrol=False, label="FM 2.1")
DRAFT = Progress(choices=(CHOICE,), chosen_at=CHOSEN_AT)


def placement(
    replaces: UUID | None = None, placed_at: datetime = LATER, follow_id: UUID = ROW
) -> Placement:
    return Placement(
        hold_id=uuid4(),
        follow_id=follow_id,
        course_id=uuid4(),
        label="FM 2.1 (34) - MARDI - 17.00 à 18.30",
        replaces=replaces,
        placed_at=placed_at,
    )


def seat_of(progress: Progress) -> UUID | None:
    return progress.choices[0].hold_id


@pytest.mark.parametrize("state", ["draft", "submitted"])
@pytest.mark.parametrize("before", [CHOICE, WITHOUT_SEAT], ids=["with a seat", "without a seat"])
def test_a_row_becomes_re_enrolled_in_the_seat_that_it_was_given(
    state: ApplicationState, before: CourseChoice
) -> None:
    placed = placement(before.hold_id)
    progress = replace(DRAFT, state=state, choices=(before,))
    assert adopt(progress, [placed]).choices == (
        CourseChoice(
            follow_id=ROW,
            re_enrol=True,
            label=placed.label,
            course_id=placed.course_id,
            hold_id=placed.hold_id,
        ),
    )


def test_a_declined_application_is_given_no_seat() -> None:
    declined = replace(DRAFT, state="declined")
    assert adopt(declined, [placement(CHOICE.hold_id)]) is declined


def test_only_the_row_concerned_changes() -> None:
    other = choice(follow_id=uuid4())
    progress = replace(DRAFT, choices=(CHOICE, other))
    adopted = adopt(progress, [placement(follow_id=other.follow_id)])
    assert adopted.choices[0] == CHOICE
    assert adopted.choices[1].hold_id != other.hold_id


def test_what_the_family_chose_since_stands() -> None:
    earlier = placement(placed_at=CHOSEN_AT - timedelta(seconds=1))
    assert adopt(DRAFT, [earlier]) == DRAFT


def test_a_choice_recorded_late_of_a_seat_already_replaced_follows_it() -> None:
    replacing = placement(CHOICE.hold_id, placed_at=CHOSEN_AT - timedelta(seconds=1))
    assert seat_of(adopt(DRAFT, [replacing])) == replacing.hold_id


def test_a_choice_that_is_the_seat_given_keeps_the_words_that_were_filed() -> None:
    placed = placement()
    chosen = choice(hold_id=placed.hold_id, course_id=placed.course_id)
    progress = replace(DRAFT, choices=(chosen,))
    assert adopt(progress, [placed]) == progress


def test_a_draft_written_before_choices_were_dated_adopts_any_seat_given() -> None:
    placed = placement(placed_at=CHOSEN_AT - timedelta(days=1))
    assert seat_of(adopt(replace(DRAFT, chosen_at=None), [placed])) == placed.hold_id


@given(
    names=st.lists(st.uuids(), min_size=1, max_size=5, unique=True),
    seconds=st.lists(st.integers(-100, 100), min_size=5, max_size=5),
    linked=st.booleans(),
    data=st.data(),
)
def test_a_chain_of_placements_ends_at_its_last_seat_whatever_the_order_and_the_clocks(
    names: list[UUID], seconds: list[int], linked: bool, data: st.DataObject
) -> None:
    former: list[UUID | None] = [CHOICE.hold_id if linked else None, *names[:-1]]
    chain = [
        replace(placement(seat), hold_id=name, placed_at=LATER + timedelta(seconds=ago))
        for name, seat, ago in zip(names, former, seconds, strict=False)
    ]
    told = data.draw(st.permutations(chain * 2))
    reached = adopt(DRAFT, told)
    assert seat_of(reached) == names[-1]
    assert adopt(reached, told) == reached


@given(hours=st.lists(st.integers(1, 100), min_size=1, max_size=5, unique=True), data=st.data())
def test_placements_of_a_row_that_had_no_seat_end_at_the_latest(
    hours: list[int], data: st.DataObject
) -> None:
    told = [placement(placed_at=CHOSEN_AT + timedelta(hours=hour)) for hour in hours]
    latest = max(told, key=lambda each: each.placed_at)
    progress = replace(DRAFT, choices=(WITHOUT_SEAT,))
    assert seat_of(adopt(progress, data.draw(st.permutations(told)))) == latest.hold_id
