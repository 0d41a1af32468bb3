"""What identity answers and tells: sites, accounts, sessions, families, guardians, students."""

from datetime import date, datetime
from uuid import UUID

from pydantic import EmailStr, Field

from shared.contract import Command, Contract, Event, ImportFile, Query
from shared.contracts.accounts import (
    Account,
    EmailLink,
    NewPassword,
    OpenSession,
    ResetLink,
    SignedIn,
)
from shared.contracts.people import GuardianDetails, StudentDetails


class Site(Contract):
    """A site of the territory, with the contact block and the welcome of S11."""

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
    welcome: str = ""


class ListSites(Query[tuple[Site, ...]]):
    """The sites of the territory, by town. Public: needs no token."""


class SignIn(Command[SignedIn]):
    """Open a session. One refusal for a wrong site, username or password: ``wrong_credentials``.

    ``device`` is what the session's owner will recognise it by, in words.
    """

    site_id: UUID
    username: str = Field(max_length=100)
    password: str = Field(repr=False, max_length=200)
    device: str = Field(default="", max_length=100)


class RefreshSession(Command[SignedIn]):
    """Renew a session; refused with ``session_expired`` when it ended or was signed out."""

    refresh_token: str = Field(repr=False, max_length=200)


class SignOut(Command[None]):
    """End the caller's session on every device that shares its refresh token."""


class ListSessions(Query[tuple[OpenSession, ...]]):
    """The caller's open sessions: this one first, then the one seen last."""


class EndSession(Command[None]):
    """Sign one of the caller's sessions out, wherever it is."""

    session_id: UUID


class EndOtherSessions(Command[None]):
    """Sign every session of the caller out but this one."""


class RecentlyEndedSessions(Query[tuple[UUID, ...]]):
    """The sessions ended so lately that an access token of theirs may still be valid. Public: it
    names nobody.
    """


class MyAccount(Query[Account]):
    """The caller's own account."""


class ChangePassword(Command[None]):
    """Replace the caller's password; their other sessions end. Refused with ``wrong_password``.

    Sent again once done it is refused, and changes nothing: the current password is the new one.
    """

    current_password: str = Field(repr=False, max_length=200)
    new_password: NewPassword = Field(repr=False)


class RequestPasswordReset(Command[None]):
    """Have a link mailed to choose a password anew.

    Public, and answered alike whether or not there is such an account, with an e-mail or without.
    """

    site_id: UUID
    username: str = Field(max_length=100)


class ReadResetLink(Query[ResetLink]):
    """What a mailed link is good for. Public; refused with ``link_expired`` where it is not."""

    token: str = Field(repr=False, max_length=100)


class ResetPassword(Command[None]):
    """Choose a password by a mailed link, once: every session ends, and so does a lock.

    Public; refused with ``link_expired`` where the link was used, replaced or left too long.
    """

    token: str = Field(repr=False, max_length=100)
    new_password: NewPassword = Field(repr=False)


class RequestEmailChange(Command[None]):
    """Have a link mailed to a new address: nothing changes before it is confirmed.

    Refused with ``wrong_password``, and with ``too_many_requests`` beyond a few an hour.
    """

    email: EmailStr
    current_password: str = Field(repr=False, max_length=200)


class ReadEmailLink(Query[EmailLink]):
    """What a mailed link is good for. Public; refused with ``link_expired`` where it is not."""

    token: str = Field(repr=False, max_length=100)


class ConfirmEmailChange(Command[None]):
    """Make the address that got the link the guardian's own, once.

    Public; refused with ``link_expired`` where the link was used, replaced or left too long.
    """

    token: str = Field(repr=False, max_length=100)


class Guardian(Contract):
    """A guardian as recorded. ``details`` has the fields of :class:`GuardianDetails`, which an
    import may have left empty; ``changed`` names those the family has changed since (S33).

    ``revision`` grows with each change. ``account_id`` is the account of one who has any: their
    e-mail, where they have one, is only changed by :class:`RequestEmailChange`.
    """

    id: UUID
    details: dict[str, str]
    changed: tuple[str, ...] = ()
    revision: int = 0
    account_id: UUID | None = None


class Student(Contract):
    """A student as recorded; ``details`` has the fields of :class:`StudentDetails`."""

    id: UUID
    details: dict[str, str]
    changed: tuple[str, ...] = ()
    revision: int = 0


class DetailChange(Contract):
    """What became of a detail since someone read it; an import has no ``author``."""

    field: str
    old_value: str
    new_value: str
    author: str = ""
    is_own: bool = False
    changed_at: datetime


class Overtaken(Contract):
    """The facts of ``details_changed``: the present revision, and the changes to be undone."""

    revision: int
    changes: tuple[DetailChange, ...]


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
    """Replace a guardian's details; repeating it changes nothing more.

    ``revision`` is the one that the details were written from. Where another change came between
    that this one would undo, it is refused with ``details_changed``, whose facts are those of
    :class:`Overtaken`; without it the last one wins.
    Refused besides with ``email_protected``: see :class:`Guardian`.
    """

    guardian_id: UUID
    details: GuardianDetails
    revision: int | None = None


class UpdateStudent(Command[Student]):
    """Replace a student's details, as by :class:`UpdateGuardian`."""

    student_id: UUID
    details: StudentDetails
    revision: int | None = None


class ImportSites(ImportFile):
    """``sites.csv``: code;ville;nom;adresse;code_postal;commune;telephone;courriel;page_tarifs, and
    ``accueil``: how the site welcomes its families on their home page, left out where it does not.
    """


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


class SessionsEnded(Event, about="account_id"):
    """Sessions were ended before their time: no token of theirs is to be taken any more."""

    account_id: UUID
    session_ids: tuple[UUID, ...]
    ended_at: datetime


class Addressee(Contract):
    """A guardian to write to, at the address on file, and the family and the site they are of."""

    name: str
    email: str
    family_id: UUID
    site_id: UUID


class PasswordResetOpened(Event, about="account_id", personal=True):
    """A guardian who forgot their password is to get the link that ``token`` makes."""

    account_id: UUID
    to: Addressee
    token: str = Field(repr=False)
    expires_at: datetime


class PasswordChanged(Event, about="account_id", personal=True):
    """An account's password is another one, chosen while signed in or by a mailed link."""

    account_id: UUID
    to: Addressee
    changed_at: datetime


class AccountLocked(Event, about="account_id", personal=True):
    """Ten failures locked an account until an instant."""

    account_id: UUID
    to: Addressee
    locked_until: datetime


class EmailChangeOpened(Event, about="account_id", personal=True):
    """A guardian wishes to be written to elsewhere: ``to`` is the new address, which gets the link
    that ``token`` makes.
    """

    account_id: UUID
    to: Addressee
    token: str = Field(repr=False)
    expires_at: datetime


class EmailChanged(Event, about="guardian_id", personal=True):
    """A guardian's e-mail is another one: ``to`` has the new one; there may have been none."""

    guardian_id: UUID
    to: Addressee
    old_email: str
    changed_at: datetime


class FamilyErased(Event, about="family_id"):
    """A family's data is to leave the territory's records (S96): each service that keeps some
    erases it, and says so by an event of its own.
    """

    family_id: UUID
    student_ids: tuple[UUID, ...]
    erased_at: datetime
