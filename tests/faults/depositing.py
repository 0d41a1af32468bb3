"""Families that deposit their documents as browsers do, each step again until it is answered."""

import asyncio
import io
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg
from documents.store import INCOMING
from shared.contract import Contract
from shared.contracts.documents import ImportPieces, OpenUpload
from shared.contracts.files import Document, DocumentLink, UploadTicket
from shared.identifiers import new_id
from stack.process import Process

from bench.documents.files import scanned_pdf
from bench.documents.replicas import store_of
from tests.exports import lines
from tests.system import Household, School

SIZE = len(scanned_pdf(""))
"""What every file weighs, in bytes: 1.9 Mo."""

_SOCKETS = 64
_PAUSE_SECONDS = 0.2
_SAMPLE_EVERY_SECONDS = 0.25
_ANSWERED_WITHIN_SECONDS = 240

_STATES = "SELECT state, count(*) FROM document WHERE campaign_id = $1 GROUP BY state"
_STEPS = """
SELECT document_id, array_agg(document_step.state ORDER BY document_step.id) AS states
FROM document_step JOIN document ON document.id = document_id
WHERE campaign_id = $1 GROUP BY document_id
"""
_TAKEN_AGAIN = "SELECT count(*) FROM document WHERE campaign_id = $1 AND attempts > 1"
_LEASES_RAN_OUT = "UPDATE document SET verify_after = now() WHERE campaign_id = $1"
_CLEARED = "DELETE FROM document WHERE campaign_id = $1"


