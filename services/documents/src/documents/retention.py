"""How long documents are kept: their own school year and the next one (S11, S96)."""

from datetime import MAXYEAR, UTC, datetime
from zoneinfo import ZoneInfo

from shared.db import Database
from shared.observability import get_logger
from sqlalchemy import delete, select, union

from documents.erasure import purge
from documents.store import ObjectStore, or_later
from documents.tables import campaign, declined_piece, document, student_disciplines

log = get_logger()

_PARIS = ZoneInfo("Europe/Paris")
_SCHOOL_YEARS_KEPT = 2


def purge_after(school_year: str) -> datetime:
    """Give the instant from which documents of a school year are no longer kept.

    Those of 2027-2028 are from 1 September 2029, when a third school year begins.
    """
    # a year that somebody mistyped must not keep the others from being purged
    year = min(int(school_year[:4]) + _SCHOOL_YEARS_KEPT, MAXYEAR)
    return datetime(year, 9, 1, tzinfo=_PARIS)


async def purge_old_documents(database: Database, store: ObjectStore) -> None:
    """Purge what has been kept for two school years."""
    with or_later("the purge"):
        await purge_until(database, store, datetime.now(UTC))


async def purge_until(database: Database, store: ObjectStore, now: datetime) -> None:
    """Purge what is no longer kept at ``now``: files, documents, their history and readings, what
    was declined, and who followed what.
    """
    declined = declined_piece.join(campaign, campaign.c.id == declined_piece.c.campaign_id)
    known = union(
        select(document.c.school_year),
        select(student_disciplines.c.school_year),
        select(campaign.c.school_year).select_from(declined),
    )
    async with database.transaction() as tx:
        years = list(await tx.scalars(known))
    for year in sorted(year for year in years if purge_after(year) <= now):
        count = await purge(database, store, document.c.school_year == year)
        async with database.transaction() as tx:
            of_that_year = student_disciplines.c.school_year == year
            await tx.execute(delete(student_disciplines).where(of_that_year))
            campaigns = select(campaign.c.id).where(campaign.c.school_year == year)
            of_campaigns = declined_piece.c.campaign_id.in_(campaigns)
            await tx.execute(delete(declined_piece).where(of_campaigns))
        log.info("documents purged", school_year=year, documents=count)
