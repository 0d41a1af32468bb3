"""JSON log lines, the correlation id that goes from the click to the e-mail, and metrics."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import structlog
from prometheus_client import Counter, Gauge, Histogram

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


def configure_logging(process: str, level: str) -> None:
    """Write one JSON line per event on standard output, libraries' own included."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.EventRenamer("message"),
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            foreign_pre_chain=[
                structlog.contextvars.merge_contextvars,
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def get_logger() -> structlog.typing.FilteringBoundLogger:
    """Give the process's logger."""
    return cast("structlog.typing.FilteringBoundLogger", structlog.get_logger())


def correlation_id() -> str:
    """Give the correlation id of the work at hand, or nothing outside any."""
    return str(structlog.contextvars.get_contextvars().get("correlation_id", ""))


@contextmanager
def correlated(given: str | None, **bound: str) -> Iterator[str]:
    """Do work under a correlation id: the one given, or a new one; ``bound`` joins the logs."""
    current = given or str(new_id())
    with structlog.contextvars.bound_contextvars(correlation_id=current, **bound):
        yield current
