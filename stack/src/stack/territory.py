"""A territory's CSV folder: read, checked across its files, imported through the services."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.ask import Services
from shared.contract import CsvLine, ImportFile, ImportReport, LineError, Rejection
from shared.contracts.courses import ImportCourses, ImportEnrolments
from shared.contracts.documents import ImportPieces
from shared.contracts.identity import (
    ImportFamilies,
    ImportGuardians,
    ImportSites,
    ImportStudents,
)
from shared.csv_import import read_csv

from stack.errors import StackError

FILES: Mapping[str, type[ImportFile]] = {
    "sites.csv": ImportSites,
    "familles.csv": ImportFamilies,
    "responsables.csv": ImportGuardians,
    "eleves.csv": ImportStudents,
    "cours.csv": ImportCourses,
    "inscriptions.csv": ImportEnrolments,
    "pieces.csv": ImportPieces,
}
"""Each file and the command that imports it, in the order that references ask for."""

_REFERENCES = (
    ("cours.csv", "site", "sites.csv"),
    ("inscriptions.csv", "eleve", "eleves.csv"),
)
"""The references that cross services: (file, column, file whose ``code`` it names)."""


class TerritoryRefused(StackError):
    """A file of the folder has broken lines: nothing of that file was kept."""

    def __init__(self, file: str, errors: Sequence[LineError]) -> None:
        super().__init__(
            "\n".join(
                f"{file}, line {error.line}{f', {error.column}' if error.column else ''}:"
                f" {error.message}"
                for error in errors
            )
        )
        self.file = file
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class Territory:
    """The lines of each file of a folder."""

    files: Mapping[str, tuple[CsvLine, ...]]

    @classmethod
    def read(cls, folder: Path) -> "Territory":
        """Read a folder and check the references between its files.

        Raises TerritoryRefused for a broken line, FileNotFoundError for a missing file.
        """
        files: dict[str, tuple[CsvLine, ...]] = {}
        for name in FILES:
            try:
                files[name] = read_csv((folder / name).read_bytes())
            except Rejection as refusal:
                raise _refused(name, refusal) from refusal
        for name, column, target in _REFERENCES:
            known = {line.cells["code"] for line in files[target]}
            errors = [
                LineError(line=line.number, column=column, message=f"inconnu dans {target}")
                for line in files[name]
                if line.cells.get(column) not in known
            ]
            if errors:
                raise TerritoryRefused(name, errors)
        return cls(files)

    def column(self, file: str, column: str) -> list[str]:
        """Give one column of a file."""
        return [line.cells[column] for line in self.files[file]]

    async def load(
        self, services: Services, token: str, initial_password: str | None = None
    ) -> dict[str, ImportReport]:
        """Import every file, each whole or not at all; loading twice changes nothing.

        ``initial_password`` serves demonstrations. Raises TerritoryRefused for a broken line.
        """
        reports: dict[str, ImportReport] = {}
        for name, command in FILES.items():
            question: ImportFile = (
                ImportGuardians(lines=self.files[name], initial_password=initial_password)
                if command is ImportGuardians
                else command(lines=self.files[name])
            )
            try:
                reports[name] = await services.ask(question, token=token)
            except Rejection as refusal:
                raise _refused(name, refusal) from refusal
        return reports


def _refused(file: str, refusal: Rejection) -> TerritoryRefused | Rejection:
    errors = refusal.facts.get("errors")
    if refusal.code != "import_refused" or not isinstance(errors, list):
        return refusal
    return TerritoryRefused(file, [LineError.model_validate(error) for error in errors])
