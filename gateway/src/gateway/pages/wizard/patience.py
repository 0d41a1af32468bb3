"""Asking again what cannot be answered yet: a service hears of another's seats a moment later."""

import asyncio
import time
from typing import Final

from shared.contract import Ask, Rejection

from gateway.people import Person

_PATIENCE_SECONDS: Final = 3.0
_PAUSE_SECONDS: Final = 0.2


async def once_known[Answer](person: Person, question: Ask[Answer], not_yet: str) -> Answer:
    """Ask until the answer is another refusal than ``not_yet``, for a few seconds."""
    give_up_at = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            return await person.ask(question)
        except Rejection as rejection:
            if rejection.code != not_yet or time.monotonic() >= give_up_at:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)
