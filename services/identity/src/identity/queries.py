"""What identity answers without changing anything."""

from shared.callers import Caller
from shared.contracts.identity import Family, ListSites, MyFamily, Site
from shared.db import Transaction
from sqlalchemy import select

from identity.families import whole_family
from identity.tables import site


async def list_sites(_: ListSites, tx: Transaction) -> tuple[Site, ...]:
    """Answer the territory's sites, by town."""
    rows = await tx.execute(select(site).order_by(site.c.town, site.c.code))
    return tuple(Site.model_validate(row) for row in rows.mappings())


async def my_family(_: MyFamily, caller: Caller, tx: Transaction) -> Family:
    """Answer the caller's own family, whoever it is that asks."""
    return await whole_family(tx, caller.family())
