"""What a file costs to verify: processor time of documents, its workers and clamd, by kind.

The files are deposited while the replica that verifies is suspended; then it goes on, alone, until
none is left. Reading them from the store and writing what is kept back is part of its work, but
what the store spends on it is told apart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.documents.campaign import Campaign
from bench.documents.crowd import crowd
from bench.documents.files import photo_jpeg, scanned_pdf, scanned_png
from bench.documents.pace import Pace
from bench.documents.replicas import Replica
from bench.documents.ways import Ways
from bench.findings import Findings, table
from bench.processor import Clock
from bench.rounds import Round, Stopwatch

_KINDS: Mapping[str, tuple[str, Callable[[str], bytes]]] = {
    "PDF": ("avis.pdf", scanned_pdf),
    "JPEG, 12 Mpx": ("avis.jpg", photo_jpeg),
    "PNG, 4 Mpx": ("avis.png", scanned_png),
}
_WARMING_UP, _SENT_AT_ONCE = 4, 8
_OF_VERIFICATION = ("verifying", "clamd")


@dataclass(frozen=True, slots=True)
class Verified:
    """Files of one kind that were verified, and what it took."""

    kind: str
    megabytes: float
    taken: Round

    @property
    def processor_seconds(self) -> float:
        """Processor time a file, of what verifies."""
        return sum(self.taken.processor_ms[name] for name in _OF_VERIFICATION) / 1000

    @property
    def per_core(self) -> float:
        """Megabytes of one second on one core."""
        return self.megabytes / self.processor_seconds


async def bench_verifying(
    ways: Ways, campaign: Campaign, verifying: Replica, clocks: Mapping[str, Clock], pace: Pace
) -> Findings:
    """Measure each kind; ``verifying`` is suspended when this begins and when it ends."""
    wrong: list[str] = []

    async def verify(kind: str, count: int) -> Verified:
        filename, make = _KINDS[kind]
        files = [make(str(number)) for number in range(count)]
        wishes = campaign.wishes(filename, files)
        await crowd(ways.deposit, wishes, files, at_once=_SENT_AT_ONCE, clocks={})
        stopwatch = Stopwatch(clocks)
        verifying.process.thaw()
        await campaign.verified()
        taken = stopwatch.stop(count)
        await campaign.drained()
        verifying.process.freeze()
        wrong.extend(await campaign.wrong(wishes, "deposited"))
        await campaign.empty()
        return Verified(kind, sum(map(len, files)) / count / 1e6, taken)

    for kind in _KINDS:
        await verify(kind, _WARMING_UP)
    results = [await verify(kind, pace.verified) for kind in _KINDS]
    print(_report(results, pace))
    for each in wrong:
        print(f"  WRONG: {each}")
    return Findings(
        ratios={
            f"verified_mb_per_core_second_{each.kind.split(',')[0].lower()}": each.per_core
            for each in results
        },
        checks={"every_file_is_verified_once": not wrong},
    )


def _report(results: Sequence[Verified], pace: Pace) -> str:
    processes = list(results[0].taken.processor_ms)
    return table(
        f"verifying {pace.verified} files of each kind, two at once",
        ["", "MB a file", "files/s", "MB/s per core", *(f"{name} CPU ms" for name in processes)],
        [
            (
                each.kind,
                each.megabytes,
                each.taken.per_second,
                each.per_core,
                *(each.taken.processor_ms[name] for name in processes),
            )
            for each in results
        ],
    )
