"""The demonstration territory: loaded in one go, repeatable, refused by file and line."""

import shutil
from pathlib import Path

import pytest
from shared.identifiers import imported_id
from stack.demonstration import FOLDER, PASSWORD
from stack.territory import Territory, TerritoryRefused

from tests.system import System

pytestmark = pytest.mark.servers


async def test_loading_twice_changes_nothing(system: System) -> None:
    territory = Territory.read(FOLDER)
    first = await territory.load(system.services, system.operator, PASSWORD)
    assert first["eleves.csv"].read == 841
    second = await territory.load(system.services, system.operator, PASSWORD)
    assert {file: report.changed for file, report in second.items()} == dict.fromkeys(first, 0)


async def test_nothing_of_a_file_with_a_broken_line_is_kept(system: System, tmp_path: Path) -> None:
    folder = tmp_path / "territory"
    shutil.copytree(FOLDER, folder)
    with (folder / "familles.csv").open("a") as families:
        families.write("MEU-F99998;MEU;ESSAI\nMEU-F99999;XXX;ESSAI\n")
    lines = len((folder / "familles.csv").read_text().splitlines())
    with pytest.raises(TerritoryRefused, match=f"familles.csv, line {lines}, site") as refusal:
        await Territory.read(folder).load(system.services, system.operator)
    assert [error.line for error in refusal.value.errors] == [lines]
    kept = await system.count(
        "identity",
        "SELECT count(*) FROM family WHERE id = $1",
        imported_id("family", "MEU-F99998"),
    )
    assert kept == 0


def test_a_reference_to_nothing_in_another_file_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "territory"
    shutil.copytree(FOLDER, folder)
    with (folder / "inscriptions.csv").open("a") as enrolments:
        enrolments.write("MEU-F99999-E1;MEU-2026-001;2026-2027;2.1\n")
    with pytest.raises(TerritoryRefused, match=r"inscriptions\.csv, line 2190, eleve"):
        Territory.read(folder)
