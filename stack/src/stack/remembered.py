"""Ports and passwords: chosen at first mention, then kept in the run folder."""

import json
import random
import secrets
import socket
from collections.abc import Callable, Collection
from pathlib import Path

from stack.errors import StackError

# Below the range that Linux hands out to outgoing connections, so that none of them takes a port
# between two starts.
FIRST_PORT, LAST_PORT = 20_000, 32_000
ATTEMPTS = 200


class Remembered[T: (int, str)]:
    """Named values that survive a restart as long as they are still good."""

    def __init__(
        self,
        file: Path,
        choose: Callable[[Collection[T]], T],
        still_good: Callable[[T], bool],
    ) -> None:
        self._file = file
        self._choose: Callable[[Collection[T]], T] = choose
        self._still_good: Callable[[T], bool] = still_good
        self._kept: dict[str, T] = json.loads(file.read_text()) if file.exists() else {}
        self._confirmed: set[str] = set()

    def __getitem__(self, name: str) -> T:
        if name in self._confirmed:
            return self._kept[name]
        if name not in self._kept or not self._still_good(self._kept[name]):
            self._kept[name] = self._choose(self._kept.values())
            self._save()
        self._confirmed.add(name)
        return self._kept[name]

    def _save(self) -> None:
        # Readable by its owner alone from its first byte, and never half written.
        draft = self._file.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(self._kept, indent=2) + "\n")
        draft.replace(self._file)


def ports(file: Path) -> Remembered[int]:
    """Ports of 127.0.0.1, chosen again only when something else listens there."""
    return Remembered(file, free_port, is_free)


def passwords(file: Path) -> Remembered[str]:
    """Passwords, made once."""
    return Remembered(file, lambda _: secrets.token_hex(24), lambda _: True)


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(taken: Collection[int]) -> int:
    """Choose at random, so that two stacks starting together rarely choose alike."""
    for _ in range(ATTEMPTS):
        port = random.randint(FIRST_PORT, LAST_PORT)  # noqa: S311 - no secret in a port
        if port not in taken and is_free(port):
            return port
    raise StackError(f"No free port between {FIRST_PORT} and {LAST_PORT} after {ATTEMPTS} trials.")
