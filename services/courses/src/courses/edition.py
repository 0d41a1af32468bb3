"""The catalogue's edition: what replicas remember of courses and campaigns is of one edition."""

import sqlalchemy as sa
from shared.db import Transaction

from courses.tables import edition


async def publish_edition(tx: Transaction) -> None:
    """Have every replica read courses and campaigns again, once this transaction commits.

    Its number is the transaction's: one that is rolled back leaves a number that never comes again.
    """
    number = sa.cast(sa.cast(sa.func.pg_current_xact_id(), sa.Text), sa.BigInteger)
    await tx.execute(sa.update(edition).values(number=number))
