"""A campaign that asks every family for one piece, in the database of documents, and its books."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any
from uuid import UUID

import asyncpg
from shared.callers import Caller, TokenSigner
from shared.contracts.documents import OpenUpload
from shared.identifiers import new_id
from stack.running import Stack

from documents.store import INCOMING, ObjectStore
from documents.uploads import UploadState

FAMILIES = 2_000

_TOKEN_LIFE = timedelta(minutes=30)
_TYPE = "impots1"
_WITHIN_SECONDS = 300
_LOOK_EVERY_SECONDS = 0.05

_FILLED = (
    """
    INSERT INTO campaign (id, site_id, school_year, prepares_at, opens_at, documents_due_at)
    VALUES (
        md5('campaign')::uuid, md5('site')::uuid, '2027-2028',
        now() - interval '2 days', now() - interval '1 day', now() + interval '1 day')""",
    f"""
    INSERT INTO family (id, site_id, revision)
    SELECT md5('family-' || n)::uuid, md5('site')::uuid, 1 FROM generate_series(1, {FAMILIES}) n""",
    f"""
    INSERT INTO student (family_id, id, birth_on)
    SELECT md5('family-' || n)::uuid, md5('student-' || n)::uuid, '2015-02-01'
    FROM generate_series(1, {FAMILIES}) n""",
    f"""
    INSERT INTO document_type (
        id, campaign_id, code, position, owner, name, requirement, condition, help)
    VALUES (
        md5('type')::uuid, md5('campaign')::uuid, '{_TYPE}', 1, 'family', 'Avis d''imposition',
        'required', '', '')""",
    "VACUUM (ANALYZE)",
)
_STATES = "SELECT id, state FROM document"
_DEPOSITED = "SELECT document_id FROM document_step WHERE state = 'deposited'"
_ANALYSING = "SELECT count(*) FROM document WHERE state = 'analysing'"
_UNTOLD = "SELECT count(*) FROM outbox"
_EMPTIED = "TRUNCATE document, document_step, document_reading, outbox"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a family will ask for, with its token."""

    command: OpenUpload
    token: str
    key: str
    """Where its file is kept once it was verified."""

    @property
    def document_id(self) -> UUID:
        """The document's identifier."""
        return self.command.document_id

    @property
    def kept_bytes(self) -> int | None:
        """What will be kept of it weighs: a PDF as it is, an image as it is written again."""
        return self.command.size if self.command.filename.endswith(".pdf") else None


@dataclass(frozen=True, slots=True)
class Campaign:
    """The rows of documents and its bucket, of which nothing is left between two rounds."""

    database_url: str
    store: ObjectStore
    signer: TokenSigner

    @classmethod
    async def open(cls, stack: Stack, store: ObjectStore) -> "Campaign":
        """Fill the database, which a replica has migrated."""
        campaign = cls(
            stack.postgresql.url("documents"), store, TokenSigner.from_file(stack.keys.private)
        )
        await campaign._execute(*_FILLED)
        return campaign

    def wishes(self, filename: str, files: Sequence[bytes]) -> list[Wish]:
        """Have as many families wish to deposit one file each."""
        return [self._wish(number, filename, len(one)) for number, one in enumerate(files, 1)]

    async def wrong(self, wishes: Sequence[Wish], state: UploadState) -> list[str]:
        """Tell what is not as these wishes were answered: documents in another state, or lost, or
        deposited twice, and files that are not in the store.
        """
        found = dict(await self._fetch(_STATES))
        deposited = Counter(id_ for (id_,) in await self._fetch(_DEPOSITED))
        sent = state == "analysing"
        missing = await self.missing(
            {INCOMING + wish.key if sent else wish.key: wish.kept_bytes for wish in wishes}
        )
        return [
            *(
                f"{wish.document_id} is {found.get(wish.document_id, 'lost')}, not {state}"
                for wish in wishes
                if found.get(wish.document_id) != state
            ),
            *(
                f"{id_} was deposited {times} times"
                for id_, times in deposited.items()
                if times > 1
            ),
            *missing,
        ]

    async def missing(self, sizes: Mapping[str, int | None]) -> list[str]:
        """Tell which objects are not in the store with this size, where one is known."""
        found = {one.name: one.size for one in await self.store.listed()}
        return [
            f"{name} weighs {found.get(name, 'nothing')}, not {size}"
            for name, size in sizes.items()
            if name not in found or (size is not None and found[name] != size)
        ]

    async def verified(self) -> None:
        """Wait until nothing waits to be verified."""
        await self._comes_to_none(_ANALYSING)

    async def drained(self) -> None:
        """Wait until nothing waits to be verified nor to be told."""
        await self._comes_to_none(_ANALYSING)
        await self._comes_to_none(_UNTOLD)

    async def empty(self) -> None:
        """Take every document away, rows and objects."""
        await self._execute(_EMPTIED)
        while found := await self.store.listed():
            await self.store.remove([one.name for one in found])

    def _wish(self, number: int, filename: str, size: int) -> Wish:
        family_id, document_id = _hashed(f"family-{number}"), new_id()
        caller = Caller(
            account_id=new_id(),
            session_id=new_id(),
            role="family",
            name="Madame TEST Nicole",
            site_id=_hashed("site"),
            family_id=family_id,
        )
        campaign_id = _hashed("campaign")
        command = OpenUpload(
            document_id=document_id,
            campaign_id=campaign_id,
            type_code=_TYPE,
            filename=filename,
            size=size,
        )
        return Wish(
            command,
            self.signer.sign(caller, datetime.now(UTC), _TOKEN_LIFE),
            f"{campaign_id}/{family_id}/{document_id}",
        )

    async def _comes_to_none(self, count: str) -> None:
        connection = await asyncpg.connect(self.database_url)
        try:
            async with asyncio.timeout(_WITHIN_SECONDS):
                while await connection.fetchval(count):
                    await asyncio.sleep(_LOOK_EVERY_SECONDS)
        finally:
            await connection.close()

    async def _execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.database_url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def _fetch(self, statement: str) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(self.database_url)
        try:
            rows = await connection.fetch(statement)
        finally:
            await connection.close()
        return [tuple(row) for row in rows]


def _hashed(name: str) -> UUID:
    """Give the identifier that PostgreSQL makes of the same name."""
    return UUID(md5(name.encode()).hexdigest())
