"""An applicant family, and the events that other services tell about it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.contracts.courses import SeatOffered
from shared.contracts.enrolment import (
    ApplicationSubmitted,
    CampaignPublished,
    ReenrolmentDeclined,
    SubmittedChoice,
)
from shared.contracts.identity import (
    FamiliesRecorded,
    FamilyRecord,
    GuardianRecord,
    Site,
    SitesRecorded,
    StudentRecord,
)
from shared.identifiers import new_id


@dataclass(frozen=True)
class Applicant:
    """A family of its own site, whose one student has an application in an open campaign."""

    family_id: UUID = field(default_factory=new_id)
    site_id: UUID = field(default_factory=new_id)
    student_id: UUID = field(default_factory=new_id)
    campaign_id: UUID = field(default_factory=new_id)
    application_id: UUID = field(default_factory=new_id)
    place_id: UUID = field(default_factory=new_id)
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    @property
    def address(self) -> str:
        return f"camille.{self.family_id.hex}@familles.example"

    @property
    def other_address(self) -> str:
        return f"dominique.{self.family_id.hex}@familles.example"

    @property
    def receipt_number(self) -> str:
        return f"ESS-2027-{self.application_id.hex[-6:].upper()}-7"

    def recorded(self, *addresses: str, revision: int = 1) -> FamiliesRecorded:
        return FamiliesRecorded(
            families=(
                FamilyRecord(
                    id=self.family_id,
                    site_id=self.site_id,
                    name="ESSAI",
                    revision=revision,
                    guardians=tuple(
                        GuardianRecord(
                            id=new_id(),
                            civility="Madame",
                            last_name="N'DIAYE",
                            first_name="Camille",
                            email=address,
                        )
                        for address in addresses
                    ),
                    students=(
                        StudentRecord(
                            id=self.student_id,
                            last_name="N'DIAYE",
                            first_name="Zoé",
                            birth_on=None,
                        ),
                    ),
                ),
            )
        )

    def sites(self) -> SitesRecorded:
        site = Site(
            id=self.site_id,
            code="ESS",
            town="Essai",
            name="Conservatoire d'Essai",
            address="1 rue des Essais",
            postcode="92000",
            city="Essai",
            phone="01 99 00 99 99",
            email="conservatoire.essai@territoire.example",
            tariff_page="https://territoire.example/tarifs",
        )
        return SitesRecorded(revision=self.now, sites=(site,))

    def campaign(self) -> CampaignPublished:
        return CampaignPublished(
            campaign_id=self.campaign_id,
            site_id=self.site_id,
            school_year="2027-2028",
            prepares_at=self.now - timedelta(days=7),
            opens_at=self.now,
            closes_at=self.now + timedelta(days=30),
            documents_due_at=self.now + timedelta(days=60),
        )

    def submitted(self) -> ApplicationSubmitted:
        return ApplicationSubmitted(
            application_id=self.application_id,
            campaign_id=self.campaign_id,
            student_id=self.student_id,
            family_id=self.family_id,
            site_id=self.site_id,
            receipt_number=self.receipt_number,
            received_at=self.now,
            choices=(
                SubmittedChoice(follow_id=new_id(), re_enrol=True, label="FM 2.1 (33) - JEUDI"),
                SubmittedChoice(follow_id=new_id(), re_enrol=False, label="Orchestre"),
            ),
        )

    def offered(self, until: datetime | None = None) -> SeatOffered:
        return SeatOffered(
            place_id=self.place_id,
            campaign_id=self.campaign_id,
            family_id=self.family_id,
            student_id=self.student_id,
            follow_id=new_id(),
            course_id=new_id(),
            label="FM 2.1 (34) - MARDI - 17.00 à 18.30",
            offered_until=until or self.now + timedelta(hours=24),
        )

    def declined(self) -> ReenrolmentDeclined:
        return ReenrolmentDeclined(
            application_id=self.application_id,
            campaign_id=self.campaign_id,
            student_id=self.student_id,
            family_id=self.family_id,
            site_id=self.site_id,
            receipt_number=self.receipt_number,
            received_at=self.now,
            revision=1,
        )
