"""Households of a site of their own, as another system's exports give them to identity."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from identity.settings import IdentitySettings
from shared.broker import EVENTS_EXCHANGE
from shared.callers import Caller
from shared.contract import CsvLine, Event
from shared.contracts.accounts import SignedIn
from shared.contracts.identity import (
    FamiliesRecorded,
    FamilyRecord,
    ImportFamilies,
    ImportGuardians,
    ImportSites,
    ImportStudents,
    SignIn,
)
from shared.identifiers import imported_id
from shared.outbox import outbox
from sqlalchemy import func, select

from tests.harness import Running, eventually, family_caller, operator

PASSWORD = "Rentree-Essai-2027"

type Cells = dict[str, str]


def new_site_code() -> str:
    """A site code that no other test has."""
    return f"T{uuid4().hex[:8].upper()}"


def lines(*cells: Cells) -> tuple[CsvLine, ...]:
    """Number CSV lines as a file would."""
    return tuple(CsvLine(number=number, cells=each) for number, each in enumerate(cells, start=2))


@dataclass(frozen=True)
class Household:
    """A family of one guardian and one student, and the lines that import it."""

    site: str = field(default_factory=new_site_code)
    number: int = 1

    @property
    def code(self) -> str:
        return f"{self.site}-F{self.number:05}"

    @property
    def site_id(self) -> UUID:
        return imported_id("site", self.site)

    @property
    def id(self) -> UUID:
        return imported_id("family", self.code)

    @property
    def guardian_id(self) -> UUID:
        return imported_id("guardian", f"{self.code}-R1")

    @property
    def student_id(self) -> UUID:
        return imported_id("student", f"{self.code}-E1")

    @property
    def username(self) -> str:
        return f"essai.{self.number:05}"

    @property
    def caller(self) -> Caller:
        return family_caller(self.id, self.site_id)

    def site_line(self, **cells: str) -> Cells:
        return {
            "code": self.site,
            "ville": f"Essai {self.site}",
            "nom": "Conservatoire d'Essai",
            "adresse": "1 place de la Mairie",
            "code_postal": "92000",
            "commune": "Essai",
            "telephone": "01 99 00 10 10",
            "courriel": "conservatoire@territoire.example",
            "page_tarifs": "https://territoire.example/tarifs",
        } | cells

    def family_line(self, **cells: str) -> Cells:
        return {"code": self.code, "site": self.site, "nom": "ESSAI"} | cells

    def guardian_line(self, rank: int = 1, **cells: str) -> Cells:
        return {
            "code": f"{self.code}-R{rank}",
            "famille": self.code,
            "identifiant": self.username if rank == 1 else f"{self.username}{rank}",
            "civilite": "Madame",
            "nom": "ESSAI",
            "prenom": "Camille",
            "adresse": "12 rue du Moulin",
            "code_postal": "92190",
            "ville": "Meudon",
            "tel_domicile": "",
            "mobile": "06 39 98 00 01",
            "tel_pro": "",
            "courriel": "camille.essai@familles.example",
        } | cells

    def student_line(self, rank: int = 1, **cells: str) -> Cells:
        return {
            "code": f"{self.code}-E{rank}",
            "famille": self.code,
            "civilite": "Monsieur",
            "nom": "ESSAI",
            "prenom": "Léo",
            "ne_le": "14/07/2013",
            "niveau_scolaire": "4e",
            "etablissement": "Collège Rabelais",
        } | cells

    async def settle(
        self, identity: Running[IdentitySettings], password: str | None = PASSWORD
    ) -> None:
        """Import the household."""
        await identity.ask(ImportSites(lines=lines(self.site_line())), operator())
        await identity.ask(ImportFamilies(lines=lines(self.family_line())), operator())
        await identity.ask(
            ImportGuardians(lines=lines(self.guardian_line()), initial_password=password),
            operator(),
        )
        await identity.ask(ImportStudents(lines=lines(self.student_line())), operator())
        await everything_told(identity)

    async def sign_in(
        self, identity: Running[IdentitySettings], password: str = PASSWORD
    ) -> SignedIn:
        """Sign the guardian in."""
        return await identity.ask(
            SignIn(site_id=self.site_id, username=self.username, password=password)
        )


async def everything_told(identity: Running[IdentitySettings]) -> None:
    """Wait until the broker has every event that was emitted."""

    async def is_outbox_empty() -> bool:
        async with identity.database.transaction() as tx:
            return await tx.scalar(select(func.count()).select_from(outbox)) == 0

    await eventually(is_outbox_empty)


class Subscriber[Told: Event]:
    """What another service is told of one kind of event."""

    def __init__(self, kind: type[Told]) -> None:
        self._kind = kind
        self._arrived: asyncio.Queue[Told] = asyncio.Queue()

    async def receive(self, message: AbstractIncomingMessage) -> None:
        """Keep what arrives until it is asked for."""
        self._arrived.put_nowait(self._kind.model_validate_json(message.body))

    async def next(self) -> Told:
        """Give the next event; raises TimeoutError where none comes."""
        async with asyncio.timeout(10):
            return await self._arrived.get()


async def told_of(subscriber: Subscriber[FamiliesRecorded], family_id: UUID) -> FamilyRecord:
    """Give what is told next of one family."""
    while True:
        told = await subscriber.next()
        for family in told.families:
            if family.id == family_id:
                return family


@asynccontextmanager
async def subscribed[Told: Event](
    broker_url: str, kind: type[Told]
) -> AsyncIterator[Subscriber[Told]]:
    """Listen to one kind of event, on a queue of its own."""
    subscriber = Subscriber(kind)
    async with await aio_pika.connect(broker_url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(EVENTS_EXCHANGE, kind.type)
        await queue.consume(subscriber.receive, no_ack=True)
        yield subscriber
