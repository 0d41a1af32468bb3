from collections.abc import Iterator
from uuid import UUID

import pytest
from shared.contract import Command, Rejection
from shared.contracts.courses import CourseMode, CourseRow, CourseRows, HoldSeats, ReleaseSeat, Slot
from shared.contracts.enrolment import (
    CourseChoice,
    RecordCourseChoices,
    ShowApplication,
)
from shared.identifiers import new_id

from tests.forms import Fields, filled_in, words
from tests.portal import Portal
from tests.wizard import (
    BACK,
    DAY,
    NEXT,
    Household,
    a_hold,
    a_row,
    a_slot,
    grant,
    household,
    in_turn,
)

THURSDAY = a_slot("FM 2.1 (33) - JEUDI - 17.00 à 18.30", seats_left=3)
MONDAY = a_slot("FM 2.1 (34) - LUNDI - 17.00 à 18.30", seats_left=1)
FULL = a_slot("FM 2.1 (35) - MARDI - 17.00 à 18.30", seats_left=0)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal) -> Iterator[Household]:
    with household(portal) as seated:
        seated.stands_at(4)
        seated.answer({HoldSeats: grant(THURSDAY, MONDAY), RecordCourseChoices: None})
        yield seated


def without_choice(mode: CourseMode) -> CourseRow:
    return a_row().model_copy(update={"mode": mode, "course": "Piano 1 (39)"})


def offered(family: Household, *rows: CourseRow) -> str:
    """Show step 4 with these rows; give its address."""
    family.answer({CourseRows: rows})
    return family.at("cours")


def chosen(page: str, path: str, slot: Slot, **more: str) -> Fields:
    """Tick the one course and choose its slot."""
    (hold_id,) = [pair for pair in filled_in(page, path) if pair[0].endswith("-hold_id")]
    row = hold_id[0].removesuffix("-hold_id")
    answers = [(f"{row}-re_enrol", "oui"), (f"{row}-course_id", str(slot.course_id))]
    return [hold_id, *answers, *more.items(), NEXT]


def full(slot: Slot, follow_id: UUID) -> Rejection:
    return Rejection(
        "course_full",
        f"Complet : il n'y a plus de place dans {slot.label}. Choisissez un autre créneau.",
        course_id=str(slot.course_id),
        follow_id=str(follow_id),
        label=slot.label,
    )


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("level", "Attribué d'office selon le niveau"),
        ("teacher", "Horaire à fixer avec le professeur début septembre"),
        ("reduced_schedule", "Classe à horaires aménagés (CHAM) : aucun horaire à choisir"),
    ],
)
def test_a_row_without_choice_says_why_and_is_re_enrolled_by_its_box(
    family: Household, mode: CourseMode, text: str
) -> None:
    row = without_choice(mode)
    path = offered(family, row)
    assert text in words(family.reads(path))
    assert family.goes_on(path, [(f"cours-{row.follow_id}-re_enrol", "oui")]) == family.at(
        "recapitulatif"
    )
    assert not family.asked(HoldSeats)
    (asked,) = family.asked(RecordCourseChoices)
    assert asked.choices == (
        CourseChoice(follow_id=row.follow_id, re_enrol=True, label=f"Piano 1 (39) : {text}"),
    )


def test_slots_show_their_seats_and_a_full_one_cannot_be_chosen(family: Household) -> None:
    page = family.reads(offered(family, a_row(THURSDAY, MONDAY, FULL)))
    shown = words(page)
    assert f"{THURSDAY.label} 3 places" in shown
    assert f"{MONDAY.label} 1 place " in shown
    assert f"{FULL.label} Complet" in shown
    assert "disabled" in page.split(f'value="{FULL.course_id}"')[1].split(">")[0]
    assert "disabled" not in page.split(f'value="{MONDAY.course_id}"')[1].split(">")[0]


def test_every_count_of_seats_tells_the_script_its_course_and_whether_the_seat_is_theirs(
    family: Household,
) -> None:
    row = a_row(THURSDAY, FULL)
    held = row.model_copy(update={"hold": a_hold(THURSDAY, row.follow_id)})
    page = family.reads(offered(family, held))
    assert f'data-seats-of="{THURSDAY.course_id}" data-held>Place retenue pour vous</span>' in page
    assert f'data-seats-of="{FULL.course_id}">Complet</span>' in page
    assert page.count("data-seats-stream") == 1


