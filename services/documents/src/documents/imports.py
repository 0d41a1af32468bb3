"""The document types, imported from ``pieces.csv``."""

from collections.abc import Callable, Mapping

from shared.callers import Caller
from shared.contract import ImportReport
from shared.contracts.documents import ImportPieces
from shared.csv_import import CsvRow, parse_rows, record_rows
from shared.db import Transaction
from shared.identifiers import imported_id

from documents.pieces import OWNERS, REQUIREMENTS, is_condition, unknown_placeholders
from documents.tables import document_type

_EXPECTED = {
    "code": "un code, qui ne sert qu'une fois",
    "pour": f"une valeur parmi : {', '.join(OWNERS)}",
    "exigence": f"une valeur parmi : {', '.join(REQUIREMENTS)}",
    "condition": "rien, discipline:… ou 2_enfants_moins_20_ans",
    "nom": "un nom, avec au plus {annee}, {annee-1} ou {annee-2} entre accolades",
    "aide": "un texte, avec au plus {annee}, {annee-1} ou {annee-2} entre accolades",
}
"""What is expected in each column, told beside a line that has something else."""


class PieceRow(CsvRow):
    """A line of ``pieces.csv``."""

    code: str
    pour: str
    nom: str
    exigence: str
    condition: str
    aide: str


async def import_pieces(command: ImportPieces, caller: Caller, tx: Transaction) -> ImportReport:
    """Record the document types of the territory's campaigns, in the order of the file."""
    caller.require_operator()
    rows = parse_rows(command.lines, PieceRow, _checking())
    if not rows:
        return ImportReport(read=0, changed=0)
    changed = await record_rows(
        tx,
        document_type,
        [
            {
                "id": imported_id("document_type", row.code),
                "code": row.code,
                "position": position,
                "owner": OWNERS[row.pour.lower()],
                "name": row.nom,
                "requirement": REQUIREMENTS[row.exigence.lower()],
                "condition": row.condition,
                "help": row.aide,
            }
            for position, row in enumerate(rows, start=1)
        ],
    )
    return ImportReport(read=len(rows), changed=len(changed))


def _checking() -> Callable[[PieceRow], Mapping[str, str]]:
    """Give the check of one file's rows, which remembers the codes that it saw."""
    codes: set[str] = set()

    def check(row: PieceRow) -> Mapping[str, str]:
        faults = {
            "code": not row.code or row.code in codes,
            "pour": row.pour.lower() not in OWNERS,
            "exigence": row.exigence.lower() not in REQUIREMENTS,
            "condition": not is_condition(row.condition),
            "nom": not row.nom or bool(unknown_placeholders(row.nom)),
            "aide": bool(unknown_placeholders(row.aide)),
        }
        codes.add(row.code)
        return {column: _EXPECTED[column] for column, is_wrong in faults.items() if is_wrong}

    return check
