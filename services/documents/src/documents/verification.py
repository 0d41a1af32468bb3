"""Every file that was sent is scanned and opened before anyone can read it, and settled once.

The rows that are ``analysing`` are a queue that any number of replicas share. A claim takes a few
of them for :data:`LEASE` and is counted: a replica that dies gives its files back by doing
nothing, a file that brings its process down each time is refused in the end, and only the last
claim settles. No connection is held while a file is worked on.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from prometheus_client import Counter
from shared.db import Database
from shared.observability import get_logger
from sqlalchemy import func, select, update

from documents.changes import declare_unfit, deposit
from documents.erasure import erase_closed
from documents.findings import Finding
from documents.inspectors import InspectionCrashed, Inspectors, InspectorsUnavailable
from documents.records import UPLOAD, lock_upload
from documents.scanner import ScanFailed, Scanner, ScannerUnavailable
from documents.store import ObjectStore, StoreUnavailable, or_later
from documents.tables import document
from documents.uploads import ENDED, Upload

log = get_logger()

VERIFICATIONS = Counter(
    "rentree_verifications_total",
    "Files taken up to be verified, by outcome: deposited or unfit; failed (tried again); waiting"
    " (for the store, the antivirus or a process to open them in); ended, erased or"
    " superseded (settled by another) meanwhile",
    ["outcome"],
)

LEASE = timedelta(seconds=30)
FAILURES_ALLOWED = 3

_WITHIN_SECONDS = 28
"""Less than the lease: no two replicas work on a file at once."""
_AGAIN_AFTER = timedelta(seconds=3)
_LOOK_AGAIN_SECONDS = 0.5

_INFECTED = (
    "L'antivirus a reconnu un programme malveillant dans ce fichier : il a été détruit. "
    "Vérifiez votre appareil, puis déposez un autre fichier, par exemple une photo du papier."
)
_SUSPECT = (
    "L'antivirus juge ce fichier suspect : par sécurité, il n'est pas accepté. "
    "Numérisez ou photographiez de nouveau le papier, puis déposez ce nouveau fichier."
)
_GUESSED = "Heuristics."
"""What clamd calls a file that it knows nothing of, but that looks odd or is too deep to scan."""
_NOT_ANALYSED = (
    "Ce fichier n'a pas pu être analysé. "
    "Numérisez ou photographiez de nouveau le papier, puis déposez ce nouveau fichier."
)


_AWAY = (StoreUnavailable, ScannerUnavailable, InspectorsUnavailable, TimeoutError)
"""What says nothing of the file that was being verified."""


class NotThere(Exception):
    """The store does not have a file that it had received."""


async def verify_uploads(
    database: Database, store: ObjectStore, scanner: Scanner, inspectors: Inspectors
) -> None:
    """Verify the files that wait for it, a few at a time, until none does or a server is away."""
    verification = Verification(database, store, scanner, inspectors)
    working: set[asyncio.Task[bool]] = set()
    are_servers_there = True
    try:
        while True:
            if are_servers_there:
                claimed = await verification.claim(inspectors.at_once - len(working))
                working |= {asyncio.create_task(verification.verify(one)) for one in claimed}
            if not working:
                return
            ended, working = await asyncio.wait(
                working, timeout=_LOOK_AGAIN_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            are_servers_there &= False not in {task.result() for task in ended}
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)


class Verification:
    """How one replica takes files through their verification."""

    def __init__(
        self, database: Database, store: ObjectStore, scanner: Scanner, inspectors: Inspectors
    ) -> None:
        self._database = database
        self._store = store
        self._scanner = scanner
        self._inspectors = inspectors

    async def claim(self, at_most: int) -> Sequence[Upload]:
        """Take files that nobody works on, those that have waited longest first."""
        if at_most <= 0:
            return ()
        due = (
            select(document.c.id)
            .where(document.c.state == "analysing", document.c.verify_after <= func.now())
            .order_by(document.c.verify_after)
            .limit(at_most)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        async with self._database.transaction() as tx:
            claimed = await tx.execute(
                update(document)
                .where(document.c.id == due.c.id)
                .values(attempts=document.c.attempts + 1, verify_after=func.now() + LEASE)
                .returning(*UPLOAD)
            )
            return [Upload(**row) for row in claimed.mappings()]

    async def verify(self, claimed: Upload) -> bool:
        """Take a claimed file to its end, or give it back; false where a server is away."""
        try:
            async with asyncio.timeout(_WITHIN_SECONDS):
                finding = await self._examine(claimed)
                if finding.content is not None:
                    await self._store.keep(claimed.key, finding.content, claimed.content_type)
        except (InspectionCrashed, ScanFailed, NotThere) as error:
            await self._give_back(claimed, "failed", error, attempts=claimed.attempts)
            return True
        except _AWAY as error:
            await self._give_back(claimed, "waiting", error, attempts=claimed.attempts - 1)
            return False
        except asyncio.CancelledError as error:  # the service ends: another replica takes it up
            await self._give_back(claimed, "waiting", error, attempts=claimed.attempts - 1)
            raise
        outcome = await self._settle(claimed, finding)
        VERIFICATIONS.labels(outcome).inc()
        with or_later("what a verification leaves behind"):
            await self._clear_away(claimed, outcome)
        return True

    async def _examine(self, claimed: Upload) -> Finding:
        if claimed.attempts > FAILURES_ALLOWED:
            return Finding(objection=_NOT_ANALYSED)
        content = await self._store.fetch(claimed.key)
        if content is None:
            raise NotThere(claimed.key)
        threat = await self._scanner.scan(content)
        if threat is not None:
            log.warning("threat found", document=str(claimed.id), threat=threat)
            if not threat.startswith(_GUESSED):
                return Finding(objection=_INFECTED)
        finding = await self._inspectors.inspect(content, claimed.content_type)
        # the inspection says better than a guess what is wrong with a file
        return finding if threat is None or finding.objection else Finding(objection=_SUSPECT)

    async def _give_back(
        self, claimed: Upload, outcome: str, why: BaseException, *, attempts: int
    ) -> None:
        """Have a file wait again, unless another claim has taken it meanwhile."""
        VERIFICATIONS.labels(outcome).inc()
        log.warning("verification put off", document=str(claimed.id), error=repr(why))
        async with self._database.transaction() as tx:
            await tx.execute(
                update(document)
                .where(
                    document.c.id == claimed.id,
                    document.c.state == "analysing",
                    document.c.attempts == claimed.attempts,
                )
                .values(attempts=attempts, verify_after=func.now() + _AGAIN_AFTER)
            )

    async def _settle(self, claimed: Upload, finding: Finding) -> str:
        """Write down what became of a file, if that is still this claim's to say."""
        now = datetime.now(UTC)
        async with self._database.transaction() as tx:
            present = await lock_upload(tx, claimed.id)
            if present is None:
                return "erased"
            if present.state in ENDED:
                # it ended while it was being verified: what was kept of it since has to go too
                await tx.execute(
                    update(document).where(document.c.id == claimed.id).values(erased_at=None)
                )
                return "ended"
            if (present.state, present.attempts) != ("analysing", claimed.attempts):
                return "superseded"
            if finding.content is None:
                await declare_unfit(tx, present, finding.objection or _NOT_ANALYSED, now)
                return "unfit"
            await deposit(tx, present, len(finding.content), now)
            return "deposited"

    async def _clear_away(self, claimed: Upload, outcome: str) -> None:
        """Have what is no more to be read leave the store: the sweeps do what this cannot."""
        if outcome in {"erased", "ended"}:
            # itself: who erases what ended may have been there before the file was kept
            await self._store.erase([claimed.key])
        if outcome == "deposited":
            await self._store.forget_incoming([claimed.key])
        if outcome != "superseded":
            await erase_closed(
                self._database,
                self._store,
                document.c.id == claimed.id
                if claimed.family_id is None
                else document.c.family_id == claimed.family_id,
            )
