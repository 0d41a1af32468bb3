"""The texts that families agree to, by version: what was shown is stored with each answer.

A change of words is a new version, never an edit: a test compares each text with its version.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class AuthorisationTexts:
    """What step 2 asks to allow (S40)."""

    version: str
    image_rights: str
    leaves_alone: str


@dataclass(frozen=True, slots=True)
class AcceptanceText:
    """What "J'accepte" accepts at the recap (S70)."""

    version: str
    body: str


AUTHORISATIONS: Final = AuthorisationTexts(
    version="autorisations-2026-11",
    image_rights=(
        "J'autorise le conservatoire à photographier, à filmer et à enregistrer l'élève pendant "
        "les cours, auditions et spectacles, et à utiliser ces images sans but commercial dans ses "
        "publications et sur ses sites. Cette autorisation vaut pour l'année scolaire et peut être "
        "retirée à tout moment par un écrit au secrétariat."
    ),
    leaves_alone=(
        "J'autorise l'élève mineur à quitter seul le conservatoire à la fin de ses cours, ou "
        "lorsqu'un professeur est absent. Le conservatoire n'en est alors plus responsable. Pour "
        "un élève majeur, répondez Oui."
    ),
)

ACCEPTANCE: Final = AcceptanceText(
    version="acceptation-2026-11",
    body=(
        "Je certifie que les renseignements donnés sont exacts et je demande la réinscription dans "
        "les cours indiqués. J'ai compris qu'il s'agit d'une demande : le secrétariat confirme ou "
        "modifie chaque placement. J'accepte le règlement intérieur du conservatoire et ses "
        "tarifs, le tarif plafond s'appliquant si les justificatifs demandés ne sont pas fournis."
    ),
)
