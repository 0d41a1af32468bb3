"""What identity is told besides every service's settings."""

from pathlib import Path

from shared.settings import ServiceSettings


class IdentitySettings(ServiceSettings):
    """Identity holds the private key; ``demonstration`` lets an import set passwords."""

    token_private_key_file: Path
    demonstration: bool = False
