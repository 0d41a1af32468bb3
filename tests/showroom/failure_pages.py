"""What is shown when something cannot be done: nothing typed is lost, and what to do is said."""

from typing import Final

from gateway.people import ACCESS_COOKIE
from shared.ask import ServiceUnavailable
from shared.contract import Rejection
from shared.contracts.courses import MyWaitingPlaces
from shared.contracts.enrolment import (
    DeclineReenrolment,
    RecordAuthorisations,
    ShowApplication,
    SubmitApplication,
)
from shared.contracts.identity import MyFamily, SignIn

from tests.portal import Answers
from tests.showroom import household as house
from tests.showroom import situations as when
from tests.showroom.household import APPLICATION_ID, STUDENT_ID, THURSDAY, TRUMPET
from tests.showroom.public_pages import SIGNS_IN
from tests.showroom.room import Act, family_page

_STEP: Final = f"/dossiers/{APPLICATION_ID}"
_NEXT: Final = "Passer à l'étape suivante"
_YES: Final = {"image_rights": "oui", "leaves_alone": "non"}


def _at_courses() -> Answers:
    return when.at_step(5, house.theory(THURSDAY), TRUMPET)


def _away(service: str) -> Answers:
    return when.without(service, _at_courses())


def _sends(meanwhile: Answers, *, loses: tuple[str, ...] = ()) -> tuple[Act, ...]:
    return (Act(_NEXT, _YES, meanwhile=meanwhile, loses=loses),)


FAILURE_PAGES: Final = (
    family_page("adresse-inconnue", "/nulle-part", when.at_home, status=404),
    family_page("adresse-inconnue-anglais", "/nulle-part", when.at_home, status=404, language="en"),
    family_page(
        "panne",
        "/famille",
        lambda: {**when.at_home(), MyFamily: RuntimeError("on purpose")},
        status=500,
    ),
    family_page(
        "demande-refusee",
        "/liste-attente",
        lambda: {
            **when.at_home(),
            MyWaitingPlaces: Rejection("busy", "Revenez dans un instant.", status=409),
        },
        status=409,
    ),
    family_page("accueil-sans-identity", "/accueil", lambda: _away("identity")),
    family_page("accueil-sans-enrolment", "/accueil", lambda: _away("enrolment")),
    family_page("accueil-sans-courses", "/accueil", lambda: _away("courses")),
    family_page("famille-sans-identity", "/famille", lambda: _away("identity"), status=503),
    family_page("famille-sans-documents", "/famille", lambda: _away("documents")),
    family_page(
        "eleve-sans-documents", f"/eleves/{STUDENT_ID}/documents", lambda: _away("documents")
    ),
    family_page("etape-3-sans-documents", f"{_STEP}/documents", lambda: _away("documents")),
    family_page("etape-4-sans-courses", f"{_STEP}/cours", lambda: _away("courses"), status=503),
    family_page("etape-5-sans-courses", f"{_STEP}/recapitulatif", lambda: _away("courses")),
    family_page(
        "etape-6-sans-notifications",
        f"{_STEP}/finalisation",
        lambda: when.without("notifications", when.filed()),
    ),
    family_page(
        "envoi-impossible",
        f"{_STEP}/autorisations",
        _at_courses,
        _sends({RecordAuthorisations: ServiceUnavailable("enrolment")}),
        503,
    ),
    family_page(
        "envoi-incertain",
        f"{_STEP}/autorisations",
        _at_courses,
        _sends({RecordAuthorisations: ServiceUnavailable("enrolment", maybe_recorded=True)}),
        503,
    ),
    family_page(
        "page-trop-ancienne",
        f"{_STEP}/autorisations",
        _at_courses,
        _sends({}, loses=("rentree_csrf",)),
        403,
    ),
    family_page(
        "session-expiree",
        f"{_STEP}/autorisations",
        _at_courses,
        _sends({}, loses=(ACCESS_COOKIE,)),
        401,
    ),
    family_page(
        "session-expiree-connexion",
        f"{_STEP}/autorisations",
        _at_courses,
        (*_sends({}, loses=(ACCESS_COOKIE,)), Act("Me reconnecter")),
    ),
    family_page(
        "session-rouverte",
        f"{_STEP}/autorisations",
        _at_courses,
        (
            *_sends({}, loses=(ACCESS_COOKIE,)),
            Act("Me reconnecter"),
            Act("Se connecter", SIGNS_IN, meanwhile={SignIn: when.signed_in_again()}),
        ),
    ),
    family_page(
        "campagne-close-en-tapant",
        f"{_STEP}/cours",
        _at_courses,
        (
            Act(
                _NEXT,
                {"remarks": "Orchestre d'harmonie, si possible."},
                meanwhile={ShowApplication: house.application(within=house.closed())},
            ),
        ),
        409,
    ),
    family_page(
        "campagne-close-en-validant",
        f"{_STEP}/recapitulatif",
        when.at_recap,
        (
            Act(
                "Valider",
                {"accepted": "oui"},
                meanwhile={SubmitApplication: when.campaign_closed()},
            ),
        ),
        409,
    ),
    family_page(
        "campagne-close-en-retirant",
        f"/reinscription/{STUDENT_ID}/ne-souhaite-pas",
        when.filed,
        (
            Act(
                "Retirer la demande",
                meanwhile={
                    **when.at_home(house.application("submitted", 6, within=house.closed())),
                    DeclineReenrolment: when.campaign_closed(),
                },
            ),
        ),
        409,
    ),
    family_page(
        "campagne-close-avant-de-refuser",
        f"/reinscription/{STUDENT_ID}/ne-souhaite-pas",
        lambda: when.at_home(within=house.closed()),
        status=409,
    ),
    family_page(
        "transmise-entre-temps",
        f"{_STEP}/cours",
        _at_courses,
        (Act(_NEXT, meanwhile={ShowApplication: house.application("submitted", 6)}),),
        409,
    ),
)
