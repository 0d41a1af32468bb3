"""The texts that families agree to, by version: what was shown is stored with each answer.

Each language has its own version, so that the words read are known. A change of words is a new
version, never an edit: a test compares each text with its version.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.language import Language, current_language


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


AUTHORISATIONS: Final[Mapping[Language, AuthorisationTexts]] = {
    "fr": AuthorisationTexts(
        version="autorisations-2026-11",
        image_rights=(
            "J'autorise le conservatoire à photographier, à filmer et à enregistrer l'élève "
            "pendant les cours, auditions et spectacles, et à utiliser ces images sans but "
            "commercial dans ses publications et sur ses sites. Cette autorisation vaut pour "
            "l'année scolaire et peut être retirée à tout moment par un écrit au secrétariat."
        ),
        leaves_alone=(
            "J'autorise l'élève mineur à quitter seul le conservatoire à la fin de ses cours, ou "
            "lorsqu'un professeur est absent. Le conservatoire n'en est alors plus responsable. "
            "Pour un élève majeur, répondez Oui."
        ),
    ),
    "en": AuthorisationTexts(
        version="autorisations-2026-11-en",
        image_rights=(
            "I allow the conservatoire to photograph, film and record the student during lessons, "
            "auditions and performances, and to use these images in its publications and on its "
            "websites, without any commercial purpose. This permission holds for the school year "
            "and can be withdrawn at any time by writing to the conservatoire office."
        ),
        leaves_alone=(
            "I allow the student, who is a minor, to leave the conservatoire alone at the end of "
            "their lessons, or when a teacher is absent. The conservatoire is then no longer "
            "responsible for them. For an adult student, answer Yes."
        ),
    ),
}

ACCEPTANCE: Final[Mapping[Language, AcceptanceText]] = {
    "fr": AcceptanceText(
        version="acceptation-2026-11",
        body=(
            "Je certifie que les renseignements donnés sont exacts et je demande la réinscription "
            "dans les cours indiqués. J'ai compris qu'il s'agit d'une demande : le secrétariat "
            "confirme ou modifie chaque placement. J'accepte le règlement intérieur du "
            "conservatoire et ses tarifs, le tarif plafond s'appliquant si les justificatifs "
            "demandés ne sont pas fournis."
        ),
    ),
    "en": AcceptanceText(
        version="acceptation-2026-11-en",
        body=(
            "I certify that the details given are correct and I ask for re-enrolment in the "
            "courses shown. I understand that this is a request: the conservatoire office "
            "confirms or changes each place. I accept the rules of the conservatoire (règlement "
            "intérieur) and its fees; the maximum rate (tarif plafond) applies if the documents "
            "requested are not provided."
        ),
    ),
}


def authorisation_texts() -> AuthorisationTexts:
    """Give what step 2 asks, in the reader's language."""
    return AUTHORISATIONS[current_language()]


def acceptance_text() -> AcceptanceText:
    """Give what the recap has accepted, in the reader's language."""
    return ACCEPTANCE[current_language()]


def is_present(
    version: str, texts: Mapping[Language, AuthorisationTexts] | Mapping[Language, AcceptanceText]
) -> bool:
    """Tell whether these words are still asked, whatever language they were read in."""
    return any(version == text.version for text in texts.values())