def test_a_chosen_slot_is_held_then_recorded(family: Household) -> None:
    row = a_row(THURSDAY, MONDAY)
    path = offered(family, row)
    fields = chosen(family.reads(path), path, MONDAY, remarks="Alto, puis cor")
    assert family.goes_on(path, fields) == family.at("recapitulatif")
    (asked,) = family.asked(HoldSeats)
    (request,) = asked.requests
    assert request.course_ids == (MONDAY.course_id,)
    assert request.student_id == family.student.id
    (recorded,) = family.asked(RecordCourseChoices)
    assert recorded.remarks == "Alto, puis cor"
    assert recorded.choices == (
        CourseChoice(
            follow_id=row.follow_id,
            re_enrol=True,
            label=MONDAY.label,
            course_id=MONDAY.course_id,
            hold_id=request.hold_id,
            held_until=recorded.choices[0].held_until,
        ),
    )
    assert recorded.choices[0].held_until


def test_the_same_page_sent_twice_asks_for_the_same_seat_and_another_choice_for_another(
    family: Household,
) -> None:
    path = offered(family, a_row(THURSDAY, MONDAY))
    page = family.reads(path)
    for slot in (THURSDAY, THURSDAY, MONDAY):
        family.goes_on(path, chosen(page, path, slot))
    first, second, other = [asked.requests[0].hold_id for asked in family.asked(HoldSeats)]
    assert first == second
    assert other != first


def test_a_seat_held_already_is_asked_for_again_to_renew_it(family: Household) -> None:
    row = a_row(FULL, MONDAY)
    hold = a_hold(FULL, row.follow_id)
    path = offered(family, row.model_copy(update={"hold": hold}))
    family.answer({HoldSeats: grant(FULL)})
    page = family.reads(path)
    assert f"{FULL.label} Place retenue pour vous" in words(page)
    assert "Place retenue jusqu'au" in words(page)
    family.goes_on(path, filled_in(page, path))
    (asked,) = family.asked(HoldSeats)
    assert [each.course_ids for each in asked.requests] == [(FULL.course_id,)]


def test_an_old_page_whose_hold_has_ended_gets_a_new_one(family: Household) -> None:
    row = a_row(THURSDAY)
    path = offered(family, row)
    ended = Rejection("hold_ended", "Cette place n'est plus retenue. Choisissez à nouveau.")
    family.answer({HoldSeats: in_turn(ended, (a_hold(THURSDAY, row.follow_id),))})
    fields = chosen(family.reads(path), path, THURSDAY)
    assert family.goes_on(path, fields) == family.at("recapitulatif")
    first, second = [asked.requests[0].hold_id for asked in family.asked(HoldSeats)]
    assert first != second


def test_a_course_no_longer_ticked_gives_its_seat_back(family: Household) -> None:
    row = a_row(THURSDAY)
    hold = a_hold(THURSDAY, row.follow_id)
    path = offered(family, row.model_copy(update={"hold": hold}))
    family.answer({ReleaseSeat: None})
    fields = filled_in(family.reads(path), path)
    family.goes_on(path, [pair for pair in fields if not pair[0].endswith("-re_enrol")])
    assert family.asked(ReleaseSeat) == [ReleaseSeat(hold_id=hold.id)]
    assert not family.asked(HoldSeats)
    (recorded,) = family.asked(RecordCourseChoices)
    assert [choice.re_enrol for choice in recorded.choices] == [False]
    kinds = [type(asked) for asked in family.asked(Command)]
    assert kinds.index(RecordCourseChoices) < kinds.index(ReleaseSeat)


def test_a_seat_is_given_back_in_the_very_act_that_holds_another(family: Household) -> None:
    theory, piano = a_row(THURSDAY), a_row(MONDAY)
    hold = a_hold(MONDAY, piano.follow_id)
    path = offered(family, theory, piano.model_copy(update={"hold": hold}))
    fields = [
        (f"cours-{theory.follow_id}-re_enrol", "oui"),
        (f"cours-{theory.follow_id}-course_id", str(THURSDAY.course_id)),
        NEXT,
    ]
    assert family.goes_on(path, fields) == family.at("recapitulatif")
    (asked,) = family.asked(HoldSeats)
    assert [request.follow_id for request in asked.requests] == [theory.follow_id]
    assert asked.give_back == (hold.id,)
    assert not family.asked(ReleaseSeat)


def test_a_seat_is_kept_where_the_new_one_is_refused(family: Household) -> None:
    theory, piano = a_row(THURSDAY), a_row(MONDAY)
    path = offered(family, theory, piano.model_copy(update={"hold": a_hold(MONDAY, new_id())}))
    family.answer({HoldSeats: full(THURSDAY, theory.follow_id), ReleaseSeat: None})
    fields = [
        (f"cours-{theory.follow_id}-re_enrol", "oui"),
        (f"cours-{theory.follow_id}-course_id", str(THURSDAY.course_id)),
        NEXT,
    ]
    family.sends(path, fields)
    assert not family.asked(ReleaseSeat)


