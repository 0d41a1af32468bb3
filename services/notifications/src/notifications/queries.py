"""What notifications is asked."""

import sqlalchemy as sa
from shared.callers import Caller
from shared.contracts.notifications import Delivery, ListDeliveries
from shared.db import Transaction

from notifications.mail import in_one_line, usable_addresses
from notifications.tables import family, message


async def list_deliveries(
    query: ListDeliveries, caller: Caller, tx: Transaction
) -> tuple[Delivery, ...]:
    """Tell where the messages about an application stand, the latest first.

    None where the application is another family's, as where it has no message or does not exist.
    A message still waiting is to whoever the family's addresses name now.
    """
    rows = await tx.execute(
        sa.select(message, family.c.guardians)
        .outerjoin(family, family.c.id == message.c.family_id)
        .where(
            message.c.application_id == query.application_id,
            message.c.family_id == caller.family(),
        )
        .order_by(message.c.created_at.desc(), message.c.id)
    )
    return tuple(
        Delivery(
            kind=row.kind,
            receipt_number=row.content["receipt_number"],
            to=row.recipients or in_one_line(usable_addresses(row.guardians or ())),
            state=row.state,
            at=row.state_at,
        )
        for row in rows
    )
