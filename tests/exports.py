"""The CSV lines that another system exports about a school: every column, as small as may be."""

from typing import Final

from shared.contract import CsvLine

THIS_YEAR: Final = "2026-2027"
NEXT_YEAR: Final = "2027-2028"
_WEEKDAYS: Final = ("LUNDI", "MARDI", "JEUDI", "VENDREDI")

type Cells = dict[str, str]


def lines(*cells: Cells) -> tuple[CsvLine, ...]:
    """Number some CSV lines as a file would."""
    return tuple(CsvLine(number=number, cells=each) for number, each in enumerate(cells, start=2))


def site(code: str, name: str, email: str) -> Cells:
    return {
        "code": code,
        "ville": code,
        "nom": name,
        "adresse": "1 place de l'Essai",
        "code_postal": "92000",
        "commune": "Essai",
        "telephone": "01 99 00 00 00",
        "courriel": email,
        "page_tarifs": "https://territoire.example/tarifs",
    }


def family(site_code: str, code: str) -> Cells:
    return {"code": code, "site": site_code, "nom": "ESSAI"}


def guardian(family_code: str, username: str, email: str) -> Cells:
    return {
        "code": f"{family_code}-R1",
        "famille": family_code,
        "identifiant": username,
        "civilite": "Madame",
        "nom": "ESSAI",
        "prenom": "Camille",
        "adresse": "2 rue de l'Essai",
        "code_postal": "92000",
        "ville": "Essai",
        "tel_domicile": "",
        "mobile": "06 39 98 00 01",
        "tel_pro": "",
        "courriel": email,
    }


def student(family_code: str) -> Cells:
    return {
        "code": f"{family_code}-E1",
        "famille": family_code,
        "civilite": "Monsieur",
        "nom": "ESSAI",
        "prenom": "Sacha",
        "ne_le": "01/02/2015",
        "niveau_scolaire": "CM2",
        "etablissement": "École de l'Essai",
    }


def group(
    site_code: str, code: str, level: str, index: int = 0, *, seats: int, year: str = NEXT_YEAR
) -> Cells:
    """A group of music theory, whose slot is chosen: each of four has its own day."""
    return {
        "code": code,
        "site": site_code,
        "annee": year,
        "discipline": "Formation musicale",
        "cursus": "FM",
        "niveau": level,
        "cycle": level[0],
        "groupe": str(index),
        "horaires_amenages": "non",
        "jour": _WEEKDAYS[index % len(_WEEKDAYS)],
        "debut": "17:00",
        "fin": "18:30",
        "professeur": "M. ESSAI",
        "salle": "Salle 1",
        "capacite": str(seats),
        "mode": "choix",
    }


def follow(student_code: str, course_code: str) -> Cells:
    """Who follows a course this year, to go on at the level of :func:`group` of next year."""
    return {
        "eleve": student_code,
        "cours": course_code,
        "annee": THIS_YEAR,
        "niveau_propose": "2.1",
    }
