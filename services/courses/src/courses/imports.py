"""The catalogue and who follows what, from CSV exports."""

from collections.abc import Collection
from datetime import time
from typing import Annotated, Literal
from uuid import UUID

import sqlalchemy as sa
from pydantic import AfterValidator, BeforeValidator, Field
from shared.callers import Caller
from shared.contract import ImportReport
from shared.contracts.courses import (
    DisciplinesRecorded,
    ImportCourses,
    ImportEnrolments,
    StudentDisciplines,
)
from shared.csv_import import CsvRow, YesNo, parse_rows, record_rows
from shared.db import Transaction
from shared.identifiers import imported_id
from shared.outbox import emit
from sqlalchemy.dialects.postgresql import insert

from courses.allocator import Allocator
from courses.catalogue import MODES
from courses.edition import publish_edition
from courses.requests import OfferRequest
from courses.tables import course, follow, occupancy

_STUDENTS_PER_EVENT = 500

type OptionalTime = Annotated[time | None, BeforeValidator(lambda value: value or None)]
type OptionalText = Annotated[str | None, AfterValidator(lambda value: value or None)]
type SchoolYear = Annotated[str, Field(pattern=r"^\d{4}-\d{4}$")]


class _CourseLine(CsvRow):
    code: str = Field(min_length=1)
    site: str = Field(min_length=1)
    annee: SchoolYear
    discipline: str = Field(min_length=1)
    cursus: str = Field(min_length=1)
    niveau: str
    cycle: str
    groupe: str
    horaires_amenages: YesNo
    jour: OptionalText
    debut: OptionalTime
    fin: OptionalTime
    professeur: str
    salle: str
    capacite: int = Field(ge=0)
    mode: Literal["choix", "niveau", "professeur", "cham"]


class _EnrolmentLine(CsvRow):
    eleve: str = Field(min_length=1)
    cours: str = Field(min_length=1)
    annee: SchoolYear
    niveau_propose: str


async def import_courses(
    command: ImportCourses, caller: Caller, tx: Transaction, allocator: Allocator
) -> ImportReport:
    """Keep the catalogue of a territory, all of the file or nothing.

    Where a capacity was raised, those who wait are offered the new seats before anyone else.
    """
    caller.require_operator()
    lines = parse_rows(command.lines, _CourseLine, _what_is_wrong_with_times, unique="code")
    changed = await record_rows(
        tx,
        course,
        [
            {
                "id": imported_id("course", line.code),
                "site_id": imported_id("site", line.site),
                "code": line.code,
                "school_year": line.annee,
                "discipline": line.discipline,
                "curriculum": line.cursus,
                "level": line.niveau,
                "cycle": line.cycle,
                "group_number": line.groupe,
                "reduced_schedule": line.horaires_amenages,
                "weekday": line.jour,
                "starts_at": line.debut,
                "ends_at": line.fin,
                "teacher": line.professeur,
                "room": line.salle,
                "capacity": line.capacite,
                "mode": MODES[line.mode],
            }
            for line in lines
        ],
    )
    if changed:
        # a corrected discipline concerns whoever follows the course
        following = await tx.scalars(sa.select(follow.c.id).where(follow.c.course_id.in_(changed)))
        await _tell_disciplines(tx, set(following))
        # last, since whoever wants a seat in these courses waits from here on
        waited_for = await _count_seats(tx, changed)
        if waited_for:
            await allocator.decide_within(tx, OfferRequest(tuple(waited_for)))
    return ImportReport(read=len(lines), changed=len(changed))


async def import_enrolments(
    command: ImportEnrolments, caller: Caller, tx: Transaction
) -> ImportReport:
    """Keep who follows which course, all of the file or nothing."""
    caller.require_operator()
    known = {row.code: row for row in await tx.execute(sa.select(course))}
    years = {row.school_year for row in known.values()}

    def what_is_wrong(line: _EnrolmentLine) -> dict[str, str]:
        if line.cours not in known:
            # exports keep who followed what in years whose catalogue they no longer hold
            unknown = {"cours": f"cours inconnu : {line.cours}"}
            return unknown if line.annee in years else {}
        if known[line.cours].school_year != line.annee:
            return {"annee": f"le cours {line.cours} est de {known[line.cours].school_year}"}
        return {}

    lines = parse_rows(command.lines, _EnrolmentLine, what_is_wrong)
    changed = await record_rows(
        tx,
        follow,
        [
            {
                "id": imported_id("follow", f"{line.eleve}/{line.cours}"),
                "student_id": imported_id("student", line.eleve),
                "course_id": known[line.cours].id if line.cours in known else None,
                "course_code": line.cours,
                "school_year": line.annee,
                "proposed_level": line.niveau_propose,
            }
            for line in lines
        ],
    )
    await _tell_disciplines(tx, changed)
    return ImportReport(read=len(lines), changed=len(changed))


def _what_is_wrong_with_times(line: _CourseLine) -> dict[str, str]:
    given = [line.jour is not None, line.debut is not None, line.fin is not None]
    if line.mode == "choix" and not all(given):
        return {"jour": "un cours au choix a un jour, un début et une fin"}
    if line.debut is not None and line.fin is not None and line.debut >= line.fin:
        return {"fin": "la fin doit suivre le début"}
    return {}


async def _count_seats(tx: Transaction, course_ids: Collection[UUID]) -> list[UUID]:
    """Take over the capacity of some courses, in the order of their locks; give those that have
    a waiting list.
    """
    await publish_edition(tx)
    rows = insert(occupancy).from_select(
        ["course_id", "capacity", "version"],
        sa.select(course.c.id, course.c.capacity, sa.literal(1))
        .where(course.c.id.in_(course_ids))
        .order_by(course.c.id),
    )
    waited_for = await tx.execute(
        rows.on_conflict_do_update(
            index_elements=["course_id"],
            set_={
                "capacity": rows.excluded.capacity,
                "version": occupancy.c.version + 1,
            },
        ).returning(occupancy.c.course_id, occupancy.c.waiting)
    )
    return [row.course_id for row in waited_for if row.waiting]


async def _tell_disciplines(tx: Transaction, follow_ids: set[UUID]) -> None:
    """Tell the disciplines of the students concerned, year by year."""
    if not follow_ids:
        return
    students = sa.select(follow.c.student_id).where(follow.c.id.in_(follow_ids))
    rows = await tx.execute(
        sa.select(
            follow.c.student_id,
            course.c.school_year,
            sa.func.array_agg(course.c.discipline.distinct()).label("disciplines"),
        )
        .join(course, course.c.id == follow.c.course_id)
        .where(follow.c.student_id.in_(students))
        .group_by(follow.c.student_id, course.c.school_year)
    )
    told = [
        StudentDisciplines(
            student_id=row.student_id,
            school_year=row.school_year,
            disciplines=tuple(sorted(row.disciplines)),
        )
        for row in rows
    ]
    for start in range(0, len(told), _STUDENTS_PER_EVENT):
        batch = tuple(told[start : start + _STUDENTS_PER_EVENT])
        await emit(tx, DisciplinesRecorded(students=batch))
