"""The demonstration territory: two sites, 840 invented students, a campaign that is open."""

import asyncio
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from shared.ask import Services, ServiceUnavailable
from shared.callers import Caller, TokenSigner
from shared.contract import Rejection
from shared.contracts.courses import CourseRows
from shared.contracts.documents import ListPieces
from shared.contracts.enrolment import Campaign, ListMyApplications, PublishCampaign
from shared.contracts.identity import MyFamily
from shared.identifiers import imported_id, new_id

from stack.errors import StackError
from stack.territory import Territory
from stack.topology import SERVICES, ServiceUrls

FOLDER = Path(__file__).parent / "territory"
PASSWORD = "Rentree-Demo-2026"  # noqa: S105 - printed at every start: it protects nothing
SITE = "MEU"
SIGN_INS: Mapping[str, str] = {"nicole.test": "MEU-F00001", "fontaine.00002": "MEU-F00002"}
"""The sign-ins that are announced, at this site, and the family of each."""

_PARIS = ZoneInfo("Europe/Paris")
_OPEN_FOR = timedelta(days=30)
_DOCUMENTS_LATER = timedelta(days=15)
_SEEN_WITHIN_SECONDS = 60.0
_TOKEN_LIFE = timedelta(minutes=10)


async def load_demonstration(urls: ServiceUrls, private_key: Path) -> None:
    """Load the territory, open its campaigns, and wait until its families can use them.

    Repeatable: what is there already is left as it is. Raises TerritoryRefused for a broken line,
    StackError where a service does not answer, refuses, or never hears of what was loaded.
    """
    territory = await asyncio.to_thread(Territory.read, FOLDER)
    try:
        async with Services(urls, timeout_seconds=60) as services:
            await _load(territory, services, operator_token(private_key))
            async with asyncio.timeout(_SEEN_WITHIN_SECONDS):
                for family_code in SIGN_INS.values():
                    token = _family_token(private_key, family_code)
                    # other processes tell each other what was loaded: there is no event to wait for
                    while not await _sees_everything(services, token):
                        await asyncio.sleep(0.2)
    except (ServiceUnavailable, Rejection) as error:
        raise StackError(f"The demonstration territory could not be loaded: {error}") from error
    except TimeoutError as error:
        raise StackError(
            "The services have not told each other what was loaded within"
            f" {_SEEN_WITHIN_SECONDS:.0f} s"
        ) from error


def operator_token(private_key: Path) -> str:
    """Sign a short token for the operator who loads the territory."""
    operator = Caller(account_id=new_id(), session_id=new_id(), role="operator")
    return TokenSigner.from_file(private_key).sign(operator, datetime.now(UTC), _TOKEN_LIFE)


def campaign(site_code: str, school_year: str, now: datetime) -> Campaign:
    """Make a campaign that opens now and closes 30 days later at noon, in Paris."""
    closing_day = (now.astimezone(_PARIS) + _OPEN_FOR).date()
    closes_at = datetime.combine(closing_day, time(12), _PARIS)
    return Campaign(
        id=imported_id("campaign", f"{site_code}-{school_year}"),
        site_id=imported_id("site", site_code),
        school_year=school_year,
        prepares_at=now,
        opens_at=now,
        closes_at=closes_at,
        documents_due_at=closes_at + _DOCUMENTS_LATER,
    )


async def _load(territory: Territory, services: Services, operator: str) -> None:
    await territory.load(services, operator, initial_password=PASSWORD)
    school_year = max(territory.column("cours.csv", "annee"))
    for site_code in territory.column("sites.csv", "code"):
        await services.ask(
            PublishCampaign(
                campaign=campaign(site_code, school_year, datetime.now(UTC)),
                site_code=site_code,
            ),
            token=operator,
        )


def _family_token(private_key: Path, family_code: str) -> str:
    """Sign a token for a family, whose account may be locked or have another password by now."""
    guardian = Caller(
        account_id=new_id(),
        session_id=new_id(),
        role="family",
        site_id=imported_id("site", SITE),
        family_id=imported_id("family", family_code),
    )
    return TokenSigner.from_file(private_key).sign(guardian, datetime.now(UTC), _TOKEN_LIFE)


async def _sees_everything(services: Services, token: str) -> bool:
    """Tell whether this family would find its campaign, courses and pieces."""
    try:
        family = await services.ask(MyFamily(), token=token)
        mine = await services.ask(ListMyApplications(), token=token)
        if mine.campaign is None:
            return False
        for student in family.students:
            shown = {"campaign_id": mine.campaign.id, "student_id": student.id}
            await services.ask(ListPieces.model_validate(shown), token=token)
            if not await services.ask(CourseRows.model_validate(shown), token=token):
                return False
    except (Rejection, ServiceUnavailable):
        return False
    return True


def main() -> None:
    """Load the territory into services found through the environment, as the gateway finds them."""
    urls = {
        service: os.environ[f"RENTREE_SERVICES__{service.upper()}"].split(",")
        for service in SERVICES
    }
    private_key = Path(os.environ["RENTREE_TOKEN_PRIVATE_KEY_FILE"])
    try:
        asyncio.run(load_demonstration(urls, private_key))
    except StackError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
