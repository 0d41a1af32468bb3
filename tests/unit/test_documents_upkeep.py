"""How long documents are kept, what explains an object of the store, and who may read a bucket."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from documents.orphans import Comparison, is_wanted
from documents.retention import purge_after
from documents.store import INCOMING, opens_to_anyone
from documents.uploads import Upload, UploadState
from shared.identifiers import new_id

UPLOAD = Upload(
    id=new_id(),
    site_id=new_id(),
    campaign_id=new_id(),
    family_id=new_id(),
    student_id=None,
    type_code="domicile",
    title="",
    school_year="2027-2028",
    filename="facture.pdf",
    content_type="application/pdf",
    size=1000,
    state="deposited",
    refusal="",
    opened_at=datetime(2027, 6, 1, tzinfo=UTC),
    deposited_at=datetime(2027, 6, 1, tzinfo=UTC),
    attempts=1,
)


def test_documents_are_kept_until_the_second_school_year_has_ended_in_paris() -> None:
    assert purge_after("2027-2028") == datetime(2029, 8, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize("school_year", ["0000-0001", "9998-9999"])
def test_a_mistyped_school_year_does_not_keep_the_others_from_being_purged(
    school_year: str,
) -> None:
    assert (purge_after(school_year) > purge_after("2027-2028")) == (school_year > "2027")


@pytest.mark.parametrize(
    ("state", "is_erased", "kept", "incoming"),
    [
        ("expected", False, False, True),
        ("analysing", False, True, True),
        ("deposited", False, True, False),
        ("accepted", False, True, False),
        ("refused", False, True, False),
        ("unfit", False, True, True),
        ("unfit", True, False, False),
        ("removed", False, True, True),
        ("removed", True, False, False),
        ("abandoned", True, False, False),
    ],
)
def test_a_document_explains_its_files_from_the_sending_to_the_erasure(
    state: UploadState, is_erased: bool, kept: bool, incoming: bool
) -> None:
    upload = replace(UPLOAD, state=state)
    assert is_wanted(upload.key, upload, is_erased=is_erased) == kept
    assert is_wanted(INCOMING + upload.key, upload, is_erased=is_erased) == incoming


def test_a_document_explains_nothing_under_another_s_name() -> None:
    assert not is_wanted(f"elsewhere/{UPLOAD.id}", UPLOAD, is_erased=False)


@pytest.mark.parametrize(
    ("objects", "strays", "credible"),
    [(0, 0, True), (100, 100, True), (1000, 100, True), (1000, 101, False), (5000, 500, True)],
)
def test_more_strays_than_a_tenth_of_the_store_are_rather_a_lost_database(
    objects: int, strays: int, credible: bool
) -> None:
    found = Comparison(objects, tuple(str(number) for number in range(strays)), ())
    assert found.is_credible == credible


@pytest.mark.parametrize(
    ("statement", "is_open"),
    [
        ({"Effect": "Allow", "Principal": "*"}, True),
        ({"Effect": "Allow", "Principal": {"AWS": "*"}}, True),
        ({"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::1:user/one", "*"]}}, True),
        ({"Effect": "Allow", "NotPrincipal": {"AWS": ["arn:aws:iam::1:user/one"]}}, True),
        ({"Effect": "Deny", "Principal": "*"}, False),
        ({"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::1:user/one"]}}, False),
    ],
)
def test_a_policy_opens_a_bucket_where_it_allows_anyone(
    statement: dict[str, object], is_open: bool
) -> None:
    assert opens_to_anyone(json.dumps({"Statement": [statement]})) == is_open
    assert opens_to_anyone(json.dumps({"Statement": statement})) == is_open


def test_a_policy_without_statements_opens_nothing() -> None:
    assert not opens_to_anyone("{}")
