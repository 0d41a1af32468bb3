"""The six steps, in each state."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from shared.contract import Rejection
from shared.contracts.courses import CourseRows, HoldSeats
from shared.contracts.enrolment import RecordAuthorisations, SubmitApplication
from shared.contracts.identity import MyFamily
from shared.contracts.notifications import ListDeliveries

from tests.portal import Answers
from tests.showroom import household as house
from tests.showroom import situations as when
from tests.showroom.household import (
    APPLICATION_ID,
    CHAM,
    DAY,
    MONDAY,
    ORCHESTRA,
    SIBLING_APPLICATION_ID,
    THEORY_ID,
    THURSDAY,
    TRUMPET,
    TUESDAY,
)
from tests.showroom.room import Act, family_page

_STEP: Final = f"/dossiers/{APPLICATION_ID}"
_NEXT: Final = "Passer à l'étape suivante"
_TICKED: Final = {f"{THEORY_ID}-re_enrol": "oui", f"{THEORY_ID}-course_id": str(MONDAY.course_id)}


def _courses() -> Answers:
    return when.at_step(4, house.theory(THURSDAY, MONDAY, TUESDAY), TRUMPET, ORCHESTRA, CHAM)


def _taken_meanwhile() -> Answers:
    taken = MONDAY.model_copy(update={"seats_left": 0})
    row = house.theory(THURSDAY, taken, TUESDAY)
    return {HoldSeats: when.full(MONDAY), CourseRows: (row, TRUMPET, ORCHESTRA, CHAM)}


def _full_courses() -> Answers:
    full = [slot.model_copy(update={"seats_left": 0}) for slot in (THURSDAY, MONDAY, TUESDAY)]
    return when.at_step(4, house.theory(*full), TRUMPET)


def _held_courses() -> Answers:
    held = house.hold(left=timedelta(minutes=4))
    return when.at_step(5, house.theory(THURSDAY, MONDAY, TUESDAY, hold=held), TRUMPET)


def _waited_courses() -> Answers:
    row = house.theory(THURSDAY, TUESDAY, hold=house.hold(), waiting=(house.place(),))
    return when.at_step(5, row, TRUMPET)


def _two_children() -> Answers:
    return {**_courses(), MyFamily: house.family()}


def _opening_in(left: timedelta) -> Callable[[], Answers]:
    return lambda: when.at_step(4, within=house.campaign(opens_in=left))


def _closing_soon() -> Answers:
    return when.at_step(3, within=house.campaign(closes_in=timedelta(minutes=5)))


def _closed() -> Answers:
    return when.at_step(5, house.theory(THURSDAY, MONDAY), within=house.closed())


def _frugal() -> Answers:
    switched_off = ("marital_status", "socio_professional_code", "birth_department")
    return when.at_step(1, within=house.campaign(fields_not_asked=switched_off))


WIZARD_PAGES: Final = (
    family_page("etape-1", f"{_STEP}/coordonnees", lambda: when.at_step(1)),
    family_page("etape-1-anglais", f"{_STEP}/coordonnees", lambda: when.at_step(1), language="en"),
    family_page(
        "etape-1-erreurs",
        f"{_STEP}/coordonnees",
        lambda: when.at_step(1),
        (Act(_NEXT, {"last_name": "", "postcode": "9", "email": "nicole", "birth_on": "hier"}),),
        422,
    ),
    family_page("etape-1-champs-retires", f"{_STEP}/coordonnees", _frugal),
    family_page("etape-1-saisie-gardee", f"{_STEP}/coordonnees", when.typed_before),
    family_page(
        "etape-1-modifiee-entre-temps",
        f"{_STEP}/coordonnees",
        lambda: when.at_step(1),
        (Act(_NEXT, meanwhile=when.corrected_by_marc()),),
        422,
    ),
    family_page(
        "etape-1-adresse-reprise",
        f"{_STEP}/coordonnees",
        lambda: when.at_step(1),
        (Act("Reprendre l'adresse et les téléphones de Marc TEST"),),
    ),
    family_page("etape-2", f"{_STEP}/autorisations", lambda: when.at_step(3)),
    family_page(
        "etape-2-anglais", f"{_STEP}/autorisations", lambda: when.at_step(3), language="en"
    ),
    family_page(
        "etape-2-erreurs",
        f"{_STEP}/autorisations",
        lambda: {**when.at_step(2, has_authorised=False), RecordAuthorisations: None},
        (Act(_NEXT),),
        422,
    ),
    family_page("etape-2-cloture-proche", f"{_STEP}/autorisations", _closing_soon),
    family_page("etape-3", f"{_STEP}/documents", lambda: when.at_step(3)),
    family_page("etape-3-anglais", f"{_STEP}/documents", lambda: when.at_step(3), language="en"),
    family_page("etape-3-piece", f"{_STEP}/documents/caf", lambda: when.at_step(3)),
    family_page("etape-4", f"{_STEP}/cours", _courses),
    family_page("etape-4-anglais", f"{_STEP}/cours", _courses, language="en"),
    family_page("etape-4-avant-ouverture", f"{_STEP}/cours", _opening_in(DAY)),
    family_page("etape-4-ouverture-proche", f"{_STEP}/cours", _opening_in(timedelta(minutes=3))),
    family_page("etape-4-complet", f"{_STEP}/cours", _full_courses),
    family_page("etape-4-place-retenue", f"{_STEP}/cours", _held_courses),
    family_page("etape-4-en-attente", f"{_STEP}/cours", _waited_courses),
    family_page("etape-4-sans-cours", f"{_STEP}/cours", lambda: when.at_step(4)),
    family_page(
        "etape-4-deux-enfants", f"{_STEP}/cours?avec={SIBLING_APPLICATION_ID}", _two_children
    ),
    family_page(
        "etape-4-sans-creneau",
        f"{_STEP}/cours",
        _courses,
        (Act(_NEXT, {f"{THEORY_ID}-re_enrol": "oui"}),),
        422,
    ),
    family_page(
        "etape-4-place-prise",
        f"{_STEP}/cours",
        _courses,
        (Act(_NEXT, _TICKED, meanwhile=_taken_meanwhile()),),
        422,
    ),
    family_page(
        "etape-4-meme-heure",
        f"{_STEP}/cours",
        _courses,
        (Act(_NEXT, _TICKED, meanwhile={HoldSeats: when.same_time(MONDAY)}),),
        422,
    ),
    family_page("etape-5", f"{_STEP}/recapitulatif", when.at_recap),
    family_page("etape-5-anglais", f"{_STEP}/recapitulatif", when.at_recap, language="en"),
    family_page(
        "etape-5-sans-accord", f"{_STEP}/recapitulatif", when.at_recap, (Act("Valider"),), 422
    ),
    family_page(
        "etape-5-place-perdue",
        f"{_STEP}/recapitulatif",
        lambda: when.at_recap(is_lost=True),
    ),
    family_page(
        "etape-5-refusee",
        f"{_STEP}/recapitulatif",
        when.at_recap,
        (
            Act(
                "Valider",
                {"accepted": "oui"},
                meanwhile={
                    SubmitApplication: Rejection(
                        "nothing_asked", "Rien n'est demandé : cochez un cours à poursuivre."
                    )
                },
            ),
        ),
        422,
    ),
    family_page("brouillon", f"{_STEP}/recapitulatif", _closed),
    family_page("brouillon-anglais", f"{_STEP}/recapitulatif", _closed, language="en"),
    family_page("etape-6", f"{_STEP}/finalisation", when.filed),
    family_page("etape-6-anglais", f"{_STEP}/finalisation", when.filed, language="en"),
    family_page(
        "etape-6-sans-adresse",
        f"{_STEP}/finalisation",
        lambda: {**when.filed(), ListDeliveries: (house.delivery("no_address"),)},
    ),
    family_page(
        "etape-6-non-remis",
        f"{_STEP}/finalisation",
        lambda: {**when.filed(), ListDeliveries: (house.delivery("failed"),)},
    ),
    family_page(
        "etape-6-place-gardee",
        f"{_STEP}/finalisation",
        lambda: when.filed(
            house.theory(THURSDAY, hold=house.claimed(), waiting=(house.place(),)), TRUMPET
        ),
    ),
    family_page("refus", f"{_STEP}/finalisation", when.declined),
)
