"""What enrolment answers and tells: campaigns, applications, decisions, receipt numbers."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from shared.contract import Command, Contract, Event, Query

type ApplicationState = Literal["draft", "submitted", "declined"]
type Remarks = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]


class Campaign(Contract):
    """A campaign of one site for one school year; its instants rule to the second (S24).

    ``fields_not_asked`` names the details of guardians and students that the site has no need for
    (S32): a page asks for none of them, and what was recorded stays as it is.
    """

    id: UUID
    site_id: UUID
    school_year: str = Field(pattern=r"^\d{4}-\d{4}$", examples=["2027-2028"])
    prepares_at: AwareDatetime
    opens_at: AwareDatetime
    closes_at: AwareDatetime
    documents_due_at: AwareDatetime
    fields_not_asked: tuple[str, ...] = ()


class PublishCampaign(Command[Campaign]):
    """Publish a campaign (operator). One already published is answered as it is, unchanged.

    Refused: ``invalid_campaign`` (it prepares, opens, then closes; what it does not ask for is
    among :data:`shared.contracts.people.OPTIONAL_DETAILS`).
    """

    campaign: Campaign
    site_code: str = Field(pattern=r"^[A-Z]{2,6}$")


class Authorisations(Contract):
    """The two answers of step 2 and the version of the text that was shown (S40).

    Who gave them, when, and their ``revision`` (1 for the first answers, one more whenever others
    replace them) are for enrolment to say: whatever is sent of it is not read.
    """

    image_rights: bool
    leaves_alone: bool
    text_version: str
    answered_by: str = ""
    answered_at: AwareDatetime | None = None
    revision: int = 0


class CourseChoice(Contract):
    """What is decided of one course followed this year (S60).

    ``hold_id`` and ``course_id`` are given where a slot was chosen, and absent for a row without
    choice or one not re-enrolled. ``label`` is what the family read; once submitted, a row with a
    hold has the words of that hold.

    ``held_until`` is the shown end of a hold that is not claimed; ``seat_lost`` is one that ended,
    or that courses could not claim; ``seat_kept`` is that of the request before, because the one
    chosen in its place could not be claimed. They hold in what :class:`ListMyApplications` and
    :class:`ShowApplication` answer, and there alone: a command does not look at the seats.
    """

    follow_id: UUID
    re_enrol: bool
    label: str = Field(max_length=300)
    course_id: UUID | None = None
    hold_id: UUID | None = None
    held_until: AwareDatetime | None = None
    seat_lost: bool = False
    seat_kept: bool = False


class Receipt(Contract):
    """What a family keeps: its number, and the instant the request was received."""

    number: str
    received_at: datetime


class Amendment(Contract):
    """What a family changes in the request that it submitted, as far as it is (S74).

    The request stands as it was, with its seats, until this is submitted in its place; left at
    closing, it changes nothing. ``step_reached`` and ``choices`` are as those of a draft.
    """

    started_at: datetime
    step_reached: int
    authorisations: Authorisations | None = None
    choices: tuple[CourseChoice, ...] = ()
    remarks: str = ""


class Application(Contract):
    """The application of one student in one campaign.

    ``step_reached`` is the next step to do, 1 to 6; a submitted one is at 6. ``choices`` are those
    of the family, but where a row was given another seat since: by an offer that it accepted, or
    by the staff. ``receipt`` is that of the last submission or refusal: each has its own.
    Where a submitted one has an ``amendment``, it is that which the steps change.
    """

    id: UUID
    campaign: Campaign
    student_id: UUID
    state: ApplicationState
    step_reached: int
    authorisations: Authorisations | None = None
    choices: tuple[CourseChoice, ...] = ()
    remarks: str = ""
    receipt: Receipt | None = None
    amendment: Amendment | None = None


class MyApplications(Contract):
    """The present campaign of the caller's site and the family's applications in it.

    It is the one open now, or else in preparation, or else the last one that closed; none where
    the site has not prepared any yet.
    """

    campaign: Campaign | None
    applications: tuple[Application, ...]


class ListMyApplications(Query[MyApplications]):
    """The caller's applications in the present campaign."""


