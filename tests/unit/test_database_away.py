"""A database that is away is told from a mistake of ours."""

import asyncpg
import pytest
import sqlalchemy.exc
from shared.db import database_is_away
from sqlalchemy.dialects.postgresql.asyncpg import dialect


def through_sqlalchemy(error: Exception) -> sqlalchemy.exc.DBAPIError:
    """The error as the pool's connections raise it."""
    adapted = dialect.import_dbapi()  # type: ignore[no-untyped-call]
    emulated = adapted.Error("the driver's words", error)
    return sqlalchemy.exc.DBAPIError("SELECT 1", None, emulated)


AWAY = (
    ConnectionRefusedError(),
    TimeoutError(),
    asyncpg.AdminShutdownError(),
    asyncpg.CannotConnectNowError(),
    asyncpg.LockNotAvailableError(),
    asyncpg.InterfaceError("connection is closed"),
    # the server said goodbye while it was asked nothing, and is asked something before it is gone
    asyncpg.InternalClientError("cannot switch to state 15; another operation is in progress"),
)
OURS = (
    asyncpg.UniqueViolationError(),
    asyncpg.DataError("invalid input for query argument"),
    ValueError(),
)


@pytest.mark.parametrize("error", AWAY, ids=lambda error: type(error).__name__)
def test_a_database_that_cannot_answer_now_is_away(error: Exception) -> None:
    assert database_is_away(error)
    assert database_is_away(through_sqlalchemy(error))


@pytest.mark.parametrize("error", OURS, ids=lambda error: type(error).__name__)
def test_a_mistake_of_ours_is_not_taken_for_an_absence(error: Exception) -> None:
    assert not database_is_away(error)
    assert not database_is_away(through_sqlalchemy(error))
