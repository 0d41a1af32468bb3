"""Imports from other systems' CSV exports (S81): UTF-8 or Windows-1252, ``;`` or ``,``.

A file is read into numbered lines by whoever holds it, and checked line by line by the service
that owns its records: kept whole, or refused with every broken line named.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from sqlalchemy import Table, tuple_
from sqlalchemy.dialects.postgresql import insert

from shared.contract import CsvLine, LineError, Rejection
from shared.db import Transaction

_ROWS_PER_STATEMENT = 500
_MESSAGES = {"missing": "colonne absente", "string_too_short": "valeur manquante"}


def _french_date(value: object) -> object:
    if isinstance(value, str) and "/" in value:
        return datetime.strptime(value, "%d/%m/%Y").date()  # noqa: DTZ007 - a day has no zone
    return value


def _yes_or_no(value: object) -> object:
    return (
        {"oui": True, "non": False, "": False}.get(value.lower(), value)
        if isinstance(value, str)
        else value
    )


type FrenchDate = Annotated[date, BeforeValidator(_french_date)]
"""JJ/MM/AAAA, or ISO."""
type YesNo = Annotated[bool, BeforeValidator(_yes_or_no)]
"""oui or non; nothing is non."""


class CsvRow(BaseModel):
    """One kind of line: a field per column, named as in the header; other columns are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)


def read_csv(content: bytes) -> tuple[CsvLine, ...]:
    """Read a file's bytes into numbered lines; the header is line 1, empty lines are left out.

    Raises the Rejection ``import_refused`` where a line has more cells than the header.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    header, _, _ = text.partition("\n")
    delimiter = ";" if header.count(";") >= header.count(",") else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="")
    lines: list[CsvLine] = []
    errors: list[LineError] = []
    for cells in reader:
        if None in cells:
            errors.append(
                LineError(
                    line=reader.line_num, column="", message="plus de cellules que de colonnes"
                )
            )
        else:
            stripped = {name.strip(): cell.strip() for name, cell in cells.items()}
            lines.append(CsvLine(number=reader.line_num, cells=stripped))
    refuse_if_any(errors)
    return tuple(lines)


def refuse_if_any(errors: Sequence[LineError]) -> None:
    """Refuse the whole file where one line is broken."""
    if errors:
        raise Rejection(
            "import_refused",
            "Le fichier contient %(count)s ligne(s) en erreur : rien n'a été importé.",
            status=422,
            count=len(errors),
            errors=[error.model_dump() for error in errors],
        )


def parse_rows[Row: CsvRow](
    lines: Iterable[CsvLine],
    kind: type[Row],
    check: Callable[[Row], Mapping[str, str]] = lambda _: {},
    *,
    unique: str = "",
) -> list[Row]:
    """Give each line its type, or refuse the file naming every broken one.

    ``check`` says what else is wrong with a row: the message for each column at fault, such as a
    reference to nothing. ``unique`` names a column that no two different lines share: the same
    line twice is harmless. Raises the Rejection ``import_refused``.
    """
    rows: list[Row] = []
    first: dict[object, tuple[int, Row]] = {}
    errors: list[LineError] = []
    for line in lines:
        try:
            row = kind.model_validate(line.cells)
        except ValidationError as error:
            errors += [
                LineError(
                    line=line.number,
                    column=".".join(str(part) for part in item["loc"]),
                    message=_explain(item),
                )
                for item in error.errors(include_url=False)
            ]
        else:
            errors += [
                LineError(line=line.number, column=column, message=message)
                for column, message in check(row).items()
            ]
            earlier, same = first.setdefault(getattr(row, unique, line.number), (line.number, row))
            if same != row:
                message = f"déjà donné, autrement, à la ligne {earlier}"
                errors.append(LineError(line=line.number, column=unique, message=message))
            rows.append(row)
    refuse_if_any(errors)
    return rows


def _explain(error: ErrorDetails) -> str:
    """Say in French what is wrong with a cell."""
    return _MESSAGES.get(error["type"], f"valeur non comprise : « {error['input']} »")


async def record_rows(
    tx: Transaction, table: Table, rows: Sequence[Mapping[str, object]]
) -> set[UUID]:
    """Insert or update rows by their ``id``; give the identifiers of those that changed.

    Every row has the same columns; the last of two with the same ``id`` wins.
    """
    by_id = {row["id"]: row for row in rows}
    changed: set[UUID] = set()
    values = list(by_id.values())
    for start in range(0, len(values), _ROWS_PER_STATEMENT):
        statement = insert(table).values(values[start : start + _ROWS_PER_STATEMENT])
        columns = [name for name in values[0] if name != "id"]
        result = await tx.execute(
            statement.on_conflict_do_update(
                index_elements=["id"],
                set_={name: statement.excluded[name] for name in columns},
                where=tuple_(*(table.c[name] for name in columns)).is_distinct_from(
                    tuple_(*(statement.excluded[name] for name in columns))
                ),
            ).returning(table.c.id)
        )
        changed |= set(result.scalars())
    return changed
