"""Which pieces a family provides, until when, and what it lacks (S50 to S56)."""

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from documents.pieces import (
    Campaign,
    Declined,
    DocumentType,
    Household,
    Student,
    applies,
    check_open,
    is_condition,
    lacking_pieces,
    missing,
    to_provide,
    two_lists,
    unknown_placeholders,
    worded,
)
from documents.uploads import GIVEN, Upload, UploadState
from hypothesis import given
from hypothesis import strategies as st
from shared.contract import Rejection
from shared.contracts.documents import MissingPiece, Owner, Piece, Pieces, Requirement
from shared.identifiers import new_id

from tests.document_uploads import upload

OPENS_AT = datetime(2027, 5, 10, 8, 0, tzinfo=UTC)
CAMPAIGN = Campaign(
    id=new_id(),
    site_id=new_id(),
    school_year="2027-2028",
    prepares_at=OPENS_AT - timedelta(days=10),
    opens_at=OPENS_AT,
    documents_due_at=OPENS_AT + timedelta(days=60),
)


def document_type(
    owner: Owner = "family",
    condition: str = "",
    code: str = "domicile",
    requirement: Requirement = "required",
) -> DocumentType:
    return DocumentType(
        code=code,
        owner=owner,
        name="Attestation CAF {annee}",
        requirement=requirement,
        condition=condition,
        help="Avis {annee-1} sur les revenus {annee-2}",
    )


def student(birth_on: date | None = date(2017, 1, 1), *disciplines: str) -> Student:
    return Student(new_id(), birth_on, disciplines)


def household(*students: Student) -> Household:
    return Household(students[0], students)


def listed(
    types: Sequence[DocumentType],
    uploads: Sequence[Upload],
    student_id: UUID | None = None,
    now: datetime = OPENS_AT,
    declined: Declined | None = None,
) -> Pieces:
    return two_lists(types, CAMPAIGN, student_id, uploads, declined or {}, now)


def only_piece(uploads: Sequence[Upload], now: datetime = OPENS_AT) -> Piece:
    (piece,) = listed([document_type()], uploads, now=now).family
    return piece


def refusal(act: Callable[[], object]) -> Rejection:
    with pytest.raises(Rejection) as raised:
        act()
    return raised.value


def test_a_name_tells_the_years_of_its_campaign() -> None:
    template = "Avis d'imposition {annee-1} sur les revenus {annee-2}, CAF {annee}"
    assert worded(template, 2027) == "Avis d'imposition 2026 sur les revenus 2025, CAF 2027"


def test_what_is_no_year_is_left_as_it_is_and_told() -> None:
    assert worded("{annee} {mois} {annee-12}", 2027) == "2027 {mois} {annee-12}"
    assert unknown_placeholders("{annee} {mois} {annee-12}") == ("mois", "annee-12")


@given(st.text(alphabet="{}ane-1 é"))
def test_wording_leaves_no_known_year_behind(template: str) -> None:
    assert unknown_placeholders(worded(template, 2027)) == unknown_placeholders(template)


def test_the_present_school_year_is_the_one_before_the_campaign_s() -> None:
    assert (CAMPAIGN.first_year, CAMPAIGN.present_school_year) == (2027, "2026-2027")


@pytest.mark.parametrize(
    ("disciplines", "expected"),
    [
        (("Danse classique",), True),
        (("Piano", "danse contemporaine"), True),
        (("Formation musicale",), False),
        (("Initiation à la danse",), False),
        ((), False),
    ],
)
def test_a_dance_certificate_is_asked_of_those_who_dance_this_year(
    disciplines: tuple[str, ...], expected: bool
) -> None:
    kind = document_type("student", "discipline:Danse")
    assert applies(kind, household(student(None, *disciplines)), OPENS_AT.date()) is expected


def test_a_sibling_who_dances_asks_nothing_of_the_others() -> None:
    of_both = household(student(None, "Piano"), student(None, "Danse"))
    assert not applies(document_type("student", "discipline:Danse"), of_both, OPENS_AT.date())
    assert applies(document_type("family", "discipline:Danse"), of_both, OPENS_AT.date())


