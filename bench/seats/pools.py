"""How many connections suit a contender best: it is given the number that it is fastest with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.findings import table
from bench.seats.contender import Contender, Pooled
from bench.seats.trials import Trials

POOLS = (4, 10, 32, 128)
"""10 is what the service has; 128 gives each of 128 clients its own, like a worker a request."""

_CLIENTS = 128


@dataclass(frozen=True, slots=True)
class Tried:
    """A contender with the number of connections that suits it best, and its rates by number."""

    contender: Contender
    connections: int
    rates: Mapping[int, float]


async def at_its_best(trials: Trials, pooled: Pooled, seconds: float) -> Tried:
    """Try a contender with several numbers of connections."""
    rates = {
        connections: (await trials.run(pooled(connections), _CLIENTS, seconds=seconds)).per_second
        for connections in POOLS
    }
    best = max(rates, key=rates.__getitem__)
    return Tried(pooled(best), best, rates)


def describe(tried: Sequence[Tried]) -> str:
    """Lay out what was tried."""
    return table(
        f"connections that suit each best: per second, {_CLIENTS} clients",
        ["", *map(str, POOLS), "best"],
        [(each.contender.name, *each.rates.values(), each.connections) for each in tried],
    )
