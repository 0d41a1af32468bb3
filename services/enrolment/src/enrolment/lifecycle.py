"""The life of an application: what may be done, when, and what it becomes.

::

              ┌─ complete, authorise, choose
              ▼  │
    start ──▶ draft ───────── submit ──────▶ submitted
                │ ▲                              │
        decline │ │ take back, or start again    │ decline
                ▼ │                              │
              declined ◀─────────────────────────┘

What was submitted is changed in an amendment of it (:mod:`enrolment.amending`), and stands until
that is submitted too: each submission has a receipt of its own, and the former ones stay in the
mails that told them. To decline frees the seats; what is submitted afterwards is a new request.

A function takes where an application stands and gives where it stands afterwards: the same value
where there is nothing to change, such as a repeat. A refusal is a Rejection. Whoever calls says
what time it is; a campaign's first instant is in, its closing instant is out (S24).
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from shared.contract import Rejection, marked
from shared.contracts.enrolment import Authorisations, Campaign, CourseChoice, Receipt

from enrolment.progress import (
    AUTHORISATIONS,
    CONTACT_DETAILS,
    COURSES,
    DOCUMENTS,
    DONE,
    RECAP,
    Amendment,
    KnownHold,
    Progress,
)

GATEWAY_DELAY = timedelta(minutes=2)
"""How long a request may have travelled since the gateway received it."""

_STEP_NAMES = {
    CONTACT_DETAILS: marked("Modification des coordonnées"),
    AUTHORISATIONS: marked("Autorisations"),
    DOCUMENTS: marked("Documents"),
    COURSES: marked("Cours"),
}
_SLOT = re.compile(
    r"\b(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)\b"
    r".*\d\s*[.:h]\s*\d\d\s*à\s*\d\d?\s*[.:h]\s*\d\d(?!\s*:)",
    re.IGNORECASE,
)
"""A weekday and hours, "JEUDI - 17.00 à 18.30", unless the reason for having no choice follows."""

_NOTHING_HELD = {"held_until": None, "seat_lost": False, "seat_kept": False}


def counted_instant(
    received_at: datetime, now: datetime, *, after: Receipt | None = None
) -> datetime:
    """Give the instant that counts for a request: when the gateway received it (S24).

    The service's own clock bounds it, so that no caller chooses its hour. It comes ``after`` the
    receipt of what it replaces, whichever gateway's clock is ahead: the later one counts.
    """
    counted = received_at if now - GATEWAY_DELAY <= received_at <= now else now
    return max(counted, after.received_at + timedelta.resolution) if after else counted


def start(progress: Progress, campaign: Campaign, at: datetime) -> Progress:
    """Begin or resume, from the preparation on; a declined application is a draft again, its
    courses to choose again.
    """
    if progress.state == "submitted":
        return progress
    require_open(campaign, at, since=campaign.prepares_at)
    return _reopened(progress)


def complete(progress: Progress, step: int, campaign: Campaign, at: datetime) -> Progress:
    """Do a step whose content lives elsewhere; one done before stays done."""
    _require_draft(progress)
    require_open(campaign, at, since=campaign.prepares_at)
    return _advanced(progress, step)


def authorise(
    progress: Progress,
    authorisations: Authorisations,
    campaign: Campaign,
    at: datetime,
    *,
    by: str = "",
    seen: int | None = None,
) -> Progress:
    """Do step 2 with its two answers (S40); the same ones again are those of who gave them first.

    ``seen`` is the revision of the answers that were shown: others are not replaced unseen.
    """
    _require_draft(progress)
    require_open(campaign, at, since=campaign.prepares_at)
    given = progress.authorisations
    if given and _answers(given) == _answers(authorisations):
        return _advanced(progress, AUTHORISATIONS)
    before = given.revision if given else 0
    if given and seen is not None and seen < before:
        raise Rejection(
            "authorisations_changed",
            "D'autres réponses ont été données entre-temps : relisez-les, puis envoyez les vôtres"
            " de nouveau.",
            **given.model_dump(mode="json"),
        )
    told = {"answered_by": by, "answered_at": at, "revision": before + 1}
    answered = authorisations.model_copy(update=told)
    return replace(_advanced(progress, AUTHORISATIONS), authorisations=answered)


def choose(
    progress: Progress,
    choices: Sequence[CourseChoice],
    remarks: str,
    campaign: Campaign,
    at: datetime,
) -> Progress:
    """Do step 4: what is decided of each course, once the campaign is open (S23, S60)."""
    _require_draft(progress)
    require_open(campaign, at, since=campaign.opens_at)
    _require_whole(choices)
    is_repeat = progress.chosen_at and _decided(progress.choices) == _decided(choices)
    return replace(
        _advanced(progress, COURSES),
        choices=tuple(
            choice.model_copy(update={"seat_lost": False, "seat_kept": False}) for choice in choices
        ),
        chosen_at=progress.chosen_at if is_repeat else at,
        remarks=remarks,
    )


def submit(
    progress: Progress,
    campaign: Campaign,
    holds: Mapping[UUID, KnownHold],
    *,
    receipt: Receipt,
    accepted_text_version: str,
    remarks: str | None,
    replaces: str | None = None,
) -> Progress:
    """File the request: every step done, every chosen seat held at the instant of ``receipt``.

    Filing again changes nothing, the first receipt included (S71). ``replaces`` is the receipt
    number of the request whose amendment is filed, in its place: what is filed of another leaves an
    amendment alone, and one that was abandoned is refused. ``remarks`` replace those of step 4
    where they are given. What is filed names each held seat by courses' own words, whatever was
    sent here. A request for no course at all is one where remarks say what is wished: a student who
    follows nothing this year has no row to tick.
    """
    if progress.state == "submitted":
        if progress.receipt is None or progress.receipt.number != replaces:
            return progress
        progress = _require_amendment(progress).draft
    _require_draft(progress)
    require_open(campaign, receipt.received_at, since=campaign.opens_at)
    _require_reached(progress, RECAP)
    wished = progress.remarks if remarks is None else remarks
    _require_something_asked(progress.choices, wished)
    _require_seats(progress, holds, receipt.received_at)
    return replace(
        progress,
        state="submitted",
        step_reached=DONE,
        choices=tuple(_in_courses_words(choice, holds) for choice in progress.choices),
        remarks=wished,
        accepted_text_version=accepted_text_version,
        receipt=receipt,
    )


def decline(progress: Progress, campaign: Campaign, *, receipt: Receipt) -> Progress:
    """Record that the family does not re-enrol (S22), or withdraws what it submitted (S74), and
    what it was changing in that.

    What was typed is kept; its seats are not, and serve no more. A click received before the
    submission does not undo it.
    """
    if progress.state == "declined":
        return progress
    if progress.receipt and receipt.received_at < progress.receipt.received_at:
        return progress
    require_open(campaign, receipt.received_at, since=campaign.opens_at)
    chosen = (*progress.choices, *progress.at_work.choices)
    freed = {choice.hold_id for choice in chosen if choice.hold_id}
    return replace(
        progress,
        state="declined",
        step_reached=min(progress.step_reached, RECAP),
        chosen_at=receipt.received_at,
        given_up=progress.given_up | freed,
        accepted_text_version=None,
        receipt=receipt,
        amendment=None,
    )


def take_back(progress: Progress, campaign: Campaign, at: datetime) -> Progress:
    """Take a refusal back, until the campaign closes (S22); the courses are to choose again."""
    if progress.state != "declined":
        return progress
    require_open(campaign, at, since=campaign.opens_at)
    return _reopened(progress)


def _decided(choices: Sequence[CourseChoice]) -> list[CourseChoice]:
    """Give what was decided: a hold that was renewed meanwhile is the same one."""
    return [choice.model_copy(update=_NOTHING_HELD) for choice in choices]


def _answers(given: Authorisations) -> tuple[bool, bool, str]:
    return given.image_rights, given.leaves_alone, given.text_version


def _reopened(progress: Progress) -> Progress:
    if progress.state == "draft":
        return progress
    return replace(
        progress,
        state="draft",
        step_reached=min(progress.step_reached, COURSES),
        choices=tuple(map(without_seat, progress.choices)),
        receipt=None,
    )


def without_seat(choice: CourseChoice) -> CourseChoice:
    """Give a choice whose slot is to choose again."""
    return choice.model_copy(update={"course_id": None, "hold_id": None, **_NOTHING_HELD})


def with_seats(
    choices: Sequence[CourseChoice], holds: Mapping[UUID, KnownHold], missing: Collection[UUID]
) -> tuple[CourseChoice, ...]:
    """Say of each choice how long its seat is kept; one not heard of yet, as it was recorded.

    ``missing`` are the seats that courses could not claim.
    """
    return tuple(_with_seat(choice, holds, missing) for choice in choices)


def _with_seat(
    choice: CourseChoice, holds: Mapping[UUID, KnownHold], missing: Collection[UUID]
) -> CourseChoice:
    hold = holds.get(choice.hold_id) if choice.hold_id else None
    if choice.hold_id in missing:
        return choice.model_copy(update={"held_until": None, "seat_lost": True})
    if hold is None:
        return choice
    is_running = not hold.released and not hold.claimed
    return choice.model_copy(
        update={
            "held_until": hold.expires_at if is_running else None,
            "seat_lost": hold.is_lost,
            "seat_kept": hold.replaces is not None and hold.replaces in missing,
        }
    )


def _in_courses_words(choice: CourseChoice, holds: Mapping[UUID, KnownHold]) -> CourseChoice:
    if choice.hold_id is None:
        return choice
    return choice.model_copy(update={"label": holds[choice.hold_id].label})


def _advanced(progress: Progress, step: int) -> Progress:
    _require_reached(progress, step)
    return replace(progress, step_reached=max(progress.step_reached, step + 1))


def _require_amendment(progress: Progress) -> Amendment:
    if progress.amendment is None:
        raise Rejection(
            "amendment_abandoned",
            "La modification a été abandonnée entre-temps : rien n'a été transmis, et la demande"
            " reste valable telle quelle.",
        )
    return progress.amendment


def _require_draft(progress: Progress) -> None:
    if progress.state == "submitted":
        raise Rejection(
            "already_submitted",
            "La demande de réinscription a déjà été validée. Pour la changer, choisissez « Modifier"
            " la demande » : c'est possible jusqu'à la clôture de la campagne. Ensuite, contactez"
            " votre conservatoire.",
            receipt_number=progress.receipt.number if progress.receipt else "",
        )
    if progress.state == "declined":
        raise Rejection(
            "already_declined",
            "Vous avez indiqué ne pas souhaiter réinscrire cet élève. Pour reprendre la demande,"
            " revenez d'abord sur ce choix.",
        )


def require_open(campaign: Campaign, at: datetime, *, since: datetime) -> None:
    """Refuse what comes before ``since``, or from the campaign's closing instant on (S24)."""
    if at < since:
        raise Rejection(
            "campaign_not_open",
            "Cette étape ouvrira le %(opens_at)s. Revenez à partir de ce moment.",
            opens_at=since.isoformat(),
        )
    if at >= campaign.closes_at:
        raise Rejection(
            "campaign_closed",
            "La campagne de réinscription est close depuis le %(closes_at)s."
            " Contactez votre conservatoire.",
            closes_at=campaign.closes_at.isoformat(),
        )