@pytest.mark.parametrize(
    ("births", "expected"),
    [
        ((date(2015, 1, 1), date(2017, 1, 1)), True),
        ((date(2015, 1, 1),), False),
        ((date(2015, 1, 1), date(2007, 5, 11)), True),
        ((date(2015, 1, 1), date(2007, 5, 10)), False),
        ((date(2015, 1, 1), None), False),
    ],
    ids=["two children", "an only child", "20 tomorrow", "20 today", "age unknown"],
)
def test_two_students_under_20_on_the_opening_day_ask_for_the_caf_certificate(
    births: tuple[date | None, ...], expected: bool
) -> None:
    family = household(*(student(birth) for birth in births))
    kind = document_type(condition="2_enfants_moins_20_ans")
    assert applies(kind, family, OPENS_AT.date()) is expected


def test_the_opening_day_is_the_one_in_france() -> None:
    late = Campaign(
        id=new_id(),
        site_id=new_id(),
        school_year="2027-2028",
        prepares_at=OPENS_AT,
        opens_at=datetime(2027, 5, 9, 22, 30, tzinfo=UTC),
        documents_due_at=OPENS_AT,
    )
    family = household(student(date(2007, 5, 10)), student(date(2015, 1, 1)))
    assert to_provide([document_type(condition="2_enfants_moins_20_ans")], late, family) == []


@given(st.dates(date(1990, 1, 1), date(2027, 1, 1)), st.dates(date(1990, 1, 1), date(2027, 1, 1)))
def test_a_younger_family_is_never_asked_for_less(first: date, second: date) -> None:
    kind = document_type(condition="2_enfants_moins_20_ans")
    younger = household(student(max(first, second)), student(max(first, second)))
    if applies(kind, household(student(first), student(second)), OPENS_AT.date()):
        assert applies(kind, younger, OPENS_AT.date())


@pytest.mark.parametrize("text", ["", "discipline:Danse", "2_enfants_moins_20_ans"])
def test_a_known_condition_is_understood(text: str) -> None:
    assert is_condition(text)


@pytest.mark.parametrize("text", ["discipline:", "2_enfants", "cursus:FM", "tous"])
def test_an_unknown_condition_is_not(text: str) -> None:
    assert not is_condition(text)


def test_a_family_s_document_serves_all_its_students_and_a_student_s_only_that_one() -> None:
    types = [document_type(), document_type("student", code="medical")]
    elder, younger = new_id(), new_id()
    uploads = [upload("domicile"), upload("medical", elder)]
    of_elder = listed(types, uploads, elder)
    of_younger = listed(types, uploads, younger)
    assert of_elder.family[0].document == of_younger.family[0].document == uploads[0].document()
    assert of_elder.student[0].document == uploads[1].document()
    assert of_younger.student[0].document is None


def test_without_a_student_the_family_s_own_pieces_are_listed() -> None:
    types = [document_type(), document_type("student", code="medical")]
    lists = listed(types, [], None)
    assert [piece.type_code for piece in lists.family] == ["domicile"]
    assert lists.student == ()


def test_nobody_is_asked_for_a_student_s_condition_without_a_student() -> None:
    of_all = Household(None, (student(None, "Danse"),))
    assert not applies(document_type("student", "discipline:Danse"), of_all, OPENS_AT.date())
    assert applies(document_type("family", "discipline:Danse"), of_all, OPENS_AT.date())


def test_the_lists_tell_the_deadline_and_keep_the_order_of_the_types() -> None:
    types = [document_type(code=code) for code in ("c", "a", "b")]
    lists = listed(types, [])
    assert [piece.type_code for piece in lists.family] == ["c", "a", "b"]
    assert (lists.student, lists.due_at) == ((), CAMPAIGN.documents_due_at)


def test_an_attempt_stands_beside_the_document_that_still_counts() -> None:
    document, attempt = upload(), upload(state="unfit", refusal="Illisible.")
    piece = only_piece([document, attempt])
    assert piece.document == document.document()
    assert piece.attempt == attempt.document()


@pytest.mark.parametrize(
    ("states", "may_send", "may_remove"),
    [
        ((), True, False),
        (("analysing",), True, True),
        (("unfit",), True, True),
        (("deposited",), True, True),
        (("deposited", "analysing"), True, True),
        (("refused",), True, True),
        (("accepted",), False, False),
    ],
)
def test_the_family_replaces_and_takes_back_what_was_not_accepted_until_the_deadline(
    states: tuple[UploadState, ...], may_send: bool, may_remove: bool
) -> None:
    given = [upload(state=state) for state in states]
    in_time = only_piece(given)
    assert (in_time.may_send, in_time.may_remove) == (may_send, may_remove)
    second = timedelta(seconds=1)
    for closed in (CAMPAIGN.prepares_at - second, CAMPAIGN.documents_due_at):
        piece = only_piece(given, now=closed)
        assert (piece.may_send, piece.may_remove) == (False, False)


