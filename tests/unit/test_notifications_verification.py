"""The code that lets anyone confirm a receipt, and nobody invent one."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from notifications.verification import Filed, Seal, read_filed

SEAL = Seal("secret des essais")
FILED = Filed(
    kind="submission_receipt",
    receipt_number="MEU-2027-000123-4",
    received_at=datetime(2026, 11, 22, 13, 5, 12, 345678, tzinfo=UTC),
    asked_courses=("FM 2.1 (33) - JEUDI - 17.00 à 18.30", "Violon"),
    left_courses=("Orchestre à cordes",),
)


def test_a_code_is_sixteen_signs_that_are_easy_to_read_out() -> None:
    assert re.fullmatch(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){3}", SEAL.code(FILED))


def test_a_code_stays_the_same_for_years() -> None:
    assert SEAL.code(FILED) == "IEOF-F27A-VEKI-5IRL"


def test_the_same_instant_in_another_zone_has_the_same_code() -> None:
    in_paris = FILED.received_at.astimezone(timezone(timedelta(hours=1)))
    assert SEAL.code(replace(FILED, received_at=in_paris)) == SEAL.code(FILED)


def test_what_was_filed_is_read_from_its_message() -> None:
    content = {
        "receipt_number": "MEU-2027-000123-4",
        "received_at": "2026-11-22T14:05:12.345678+01:00",
        "asked_courses": ["FM 2.1 (33) - JEUDI - 17.00 à 18.30", "Violon"],
        "left_courses": ["Orchestre à cordes"],
    }
    assert SEAL.code(read_filed("submission_receipt", content)) == SEAL.code(FILED)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "decline_receipt"},
        {"receipt_number": "MEU-2027-000124-4"},
        {"received_at": FILED.received_at + timedelta(microseconds=1)},
        {"asked_courses": ("Violon", "FM 2.1 (33) - JEUDI - 17.00 à 18.30")},
        {"asked_courses": (*FILED.asked_courses, "Orchestre à cordes"), "left_courses": ()},
        {"left_courses": ()},
    ],
)
def test_anything_else_filed_has_another_code(change: dict[str, object]) -> None:
    assert not SEAL.confirms(SEAL.code(FILED), replace(FILED, **change))  # type: ignore[arg-type]


def test_another_secret_makes_other_codes() -> None:
    assert not Seal("un autre secret").confirms(SEAL.code(FILED), FILED)


@given(st.data())
def test_a_code_is_confirmed_however_it_is_typed(data: st.DataObject) -> None:
    misread = {"O": "0", "I": "1", "B": "8"}
    typed = "".join(
        data.draw(st.sampled_from((sign, sign.lower(), misread.get(sign, sign), f" {sign}")))
        for sign in SEAL.code(FILED)
    )
    assert SEAL.confirms(typed, FILED)


@given(st.text())
def test_whatever_is_typed_confirms_nothing_that_does_not_exist(typed: str) -> None:
    assert not SEAL.confirms(typed, None)
    assert not SEAL.confirms(typed, FILED)


def test_the_secret_is_never_shown() -> None:
    assert "secret des essais" not in repr(SEAL)
