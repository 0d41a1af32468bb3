"""Who comes: families of the demonstration territory with the same thing to do."""

from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from shared.identifiers import imported_id
from stack.demonstration import FOLDER
from stack.territory import Territory


@dataclass(frozen=True, slots=True)
class Guardian:
    """Someone who signs in."""

    site_id: UUID
    username: str


def guardians_of_one_slot(count: int) -> list[Guardian]:
    """Choose families of one student who has one slot to choose, spread over the territory."""
    files = Territory.read(FOLDER).files
    courses = {line.cells["code"]: line.cells for line in files["cours.csv"]}
    this_year = min(cells["annee"] for cells in courses.values())
    slots = Counter(
        line.cells["eleve"]
        for line in files["inscriptions.csv"]
        if line.cells["annee"] == this_year and courses[line.cells["cours"]]["mode"] == "choix"
    )
    sizes = Counter(line.cells["famille"] for line in files["eleves.csv"])
    chosen = {
        line.cells["famille"]
        for line in files["eleves.csv"]
        if sizes[line.cells["famille"]] == 1 and slots[line.cells["code"]] == 1
    }
    sites = {line.cells["code"]: line.cells["site"] for line in files["familles.csv"]}
    accounts = {
        line.cells["famille"]: line.cells["identifiant"]
        for line in files["responsables.csv"]
        if line.cells["identifiant"] and line.cells["famille"] in chosen
    }
    everyone = [
        Guardian(imported_id("site", sites[family]), username)
        for family, username in accounts.items()
    ]
    return everyone[:: len(everyone) // count][:count]