@pytest.mark.parametrize(
    ("states", "is_missing"),
    [
        ((), True),
        (("unfit",), True),
        (("refused",), True),
        (("refused", "unfit"), True),
        (("analysing",), False),
        (("refused", "analysing"), False),
        (("deposited", "unfit"), False),
        (("deposited",), False),
        (("accepted",), False),
    ],
)
def test_a_required_piece_is_missing_until_a_file_for_it_is_analysed_or_counts(
    states: tuple[UploadState, ...], is_missing: bool
) -> None:
    lists = listed([document_type()], [upload(state=state) for state in states])
    assert bool(missing(lists).pieces) is is_missing


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["domicile", "rib", "medical"]),
            st.sampled_from([None, 0, 1]),
            st.sampled_from(["analysing", "unfit", "deposited", "accepted", "refused"]),
        ),
        unique_by=lambda each: each[:2],
    )
)
def test_what_a_whole_family_lacks_is_what_is_missing_for_each_of_its_students(
    given_pieces: list[tuple[str, int | None, UploadState]],
) -> None:
    students = (student(), student(None, "Danse classique"))
    types = [
        document_type(),
        document_type(code="rib", requirement="optional"),
        document_type("student", "discipline:Danse", "medical"),
    ]
    uploads = [
        upload(
            type_code=code, student_id=None if whose is None else students[whose].id, state=state
        )
        for code, whose, state in given_pieces
    ]
    lacking = lacking_pieces(
        types,
        CAMPAIGN,
        students,
        {(str(one.type_code), one.student_id) for one in uploads if one.state in GIVEN},
    )
    for each in students:
        theirs = Household(each, students)
        lists = listed(to_provide(types, CAMPAIGN, theirs), uploads, each.id)
        assert [piece.type_code for piece in missing(lists).pieces] == [
            kind.code for kind, whose in lacking if whose in {None, each.id}
        ]


def test_a_declined_piece_is_not_missing_and_may_still_be_given() -> None:
    sibling, dancer = student(), student()
    types = [document_type(), document_type("student", code="medical")]
    declined: Declined = {("medical", dancer.id): OPENS_AT}
    lists = listed(types, [], dancer.id, declined=declined)
    assert [piece.type_code for piece in missing(lists).pieces] == ["domicile"]
    (medical,) = lists.student
    assert (medical.declined_at, medical.may_decline, medical.may_send) == (OPENS_AT, False, True)
    assert len(missing(listed(types, [], sibling.id, declined=declined)).pieces) == 2


@pytest.mark.parametrize(
    ("states", "may_decline"),
    [
        ((), True),
        (("unfit",), True),
        (("refused",), True),
        (("analysing",), False),
        (("deposited",), False),
        (("deposited", "unfit"), False),
        (("accepted",), False),
    ],
)
def test_what_was_not_given_may_be_declined_until_the_deadline(
    states: tuple[UploadState, ...], may_decline: bool
) -> None:
    given = [upload(state=state) for state in states]
    assert only_piece(given).may_decline is may_decline
    assert not only_piece(given, now=CAMPAIGN.documents_due_at).may_decline


def test_what_is_not_required_is_never_missing() -> None:
    types = [document_type(requirement=each) for each in ("if_justified", "optional")]
    assert missing(listed(types, [])).pieces == ()


def test_what_is_missing_says_why_the_last_file_was_refused_and_until_when_to_send_one() -> None:
    refused = upload(state="refused", refusal="Trop ancien.")
    unfit = upload(state="unfit", refusal="Illisible.")
    told = missing(listed([document_type()], [refused, unfit]))
    assert told.due_at == CAMPAIGN.documents_due_at
    assert told.pieces == (
        MissingPiece(
            type_code="domicile",
            name="Attestation CAF {annee}",
            owner="family",
            refusal="Illisible.",
        ),
    )


def test_documents_are_taken_from_the_preparation_date_to_the_deadline_to_the_second() -> None:
    second = timedelta(seconds=1)
    check_open(CAMPAIGN, CAMPAIGN.prepares_at)
    check_open(CAMPAIGN, CAMPAIGN.documents_due_at - second)
    early = refusal(lambda: check_open(CAMPAIGN, CAMPAIGN.prepares_at - second))
    late = refusal(lambda: check_open(CAMPAIGN, CAMPAIGN.documents_due_at))
    assert (early.code, late.code) == ("documents_not_open", "documents_closed")
    assert late.facts["due_at"] == CAMPAIGN.documents_due_at.isoformat()