def _require_reached(progress: Progress, step: int) -> None:
    if progress.step_reached < step:
        missing = range(progress.step_reached, step)
        raise Rejection(
            "steps_missing",
            "L'étape %(step)s (%(step_name)s) n'est pas terminée. Terminez-la pour continuer.",
            steps=list(missing),
            step=missing[0],
            step_name=_STEP_NAMES[missing[0]],
        )


def _require_whole(choices: Sequence[CourseChoice]) -> None:
    """Refuse rows that contradict themselves or one another.

    One re-enrolled without a hold may not read as a slot: a receipt would promise it (S73).
    """
    rows = {choice.follow_id for choice in choices}
    half_chosen = any((choice.hold_id is None) != (choice.course_id is None) for choice in choices)
    kept_for_nothing = any(choice.hold_id and not choice.re_enrol for choice in choices)
    claims_a_slot = any(
        choice.re_enrol and choice.hold_id is None and _SLOT.search(choice.label)
        for choice in choices
    )
    if len(rows) < len(choices) or half_chosen or kept_for_nothing or claims_a_slot:
        raise Rejection(
            "invalid_choices",
            "Les choix de cours envoyés se contredisent. Rechargez la page et recommencez.",
            status=422,
        )


def _require_something_asked(choices: Sequence[CourseChoice], remarks: str) -> None:
    if not remarks and not any(choice.re_enrol for choice in choices):
        raise Rejection(
            "nothing_asked",
            "Votre demande ne contient aucun cours à poursuivre ni information complémentaire."
            " Cochez un cours à l'étape Cours, ou indiquez que vous ne souhaitez pas réinscrire"
            " cet élève.",
        )


def _require_seats(progress: Progress, holds: Mapping[UUID, KnownHold], at: datetime) -> None:
    chosen = [(choice, holds.get(choice.hold_id)) for choice in progress.choices if choice.hold_id]
    lost = [
        choice
        for choice, hold in chosen
        if choice.hold_id in progress.given_up or (hold and not hold.serves(choice, at))
    ]
    if lost:
        raise Rejection(
            "seat_not_held",
            "La place n'est plus retenue pour : %(labels)s."
            " Choisissez à nouveau un créneau à l'étape Cours.",
            follow_ids=[str(choice.follow_id) for choice in lost],
            labels=[choice.label for choice in lost],
        )
    if any(hold is None for _, hold in chosen):
        raise Rejection(
            "hold_not_known_yet",
            "La place retenue est en cours d'enregistrement. Validez à nouveau dans un instant.",
            retry_after_seconds=1,
        )
