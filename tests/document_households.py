"""What tests of documents need: families with a campaign of their own, and a browser's upload."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import aiohttp
import pytest
from documents.app import DocumentsSettings
from minio import Minio
from shared.callers import Caller
from shared.contract import CsvLine, Rejection
from shared.contracts.courses import DisciplinesRecorded, StudentDisciplines
from shared.contracts.documents import (
    DeclinePiece,
    ListPieces,
    OpenDocument,
    OpenPublication,
    OpenUpload,
    Piece,
    Pieces,
    RegisterUpload,
    ShowDocument,
)
from shared.contracts.enrolment import CampaignPublished
from shared.contracts.files import Document, UploadTicket
from shared.contracts.identity import FamiliesRecorded, FamilyRecord, StudentRecord
from shared.identifiers import new_id
from yarl import URL

from tests.harness import Running, eventually, family_caller, staff_caller

PIECES = (
    "domicile;famille;Justificatif de domicile;obligatoire;;Au nom du responsable.",
    "caf;famille;Attestation CAF {annee};obligatoire;2_enfants_moins_20_ans;",
    "rib;famille;RIB;Facultatif;;",
    "medical-danse;eleve;Certificat médical DANSE;obligatoire;discipline:Danse;",
)


def lines(*rows: str) -> tuple[CsvLine, ...]:
    """Number some lines as a file would."""
    columns = ("code", "pour", "nom", "exigence", "condition", "aide")
    return tuple(
        CsvLine(number=number, cells=dict(zip(columns, row.split(";"), strict=True)))
        for number, row in enumerate(rows, start=2)
    )


@dataclass(frozen=True)
class Household:
    """A family of its own site, with a campaign of its own."""

    running: Running[DocumentsSettings]
    caller: Caller
    campaign_id: UUID
    students: tuple[UUID, ...]

    async def open(
        self, type_code: str = "domicile", filename: str = "facture.pdf", size: int = 1000
    ) -> UploadTicket:
        """Ask where to send a file, on the first student's page."""
        return await self.running.ask(
            OpenUpload(
                document_id=new_id(),
                campaign_id=self.campaign_id,
                student_id=self.students[0],
                type_code=type_code,
                filename=filename,
                size=size,
            ),
            self.caller,
        )

    async def register(self, document_id: UUID) -> Document:
        return await self.running.ask(RegisterUpload(document_id=document_id), self.caller)

    async def hand_in(
        self, content: bytes, filename: str = "facture.pdf", type_code: str = "domicile"
    ) -> Document:
        """Send a file as the page does: ticket, store, registration. It is then analysed."""
        ticket = await self.open(type_code, filename, len(content))
        assert await send(ticket, content) in {200, 204}
        return await self.register(ticket.document_id)

    async def give(
        self, content: bytes, filename: str = "facture.pdf", type_code: str = "domicile"
    ) -> Document:
        """Send a file and wait until it was verified."""
        handed_in = await self.hand_in(content, filename, type_code)
        return await self.verified(handed_in.id)

    async def verified(self, document_id: UUID) -> Document:
        """Wait until a file was verified; give it as it then stands."""
        return await verified(self.running, document_id, self.caller)

    async def decline(self, type_code: str = "domicile") -> None:
        """Declare that a piece is not given, on the first student's page."""
        await self.running.ask(
            DeclinePiece(
                campaign_id=self.campaign_id, student_id=self.students[0], type_code=type_code
            ),
            self.caller,
        )

    async def publish(self, content: bytes, filename: str = "bulletin.pdf") -> Document:
        """Have the site publish a file for the first student, and wait until it is readable."""
        ticket = await self.running.ask(
            OpenPublication(
                document_id=new_id(),
                student_id=self.students[0],
                title="Bulletin du premier semestre",
                school_year="2026-2027",
                filename=filename,
                size=len(content),
            ),
            self.staff,
        )
        assert await send(ticket, content) in {200, 204}
        registration = RegisterUpload(document_id=ticket.document_id)
        registered = await self.running.ask(registration, self.staff)
        return await verified(self.running, registered.id, self.staff)

    @property
    def staff(self) -> Caller:
        """The secretariat of the family's site."""
        return staff_caller(self.caller.site_id)

    async def pieces(self, student: int = 0) -> Pieces:
        return await self.running.ask(
            ListPieces(campaign_id=self.campaign_id, student_id=self.students[student]),
            self.caller,
        )

    async def piece(self, type_code: str, student: int = 0) -> Piece:
        """One piece as a student's page lists it."""
        lists = await self.pieces(student)
        (piece,) = [one for one in lists.family + lists.student if one.type_code == type_code]
        return piece

    async def given(self, type_code: str, student: int = 0) -> Document | None:
        """The document that counts for one piece, on a student's page."""
        return (await self.piece(type_code, student)).document

    async def download(self, document_id: UUID) -> tuple[bytes, str]:
        link = await self.running.ask(OpenDocument(document_id=document_id), self.caller)
        async with aiohttp.ClientSession() as browser, browser.get(link.url) as response:
            assert response.status == 200
            return await response.read(), response.headers["content-disposition"]

    def stored(self) -> set[str]:
        """The keys of this campaign in the store, sent or kept."""
        settings = self.running.settings
        address = URL(settings.store_url)
        client = Minio(
            address.authority,
            access_key=settings.store_access_key,
            secret_key=settings.store_secret_key.get_secret_value(),
            secure=False,
            region=settings.store_region,
        )
        prefixes = (f"{self.campaign_id}/", f"incoming/{self.campaign_id}/")
        return {
            str(item.object_name)
            for prefix in prefixes
            for item in client.list_objects(settings.store_bucket, prefix, recursive=True)
        }


