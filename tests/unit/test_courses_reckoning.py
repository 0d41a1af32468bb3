"""The command that checks the books of courses, before it reaches any database."""

import pytest
from courses.reckoning import check_seats


def test_without_its_database_the_check_says_which_variable_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RENTREE_DATABASE_URL", raising=False)
    assert check_seats([]) == 2
    assert "RENTREE_DATABASE_URL" in capsys.readouterr().err
