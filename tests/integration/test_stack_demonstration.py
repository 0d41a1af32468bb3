"""The demonstration starts whatever its visitors did to its accounts."""

import hashlib
from datetime import UTC, datetime

import asyncpg
import pytest
from shared.contract import Rejection
from shared.contracts.identity import SignIn
from shared.identifiers import imported_id
from stack.demonstration import PASSWORD, SITE, load_demonstration

from tests.system import System

pytestmark = pytest.mark.servers

# Nobody else signs in with it: a lock lasts for an hour.
USERNAME = "fontaine.00002"


async def test_an_account_locked_by_wrong_passwords_does_not_hold_up_the_start(
    portal: System,
) -> None:
    site_id = imported_id("site", SITE)
    await lock(portal, f"{site_id}/{USERNAME}")
    with pytest.raises(Rejection, match="wrong_credentials"):
        await portal.services.ask(SignIn(site_id=site_id, username=USERNAME, password=PASSWORD))

    await load_demonstration(portal.stack.urls, portal.stack.keys.private)


async def lock(portal: System, name: str) -> None:
    """Count ten failures under a name; made through the door, they would take minutes."""
    connection = await asyncpg.connect(portal.stack.postgresql.url("identity"))
    try:
        await connection.execute(
            "INSERT INTO sign_in_attempt (name_hash, failures, last_at) VALUES ($1, 10, $2)",
            hashlib.sha256(name.encode()).digest(),
            datetime.now(UTC),
        )
    finally:
        await connection.close()
