"""Tokens: signed by one, verified by all, worth nothing once expired."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from shared.callers import Caller, TokenSigner, TokenVerifier
from shared.contract import Rejection
from shared.identifiers import new_id
from stack.keys import key_pair

_LIFE = timedelta(minutes=10)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[TokenSigner, TokenVerifier]:
    keys = key_pair(tmp_path_factory.mktemp("keys"))
    return TokenSigner.from_file(keys.private), TokenVerifier.from_file(keys.public)


def caller(family_id: UUID | None = None) -> Caller:
    return Caller(
        account_id=new_id(),
        session_id=new_id(),
        role="family",
        name="Madame ESSAI Camille",
        site_id=new_id(),
        family_id=family_id or new_id(),
    )


def test_a_token_gives_its_caller_back(pair: tuple[TokenSigner, TokenVerifier]) -> None:
    signer, verifier = pair
    someone = caller()
    token = signer.sign(someone, datetime.now(UTC), _LIFE)
    assert verifier.verify(token) == someone
    assert verifier.verify(token) == someone


def test_a_token_already_verified_still_expires(
    pair: tuple[TokenSigner, TokenVerifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    signer, verifier = pair
    now = datetime.now(UTC)
    token = signer.sign(caller(), now, _LIFE)
    verifier.verify(token)
    later = now.timestamp() + _LIFE.total_seconds() + 60
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(Rejection, match="not_signed_in"):
        verifier.verify(token)


def test_an_old_token_a_changed_one_and_another_keys_are_refused(
    pair: tuple[TokenSigner, TokenVerifier], tmp_path: Path
) -> None:
    signer, verifier = pair
    other = TokenSigner.from_file(key_pair(tmp_path).private)
    now = datetime.now(UTC)
    good = signer.sign(caller(), now, _LIFE)
    for token in (
        signer.sign(caller(), now - timedelta(hours=1), _LIFE),
        good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"),
        other.sign(caller(), now, _LIFE),
        "",
    ):
        with pytest.raises(Rejection, match="not_signed_in"):
            verifier.verify(token)


def test_only_a_familys_caller_has_a_family() -> None:
    operator = Caller(account_id=new_id(), session_id=new_id(), role="operator")
    with pytest.raises(Rejection, match="not_found"):
        operator.family()
    with pytest.raises(Rejection, match="not_found"):
        caller().require_operator()
