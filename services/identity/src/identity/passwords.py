"""Passwords (argon2id) and the names they go with."""

import asyncio
import os
import secrets
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.low_level import Type
from shared.contract import Rejection

from identity.strength import Weakness, weakness

_TURNS_PER_THREAD = 100


def plain_username(typed: str) -> str:
    """Give the form in which names are compared: no stray blanks, no case, one way of writing é.

    A phone that writes ``Nicole.test`` means ``nicole.test``.
    """
    return unicodedata.normalize("NFKC", typed).strip().casefold()


class Passwords:
    """Hashes and checks passwords, a few at a time in threads of their own.

    argon2id with 12 MiB and three passes, one of the settings that OWASP holds equivalent and the
    fastest of them where every core is busy: about 20 ms of one core. As many threads as cores
    bound the memory and the processor that a rush of sign-ins can take.
    """

    def __init__(self) -> None:
        threads = os.cpu_count() or 1
        self._hasher = PasswordHasher(time_cost=3, memory_cost=12_288, parallelism=1, type=Type.ID)
        self._nobodys_hash = self._hasher.hash(secrets.token_urlsafe())
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._turns_left = _TURNS_PER_THREAD * threads

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Queue for a check; refused as ``busy`` at once where the queue is seconds long."""
        if self._turns_left == 0:
            raise Rejection(
                "busy",
                "Beaucoup de familles se connectent. Réessayez dans un instant.",
                status=503,
            )
        self._turns_left -= 1
        try:
            yield
        finally:
            self._turns_left += 1

    async def hash(self, password: str) -> str:
        """Hash a password, salt included."""
        return await self._in_thread(self._hasher.hash, _composed(password))

    async def match(self, password: str, password_hash: str | None) -> bool:
        """Tell whether the password is the hashed one; without a hash it never is.

        Both take the same time, so that nobody learns which names have an account.
        """
        right = await self._in_thread(
            self._verify, password_hash or self._nobodys_hash, _composed(password)
        )
        return right and password_hash is not None

    async def weakness(self, password: str, own_words: Sequence[str]) -> Weakness | None:
        """Say what makes a password easy to guess: up to half a second of one core."""
        return await self._in_thread(weakness, password, own_words)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except VerifyMismatchError:
            return False

    async def _in_thread[*Given, Result](
        self, function: Callable[[*Given], Result], *given: *Given
    ) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, function, *given)


def _composed(password: str) -> str:
    """Keyboards write é in one code point or in two: both are the same password."""
    return unicodedata.normalize("NFC", password)
