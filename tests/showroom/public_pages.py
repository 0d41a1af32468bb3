"""The pages that anyone may read, in each state."""

from datetime import UTC, datetime
from typing import Final

from shared.contract import Rejection
from shared.contracts.identity import (
    ConfirmEmailChange,
    ListSites,
    ReadEmailLink,
    ReadResetLink,
    RequestPasswordReset,
    ResetPassword,
    SignIn,
)
from shared.contracts.notifications import ChooseReminders, GenuineReceipt, VerifyReceipt

from tests.portal import Answers
from tests.portal_reader import SITE
from tests.showroom import situations as when
from tests.showroom.household import NUMBER, SITES
from tests.showroom.room import Act, Exhibit

_FORGOTTEN: Final = "/mot-de-passe/oublie"
_RESET: Final = "/mot-de-passe/nouveau?jeton=" + "j" * 43
_CONFIRM: Final = "/mot-de-passe/email/confirmer?jeton=" + "j" * 43
_REMINDERS: Final = "/rappels?jeton=" + "j" * 43
_WHO: Final = {"site": str(SITE.id), "username": "nicole.test"}
SIGNS_IN: Final = _WHO | {"password": "un deux trois"}
_WRONG: Final = Rejection(
    "wrong_credentials",
    "Le conservatoire, l'identifiant ou le mot de passe ne convient pas.",
    status=401,
)


def _sites() -> Answers:
    return {ListSites: SITES}


def _saves_password(password: str) -> Act:
    return Act("Enregistrer le mot de passe", {"new_password": password})


PUBLIC_PAGES: Final = (
    Exhibit("portail", "/", _sites),
    Exhibit("portail-anglais", "/", _sites, language="en"),
    Exhibit("connexion", "/connexion", _sites),
    Exhibit("connexion-anglais", "/connexion", _sites, language="en"),
    Exhibit("connexion-erreurs", "/connexion", _sites, (Act("Se connecter"),), 422),
    Exhibit(
        "connexion-refusee",
        "/connexion",
        lambda: {**_sites(), SignIn: _WRONG},
        (Act("Se connecter", SIGNS_IN),),
        422,
    ),
    Exhibit("mot-de-passe-oublie", _FORGOTTEN, _sites),
    Exhibit("mot-de-passe-oublie-erreurs", _FORGOTTEN, _sites, (Act("Recevoir le lien"),), 422),
    Exhibit(
        "mot-de-passe-oublie-demande",
        _FORGOTTEN,
        lambda: {**_sites(), RequestPasswordReset: None},
        (Act("Recevoir le lien", _WHO),),
    ),
    Exhibit("nouveau-mot-de-passe", _RESET, when.link_sent),
    Exhibit(
        "nouveau-mot-de-passe-erreur", _RESET, when.link_sent, (_saves_password("court"),), 422
    ),
    Exhibit(
        "nouveau-mot-de-passe-enregistre",
        _RESET,
        lambda: {**when.link_sent(), ResetPassword: None},
        (_saves_password("girafe tambour nuage"),),
    ),
    Exhibit("lien-expire", _RESET, lambda: {ReadResetLink: when.LINK_OVER}, status=410),
    Exhibit("email-a-confirmer", _CONFIRM, when.link_sent),
    Exhibit(
        "email-confirme",
        _CONFIRM,
        lambda: {**when.link_sent(), ConfirmEmailChange: None},
        (Act("Confirmer cette adresse"),),
    ),
    Exhibit("email-lien-expire", _CONFIRM, lambda: {ReadEmailLink: when.LINK_OVER}, status=410),
    Exhibit("verification", "/verification"),
    Exhibit(
        "verification-inconnue",
        "/verification?number=MEU-2027-1&code=ABCD",
        lambda: {VerifyReceipt: None},
        status=422,
    ),
    Exhibit(
        "verification-authentique",
        f"/verification?number={NUMBER}&code=ABCD-EFGH-IJKL-MNOP",
        lambda: {VerifyReceipt: GenuineReceipt(received_at=datetime.now(UTC))},
    ),
    Exhibit("rappels", _REMINDERS, when.at_home),
    Exhibit(
        "rappels-refuses",
        _REMINDERS,
        lambda: {**when.at_home(), ChooseReminders: None},
        (Act("Ne plus recevoir de rappels"),),
    ),
    Exhibit("mentions-legales", "/mentions-legales", _sites),
    Exhibit("accessibilite", "/accessibilite", _sites),
    Exhibit("accessibilite-anglais", "/accessibilite", _sites, language="en"),
)
