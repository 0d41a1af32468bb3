"""Imports of the sites and of their people (S81): each file is kept whole or not at all."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, EmailStr, StringConstraints
from shared.callers import Caller
from shared.contract import CsvLine, ImportReport, Rejection
from shared.contracts.identity import (
    ImportFamilies,
    ImportGuardians,
    ImportSites,
    ImportStudents,
    Site,
    SitesRecorded,
)
from shared.contracts.people import (
    Civility,
    GuardianDetails,
    Phone,
    RequiredText,
    StudentDetails,
    Text,
)
from shared.csv_import import CsvRow, FrenchDate, parse_rows, record_rows
from shared.db import Database, Transaction
from shared.identifiers import imported_id
from shared.outbox import emit
from sqlalchemy import Table, or_, select, update

from identity.changes import Change, record_changes
from identity.contact_details import Details, differing, in_order, merged, with_contacts_of
from identity.families import among, people, tell_families
from identity.passwords import Passwords, plain_username
from identity.settings import IdentitySettings
from identity.tables import account, family, guardian, site, student

type _Email = Annotated[EmailStr | None, BeforeValidator(lambda cell: cell or None)]
type _Phone = Annotated[Phone, BeforeValidator(lambda cell: " ".join(cell.split()))]
type _Postcode = Annotated[str, StringConstraints(pattern=r"^([0-9]{5})?$")]


class _SiteRow(CsvRow):
    code: RequiredText
    ville: RequiredText
    nom: RequiredText
    adresse: Text
    code_postal: _Postcode
    commune: Text
    telephone: _Phone
    courriel: _Email
    page_tarifs: Text
    accueil: Text = ""


class _FamilyRow(CsvRow):
    code: RequiredText
    site: RequiredText
    nom: RequiredText


class _PersonRow(CsvRow):
    code: RequiredText
    famille: RequiredText
    civilite: Civility
    nom: RequiredText
    prenom: RequiredText
    adresse: Text = ""
    code_postal: _Postcode = ""
    ville: Text = ""
    tel_domicile: _Phone = ""
    mobile: _Phone = ""
    tel_pro: _Phone = ""
    courriel: _Email = None

    @property
    def family_id(self) -> UUID:
        return imported_id("family", self.famille)

    def details(self) -> Details:
        return {
            "civility": self.civilite,
            "last_name": self.nom,
            "first_name": self.prenom,
            "address": self.adresse,
            "postcode": self.code_postal,
            "city": self.ville,
            "home_phone": self.tel_domicile,
            "mobile": self.mobile,
            "work_phone": self.tel_pro,
            "email": self.courriel or "",
        }


class _GuardianRow(_PersonRow):
    identifiant: Text = ""

    @property
    def id(self) -> UUID:
        return imported_id("guardian", self.code)


class _StudentRow(_PersonRow):
    ne_le: FrenchDate
    niveau_scolaire: Text = ""
    etablissement: Text = ""

    @property
    def id(self) -> UUID:
        return imported_id("student", self.code)

    def details(self) -> Details:
        return _PersonRow.details(self) | {
            "birth_on": self.ne_le.isoformat(),
            "school_level": self.niveau_scolaire,
            "school": self.etablissement,
        }


async def import_sites(command: ImportSites, caller: Caller, tx: Transaction) -> ImportReport:
    """Record the territory's sites."""
    caller.require_operator()
    now = datetime.now(UTC)
    rows = parse_rows(command.lines, _SiteRow, unique="code")
    sites = [
        Site(
            id=imported_id("site", row.code),
            code=row.code,
            town=row.ville,
            name=row.nom,
            address=row.adresse,
            postcode=row.code_postal,
            city=row.commune,
            phone=row.telephone,
            email=row.courriel or "",
            tariff_page=row.page_tarifs,
            welcome=row.accueil,
        )
        for row in rows
    ]
    changed = await record_rows(tx, site, [recorded.model_dump() for recorded in sites])
    if changed:
        latest = {recorded.id: recorded for recorded in sites}
        told = tuple(latest[site_id] for site_id in changed)
        await emit(tx, SitesRecorded(revision=now, sites=told))
    return ImportReport(read=len(rows), changed=len(changed))


