"""Processor time of processes, user and system together, as the kernel counts it."""

import os
from collections.abc import Callable
from pathlib import Path

from stack.process import Process

type Clock = Callable[[], float]
"""Gives the seconds of processor time used so far."""

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PARENT, _USER, _CHILDREN_END = 1, 11, 15
"""Where /proc/<pid>/stat, past the command's name, has the parent and the four times: user and
system of the process, then of the children that it has waited for.
"""


def clock(pid: int) -> Clock:
    """Count one process, all its threads included."""
    return lambda: _seconds(_statistics(pid)[_USER : _USER + 2])


def tree_clock(pid: int) -> Clock:
    """Count a process with its descendants, those that have ended included."""
    return lambda: sum(
        _seconds(_statistics(member)[_USER:_CHILDREN_END]) for member in _family(pid)
    )


def process_id(process: Process) -> int:
    """Give the identifier of a process that runs; raises LookupError where it does not."""
    if process.pid is None:
        raise LookupError(f"{process.name} does not run")
    return process.pid


def _seconds(ticks: list[str]) -> float:
    return sum(map(int, ticks)) / _TICKS_A_SECOND


def _statistics(pid: int) -> list[str]:
    """Read a process's counters; an ended one has none."""
    try:
        content = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ["0"] * _CHILDREN_END
    return content.rpartition(")")[2].split()


def _family(pid: int) -> set[int]:
    parents = {
        int(entry.name): int(_statistics(int(entry.name))[_PARENT])
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal()
    }
    family, found = {pid}, {pid}
    while found:
        found = {child for child, parent in parents.items() if parent in found} - family
        family |= found
    return family
