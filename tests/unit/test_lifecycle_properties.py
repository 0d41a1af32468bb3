"""Whatever a family does in whatever order, at whatever hour, an application stays sound."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from enrolment import amending, lifecycle
from enrolment import progress as steps
from enrolment.progress import KnownHold, Progress
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from shared.contract import Rejection
from shared.contracts.enrolment import Authorisations, Campaign, CourseChoice, Receipt

CAMPAIGN = Campaign(
    id=UUID(int=1),
    site_id=UUID(int=2),
    school_year="2027-2028",
    prepares_at=datetime(2027, 5, 1, 8, tzinfo=UTC),
    opens_at=datetime(2027, 5, 2, 8, tzinfo=UTC),
    closes_at=datetime(2027, 5, 4, 8, tzinfo=UTC),
    documents_due_at=datetime(2027, 9, 30, tzinfo=UTC),
)
ANSWERS = st.builds(
    Authorisations,
    image_rights=st.booleans(),
    leaves_alone=st.booleans(),
    text_version=st.just("2027-1"),
)


def choice(row: int, slot: int | None) -> CourseChoice:
    """A row re-enrolled: in one of a few slots, or by the checkbox alone."""
    return CourseChoice(
        follow_id=UUID(int=row),
        re_enrol=True,
        label=f"Cours {row}",
        course_id=UUID(int=slot) if slot else None,
        hold_id=UUID(int=100 * row + slot) if slot else None,
    )


def _rows(progress: Progress) -> list[tuple[UUID, bool]]:
    return [(choice.follow_id, choice.re_enrol) for choice in progress.choices]


def _courses_words(hold_id: UUID | None) -> str:
    return f"Créneau {hold_id}"


CHOICES = st.dictionaries(st.integers(1, 2), st.none() | st.integers(11, 12)).map(
    lambda rows: tuple(choice(row, slot) for row, slot in rows.items())
)


class Family(RuleBasedStateMachine):
    """Clicks anything while time goes by, its seats being held, released and claimed."""

    def __init__(self) -> None:
        super().__init__()
        self.now = CAMPAIGN.prepares_at - timedelta(hours=1)
        self.progress = Progress()
        self.holds: dict[UUID, KnownHold] = {}
        self.receipts = 0

    def _do(self, act: Callable[[], Progress]) -> None:
        before = self.progress
        try:
            self.progress = act()
        except Rejection:
            return
        if self.progress == before:
            return
        assert CAMPAIGN.prepares_at <= self.now < CAMPAIGN.closes_at
        if before.state == "submitted":
            self._stands_unless_sent_anew(before)
        elif before.state == "declined":
            assert self.progress.step_reached == min(before.step_reached, steps.COURSES)
            assert not any(
                choice.hold_id or choice.course_id for choice in self.progress.choices
            ), "a freed seat came back"
        else:
            assert self.progress.step_reached >= before.step_reached
        assert before.given_up <= self.progress.given_up
        if before.state != self.progress.state:
            assert (before.state, self.progress.state) != ("declined", "submitted")
            assert before.receipt != self.progress.receipt
            assert _rows(self.progress) == _rows(before)
            assert self.progress.authorisations == before.authorisations

    def _stands_unless_sent_anew(self, before: Progress) -> None:
        """A request changes by a withdrawal, or by its amendment once that is submitted whole."""
        if self.progress.state == "declined":
            assert self.progress.step_reached == steps.RECAP
        elif self.progress.receipt == before.receipt:
            assert self.progress == replace(before, amendment=self.progress.amendment)
        else:
            assert before.amendment, "a submitted application changed"
            sent = before.amendment.draft
            assert _rows(self.progress) == _rows(sent)
            assert self.progress.authorisations == sent.authorisations
            assert self.progress.amendment is None

    def _receipt(self) -> Receipt:
        self.receipts += 1
        return Receipt(number=f"MEU-2027-{self.receipts:06d}", received_at=self.now)

    @initialize(hours=st.integers(0, 60))
    def the_family_comes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(hours=st.integers(1, 20))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(row=st.integers(1, 2), slot=st.integers(11, 12), minutes=st.integers(1, 600))
    def a_seat_is_held(self, row: int, slot: int, minutes: int) -> None:
        held = choice(row, slot)
        assert held.hold_id
        assert held.course_id
        expires_at = self.now + timedelta(minutes=minutes)
        self.holds[held.hold_id] = KnownHold(
            follow_id=held.follow_id,
            course_id=held.course_id,
            label=_courses_words(held.hold_id),
            expires_at=expires_at,
            released=False,
            claimed=False,
        )

    @rule()
    def every_seat_is_released(self) -> None:
        self.holds = {known: replace(hold, released=True) for known, hold in self.holds.items()}

    @rule(row=st.integers(1, 2), slot=st.integers(11, 12))
    def a_seat_is_replaced(self, row: int, slot: int) -> None:
        known = choice(row, slot).hold_id
        if known in self.holds:
            gone = replace(self.holds[known], claimed=True, released=True, replaced=True)
            self.holds[known] = gone

    @rule()
    def every_seat_is_claimed(self) -> None:
        self.holds = {known: replace(hold, claimed=True) for known, hold in self.holds.items()}

    @rule(slot=st.none() | st.integers(11, 12), count=st.integers(1, 5))
    def go_on(self, slot: int | None, count: int) -> None:
        """Do the next steps as a family that hesitates little does."""
        answers = Authorisations(image_rights=True, leaves_alone=True, text_version="2027-1")
        for _ in range(count):
            match self.progress.at_work.step_reached:
                case steps.CONTACT_DETAILS | steps.DOCUMENTS as step:
                    self.complete(step)
                case steps.AUTHORISATIONS:
                    self.authorise(answers)
                case steps.COURSES:
                    self.choose((choice(1, slot),), "")
                case _:
                    if slot:
                        self.a_seat_is_held(1, slot, 60)
                    self.submit()

    def _step(self, change: Callable[[Progress], Progress]) -> None:
        self._do(lambda: amending.change_at_work(self.progress, change))

    @rule()
    def start(self) -> None:
        self._do(lambda: lifecycle.start(self.progress, CAMPAIGN, self.now))

    @rule(step=st.sampled_from([1, 3]))
    def complete(self, step: int) -> None:
        self._step(lambda draft: lifecycle.complete(draft, step, CAMPAIGN, self.now))

    @rule(answers=ANSWERS)
    def authorise(self, answers: Authorisations) -> None:
        self._step(lambda draft: lifecycle.authorise(draft, answers, CAMPAIGN, self.now))

    @rule(choices=CHOICES, remarks=st.sampled_from(["", "Alto"]))
    def choose(self, choices: tuple[CourseChoice, ...], remarks: str) -> None:
        self._step(lambda draft: lifecycle.choose(draft, choices, remarks, CAMPAIGN, self.now))
        if self.progress.choices == choices and self.progress.step_reached > steps.COURSES:
            assert self.now >= CAMPAIGN.opens_at

    @rule()
    def submit(self) -> None:
        self._do(
            lambda: lifecycle.submit(
                self.progress,
                CAMPAIGN,
                self.holds,
                receipt=self._receipt(),
                accepted_text_version="2027-1",
                remarks="",
                replaces=self.progress.receipt.number if self.progress.receipt else None,
            )
        )

    @rule(is_claimed=st.booleans(), loses=st.booleans())
    def amend(self, is_claimed: bool, loses: bool) -> None:
        missing = {choice.hold_id for choice in self.progress.choices if choice.hold_id}
        self._do(
            lambda: amending.amend(
                self.progress,
                CAMPAIGN,
                self.now,
                is_claimed=is_claimed,
                missing=missing if loses else (),
            )
        )

    @rule()
    def abandon(self) -> None:
        self.progress = amending.abandon(self.progress)
        assert self.progress.amendment is None

    @rule()
    def decline(self) -> None:
        self._do(lambda: lifecycle.decline(self.progress, CAMPAIGN, receipt=self._receipt()))

    @rule()
    def take_back(self) -> None:
        self._do(lambda: lifecycle.take_back(self.progress, CAMPAIGN, self.now))

    @invariant()
    def a_receipt_belongs_to_what_was_received(self) -> None:
        assert (self.progress.receipt is not None) == (self.progress.state != "draft")
        if self.progress.receipt:
            received_at = self.progress.receipt.received_at
            assert CAMPAIGN.opens_at <= received_at < CAMPAIGN.closes_at

    @invariant()
    def a_submitted_application_is_whole(self) -> None:
        assert (self.progress.step_reached == steps.DONE) == (self.progress.state == "submitted")
        if self.progress.state == "submitted":
            assert self.progress.authorisations
            assert self.progress.accepted_text_version
            held = [choice for choice in self.progress.choices if choice.hold_id]
            assert all(choice.hold_id in self.holds for choice in held)
            assert not any(choice.hold_id in self.progress.given_up for choice in held)
            assert all(choice.label == _courses_words(choice.hold_id) for choice in held)
            assert self.progress.remarks or any(row.re_enrol for row in self.progress.choices)

    @invariant()
    def only_a_submitted_application_is_amended(self) -> None:
        if self.progress.amendment:
            assert self.progress.state == "submitted"
            assert self.progress.at_work.state == "draft"
            assert self.progress.at_work.receipt is None
            assert self.progress.at_work.amendment is None


Family.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestAnApplicationStaysSound = Family.TestCase
