"""The processes that open families' files: apart, bounded, and ended by a file that breaks one."""

import asyncio
import multiprocessing
import resource

from pebble import ProcessPool
from shared.contracts.files import ContentType
from shared.observability import get_logger

from documents.findings import Finding
from documents.inspection import inspect

log = get_logger()

_WITHIN_SECONDS = 15
_GRACE_SECONDS = 2
_FILES_PER_PROCESS = 100
_MEMORY_BYTES = 1024**3


_HARMLESS = b"%PDF-"


class InspectionCrashed(Exception):
    """A file ended the process that was opening it, or took too long, though others do not."""


class InspectorsUnavailable(Exception):
    """No file can be opened now, whatever is in it: files have to wait."""


class Inspectors:
    """A few worker processes, of which each opens one file at a time, started at the first file.

    They are forked from a small process that has read the inspection's code once; they end with
    this one, whatever ends it: those at rest at once, the others after their file.
    """

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self._pool: ProcessPool | None = None
        self._starting = asyncio.Lock()

    async def inspect(self, content: bytes, announced: ContentType) -> Finding:
        """Open a file in a process apart.

        Raises InspectorsUnavailable or, where the file alone is at fault, InspectionCrashed.
        """
        try:
            return await self._open(content, announced)
        except InspectionCrashed:
            try:
                await self._open(_HARMLESS, "application/pdf")
            except InspectionCrashed as error:
                raise InspectorsUnavailable(repr(error)) from error
            raise

    async def _open(self, content: bytes, announced: ContentType) -> Finding:
        try:
            async with self._starting:
                pool = await asyncio.to_thread(self._running)
        except OSError as error:
            raise InspectorsUnavailable(repr(error)) from error
        try:
            future = pool.schedule(_inspect_within, (content, announced), timeout=_WITHIN_SECONDS)
            # a pool that breaks at this very moment might forget a file
            return await asyncio.wait_for(
                asyncio.wrap_future(future), _WITHIN_SECONDS + _GRACE_SECONDS
            )
        except Exception as error:  # of whatever kind: it is this file's alone
            log.warning("a file could not be inspected", error=repr(error))
            raise InspectionCrashed(repr(error)) from error

    def close(self) -> None:
        """End the processes, whatever they are doing."""
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]
            self._pool.join()
            self._pool = None

    def _running(self) -> ProcessPool:
        """Give the pool; one that broke, as its processes were ended while idle, is replaced."""
        if self._pool is not None and self._pool.active:
            return self._pool
        self.close()
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([inspect.__module__])
        self._pool = ProcessPool(
            max_workers=self.at_once,
            max_tasks=_FILES_PER_PROCESS,
            initializer=_bound_memory,
            context=context,
        )
        if not self._pool.active:  # asked, it starts
            raise InspectorsUnavailable("no process to open files in")
        return self._pool


def _bound_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold somebody's papers


def _inspect_within(content: bytes, announced: ContentType) -> Finding:
    """Inspect a file in a worker, which the system ends if it computes for too long: its parent
    may no longer be there to do it.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(usage.ru_utime + usage.ru_stime) + _WITHIN_SECONDS + 1
    _, ceiling = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, ceiling))
    return inspect(content, announced)