async def import_families(command: ImportFamilies, caller: Caller, tx: Transaction) -> ImportReport:
    """Record families; their people come with the files that follow."""
    caller.require_operator()
    known = {row.code: row.id for row in await tx.execute(select(site.c.code, site.c.id))}

    def check(row: _FamilyRow) -> Mapping[str, str]:
        return {} if row.site in known else {"site": f"site inconnu : {row.site}"}

    rows = parse_rows(command.lines, _FamilyRow, check, unique="code")
    families = [
        {"id": imported_id("family", row.code), "site_id": known[row.site], "name": row.nom}
        for row in rows
    ]
    changed = await record_rows(tx, family, families)
    await tell_families(tx, changed)
    return ImportReport(read=len(rows), changed=len(changed))


async def import_guardians(
    command: ImportGuardians,
    caller: Caller,
    database: Database,
    passwords: Passwords,
    settings: IdentitySettings,
) -> ImportReport:
    """Record guardians and open their accounts.

    A demonstration's initial password is hashed once for the whole file, before the transaction:
    661 accounts cost one hash, and no connection waits for it. It never replaces a password.
    """
    caller.require_operator()
    if command.initial_password is not None and not settings.demonstration:
        raise Rejection(
            "demonstration_only",
            "Un mot de passe initial n'est accepté que pour une démonstration : importez sans lui.",
            status=403,
        )
    initial_hash = (
        await passwords.hash(command.initial_password) if command.initial_password else None
    )
    async with database.transaction() as tx:
        families = await _lock_families(tx, guardian, "guardian", command.lines)
        owners = await _username_owners(tx, command.lines)
        rows = parse_rows(
            command.lines, _GuardianRow, _check_guardian(families, owners), unique="code"
        )
        arriving = [
            _Arriving(row.id, row.family_id, row.code, in_order(GuardianDetails, row.details()))
            for row in rows
        ]
        changed = await _record_people(tx, guardian, arriving)
        changed |= await _record_accounts(tx, rows, families, initial_hash)
    return ImportReport(read=len(rows), changed=len(changed))


async def import_students(command: ImportStudents, caller: Caller, tx: Transaction) -> ImportReport:
    """Record students; the first guardian's import lends the address and the phones they lack."""
    caller.require_operator()
    families = await _lock_families(tx, student, "student", command.lines)

    def check(row: _StudentRow) -> Mapping[str, str]:
        return {} if row.family_id in families else _unknown_family(row)

    rows = parse_rows(command.lines, _StudentRow, check, unique="code")
    guardians = await people(tx, guardian, among(guardian.c.family_id, families))
    first = {person.family_id: person.imported for person in reversed(guardians)}
    arriving = [
        _Arriving(
            row.id,
            row.family_id,
            row.code,
            with_contacts_of(first.get(row.family_id, {}), in_order(StudentDetails, row.details())),
        )
        for row in rows
    ]
    changed = await _record_people(tx, student, arriving)
    return ImportReport(read=len(rows), changed=len(changed))


def _unknown_family(row: _PersonRow) -> Mapping[str, str]:
    return {"famille": f"famille inconnue : {row.famille}"}


def _check_guardian(
    families: Mapping[UUID, UUID], owners: dict[tuple[UUID, str], UUID]
) -> Callable[[_GuardianRow], Mapping[str, str]]:
    """Check that the family exists and that nobody else of the site has the username."""

    def check(row: _GuardianRow) -> Mapping[str, str]:
        if row.family_id not in families:
            return _unknown_family(row)
        if not row.identifiant:
            return {}
        name = (families[row.family_id], plain_username(row.identifiant))
        if owners.setdefault(name, row.id) != row.id:
            return {"identifiant": f"identifiant déjà pris sur ce site : {row.identifiant}"}
        return {}

    return check