def test_a_ticked_course_needs_its_slot(family: Household) -> None:
    row = a_row(THURSDAY)
    path = offered(family, row)
    page = family.sends(path, [(f"cours-{row.follow_id}-re_enrol", "oui"), NEXT])
    assert "Choisissez un créneau pour FM 1.4 (12)" in words(page)
    assert f'href="#cours-{row.follow_id}-course_id"' in page
    assert not family.asked(RecordCourseChoices)


def test_a_family_told_that_a_slot_is_full_keeps_what_it_had_typed(family: Household) -> None:
    row = a_row(MONDAY)
    path = offered(family, row)
    fields = chosen(family.reads(path), path, MONDAY, remarks="Alto, puis cor")
    family.answer(
        {
            HoldSeats: full(MONDAY, row.follow_id),
            CourseRows: in_turn(
                (row,),
                (a_row(MONDAY.model_copy(update={"seats_left": 0}), follow_id=row.follow_id),),
            ),
        }
    )
    page = family.sends(path, fields)
    assert words(page).count("Complet : il n'y a plus de place dans FM 2.1 (34)") == 2
    assert f"{MONDAY.label} Complet" in words(page)
    assert ("remarks", "Alto, puis cor") in filled_in(page, path)
    assert (f"cours-{row.follow_id}-re_enrol", "oui") in filled_in(page, path)
    assert not family.asked(RecordCourseChoices)


def test_a_refusal_about_no_row_is_said_for_the_whole_page(family: Household) -> None:
    path = offered(family, a_row(THURSDAY))
    stopped = Rejection("site_stopped", "Les réinscriptions de ce site sont suspendues.")
    family.answer({HoldSeats: stopped})
    page = family.sends(path, chosen(family.reads(path), path, THURSDAY))
    assert "Les réinscriptions de ce site sont suspendues." in words(page)


def test_a_refusal_about_no_course_is_not_said_of_one_without_choice(family: Household) -> None:
    piano = without_choice("teacher")
    path = offered(family, piano)
    stopped = Rejection("site_stopped", "Les réinscriptions de ce site sont suspendues.")
    family.answer({RecordCourseChoices: stopped})
    page = family.sends(path, [(f"cours-{piano.follow_id}-re_enrol", "oui"), NEXT])
    assert "Les réinscriptions de ce site sont suspendues." in words(page)
    assert f'href="#cours-{piano.follow_id}' not in page


def test_where_every_slot_is_full_the_box_alone_is_enough(family: Household) -> None:
    row = a_row(FULL)
    path = offered(family, row)
    assert "Tous les créneaux sont complets" in words(family.reads(path))
    family.goes_on(path, [(f"cours-{row.follow_id}-re_enrol", "oui"), NEXT])
    (recorded,) = family.asked(RecordCourseChoices)
    assert [choice.course_id for choice in recorded.choices] == [None]


def test_going_back_from_the_courses_keeps_what_was_chosen(family: Household) -> None:
    path = offered(family, a_row(THURSDAY))
    fields = [*chosen(family.reads(path), path, THURSDAY)[:-1], BACK]
    assert family.goes_on(path, fields) == family.at("documents")
    assert len(family.asked(RecordCourseChoices)) == 1


def test_going_back_stays_with_a_choice_that_cannot_be_kept(family: Household) -> None:
    row = a_row(THURSDAY)
    path = offered(family, row)
    fields = [*chosen(family.reads(path), path, THURSDAY, remarks="Alto")[:-1], BACK]
    without_slot = [pair for pair in fields if not pair[0].endswith("-course_id")]
    assert "Choisissez un créneau pour FM 1.4 (12)" in words(family.sends(path, without_slot))
    family.answer({HoldSeats: full(THURSDAY, row.follow_id)})
    page = family.sends(path, fields)
    assert "Complet : il n'y a plus de place" in words(page)
    assert ("remarks", "Alto") in filled_in(page, path)
    assert not family.asked(RecordCourseChoices)


def test_before_the_opening_the_courses_say_when_they_open(family: Household) -> None:
    family.stands_at(4, opens_in=DAY)
    page = words(family.reads(family.at("cours")))
    assert "Le choix des cours ouvrira le" in page
    assert not family.asked(CourseRows)


def test_what_was_recorded_is_shown_again(family: Household) -> None:
    piano = without_choice("teacher")
    choice = CourseChoice(follow_id=piano.follow_id, re_enrol=True, label="Piano")
    application = family.application.model_copy(
        update={"choices": (choice,), "remarks": "Orchestre"}
    )
    family.answer({ShowApplication: application})
    path = offered(family, piano)
    kept = filled_in(family.reads(path), path)
    assert (f"cours-{piano.follow_id}-re_enrol", "oui") in kept
    assert ("remarks", "Orchestre") in kept
