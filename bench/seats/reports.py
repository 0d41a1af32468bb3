"""The figures of a scenario, laid out."""

from collections.abc import Mapping, Sequence

from bench.findings import table
from bench.rounds import Round, processor_of, typical

type Results = Mapping[str, Sequence[Round]]
"""The rounds of each contender, by its name."""


def per_second(each: Round) -> float:
    """Read what passes per second."""
    return each.per_second


def side_report(title: str, results: Results) -> str:
    """Lay out what was measured side by side."""
    processes = list({name: None for rounds in results.values() for name in rounds[0].processor_ms})
    readings = (
        per_second,
        lambda each: each.p50_ms,
        lambda each: each.p99_ms,
        *(processor_of(process) for process in processes),
    )
    return table(
        title,
        ["", "per second", "p50 ms", "p99 ms", *(f"{process} CPU ms" for process in processes)],
        [
            (name, *(typical(rounds, reading) for reading in readings))
            for name, rounds in results.items()
        ],
    )


def by_clients(title: str, results: Mapping[int, Results]) -> str:
    """Lay out what passes per second by number of clients."""
    numbers = sorted(results)
    names = max(results.values(), key=len)
    return table(
        title,
        ["", *map(str, numbers)],
        [
            (name, *(typical(results[number][name], per_second) for number in numbers))
            for name in names
        ],
    )
