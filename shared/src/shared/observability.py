"""JSON log lines, the correlation id that goes from the click to the e-mail, and metrics."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import cast

import structlog
from prometheus_client import Counter, Gauge, Histogram
from pydantic_core import to_json
from structlog.typing import EventDict, FilteringBoundLogger

from shared.identifiers import new_id

CORRELATION_HEADER = "x-correlation-id"

ASK_SECONDS = Histogram(
    "rentree_ask_seconds",
    "Time to answer a command or a query, by outcome",
    ["ask", "outcome"],
    buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
ASKS_IN_FLIGHT = Gauge("rentree_asks_in_flight", "Commands and queries being answered")
REACTIONS = Counter(
    "rentree_reactions_total", "Messages consumed, by queue and outcome", ["queue", "outcome"]
)
EVENTS_RELAYED = Counter("rentree_events_relayed_total", "Events confirmed by the broker", ["type"])
EVENTS_RETURNED = Counter(
    "rentree_events_returned_total", "Events that no queue took: one is missing, or full", ["type"]
)
OUTBOX_LAG_SECONDS = Gauge(
    "rentree_outbox_lag_seconds", "Age of the last batch relayed, oldest row"
)
RELAY_ACTIVE = Gauge("rentree_relay_active", "1 where this replica relays its service's outbox")


_AT_HAND: ContextVar[Mapping[str, str]] = ContextVar("at_hand", default=MappingProxyType({}))
"""What every line tells of the work at hand. One variable holds it all: a line reads it once."""


def configure_logging(process: str, level: str) -> None:
    """Write one JSON line per event on standard output, libraries' own included."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, _json_line],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    _AT_HAND.set({"process": process})
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _json_text,
            ],
            foreign_pre_chain=[structlog.stdlib.add_logger_name],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _json_line(_: object, level: str, event: EventDict) -> bytes:
    """Write what happened, when, and in the course of what; the event's own facts come last.

    One processor does the work of five of structlog's: they would add a third to what an ask costs
    a service, where this line is most of what is written.
    """
    line = {
        "timestamp": datetime.now(UTC),
        "level": level,
        "message": event.pop("event"),
        **_AT_HAND.get(),
        **event,
    }
    return to_json(line, fallback=repr, bytes_mode="base64")


def _json_text(logger: object, level: str, event: EventDict) -> str:
    """Do the same for the standard library, whose handlers write text."""
    return _json_line(logger, level, event).decode()


def get_logger() -> FilteringBoundLogger:
    """Give the process's logger."""
    return cast("FilteringBoundLogger", structlog.get_logger())


def correlation_id() -> str:
    """Give the correlation id of the work at hand, or nothing outside any."""
    return _AT_HAND.get().get("correlation_id", "")


@contextmanager
def correlated(given: str | None, **bound: str) -> Iterator[str]:
    """Do work under a correlation id: the one given, or a new one; ``bound`` joins the logs."""
    current = given or str(new_id())
    before = _AT_HAND.set({**_AT_HAND.get(), "correlation_id": current, **bound})
    try:
        yield current
    finally:
        _AT_HAND.reset(before)