async def verified(
    running: Running[DocumentsSettings], document_id: UUID, caller: Caller
) -> Document:
    """Wait until a file was verified; give it as it then stands."""
    shown: list[Document] = []

    async def is_settled() -> bool:
        shown.append(await running.ask(ShowDocument(document_id=document_id), caller))
        return shown[-1].state != "analysing"

    await eventually(is_settled)
    return shown[-1]


async def send(ticket: UploadTicket, content: bytes, **changed: str) -> int:
    """Post a file to the store as a browser does; give the store's status."""
    form = aiohttp.FormData()
    for name, value in {**ticket.fields, **changed}.items():
        form.add_field(name, value)
    form.add_field("file", content, filename="anything")
    try:
        async with (
            aiohttp.ClientSession() as browser,
            browser.post(ticket.url, data=form) as response,
        ):
            return response.status
    except aiohttp.ClientConnectionError:
        return 400  # it hung up on a file too heavy, before the end


async def code_of[Answer](asked: Awaitable[Answer]) -> str:
    with pytest.raises(Rejection) as raised:
        await asked
    return raised.value.code


async def household(
    documents: Running[DocumentsSettings],
    *births: date | None,
    due_in: timedelta = timedelta(days=30),
    prepared_in: timedelta = timedelta(days=-1),
) -> Household:
    caller = family_caller()
    students = tuple(new_id() for _ in births or (None,))
    one = Household(documents, caller, new_id(), students)
    await documents.react(recorded(one, dict(zip(students, births or (None,), strict=True))))
    now = datetime.now(UTC)
    await documents.react(
        CampaignPublished(
            campaign_id=one.campaign_id,
            site_id=caller.site_id or new_id(),
            school_year="2027-2028",
            prepares_at=now + prepared_in,
            opens_at=now,
            closes_at=now + timedelta(days=30),
            documents_due_at=now + due_in,
        )
    )
    return one


def recorded(
    one: Household, births: dict[UUID, date | None], revision: int = 1
) -> FamiliesRecorded:
    """The event that tells a household's students."""
    return FamiliesRecorded(
        families=(
            FamilyRecord(
                id=one.caller.family(),
                site_id=one.caller.site_id or new_id(),
                name="ESSAI",
                revision=revision,
                guardians=(),
                students=tuple(
                    StudentRecord(id=id_, last_name="ESSAI", first_name="Camille", birth_on=birth)
                    for id_, birth in births.items()
                ),
            ),
        )
    )


def dances(student_id: UUID, discipline: str = "Danse classique") -> DisciplinesRecorded:
    return DisciplinesRecorded(
        students=(
            StudentDisciplines(
                student_id=student_id, school_year="2026-2027", disciplines=(discipline,)
            ),
        )
    )
