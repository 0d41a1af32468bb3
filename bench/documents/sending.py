"""A family's whole path against bare PUTs to the same store, by the same client library.

The bare side signs a URL and puts the file. The whole path asks documents for a ticket as the
gateway does, posts the file to the store with it, and has it registered, which is answered. In
between, a POST with a ticket signed here tells what the form alone costs. Nothing is verified
meanwhile: the replica that answers leaves it to another, which is suspended but for the side that
is measured with verification beside. After each round the rows and the store must agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from shared.identifiers import new_id

from bench.documents.campaign import Campaign
from bench.documents.crowd import Give, crowd
from bench.documents.files import scanned_pdf
from bench.documents.pace import Pace
from bench.documents.replicas import Replica
from bench.documents.ways import Ways
from bench.findings import Findings, table
from bench.processor import Clock
from bench.rounds import Round, processor_of, ratio, side_by_side, typical
from documents.store import INCOMING

_CROWDS = (1, 8, 32)
_PUT, _POST, _WHOLE, _BESIDE = "bare PUT", "bare POST", "whole path", "verifying beside"


@dataclass(slots=True)
class Sendings:
    """Rounds of the same files; ``wrong`` keeps what the books did not bear out."""

    ways: Ways
    campaign: Campaign
    verifying: Replica
    clocks: Mapping[str, Clock]
    files: Sequence[bytes]
    wrong: list[str] = field(default_factory=list)

    async def put(self, at_once: int) -> Round:
        """Put the files."""
        return await self._bare(self.ways.put, "", at_once)

    async def post(self, at_once: int) -> Round:
        """Post the files, and no more."""
        return await self._bare(self.ways.post, INCOMING, at_once)

    async def whole(self, at_once: int) -> Round:
        """Deposit the files while nothing is verified."""
        wishes = self.campaign.wishes("avis.pdf", self.files)
        measured = await self._crowd(self.ways.deposit, wishes, at_once)
        self.wrong += await self.campaign.wrong(wishes, "analysing")
        await self.campaign.empty()
        return measured

    async def beside(self, at_once: int) -> Round:
        """Deposit the files while they are verified."""
        wishes = self.campaign.wishes("avis.pdf", self.files)
        self.verifying.process.thaw()
        measured = await self._crowd(self.ways.deposit, wishes, at_once)
        await self.campaign.drained()
        self.verifying.process.freeze()
        self.wrong += await self.campaign.wrong(wishes, "deposited")
        await self.campaign.empty()
        return measured

    async def _bare(self, give: Give[str], folder: str, at_once: int) -> Round:
        names = [f"bare/{new_id()}" for _ in self.files]
        measured = await self._crowd(give, names, at_once)
        sizes = {folder + name: len(one) for name, one in zip(names, self.files, strict=True)}
        self.wrong += await self.campaign.missing(sizes)
        await self.campaign.empty()
        return measured

    async def _crowd[Item](self, give: Give[Item], items: Sequence[Item], at_once: int) -> Round:
        return await crowd(give, items, self.files, at_once=at_once, clocks=self.clocks)


async def bench_sending(
    ways: Ways, campaign: Campaign, verifying: Replica, clocks: Mapping[str, Clock], pace: Pace
) -> Findings:
    """Measure with each crowd; ``verifying`` is suspended when this begins and when it ends."""
    files = [scanned_pdf(str(number)) for number in range(pace.uploads)]
    sendings = Sendings(ways, campaign, verifying, clocks, files)
    findings = Findings()
    for at_once in _CROWDS:
        sides = {
            _PUT: partial(sendings.put, at_once),
            _POST: partial(sendings.post, at_once),
            _WHOLE: partial(sendings.whole, at_once),
            _BESIDE: partial(sendings.beside, at_once),
        }
        results = await side_by_side(sides, pace.rounds)
        print(_report(results, at_once, pace), flush=True)
        findings |= Findings(ratios=_ratios(results, at_once))
    for each in sendings.wrong:
        print(f"  WRONG: {each}")
    return findings | Findings(checks={"every_upload_is_there_once": not sendings.wrong})


def _ratios(results: Mapping[str, Sequence[Round]], at_once: int) -> dict[str, float]:
    """Name the ratios of the largest crowd without a number: it is what an opening day brings."""
    suffix = "" if at_once == max(_CROWDS) else f"_{at_once}_at_once"
    bare, whole = results[_PUT], results[_WHOLE]
    per_second = {
        f"{name}_vs_bare_put{suffix}": ratio(results[side], bare, lambda each: each.per_second)
        for name, side in (
            ("upload", _WHOLE),
            ("post", _POST),
            ("upload_while_verifying", _BESIDE),
        )
    }
    processor = ratio(whole, bare, lambda each: each.total_processor_ms)
    return {**per_second, f"upload_processor_vs_bare_put{suffix}": processor}


def _report(results: Mapping[str, Sequence[Round]], at_once: int, pace: Pace) -> str:
    processes = list(results[_PUT][0].processor_ms)
    readings = (
        lambda each: each.per_second,
        lambda each: each.p50_ms,
        lambda each: each.p99_ms,
        *(processor_of(process) for process in processes),
    )
    return table(
        f"sending {pace.uploads} files of 1.9 Mo, {at_once} at once, {pace.rounds} rounds",
        ["", "uploads/s", "p50 ms", "p99 ms", *(f"{name} CPU ms" for name in processes)],
        [
            (name, *(typical(rounds, reading) for reading in readings))
            for name, rounds in results.items()
        ],
    )
