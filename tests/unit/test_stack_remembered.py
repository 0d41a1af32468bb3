"""Ports and passwords survive a restart."""

import json
import socket
import stat
from pathlib import Path

import pytest
from stack.errors import StackError
from stack.remembered import FIRST_PORT, LAST_PORT, free_port, is_free, passwords, ports


def test_a_port_is_the_same_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = ports(file)["courses-1"]

    assert ports(file)["courses-1"] == first


def test_a_port_that_something_else_took_is_chosen_again(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"
    first = ports(file)["courses-1"]
    with socket.create_server(("127.0.0.1", first)):
        second = ports(file)["courses-1"]

    assert second != first
    assert json.loads(file.read_text()) == {"courses-1": second}


def test_a_port_stays_the_same_while_its_own_server_listens(tmp_path: Path) -> None:
    chosen = ports(tmp_path / "ports.json")
    with socket.create_server(("127.0.0.1", chosen["courses-1"])) as server:
        assert chosen["courses-1"] == server.getsockname()[1]


def test_names_never_share_a_port(tmp_path: Path) -> None:
    chosen = ports(tmp_path / "ports.json")
    names = [f"courses-{number}" for number in range(200)]

    assert len({chosen[name] for name in names}) == len(names)


def test_a_free_port_is_one_that_a_server_can_take() -> None:
    port = free_port(())

    assert FIRST_PORT <= port <= LAST_PORT
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)


def test_no_port_left_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stack.remembered.is_free", lambda _port: False)

    with pytest.raises(StackError, match="No free port"):
        free_port(())


def test_a_password_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = tmp_path / "passwords.json"
    first = passwords(file)["rabbitmq"]

    assert passwords(file)["rabbitmq"] == first
    assert passwords(file)["store"] != first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
