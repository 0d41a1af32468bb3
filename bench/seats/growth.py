"""20 courses, then 2,000 with 100,000 students: what a claim costs where there is more of all."""

from stack.running import Stack

from bench.findings import Findings
from bench.rounds import Round, Side, ratio, side_by_side
from bench.seats.ours import OURS
from bench.seats.pace import Pace
from bench.seats.reports import side_report
from bench.seats.school import School
from bench.seats.trials import Trials, clocks_of

_CLIENTS = 128
_FEW, _MANY = "20 courses", "2,000 courses"
_SIZES = {_FEW: (20, 40_000), _MANY: (2_000, 100_000)}


async def bench_growth(stack: Stack, pace: Pace) -> Findings:
    """Measure ours in a small school and in a territory, with a seat for everybody in both."""
    sides: dict[str, Side] = {}
    trials: list[Trials] = []
    for name, (courses, students) in _SIZES.items():
        school = await School.found(
            stack,
            f"bench_growth_{courses}",
            courses=courses,
            capacity=students // courses,
            students=students,
            families=students,
        )
        trials.append(Trials(school, clocks_of(stack), pace.seconds))
        sides[name] = trials[-1].side(OURS, _CLIENTS)
    results = await side_by_side(sides, pace.rounds)
    print(side_report(f"ours, {_CLIENTS} clients, a seat for everybody", results))
    return Findings(
        ratios={"growth_2000_vs_20": ratio(results[_MANY], results[_FEW], _seconds_a_claim)},
        checks={"growth_books": all(each.are_right for each in trials)},
    )


def _seconds_a_claim(each: Round) -> float:
    return 1 / each.per_second