class ShowApplication(Query[Application]):
    """One application of the caller's family."""

    application_id: UUID


class StartApplication(Command[Application]):
    """Begin ("Je souhaite réinscrire"): answers the student's application in the campaign.

    One that exists is answered as it is, with its own identifier, a submitted one included; a
    declined one becomes a draft again, as by :class:`TakeBackDecline`. Refused:
    ``campaign_not_open``, ``campaign_closed``, ``not_found``.
    """

    application_id: UUID
    campaign_id: UUID
    student_id: UUID


type StepTyped = Literal[1, 2, 4]
"""The steps with something to type; the recap's free text is that of step 4."""
type EntryName = Annotated[str, StringConstraints(max_length=100)]
type EntryText = Annotated[str, StringConstraints(max_length=8000)]


class KeptEntries(Contract):
    """What someone typed at a step and has not sent yet: the fields of its form, by name."""

    entries: tuple[tuple[EntryName, EntryText], ...]
    typed_at: datetime


class KeepEntries(Command[None]):
    """Keep what is being typed at a step, right or wrong, for its author alone, on any device.

    ``page_id`` is the page that it is typed in, ``position`` the rank of this saving among those
    of that page, and ``typed_at`` when it was typed. What was typed before what is kept already
    changes nothing, whenever it arrives. Doing the step, or ending the draft, forgets it. What is
    left where the campaign closes is kept until its documents are not due any more.
    Refused: ``not_a_draft``, ``campaign_closed``.
    """

    application_id: UUID
    step: StepTyped
    page_id: UUID
    position: int = Field(ge=0, le=2**31 - 1)
    typed_at: AwareDatetime
    entries: tuple[tuple[EntryName, EntryText], ...] = Field(max_length=200)


class ForgetEntries(Command[None]):
    """Forget what the caller typed at a step and did not send."""

    application_id: UUID
    step: StepTyped


class ShowEntries(Query[KeptEntries | None]):
    """What the caller typed at a step and did not send; none where there is nothing."""

    application_id: UUID
    step: StepTyped


class CompleteStep(Command[Application]):
    """Steps 1 and 3, whose content lives with identity and documents, are done.

    This and the other steps are refused with ``steps_missing``, ``campaign_not_open``,
    ``campaign_closed``, ``already_submitted``, or ``already_declined`` (take that back first).
    """

    application_id: UUID
    step: Literal[1, 3]


class RecordAuthorisations(Command[Application]):
    """Step 2 is done.

    ``revision`` is that of the answers that the page showed, 0 where it showed none: refused with
    ``authorisations_changed`` where somebody gave others meanwhile, which are the facts. Without
    it the last answers win.
    """

    application_id: UUID
    authorisations: Authorisations
    revision: int | None = None


class RecordCourseChoices(Command[Application]):
    """Step 4 is done: one choice a row, none for a student who follows nothing this year.

    Refused besides: ``invalid_choices`` (a row twice, a hold without its course, a row re-enrolled
    without a hold whose label reads as a slot).
    """

    application_id: UUID
    choices: tuple[CourseChoice, ...]
    remarks: Remarks = ""


class SubmitApplication(Command[Application]):
    """File the request ("Valider"), or the amendment of that of ``replaces_receipt_number``. Twice,
    by two tabs or guardians, files one (S71).

    ``received_at`` is when the gateway received the click (S24). Refused: ``steps_missing``,
    ``nothing_asked`` (no row re-enrolled, and no remarks), ``seat_not_held`` (the hold ended:
    choose again), ``hold_not_known_yet`` (repeat in a moment), ``campaign_not_open``,
    ``campaign_closed``, ``already_declined``, ``amendment_abandoned`` (the request stands). Where
    they are given, ``remarks`` replace those of step 4.
    """

    application_id: UUID
    received_at: AwareDatetime
    accepted_text_version: str = Field(min_length=1)
    remarks: Remarks | None = None
    replaces_receipt_number: str | None = None


