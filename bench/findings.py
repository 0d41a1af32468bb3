"""What a benchmark found: ratios that hold on any machine, and checks that must hold on all."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Findings:
    """Ratios between what was measured side by side, and whether what was done is right."""

    ratios: Mapping[str, float] = field(default_factory=dict)
    checks: Mapping[str, bool] = field(default_factory=dict)

    def __or__(self, other: "Findings") -> "Findings":
        return Findings({**self.ratios, **other.ratios}, {**self.checks, **other.checks})

    @property
    def are_right(self) -> bool:
        """Whether every check on correctness holds."""
        return all(self.checks.values())

    def line(self, bench: str) -> str:
        """Give the one line of JSON that ends a benchmark."""
        ratios = {name: round(ratio, 3) for name, ratio in self.ratios.items()}
        return json.dumps({"bench": bench, "ratios": ratios, "checks": dict(self.checks)})


def table(title: str, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lay out figures for a terminal: words to the left, numbers to the right."""
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(headers, *cells, strict=True)]
    lines = [_aligned(row, widths) for row in [headers, ["-" * width for width in widths], *cells]]
    return "\n".join([f"\n{title}", *lines])


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(row, widths, strict=True)
    words = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]
    return "  " + "  ".join(words).rstrip()


def _cell(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
