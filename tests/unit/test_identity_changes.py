"""What somebody else changed meanwhile is not undone unseen."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from identity.changes import undone
from shared.contracts.identity import DetailChange

VALUES = st.sampled_from(["", "Meudon", "Sèvres", "Issy"])


def became(old: str, new: str) -> DetailChange:
    return DetailChange(
        field="city", old_value=old, new_value=new, changed_at=datetime(2026, 11, 22, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("old", "new", "declared", "is_undone"),
    [
        ("Meudon", "Sèvres", "Meudon", True),
        ("Meudon", "Sèvres", "Issy", True),
        ("Meudon", "Sèvres", "Sèvres", False),
        ("Meudon", "Meudon", "Issy", False),
    ],
    ids=["left as it was", "typed otherwise", "typed alike", "changed and changed back"],
)
def test_a_change_is_told_where_it_would_be_undone(
    old: str, new: str, declared: str, is_undone: bool
) -> None:
    change = became(old, new)
    assert undone([change], {"city": declared}) == ((change,) if is_undone else ())


@given(old=VALUES, new=VALUES, declared=VALUES)
def test_what_is_not_told_of_loses_nothing(old: str, new: str, declared: str) -> None:
    if not undone([became(old, new)], {"city": declared}):
        assert new in (declared, old)