async def _lock_families(
    tx: Transaction, table: Table, kind: Literal["guardian", "student"], lines: Sequence[CsvLine]
) -> dict[UUID, UUID]:
    """Lock the families that the lines name, or take a person from; give their sites by id.

    Locked before their people, as a family's own changes do: neither waits for the other twice.
    """
    named = {imported_id("family", line.cells.get("famille", "").strip()) for line in lines}
    person_ids = {imported_id(kind, line.cells.get("code", "").strip()) for line in lines}
    left = select(table.c.family_id).where(among(table.c.id, person_ids))
    rows = await tx.execute(
        select(family.c.id, family.c.site_id)
        .where(or_(among(family.c.id, named), family.c.id.in_(left)))
        .order_by(family.c.id)
        .with_for_update()
    )
    return {row.id: row.site_id for row in rows}


async def _username_owners(
    tx: Transaction, lines: Sequence[CsvLine]
) -> dict[tuple[UUID, str], UUID]:
    """Give the guardian of each username that the lines do not give anew."""
    renamed = {
        imported_id("guardian", line.cells.get("code", "").strip())
        for line in lines
        if line.cells.get("identifiant", "").strip()
    }
    rows = await tx.execute(select(account.c.site_id, account.c.username, account.c.guardian_id))
    return {
        (row.site_id, row.username): row.guardian_id
        for row in rows
        if row.guardian_id not in renamed
    }


@dataclass(frozen=True, slots=True)
class _Arriving:
    id: UUID
    family_id: UUID
    code: str
    details: Details


async def _record_people(
    tx: Transaction, table: Table, arriving: Collection[_Arriving]
) -> set[UUID]:
    """Record what arrives, but for what families changed; tell the families concerned."""
    now = datetime.now(UTC)
    ids = {person.id for person in arriving}
    known = {person.id: person for person in await people(tx, table, among(table.c.id, ids))}
    rows: list[dict[str, object]] = []
    changes: dict[UUID, Change] = {}
    for person in arriving:
        before = known.get(person.id)
        details, revision = person.details, 0
        if before:
            details = merged(before.details, before.imported, person.details)
            revision = before.revision
        if before and differing(before.details, details):
            revision += 1
            changes[person.id] = Change(
                person.family_id, person.id, before.details, details, revision, None, now
            )
        rows.append(
            {
                "id": person.id,
                "family_id": person.family_id,
                "code": person.code,
                "details": details,
                "imported": person.details,
                "revision": revision,
            }
        )
    await record_changes(tx, table, changes.values())
    changed = await record_rows(tx, table, rows)
    concerned = {person.family_id for person in arriving if person.id in changed}
    concerned |= {known[moved].family_id for moved in changed & known.keys()}
    await tell_families(tx, concerned)
    return changed


async def _record_accounts(
    tx: Transaction,
    rows: Sequence[_GuardianRow],
    families: Mapping[UUID, UUID],
    initial_hash: str | None,
) -> set[UUID]:
    """Open or rename accounts; give the guardians whose account changed."""
    accounts = [
        {
            "id": imported_id("account", row.code),
            "guardian_id": row.id,
            "site_id": families[row.family_id],
            "username": plain_username(row.identifiant),
        }
        for row in rows
        if row.identifiant
    ]
    changed = await record_rows(tx, account, accounts)
    if initial_hash is not None:
        opened = await tx.execute(
            update(account)
            .where(
                among(account.c.id, [imported_id("account", row.code) for row in rows]),
                account.c.password_hash.is_(None),
            )
            .values(password_hash=initial_hash)
            .returning(account.c.id)
        )
        changed |= set(opened.scalars())
    return {row.id for row in rows if imported_id("account", row.code) in changed}