class AmendApplication(Command[Application]):
    """Change a submitted request ("Modifier la demande"), until the campaign closes (S74).

    It answers the application with its amendment, the one begun before included: the steps work on
    that, :class:`SubmitApplication` puts it in the place of the request, with a receipt of its own.
    Until then every seat of the request stays. Refused: ``not_submitted``,
    ``claims_not_known_yet`` (repeat in a moment), ``campaign_not_open``, ``campaign_closed``.
    """

    application_id: UUID
    received_at: AwareDatetime


class AbandonAmendment(Command[Application]):
    """Leave the request as it was submitted; the caller releases what is held for the amendment.
    Repeating is harmless; where ``started_at`` is given, one that began at another instant stays.
    """

    application_id: UUID
    started_at: AwareDatetime | None = None


class DeclineReenrolment(Command[Application]):
    """Decline ("Je ne souhaite pas réinscrire"), confirmed; can be taken back (S22).

    One that was submitted is withdrawn, until the campaign closes (S74): it gets a receipt of its
    own, and the seats are freed, claimed ones too. A click that the gateway received before the
    submission changes nothing. Refused: ``campaign_not_open``, ``campaign_closed``, ``not_found``.
    """

    application_id: UUID
    campaign_id: UUID
    student_id: UUID
    received_at: AwareDatetime


class TakeBackDecline(Command[Application]):
    """The family changed its mind: a draft again (S22), back to step 4 at most: the refusal freed
    the seats, and each course is to choose again.

    Refused: ``campaign_not_open``, ``campaign_closed``.
    """

    application_id: UUID
    received_at: AwareDatetime


class CampaignPublished(Event, about="campaign_id"):
    """A campaign was published."""

    campaign_id: UUID
    site_id: UUID
    school_year: str
    prepares_at: datetime
    opens_at: datetime
    closes_at: datetime
    documents_due_at: datetime


class ApplicationStarted(Event, about="application_id"):
    """A family began an application: a draft, which it has not sent."""

    application_id: UUID
    campaign_id: UUID
    student_id: UUID
    family_id: UUID
    started_at: datetime


class SubmittedChoice(Contract):
    """A row of a submitted application; ``hold_id`` where a seat was held for it, and then
    ``label`` is courses' own.
    """

    follow_id: UUID
    re_enrol: bool
    label: str
    course_id: UUID | None = None
    hold_id: UUID | None = None


class ApplicationSubmitted(Event, about="application_id"):
    """A family validated its request: it has a receipt number.

    It may be changed, or withdrawn and made anew, each time with another one: the latest
    ``received_at`` counts. ``replaces_receipt_number`` is that of the request which it changes;
    ``chosen_at`` is since when its choices stand: a seat given later is not one of them. One that
    ``has_remarks`` comes with :class:`RemarksSubmitted`.
    """

    application_id: UUID
    campaign_id: UUID
    student_id: UUID
    family_id: UUID
    site_id: UUID
    receipt_number: str
    received_at: datetime
    choices: tuple[SubmittedChoice, ...]
    has_remarks: bool = False
    replaces_receipt_number: str | None = None
    chosen_at: datetime | None = None


class RemarksSubmitted(Event, about="application_id", personal=True):
    """What a family says in its own words with the request of this receipt (S68)."""

    application_id: UUID
    family_id: UUID
    receipt_number: str
    remarks: str


class ReenrolmentDeclined(Event, about="application_id"):
    """A family does not wish to re-enrol a student, or withdraws its request: any seat that it had
    at ``received_at`` is freed, claimed ones too.

    ``revision`` grows with each change of mind, so that the last one wins in any order.
    """

    application_id: UUID
    campaign_id: UUID
    student_id: UUID
    family_id: UUID
    site_id: UUID
    receipt_number: str
    received_at: datetime
    revision: int


class DeclineTakenBack(Event, about="application_id"):
    """A family wishes to re-enrol after all."""

    application_id: UUID
    campaign_id: UUID
    student_id: UUID
    family_id: UUID
    received_at: datetime
    revision: int


class FamilyApplicationsErased(Event, about="family_id"):
    """Nothing is left of who a family is, of its own words and of who answered for it (S96)."""

    family_id: UUID
    erased_at: datetime
