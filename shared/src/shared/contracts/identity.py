"""What identity answers and tells: sites, accounts, sessions, families, guardians, students."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, EmailStr, Field, StringConstraints, model_validator

from shared.contract import Command, Contract, Event, ImportFile, Query

type Civility = Literal["Madame", "Monsieur"]


def _plausible_phone(value: str) -> str:
    digits = [character for character in value if character.isdigit()]
    if value and not 9 <= len(digits) <= 15:
        message = "phone"
        raise ValueError(message)
    return value


type Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
type RequiredText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)
]
type Phone = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=30, pattern=r"^[0-9+ ().-]*$"),
    AfterValidator(_plausible_phone),
]
type Postcode = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[0-9]{5}$")]


class Site(Contract):
    """A site of the territory, with the contact block of S11."""

    id: UUID
    code: str
    town: str
    name: str
    address: str
    postcode: str
    city: str
    phone: str
    email: str
    tariff_page: str


class ListSites(Query[tuple[Site, ...]]):
    """The sites of the territory, by town. Public: needs no token."""


class SignedIn(Contract):
    """Two tokens: a short one that any service verifies alone, and a rotating one to renew it."""

    access_token: str = Field(repr=False)
    access_expires_at: datetime
    refresh_token: str = Field(repr=False)
    refresh_expires_at: datetime


class SignIn(Command[SignedIn]):
    """Open a session. One refusal for a wrong site, username or password: ``wrong_credentials``."""

    site_id: UUID
    username: str = Field(max_length=100)
    password: str = Field(repr=False, max_length=200)


class RefreshSession(Command[SignedIn]):
    """Renew a session; refused with ``session_expired`` when it ended or was signed out."""

    refresh_token: str = Field(repr=False, max_length=200)


class SignOut(Command[None]):
    """End the caller's session on every device that shares its refresh token."""


class GuardianDetails(Contract):
    """What a guardian declares (S30). At least one of the three phones is given."""

    civility: Civility
    last_name: RequiredText
    first_name: RequiredText
    birth_on: date | None = None
    birth_place: Text = ""
    birth_department: Text = ""
    marital_status: Text = ""
    socio_professional_code: Text = ""
    profession: Text = ""
    address: RequiredText
    postcode: Postcode
    city: RequiredText
    home_phone: Phone = ""
    mobile: Phone = ""
    work_phone: Phone = ""
    email: EmailStr
    extra_phone_1: Phone = ""
    extra_phone_2: Phone = ""
    extra_phone_3: Phone = ""

    @model_validator(mode="after")
    def _one_phone_at_least(self) -> "GuardianDetails":
        if not (self.home_phone or self.mobile or self.work_phone):
            message = "one_phone_at_least"
            raise ValueError(message)
        return self


class StudentDetails(Contract):
    """What is declared of a student (S31)."""

    civility: Civility
    last_name: RequiredText
    first_name: RequiredText
    birth_on: date
    birth_place: Text = ""
    birth_department: Text = ""
    marital_status: Text = ""
    address: RequiredText
    postcode: Postcode
    city: RequiredText
    home_phone: Phone = ""
    mobile: Phone = ""
    work_phone: Phone = ""
    email: EmailStr | Literal[""] = ""
    emergency_contact: Text = ""
    emergency_phone: Phone = ""
    school_level: Text = ""
    school: Text = ""


class Guardian(Contract):
    """A guardian as recorded. ``details`` has the fields of :class:`GuardianDetails`, which an
    import may have left empty; ``changed`` names those the family has changed since (S33).
    """

    id: UUID
    details: dict[str, str]
    changed: tuple[str, ...] = ()


class Student(Contract):
    """A student as recorded; ``details`` has the fields of :class:`StudentDetails`."""

    id: UUID
    details: dict[str, str]
    changed: tuple[str, ...] = ()


class Family(Contract):
    """A family with its guardians and students."""

    id: UUID
    site_id: UUID
    name: str
    guardians: tuple[Guardian, ...]
    students: tuple[Student, ...]


class MyFamily(Query[Family]):
    """The caller's own family."""


class UpdateGuardian(Command[Guardian]):
    """Replace a guardian's details; repeating it changes nothing more."""

    guardian_id: UUID
    details: GuardianDetails


class UpdateStudent(Command[Student]):
    """Replace a student's details; repeating it changes nothing more."""

    student_id: UUID
    details: StudentDetails


class ImportSites(ImportFile):
    """``sites.csv``: code;ville;nom;adresse;code_postal;commune;telephone;courriel;page_tarifs."""


class ImportFamilies(ImportFile):
    """``familles.csv``: code;site;nom."""


class ImportGuardians(ImportFile):
    """``responsables.csv``: a guardian with an ``identifiant`` gets an account.

    ``initial_password`` serves demonstrations only and is refused elsewhere
    (``demonstration_only``): real accounts choose theirs by the e-mailed link.
    """

    initial_password: str | None = Field(default=None, repr=False)


class ImportStudents(ImportFile):
    """``eleves.csv``: a student without an address gets the one of the first guardian."""


class GuardianRecord(Contract):
    """A guardian as other services keep it: enough to write to."""

    id: UUID
    civility: str
    last_name: str
    first_name: str
    email: str


class StudentRecord(Contract):
    """A student as other services keep it."""

    id: UUID
    last_name: str
    first_name: str
    birth_on: date | None


class FamilyRecord(Contract):
    """A whole family, replacing what was known of it when ``revision`` is higher."""

    id: UUID
    site_id: UUID
    name: str
    revision: int
    guardians: tuple[GuardianRecord, ...]
    students: tuple[StudentRecord, ...]


class FamiliesRecorded(Event, personal=True):
    """Families were imported or changed: up to 100 whole families."""

    families: tuple[FamilyRecord, ...]


class SitesRecorded(Event):
    """Sites were imported or changed. ``revision`` is the instant of the change."""

    revision: datetime
    sites: tuple[Site, ...]
