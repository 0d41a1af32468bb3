"""What a gateway replica is told by its environment."""

from pathlib import Path

from pydantic import BaseModel, Field
from shared.settings import ProcessSettings, Urls

from gateway.theme import DEFAULT_THEME


class ServiceUrls(BaseModel):
    """Where each service's replicas answer."""

    identity: Urls
    enrolment: Urls
    documents: Urls
    courses: Urls
    notifications: Urls


class GatewaySettings(ProcessSettings):
    """The gateway holds no database: only where the others are, and one secret for its forms.

    It follows events, and tells none. ``store_url`` is the store as the gateway reaches it,
    ``store_public_url`` as browsers do.
    """

    services: ServiceUrls
    broker_url: str
    public_url: str
    store_public_url: str
    store_url: str
    cookie_secret: str = Field(min_length=16)
    cookie_secure: bool = True
    theme: Path = DEFAULT_THEME
