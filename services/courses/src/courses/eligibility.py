"""What a row may be given at all: an open campaign, its own family, its level, its free hours."""

from collections.abc import Iterable
from uuid import UUID

from shared.contract import Rejection

from courses.book import Book
from courses.seats import Campaign, Course, Row, Seat


def require_campaign(book: Book, campaign_id: UUID, site_id: UUID | None) -> Campaign:
    """Give a campaign of the site, or of any where it is none; raises ``not_found``."""
    campaign = book.campaigns.get(campaign_id)
    if campaign is None or (site_id is not None and campaign.site_id != site_id):
        raise Rejection.not_found()
    return campaign


def require_open(book: Book, campaign_id: UUID, site_id: UUID | None) -> Campaign:
    """Give a campaign of the family's site that is open now, to the second (S24)."""
    if site_id is None:
        raise Rejection.not_found()
    campaign = require_campaign(book, campaign_id, site_id)
    if book.now < campaign.opens_at:
        raise Rejection(
            "campaign_not_open", "La campagne de réinscription n'est pas encore ouverte."
        )
    if book.now >= campaign.closes_at:
        raise Rejection("campaign_closed", "La campagne de réinscription est terminée.")
    return campaign


def require_row(book: Book, follow_id: UUID, student_id: UUID, campaign: Campaign) -> Row:
    """Give a student's row in the campaign's site and school year; raises ``not_found``."""
    row = book.rows.get(follow_id)
    if row is None or row.student_id != student_id:
        raise Rejection.not_found()
    if (row.site_id, row.school_year) != (campaign.site_id, campaign.school_year):
        raise Rejection.not_found()
    return row


def require_own_row(
    book: Book, follow_id: UUID, student_id: UUID, campaign: Campaign, family_id: UUID
) -> Row:
    """Give a row of the family's student: another family's does not exist (S97)."""
    row = require_row(book, follow_id, student_id, campaign)
    if family_id not in row.family_ids:
        raise Rejection.not_found()
    return row


def refuse_off_offer(row: Row, course: Course) -> None:
    """Refuse a course that next year does not offer for this row."""
    if course.site_id != row.site_id:
        raise Rejection(
            "wrong_site",
            "Ce cours a lieu dans un autre conservatoire.",
            follow_id=str(row.follow_id),
        )
    if (
        course.level != row.next_level
        or course.curriculum != row.curriculum
        or course.school_year != row.school_year
        or not course.is_chosen
    ):
        raise Rejection(
            "wrong_level",
            "%(label)s n'est pas au niveau proposé pour l'année prochaine.",
            follow_id=str(row.follow_id),
            label=course.label,
        )


def refuse_same_time(book: Book, course: Course, follow_id: UUID, others: Iterable[Seat]) -> None:
    """Refuse a row a course that meets during another seat of the same student (S64)."""
    other = meeting_during(book, course, others)
    if other is not None:
        raise Rejection(
            "same_time",
            "%(label)s a lieu en même temps que %(other_label)s."
            " Choisissez un autre créneau pour l'un des deux.",
            course_id=str(course.id),
            follow_id=str(follow_id),
            label=course.label,
            other_label=other.label,
        )


def prospects(seats: Iterable[Seat]) -> list[Seat]:
    """Give, of each row's seats, the one that it is to keep: what was chosen last."""
    rows: dict[UUID, Seat] = {}
    for seat in seats:
        if seat.state == "held" or seat.follow_id not in rows:
            rows[seat.follow_id] = seat
    return list(rows.values())


def other_rows(book: Book, campaign_id: UUID, student_id: UUID, follow_id: UUID) -> list[Seat]:
    """Give what a student has in the rows other than this one."""
    seats = book.seats_of_student(campaign_id, student_id)
    return [seat for seat in seats if seat.follow_id != follow_id]


def meeting_during(book: Book, course: Course, seats: Iterable[Seat]) -> Course | None:
    """Find the course, of some seats, that nobody could attend besides this one."""
    for seat in seats:
        other = book.standings[seat.course_id].room.course
        if course.slot and other.slot and course.slot.meets_during(other.slot):
            return other
    return None
