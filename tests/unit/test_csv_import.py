"""CSV exports as other systems really write them (S81)."""

from datetime import date

import pytest
from shared.contract import Rejection
from shared.csv_import import (
    CsvRow,
    FrenchDate,
    YesNo,
    parse_rows,
    read_csv,
)

_TEXT = "code;nom;ne_le\nA1; Élodie N'Guessan ;29/02/1996\nA2;Zoë;\n"


class _Student(CsvRow):
    code: str
    nom: str
    ne_le: str


class _Course(CsvRow):
    debut_le: FrenchDate
    places: int
    amenage: YesNo


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [";", ","])
def test_a_file_reads_the_same_however_it_was_saved(
    encoding: str, ending: str, delimiter: str
) -> None:
    text = _TEXT.replace(";", delimiter).replace("\n", ending)
    first, second = read_csv(text.encode(encoding))
    assert (first.number, first.cells["nom"]) == (2, "Élodie N'Guessan")
    assert (second.number, second.cells["ne_le"]) == (3, "")


def test_a_delimiter_inside_quotes_is_text() -> None:
    (line,) = read_csv('code;nom;ne_le\nA1;"Dupont; née Martin";\n'.encode())
    assert line.cells["nom"] == "Dupont; née Martin"


def test_a_line_with_too_many_cells_refuses_the_file() -> None:
    with pytest.raises(Rejection) as refusal:
        read_csv(b"code;nom\nA1;X\nA2;Y;Z\n")
    assert refusal.value.facts["errors"] == [
        {"line": 3, "column": "", "message": "plus de cellules que de colonnes"}
    ]


def test_french_dates_and_words_are_understood() -> None:
    lines = read_csv(b"debut_le;places;amenage\n03/09/2027;15;oui\n")
    (row,) = parse_rows(lines, _Course)
    assert (row.debut_le, row.places, row.amenage) == (date(2027, 9, 3), 15, True)


def test_every_broken_cell_is_named_by_line_and_column() -> None:
    lines = read_csv("debut_le;places;amenage\n31/02/2027;x;oui\n03/09/2027;1;peut-être\n".encode())
    with pytest.raises(Rejection) as refusal:
        parse_rows(lines, _Course)
    errors = refusal.value.facts["errors"]
    assert isinstance(errors, list)
    assert [(error["line"], error["column"]) for error in errors] == [
        (2, "debut_le"),
        (2, "places"),
        (3, "amenage"),
    ]
    assert errors[0]["message"] == "valeur non comprise : « 31/02/2027 »"


def test_a_missing_column_is_named() -> None:
    with pytest.raises(Rejection) as refusal:
        parse_rows(read_csv(b"code;nom\nA1;X\n"), _Student)
    assert refusal.value.facts["errors"] == [
        {"line": 2, "column": "ne_le", "message": "colonne absente"}
    ]


def test_what_else_is_wrong_with_a_row_is_told_with_its_line() -> None:
    lines = read_csv(_TEXT.encode())
    with pytest.raises(Rejection) as refusal:
        parse_rows(lines, _Student, lambda row: {"code": "inconnu"} if row.code == "A2" else {})
    assert refusal.value.facts["errors"] == [{"line": 3, "column": "code", "message": "inconnu"}]


def test_a_code_given_twice_is_refused_with_both_lines() -> None:
    lines = read_csv(b"code;nom;ne_le\nA1;X;\nA2;Y;\nA1;Z;\n")
    with pytest.raises(Rejection) as refusal:
        parse_rows(lines, _Student, unique="code")
    assert refusal.value.facts["errors"] == [
        {"line": 4, "column": "code", "message": "déjà donné, autrement, à la ligne 2"}
    ]


def test_the_same_line_twice_is_harmless() -> None:
    lines = read_csv(b"code;nom;ne_le\nA1;X;\nA1;X;\n")
    assert len(parse_rows(lines, _Student, unique="code")) == 2
