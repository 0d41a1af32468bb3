"""A submitted request while it is changed, in each state."""

from datetime import UTC, datetime, timedelta
from typing import Final

from shared.contracts.courses import CourseRow, CourseRows, Hold, HoldSeats
from shared.contracts.enrolment import (
    Amendment,
    Campaign,
    CourseChoice,
    KeepEntries,
    ShowApplication,
    ShowEntries,
    SubmitApplication,
)
from shared.identifiers import new_id

from tests.portal import Answers
from tests.showroom import household as house
from tests.showroom import situations as when
from tests.showroom.household import (
    APPLICATION_ID,
    MONDAY,
    ORCHESTRA,
    STUDENT_ID,
    THEORY_ID,
    THURSDAY,
    TRUMPET,
    TUESDAY,
)
from tests.showroom.room import Act, family_page

_STEP: Final = f"/dossiers/{APPLICATION_ID}"
_OTHER_HOLD_ID: Final = new_id()


def _held() -> Hold:
    """The seat held to replace the one of the request."""
    held = house.hold(MONDAY, left=timedelta(minutes=17))
    return held.model_copy(update={"id": _OTHER_HOLD_ID})


def _row(*, chooses: bool) -> CourseRow:
    row = house.theory(THURSDAY, MONDAY, TUESDAY, hold=_held() if chooses else house.claimed())
    return row.model_copy(update={"claimed": house.claimed()})


def _filed_choices() -> tuple[CourseChoice, ...]:
    claimed, *others = house.choices()
    return (claimed.model_copy(update={"held_until": None}), *others)


def _changed_choices() -> tuple[CourseChoice, ...]:
    claimed, *others = _filed_choices()
    held = _held()
    another = {
        "label": held.label,
        "course_id": held.course_id,
        "hold_id": held.id,
        "held_until": held.expires_at,
    }
    return (claimed.model_copy(update=another), *others)


def _amended(*, chooses: bool = False, within: Campaign | None = None) -> Answers:
    sent = house.application("submitted", 6, within, _filed_choices())
    amendment = Amendment(
        started_at=datetime.now(UTC),
        step_reached=5,
        authorisations=sent.authorisations,
        choices=_changed_choices() if chooses else _filed_choices(),
        remarks=sent.remarks,
    )
    amended = sent.model_copy(update={"amendment": amendment})
    return {
        **when.at_home(amended),
        ShowApplication: amended,
        CourseRows: (_row(chooses=chooses), TRUMPET, ORCHESTRA),
        HoldSeats: when.full(MONDAY),
        SubmitApplication: None,
        ShowEntries: None,
        KeepEntries: None,
    }


def _left_at_closing() -> Answers:
    return _amended(chooses=True, within=house.closed())


AMENDED_PAGES: Final = (
    family_page("accueil-modification", "/accueil", lambda: _amended(chooses=True)),
    family_page(
        "eleve-reinscription-modification",
        f"/eleves/{STUDENT_ID}/reinscription",
        lambda: _amended(chooses=True),
    ),
    family_page("etape-2-modification", f"{_STEP}/autorisations", _amended),
    family_page("etape-4-modification", f"{_STEP}/cours", _amended),
    family_page("etape-4-modification-choisie", f"{_STEP}/cours", lambda: _amended(chooses=True)),
    family_page(
        "etape-4-modification-complet",
        f"{_STEP}/cours",
        _amended,
        (
            Act(
                "Passer à l'étape suivante",
                {f"{THEORY_ID}-re_enrol": "oui", f"{THEORY_ID}-course_id": str(MONDAY.course_id)},
            ),
        ),
        422,
    ),
    family_page("etape-5-modification", f"{_STEP}/recapitulatif", lambda: _amended(chooses=True)),
    family_page(
        "etape-5-modification-anglais",
        f"{_STEP}/recapitulatif",
        lambda: _amended(chooses=True),
        language="en",
    ),
    family_page("etape-6-modification", f"{_STEP}/finalisation", lambda: _amended(chooses=True)),
    family_page(
        "modification-abandonner",
        f"{_STEP}/abandonner-modification",
        lambda: _amended(chooses=True),
    ),
    family_page("etape-6-modification-close", f"{_STEP}/finalisation", _left_at_closing),
)
