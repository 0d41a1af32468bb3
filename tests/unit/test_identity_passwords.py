"""Passwords are hashed with argon2id; names are compared without case or stray blanks."""

from contextlib import ExitStack

import pytest
from identity.passwords import Passwords, plain_username
from shared.contract import Rejection


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords()


async def test_a_hash_is_argon2id_and_holds_for_its_password_alone(passwords: Passwords) -> None:
    hashed = await passwords.hash("Rentrée à Meudon")
    assert hashed.startswith("$argon2id$")
    assert await passwords.match("Rentrée à Meudon", hashed)
    assert not await passwords.match("Rentree a Meudon", hashed)


async def test_an_accent_typed_in_one_or_two_code_points_is_the_same(passwords: Passwords) -> None:
    hashed = await passwords.hash("Rentr\u00e9e")
    assert await passwords.match("Rentre\u0301e", hashed)


async def test_no_password_is_right_where_there_is_no_hash(passwords: Passwords) -> None:
    assert not await passwords.match("", None)


def fill(queue: ExitStack, passwords: Passwords) -> None:
    """Take turns until there are none left."""
    while True:
        queue.enter_context(passwords.turn())


def test_a_rush_beyond_what_seconds_can_check_is_told_so_at_once(passwords: Passwords) -> None:
    with ExitStack() as queue, pytest.raises(Rejection, match="busy"):
        fill(queue, passwords)
    with passwords.turn():
        pass


@pytest.mark.parametrize("typed", ["nicole.test", " Nicole.Test ", "NICOLE.TEST\u00a0"])
def test_a_username_is_recognised_however_it_is_typed(typed: str) -> None:
    assert plain_username(typed) == "nicole.test"
