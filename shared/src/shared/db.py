"""A service's own PostgreSQL database: its pool and its transaction boundary."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakSet

import asyncpg
import sqlalchemy.exc
from sqlalchemy import MetaData, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

type Transaction = AsyncConnection
"""The transaction of one command, query or message. Handlers use it and never commit."""

_CONNECT_WITHIN_SECONDS = 5
_ANSWER_WITHIN_SECONDS = 15
"""Longer than a statement's limit: beyond, the server's host is gone."""
_NAMING = {
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "pk": "%(table_name)s_pkey",
}


def new_metadata() -> MetaData:
    """Give a service's empty metadata, with PostgreSQL's own names for constraints."""
    return MetaData(naming_convention=_NAMING)


def driver_url(database_url: str) -> str:
    """Name the driver in a plain ``postgresql://`` URL."""
    url = make_url(database_url).set(drivername="postgresql+asyncpg")
    return url.render_as_string(hide_password=False)


class Database:
    """The pool of one replica. Its bounds keep a slow statement from holding a row for ever."""

    def __init__(self, database_url: str, *, name: str, connections: int) -> None:
        self.url = database_url
        self._apart: WeakSet[asyncpg.Connection] = WeakSet()
        self._settings = {
            "application_name": name,
            "statement_timeout": "10s",
            "lock_timeout": "5s",
            "idle_in_transaction_session_timeout": "20s",
        }
        self._engine = create_async_engine(
            driver_url(database_url),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=5,
            hide_parameters=True,  # they hold people's data, and errors are logged
            connect_args={
                "timeout": _CONNECT_WITHIN_SECONDS,
                "server_settings": self._settings,
            },
        )
        self._autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        event.listen(self._engine.sync_engine, "checkout", _refuse_closed)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Give a transaction, committed where the block ends well and rolled back otherwise."""
        async with self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def autocommit(self) -> AsyncIterator[AsyncConnection]:
        """Give a connection where each statement is a transaction of its own, which spares the
        round trips of a beginning and an end. Nothing is emitted on it.
        """
        async with self._autocommit.connect() as connection:
            yield connection

    async def open_apart(self, **server_settings: str) -> asyncpg.Connection:
        """Open a connection of the driver's own, beside the pool and closed with it: for the one
        path where each statement counts by the microsecond.
        """
        connection = await asyncpg.connect(
            self.url,
            timeout=_CONNECT_WITHIN_SECONDS,
            command_timeout=_ANSWER_WITHIN_SECONDS,
            server_settings={**self._settings, **server_settings},
        )
        self._apart.add(connection)
        return connection

    async def close(self) -> None:
        """Close every connection."""
        for connection in self._apart:
            connection.terminate()
        await self._engine.dispose()


def _refuse_closed(dbapi_connection: DBAPIConnection, *_: object) -> None:
    """Have the pool replace a connection that its server has ended, without asking the server."""
    if dbapi_connection.driver_connection.is_closed():
        raise sqlalchemy.exc.DisconnectionError("the server ended this connection")


async def driver_connection(tx: Transaction) -> asyncpg.Connection:
    """Give the driver's own connection of a transaction, which has begun."""
    await tx.execute(sqlalchemy.text("SELECT 1"))  # a transaction begins with its first statement
    raw = await tx.get_raw_connection()
    connection: asyncpg.Connection = raw.driver_connection
    return connection


LINK_LOST = (
    OSError,
    TimeoutError,
    sqlalchemy.exc.TimeoutError,
    asyncpg.InterfaceError,
    # what asyncpg says of a server whose last word came while it was asked nothing
    asyncpg.InternalClientError,
)
"""What is raised where a connection cannot be had, or is no more."""

_TRANSIENT_CLASSES = ("08", "40", "53", "55", "57")
"""SQLSTATE classes: connection, rollback by the server, resources, locks, operator's hand."""


def database_is_away(error: BaseException) -> bool:
    """Tell a database that cannot answer now from a mistake of ours."""
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        if error.connection_invalidated:
            return True
        error = error.driver_exception
    if isinstance(error, LINK_LOST):
        return True
    state = getattr(error, "sqlstate", None)
    return isinstance(state, str) and state[:2] in _TRANSIENT_CLASSES
