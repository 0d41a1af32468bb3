"""Settings, from the environment alone: every variable starts with ``RENTREE_``."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def comma_separated(value: object) -> object:
    """Read a list as the environment gives it: its items, separated by commas."""
    return tuple(filter(None, value.split(","))) if isinstance(value, str) else value


type Urls = Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_separated)]
"""One service's replicas: base URLs separated by commas, or one name that resolves to several."""


class ProcessSettings(BaseSettings):
    """What every process needs: where it listens, and the key that verifies callers."""

    model_config = SettingsConfigDict(env_prefix="RENTREE_", env_nested_delimiter="__")

    host: str = "0.0.0.0"  # noqa: S104 - a container listens on every interface
    port: int = 8000
    log_level: str = "info"
    token_public_key_file: Path


class ServiceSettings(ProcessSettings):
    """What every service needs besides: its database, the broker, and its bounds."""

    database_url: str
    broker_url: str
    database_connections: int = 10
    """Connections to PostgreSQL per replica: more make a hot row slower."""
    asks_in_flight: int = 256
    """Beyond this many at once a service says that it is busy, at once."""
    reactions_in_flight: int = 10
    """Messages that one reaction works on at the same time."""
