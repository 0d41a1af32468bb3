"""The pages of a signed-in family outside the wizard, in each state."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.contract import Rejection
from shared.contracts.accounts import Account
from shared.contracts.courses import CourseRows, WaitingPlace
from shared.contracts.documents import ListPieces, Missing, MissingPieces, PublishedDocuments
from shared.contracts.enrolment import ListMyApplications, MyApplications
from shared.contracts.identity import ChangePassword, MyAccount, MyFamily, RequestEmailChange
from shared.contracts.notifications import ListMessages, SentMessage

from tests.portal import Answers
from tests.showroom import household as house
from tests.showroom import situations as when
from tests.showroom.household import DAY, PLACE_ID, STUDENT_ID, THURSDAY
from tests.showroom.room import Act, family_page

_STUDENT: Final = f"/eleves/{STUDENT_ID}"
_DOCUMENTS: Final = f"{_STUDENT}/documents"
_DECLINE: Final = f"/reinscription/{STUDENT_ID}/ne-souhaite-pas"
_LEAVE: Final = f"/liste-attente/{PLACE_ID}/quitter"
_HEAVY: Final = ("avis.pdf", b"%PDF-1.7" + bytes(3 * 1024 * 1024))
_WRONG_PASSWORD: Final = Rejection("wrong_password", "Le mot de passe actuel ne convient pas.")
_NO_CAMPAIGN: Final[Answers] = {ListMyApplications: MyApplications(campaign=None, applications=())}


def _home(changes: Answers | None = None) -> Callable[[], Answers]:
    """A family with one draft, and what services answer otherwise."""
    return lambda: {**when.at_home(house.application()), **(changes or {})}


def _nothing_missing() -> Answers:
    nothing = Missing(due_at=datetime.now(UTC) + 45 * DAY, pieces=())
    pieces = house.pieces()
    given = [piece for piece in pieces.family if piece.document or piece.declined_at]
    enough = pieces.model_copy(update={"family": tuple(given), "student": ()})
    return {**when.at_home(), ListPieces: enough, MissingPieces: nothing}


def _offer() -> WaitingPlace:
    return house.place(offered_until=datetime.now(UTC) + timedelta(hours=5, minutes=1))


def _filed() -> Answers:
    return when.filed(house.theory(THURSDAY, hold=house.claimed()))


def _ready() -> Answers:
    draft = house.application(step=4, within=house.tomorrow())
    return when.at_home(draft, house.sibling_application(within=house.tomorrow()))


def _obtained() -> Answers:
    return {**_home()(), CourseRows: (house.theory(THURSDAY, hold=house.hold()),)}


def _messages() -> tuple[SentMessage, ...]:
    return (
        house.message("waiting_list_offer", "waiting"),
        house.message("document_refused", "failed"),
        house.message("documents_reminder", "no_address"),
        house.message(),
    )


PORTAL_PAGES: Final = (
    family_page("accueil", "/accueil", when.at_home),
    family_page("accueil-anglais", "/accueil", when.at_home, language="en"),
    family_page("accueil-sans-campagne", "/accueil", _home(_NO_CAMPAIGN)),
    family_page(
        "accueil-avant-ouverture", "/accueil", lambda: when.at_home(within=house.tomorrow())
    ),
    family_page(
        "accueil-en-cours",
        "/accueil",
        lambda: when.at_home(house.application(step=3), house.sibling_application("submitted", 6)),
    ),
    family_page(
        "accueil-refus",
        "/accueil",
        lambda: when.at_home(house.application("declined", 1), house.sibling_application()),
    ),
    family_page("accueil-pret-avant-ouverture", "/accueil", _ready),
    family_page(
        "accueil-place-retenue",
        "/accueil",
        lambda: when.at_home(house.application(choices=house.choices())),
    ),
    family_page("accueil-place-proposee", "/accueil", lambda: when.waiting(_offer())),
    family_page(
        "accueil-campagne-close",
        "/accueil",
        lambda: when.at_home(house.application(step=3, within=house.closed())),
    ),
    family_page(
        "accueil-sans-eleve",
        "/accueil",
        _home({MyFamily: house.family().model_copy(update={"students": ()})}),
    ),
    family_page("famille", "/famille", _home()),
    family_page("famille-anglais", "/famille", _home(), language="en"),
    family_page("famille-sans-campagne", "/famille", _home(_NO_CAMPAIGN)),
    family_page("famille-enregistree", "/famille?enregistre=oui", _home()),
    family_page("famille-recherche", "/famille?q=domicile", _home()),
    family_page("famille-recherche-vaine", "/famille?q=xyz", _home()),
    family_page("famille-messages", "/famille/messages", _home({ListMessages: _messages()})),
    family_page("famille-sans-message", "/famille/messages", _home({ListMessages: ()})),
    family_page("eleves", "/eleves", when.at_home),
    family_page("eleve-identite", f"{_STUDENT}/identite", when.at_home),
    family_page("eleve-identite-modifier", f"{_STUDENT}/identite/modifier", when.at_home),
    family_page(
        "eleve-identite-erreurs",
        f"{_STUDENT}/identite/modifier",
        when.at_home,
        (Act("Enregistrer", {"last_name": "", "birth_on": "hier"}),),
        422,
    ),
    family_page("eleve-identite-enregistree", f"{_STUDENT}/identite?enregistre=oui", when.at_home),
    family_page("responsable-modifier", f"/famille/responsables/{house.MARC.id}", when.at_home),
    family_page(
        "responsable-modifier-anglais",
        f"/famille/responsables/{house.NICOLE.id}",
        when.at_home,
        language="en",
    ),
    family_page("eleve-cours", f"{_STUDENT}/cours", when.at_home),
    family_page("eleve-historique", f"{_STUDENT}/historique", when.at_home),
    family_page("eleve-reinscription", f"{_STUDENT}/reinscription", when.at_home),
    family_page("eleve-reinscription-transmise", f"{_STUDENT}/reinscription", _filed),
    family_page(
        "eleve-reinscription-en-attente",
        f"{_STUDENT}/reinscription",
        lambda: when.waiting(house.place()),
    ),
    family_page(
        "eleve-reinscription-place-acceptee",
        f"{_STUDENT}/reinscription?obtenue={house.hold().id}",
        _obtained,
    ),
    family_page("eleve-documents", _DOCUMENTS, _home()),
    family_page("eleve-documents-complets", _DOCUMENTS, _nothing_missing),
    family_page(
        "eleve-documents-sans-campagne", _DOCUMENTS, _home({**_NO_CAMPAIGN, PublishedDocuments: ()})
    ),
    family_page(
        "eleve-documents-delai-passe",
        _DOCUMENTS,
        when.past_the_deadline,
    ),
    family_page("piece", f"{_DOCUMENTS}/domicile", _home()),
    family_page("piece-anglais", f"{_DOCUMENTS}/domicile", _home(), language="en"),
    family_page("piece-non-remise", f"{_DOCUMENTS}/avis-3", _home()),
    family_page("piece-a-fournir", f"{_DOCUMENTS}/avis-1", _home()),
    family_page("piece-refusee", f"{_DOCUMENTS}/avis-2", _home()),
    family_page(
        "piece-sans-fichier", f"{_DOCUMENTS}/avis-1", _home(), (Act("Importer", stays=True),)
    ),
    family_page(
        "piece-trop-lourde",
        f"{_DOCUMENTS}/avis-1",
        _home(),
        (Act("Importer", file=_HEAVY, stays=True),),
    ),
    family_page("piece-supprimer", f"{_DOCUMENTS}/domicile/supprimer", _home()),
    family_page("facturation", "/facturation", when.at_home),
    family_page("mot-de-passe", "/mot-de-passe", when.at_home),
    family_page("mot-de-passe-anglais", "/mot-de-passe", when.at_home, language="en"),
    family_page("mot-de-passe-change", "/mot-de-passe?change=oui", when.at_home),
    family_page(
        "mot-de-passe-refuse",
        "/mot-de-passe",
        lambda: {**when.at_home(), ChangePassword: _WRONG_PASSWORD},
        (
            Act(
                "Changer le mot de passe",
                {"current_password": "un deux trois", "new_password": "girafe tambour nuage"},
            ),
        ),
        422,
    ),
    family_page("email", "/mot-de-passe/email", when.at_home),
    family_page(
        "email-en-attente",
        "/mot-de-passe/email",
        _home(
            {
                MyAccount: Account(
                    username="nicole.test", email=house.EMAIL, new_email="nicole@ailleurs.example"
                )
            }
        ),
    ),
    family_page(
        "email-erreurs",
        "/mot-de-passe/email",
        lambda: {**when.at_home(), RequestEmailChange: None},
        (Act("Envoyer le lien", {"email": "nouvelle"}),),
        422,
    ),
    family_page("appareils", "/mot-de-passe/appareils", when.at_home),
    family_page("liste-attente", "/liste-attente", lambda: when.waiting(house.place())),
    family_page("liste-attente-vide", "/liste-attente", when.at_home),
    family_page("liste-attente-place-proposee", "/liste-attente", lambda: when.waiting(_offer())),
    family_page("liste-attente-quittee", "/liste-attente?fait=quittee", when.at_home),
    family_page("liste-attente-quitter", _LEAVE, lambda: when.waiting(house.place())),
    family_page("liste-attente-refuser", _LEAVE, lambda: when.waiting(_offer())),
    family_page("ne-souhaite-pas", _DECLINE, when.at_home),
    family_page("retirer-la-demande", _DECLINE, _filed),
)
