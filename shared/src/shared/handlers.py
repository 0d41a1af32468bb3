"""Handlers: one function a message. What it needs is read from its signature.

A handler takes its message first, then, by type, what it needs: ``Caller``, ``Transaction``,
``Database`` (for the rare one that must commit before it refuses, or work outside a transaction),
``Occurrence`` (reactions), or a resource of its service.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_type_hints
from uuid import UUID

from shared.contract import Contract
from shared.db import Database, Transaction

type Handler = Callable[..., Awaitable[Any]]
type Resources = Mapping[object, object]
"""What a service's handlers may ask for, by type."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """When and under which identifiers an event happened (its CloudEvents attributes)."""

    id: UUID
    happened_at: datetime
    correlation_id: str
    type: str = ""
    source: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Signature[Message: Contract]:
    """A handler, the message it takes and the parameters it wants beside it."""

    function: Handler
    message: type[Message]
    wants: Mapping[str, object]

    @classmethod
    def read(cls, function: Handler, kind: type[Message]) -> "Signature[Message]":
        """Read a handler's signature; raises TypeError where its first parameter is no ``kind``."""
        hints = get_type_hints(function)
        hints.pop("return", None)
        first, *others = hints
        message = hints[first]
        if not (isinstance(message, type) and issubclass(message, kind)):
            problem = f"{function.__qualname__} must take a {kind.__name__} first"
            raise TypeError(problem)
        return cls(function, message, {name: hints[name] for name in others})

    @property
    def name(self) -> str:
        """The handler function's name."""
        return str(getattr(self.function, "__name__", self.function))

    def check(self, available: set[object]) -> None:
        """Raise TypeError where the handler wants something that nobody gives."""
        for name, wanted in self.wants.items():
            if wanted not in available:
                problem = f"{self.name} wants {name}: {wanted}, which its service does not give"
                raise TypeError(problem)

    async def call(
        self, message: Message, database: Database, given: Mapping[object, object]
    ) -> object:
        """Call the handler in one transaction of its own, unless it asked for none."""
        if Transaction not in self.wants.values():
            return await self.function(message, **chosen(self.wants, given))
        async with database.transaction() as tx:
            return await self.function(message, **chosen(self.wants, {**given, Transaction: tx}))


def chosen(wants: Mapping[str, object], given: Mapping[object, object]) -> dict[str, object]:
    """Choose, among what is given, what a handler wants."""
    return {name: given[wanted] for name, wanted in wants.items()}