@dataclass(frozen=True, slots=True)
class Outside:
    """The portal's API and the store, as browsers reach them: by a bounded number of sockets."""

    portal_url: str
    client: aiohttp.ClientSession
    sending: asyncio.Semaphore

    @classmethod
    @asynccontextmanager
    async def of(cls, portal_url: str) -> AsyncIterator["Outside"]:
        connector = aiohttp.TCPConnector(limit=_SOCKETS)
        timeout = aiohttp.ClientTimeout(total=_ANSWERED_WITHIN_SECONDS)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as client:
            yield cls(portal_url, client, asyncio.Semaphore(_SOCKETS // 2))

    async def ask[Answer: Contract](
        self,
        answer: type[Answer],
        family: Household,
        method: str,
        path: str,
        body: Contract | None = None,
    ) -> Answer:
        """Use an operation of the API, again and again until it is answered."""
        headers = {"authorization": f"Bearer {family.token}"}
        content = body.model_dump(mode="json") if body else None
        url = f"{self.portal_url}/api/v1{path}"
        async with asyncio.timeout(_ANSWERED_WITHIN_SECONDS):
            while True:
                try:
                    async with self.client.request(
                        method, url, json=content, headers=headers
                    ) as response:
                        if response.status < 500:
                            assert response.status == 200, await response.text()
                            return answer.model_validate_json(await response.read())
                except aiohttp.ClientConnectionError:
                    pass  # cut off with a process: a browser tries again
                await asyncio.sleep(_PAUSE_SECONDS)

    async def send(self, ticket: UploadTicket, content: bytes) -> None:
        """Post a file to the store, again and again until it has it."""
        async with asyncio.timeout(_ANSWERED_WITHIN_SECONDS):
            while True:
                try:
                    status = await self.post(ticket.url, ticket.fields, content)
                    if status < 500:
                        assert status in {200, 204}
                        return
                except aiohttp.ClientConnectionError:
                    pass
                await asyncio.sleep(_PAUSE_SECONDS)

    async def post(self, url: str, fields: Mapping[str, str], content: bytes) -> int:
        """Post a form with a file to the store, once; give the status."""
        form = aiohttp.FormData(fields)
        form.add_field("file", io.BytesIO(content), filename="piece")
        async with self.client.post(url, data=form) as response:
            await response.read()
            return response.status

    async def download(self, family: Household, document_id: UUID) -> bytes:
        """Read a document by a link of its own."""
        path = f"/documents/{document_id}/link"
        link = await self.ask(DocumentLink, family, "GET", path)
        async with self.client.get(link.url) as response:
            assert response.status == 200, link.url
            return await response.read()


@dataclass(slots=True)
class Deposit:
    """One file of a family, from its ticket to its registration."""

    outside: Outside
    school: School
    family: Household
    type_code: str
    document_id: UUID = field(default_factory=new_id)
    is_sent: bool = False

    @property
    def content(self) -> bytes:
        """The file, made anew each time: hundreds would not do in the memory of a test."""
        return scanned_pdf(str(self.document_id))

    async def make(self) -> Document:
        """Do all that the page does."""
        await self.give()
        return await self.register()

    async def give(self) -> None:
        """Send it where the portal says, and tell nobody."""
        await self.send(await self.open())

    async def open(self) -> UploadTicket:
        """Ask where to send it."""
        opening = OpenUpload(
            document_id=self.document_id,
            campaign_id=self.school.campaign_id,
            type_code=self.type_code,
            filename="avis.pdf",
            size=SIZE,
        )
        return await self.outside.ask(UploadTicket, self.family, "POST", "/uploads", opening)

    async def send(self, ticket: UploadTicket) -> None:
        """Send it to the store."""
        async with self.outside.sending:
            await self.outside.send(ticket, self.content)
        self.is_sent = True

    async def register(self) -> Document:
        """Tell that it was sent."""
        path = f"/uploads/{self.document_id}/registration"
        return await self.outside.ask(Document, self.family, "PUT", path)

    async def is_kept(self) -> bool:
        """Whether what its family can read is what it sent."""
        return await self.outside.download(self.family, self.document_id) == self.content


@dataclass(frozen=True, slots=True)
class Shelf:
    """What documents has on record of a school's campaign."""

    school: School

    async def states(self) -> Counter[str]:
        """Count the files by state."""
        return Counter({row["state"]: row["count"] for row in await self._fetch(_STATES)})

    async def steps(self) -> dict[UUID, tuple[str, ...]]:
        """Give what happened to each file, in order."""
        return {row["document_id"]: tuple(row["states"]) for row in await self._fetch(_STEPS)}

    async def taken_again(self) -> int:
        """Count the files whose verification was begun more than once."""
        ((count,),) = await self._fetch(_TAKEN_AGAIN)
        return int(count)

    async def are(self, *states: str) -> bool:
        """Whether there are files in these states, and no other."""
        return await self.states() == Counter(states)

    async def let_the_leases_run_out(self) -> None:
        """Have half a minute pass for the files that replicas had in hand when they ended."""
        await self._fetch(_LEASES_RAN_OUT)

    async def clear(self) -> None:
        """Take every file away, rows and objects: hundreds are heavy for the tests that follow."""
        store = store_of(self.school.system.stack)
        await self._fetch(_CLEARED)
        for folder in ("", INCOMING):
            while found := await store.listed(f"{folder}{self.school.campaign_id}/"):
                await store.remove(one.name for one in found)

    async def _fetch(self, sql: str) -> list[Any]:
        connection = await asyncpg.connect(self.school.system.stack.postgresql.url("documents"))
        try:
            found: list[Any] = await connection.fetch(sql, self.school.campaign_id)
        finally:
            await connection.close()
        return found


@dataclass(slots=True)
class Memory:
    """How much the memory of each process grew at most, in MiB, whichever process it was then."""

    processes: Sequence[Process]
    at_first: dict[str, float]
    at_most: dict[str, float]

    @classmethod
    @asynccontextmanager
    async def watched(cls, processes: Iterable[Process]) -> AsyncIterator["Memory"]:
        watched = list(processes)
        sizes = {each.name: _resident_mib(each) for each in watched}
        memory = cls(watched, sizes, dict(sizes))
        watching = asyncio.create_task(memory._watch())
        try:
            yield memory
        finally:
            watching.cancel()

    def growth(self) -> dict[str, float]:
        """Give the growth of each, from its size at first to the largest that was seen."""
        return {name: most - self.at_first[name] for name, most in self.at_most.items()}

    async def _watch(self) -> None:
        while True:
            for each in self.processes:
                self.at_most[each.name] = max(self.at_most[each.name], _resident_mib(each))
            await asyncio.sleep(_SAMPLE_EVERY_SECONDS)


async def ask_for(school: School, pieces: int) -> tuple[str, ...]:
    """Have the school's campaign ask each family for so many pieces; give their codes."""
    codes = tuple(f"piece-{number}" for number in range(pieces))
    await school.system.ask(
        ImportPieces(
            campaign_id=school.campaign_id,
            lines=lines(
                *(
                    {
                        "code": code,
                        "pour": "famille",
                        "nom": f"Pièce {code}",
                        "exigence": "obligatoire",
                        "condition": "",
                        "aide": "",
                    }
                    for code in codes
                )
            ),
        ),
        school.system.operator,
    )
    return codes


def _resident_mib(process: Process) -> float:
    """Read how much memory a process has in use; none where it does not run."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    sizes = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return sum(map(int, sizes)) / 1024
