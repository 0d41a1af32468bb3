"""The one Alembic environment: shared tables and each service's own, upgraded together."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shared.db import driver_url

_HERE = Path(__file__).parent
_LOCK = 0x52454E54  # "RENT": one upgrade at a time per database


def configuration(service_migrations: Path, metadata: MetaData | None = None) -> Config:
    """Give Alembic's configuration for a service: two branches, the shared tables and its own."""
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", f"{_HERE / 'versions'}\n{service_migrations}")
    config.attributes["metadata"] = metadata
    return config


async def upgrade(database_url: str, service_migrations: Path) -> None:
    """Bring a database to its newest revision. Safe at start in any number of replicas.

    The first to take the advisory lock upgrades, in one transaction; the others wait, then find
    nothing to do. A migration that cannot get its locks in five seconds fails and is tried again.
    """
    config = configuration(service_migrations)

    def run(connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        config.attributes["connection"] = connection
        command.upgrade(config, "heads")

    engine = create_async_engine(driver_url(database_url), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()
