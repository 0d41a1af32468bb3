"""The document types, imported from ``pieces.csv``."""

from collections.abc import Callable, Mapping
from uuid import UUID

from shared.callers import Caller
from shared.contract import ImportReport, Rejection
from shared.contracts.documents import ImportPieces
from shared.csv_import import CsvRow, parse_rows, record_rows
from shared.db import Transaction
from shared.identifiers import imported_id
from sqlalchemy import delete, select

from documents.pieces import OWNERS, REQUIREMENTS, is_condition, unknown_placeholders
from documents.tables import campaign, document_type

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
    """Record the document types of a campaign, or of the territory's, in the order of the file.

    A campaign's list is the whole of its file; what was given for a type that is no longer listed
    stays on record. The territory's only grows: campaigns held before may still name its types.
    """
    caller.require_operator()
    rows = parse_rows(command.lines, PieceRow, _checking())
    await _check_campaign(tx, command.campaign_id)
    if not rows:
        return ImportReport(read=0, changed=0)
    changed = await record_rows(
        tx,
        document_type,
        [
            {
                "id": imported_id("document_type", _code_of(row.code, command.campaign_id)),
                "campaign_id": command.campaign_id,
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
    unlisted = await _unlist_others(tx, command.campaign_id, [row.code for row in rows])
    return ImportReport(read=len(rows), changed=len(changed) + unlisted)


async def _check_campaign(tx: Transaction, campaign_id: UUID | None) -> None:
    if campaign_id is None:
        return
    if await tx.scalar(select(campaign.c.id).where(campaign.c.id == campaign_id)) is None:
        raise Rejection(
            "import_refused",
            "Cette campagne n'existe pas, ou n'est pas encore publiée : rien n'a été importé.",
            status=422,
            errors=[],
        )


async def _unlist_others(tx: Transaction, campaign_id: UUID | None, codes: list[str]) -> int:
    """Take out of a campaign's own list what its file no longer has; give how many."""
    if campaign_id is None:
        return 0
    unlisted = await tx.execute(
        delete(document_type).where(
            document_type.c.campaign_id == campaign_id, document_type.c.code.not_in(codes)
        )
    )
    return unlisted.rowcount


def _code_of(code: str, campaign_id: UUID | None) -> str:
    """Tell a campaign's own types from the territory's of the same code."""
    return code if campaign_id is None else f"{campaign_id}/{code}"


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
