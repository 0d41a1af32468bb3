"""A submitted request is changed in the six steps, and stands meanwhile: S74."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from gateway.pages.wizard import patience
from shared.ask import ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.courses import CourseRows, HoldSeats, LeaveWaitingList, ReleaseSeat
from shared.contracts.enrolment import (
    AbandonAmendment,
    AmendApplication,
    Amendment,
    Application,
    CourseChoice,
    RecordCourseChoices,
    SubmitApplication,
)
from shared.identifiers import new_id

from tests.forms import changed, filled_in, words
from tests.portal import Portal
from tests.wizard import DAY, Household, a_hold, a_place, a_row, a_slot, household

THURSDAY = a_slot("FM 2.1 (33) - JEUDI - 17.00 à 18.30")
TUESDAY = a_slot("FM 2.1 (35) - MARDI - 17.00 à 18.30")
NEXT = ("direction", "suite")
ROW = a_row(THURSDAY, TUESDAY)
CLAIMED = a_hold(THURSDAY, ROW.follow_id).model_copy(update={"state": "claimed"})
HELD = a_hold(TUESDAY, ROW.follow_id)
PRESENT = CourseChoice(
    follow_id=ROW.follow_id,
    re_enrol=True,
    label=THURSDAY.label,
    course_id=THURSDAY.course_id,
    hold_id=CLAIMED.id,
)
ANOTHER = PRESENT.model_copy(
    update={
        "label": TUESDAY.label,
        "course_id": TUESDAY.course_id,
        "hold_id": HELD.id,
        "held_until": HELD.expires_at,
    }
)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Portal:
    return Portal(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def family(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> Iterator[Household]:
    """A family whose request was submitted with Thursday's seat."""
    monkeypatch.setattr(patience, "_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(patience, "_PATIENCE_SECONDS", 0.05)
    with household(portal) as seated:
        filed = seated.stands_at(6, state="submitted")
        seated.application = filed.model_copy(update={"choices": (PRESENT,)})
        row = ROW.model_copy(update={"hold": CLAIMED, "claimed": CLAIMED})
        seated.answer({CourseRows: (row,), RecordCourseChoices: None})
        yield seated


def changes(family: Household, *choices: CourseChoice, closes_in: timedelta = DAY) -> Application:
    """Have the family be changing its request, with these choices so far."""
    filed = family.application
    closes_at = datetime.now(UTC) + closes_in
    family.application = filed.model_copy(
        update={
            "campaign": filed.campaign.model_copy(update={"closes_at": closes_at}),
            "amendment": Amendment(
                started_at=datetime.now(UTC), step_reached=5, choices=choices or (PRESENT,)
            ),
        }
    )
    return family.application


def abandoned(family: Household) -> Application:
    return family.application.model_copy(update={"amendment": None})


def test_changing_begins_at_the_recap_at_the_instant_it_was_asked(family: Household) -> None:
    filed = family.application
    family.answer({AmendApplication: lambda _: changes(family)})
    before = datetime.now(UTC)
    assert family.goes_on(family.at("modifier"), []) == family.at("recapitulatif")
    (asked,) = family.asked(AmendApplication)
    assert asked.application_id == filed.id
    assert before <= asked.received_at <= datetime.now(UTC)


def test_claims_that_are_not_known_yet_are_waited_for(family: Household) -> None:
    def known_at_last(_: AmendApplication) -> Application:
        if len(family.asked(AmendApplication)) < 2:
            raise Rejection("claims_not_known_yet", "Dans un instant.")
        return changes(family)

    family.answer({AmendApplication: known_at_last})
    assert family.goes_on(family.at("modifier"), []) == family.at("recapitulatif")


def test_claims_that_stay_unknown_are_said(family: Household) -> None:
    family.answer({AmendApplication: Rejection("claims_not_known_yet", "Réessayez bientôt.")})
    assert "Réessayez bientôt." in words(family.sends(family.at("modifier"), [], status=409))


def test_each_step_says_that_the_request_stands(family: Household) -> None:
    changes(family)
    for step in ("autorisations", "documents", "cours", "recapitulatif"):
        page = family.reads(family.at(step))
        assert "Vous modifiez la demande transmise le" in words(page)
        assert f'href="{family.at("abandonner-modification")}"' in page


def test_the_steps_work_on_the_change_and_the_end_on_the_request(family: Household) -> None:
    changes(family, ANOTHER)
    assert TUESDAY.label in words(family.reads(family.at("recapitulatif")))
    end = words(family.reads(family.at("finalisation")))
    assert THURSDAY.label in end
    assert TUESDAY.label not in end
    assert "la modification n'est pas encore transmise" in end


def test_the_present_slot_is_named_and_another_can_be_chosen(family: Household) -> None:
    changes(family)
    path = family.at("cours")
    page = family.reads(path)
    assert f"{THURSDAY.label} Votre place actuelle" in words(page)
    family.answer({HoldSeats: (HELD,)})
    family.goes_on(path, [*changed(filled_in(page, path), course_id=str(TUESDAY.course_id)), NEXT])
    (asked,) = family.asked(HoldSeats)
    assert [each.course_ids for each in asked.requests] == [(TUESDAY.course_id,)]
    assert asked.give_back == ()
    (recorded,) = family.asked(RecordCourseChoices)
    assert [choice.hold_id for choice in recorded.choices] == [HELD.id]


def test_the_change_is_validated_as_a_request_is(family: Household) -> None:
    changes(family, ANOTHER)
    path = family.at("recapitulatif")
    family.answer({SubmitApplication: family.application})
    filled = [*filled_in(family.reads(path), path), ("accepted", "oui"), NEXT]
    assert family.goes_on(path, filled) == family.at("finalisation")
    (asked,) = family.asked(SubmitApplication)
    assert family.application.receipt
    assert asked.replaces_receipt_number == family.application.receipt.number


def test_a_change_abandoned_meanwhile_is_not_said_to_be_sent(family: Household) -> None:
    changes(family, ANOTHER)
    path = family.at("recapitulatif")
    gone = Rejection("amendment_abandoned", "La modification a été abandonnée entre-temps.")
    family.answer({SubmitApplication: gone})
    filled = [*changed(filled_in(family.reads(path), path), remarks="Harpe"), ("accepted", "oui")]
    page = words(family.sends(path, [*filled, NEXT], status=409))
    assert "La modification a été abandonnée entre-temps." in page
    assert "Ce que vous venez d'envoyer n'y a rien changé." in page
    assert "Information complémentaire : Harpe" in page


def test_what_is_typed_is_given_back_where_another_page_was_first(family: Household) -> None:
    changes(family, ANOTHER)
    path = family.at("recapitulatif")
    sent = family.application.model_copy(update={"amendment": None, "remarks": "Alto"})
    family.answer({SubmitApplication: sent})
    filled = [*changed(filled_in(family.reads(path), path), remarks="Harpe"), ("accepted", "oui")]
    page = words(family.sends(path, [*filled, NEXT], status=409))
    assert "Cette demande a déjà été transmise" in page
    assert "Information complémentaire : Harpe" in page


def test_a_course_left_out_keeps_its_rank_until_the_change_is_submitted(
    family: Household,
) -> None:
    row = ROW.model_copy(
        update={"hold": CLAIMED, "claimed": CLAIMED, "waiting": (a_place(TUESDAY),)}
    )
    changes(family)
    family.answer({CourseRows: (row,)})
    path = family.at("cours")
    assert family.goes_on(path, [NEXT]) == family.at("recapitulatif")
    assert not family.asked(LeaveWaitingList)
    (recorded,) = family.asked(RecordCourseChoices)
    changes(family, *recorded.choices)
    again = filled_in(family.reads(path), path)
    assert f"cours-{ROW.follow_id}-re_enrol" not in dict(again)


def test_the_hours_of_a_course_left_out_are_told_to_be_free(family: Household) -> None:
    other = a_row(TUESDAY)
    changes(family)
    family.answer({CourseRows: (ROW, other), HoldSeats: (a_hold(TUESDAY, other.follow_id),)})
    ticked = [
        (f"cours-{other.follow_id}-re_enrol", "oui"),
        (f"cours-{other.follow_id}-course_id", str(TUESDAY.course_id)),
    ]
    family.goes_on(family.at("cours"), [*ticked, NEXT])
    (asked,) = family.asked(HoldSeats)
    assert asked.left_rows == (ROW.follow_id,)


def test_abandoning_is_confirmed(family: Household) -> None:
    changes(family, ANOTHER)
    page = words(family.reads(family.at("abandonner-modification")))
    assert "reste valable, avec ses places" in page
    assert not family.asked(AbandonAmendment)


def test_there_is_nothing_to_abandon_in_a_request_that_is_not_changed(family: Household) -> None:
    assert family.is_led(family.at("abandonner-modification")) == family.at("finalisation")


def test_another_change_than_the_one_spoken_of_stays(family: Household) -> None:
    changes(family, ANOTHER)
    path = family.at("abandonner-modification")
    spoken_of = filled_in(family.reads(path), path)
    family.answer({AbandonAmendment: changes(family, ANOTHER), ReleaseSeat: None})
    assert family.goes_on(path, spoken_of) == family.at("recapitulatif")
    (asked,) = family.asked(AbandonAmendment)
    assert asked.started_at is not None
    assert not family.asked(ReleaseSeat)


def test_a_seat_submitted_meanwhile_is_not_given_back(family: Household) -> None:
    changes(family, ANOTHER)
    sent = family.application.model_copy(update={"choices": (ANOTHER,), "amendment": None})
    family.answer({AbandonAmendment: sent})
    family.goes_on(family.at("abandonner-modification"), [])
    assert not family.asked(ReleaseSeat)


def test_a_new_seat_that_had_gone_is_said(family: Household) -> None:
    kept = PRESENT.model_copy(update={"seat_kept": True})
    family.application = family.application.model_copy(update={"choices": (kept,)})
    assert "vous gardez celui-ci" in words(family.reads(family.at("finalisation")))


def test_abandoning_gives_back_what_was_held_for_it_alone(family: Household) -> None:
    claimed = PRESENT.model_copy(update={"follow_id": new_id(), "hold_id": new_id()})
    changes(family, ANOTHER, claimed)
    family.answer({AbandonAmendment: abandoned(family), ReleaseSeat: None})
    assert family.goes_on(family.at("abandonner-modification"), []) == family.at("finalisation")
    assert [asked.hold_id for asked in family.asked(ReleaseSeat)] == [HELD.id]


@pytest.mark.parametrize(
    "trouble",
    [ServiceUnavailable("courses"), Rejection("already_claimed", "Transmise entre-temps.")],
    ids=["away", "sent meanwhile"],
)
def test_abandoning_does_without_giving_back(family: Household, trouble: Exception) -> None:
    changes(family, ANOTHER)
    family.answer({AbandonAmendment: abandoned(family), ReleaseSeat: trouble})
    assert family.goes_on(family.at("abandonner-modification"), []) == family.at("finalisation")


def test_after_the_closing_a_step_leads_to_the_request(family: Household) -> None:
    changes(family, ANOTHER, closes_in=-DAY)
    assert family.is_led(family.at("cours")) == family.at("brouillon")
    assert family.is_led(family.at("brouillon")) == family.at("finalisation")
    end = words(family.reads(family.at("finalisation")))
    assert "la demande reste telle que vous l'aviez transmise" in end
    assert TUESDAY.label in end
    assert "Modifier la demande" not in end


def test_what_is_sent_after_the_closing_is_given_back_and_the_request_stands(
    family: Household,
) -> None:
    changes(family, ANOTHER, closes_in=-DAY)
    page = family.sends(family.at("cours"), [("remarks", "Alto"), NEXT], status=409)
    assert "Alto" in page
    assert "Si vous aviez déjà transmis une demande, elle reste valable" in words(page)


def test_a_family_goes_on_with_its_change(family: Household) -> None:
    changes(family)
    assert family.is_led(f"/dossiers/{family.application.id}") == family.at("recapitulatif")
    page = words(family.reads("/accueil"))
    assert "Reprendre la modification" in page
    assert "Transmise" in page
    assert "Terminer une étape" not in page
