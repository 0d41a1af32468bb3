"""How often the whole world may ask for what needs no session, in each replica."""

from typing import Final

from litestar.middleware.rate_limit import RateLimitConfig

VERIFICATIONS: Final = RateLimitConfig(
    rate_limit=("second", 20),
    # one count for everybody: behind a balancer, and it only keeps the services from being flooded
    identifier_for_request=lambda _: "verifications",
    set_rate_limit_headers=False,
)
"""Codes are too many to be guessed: this spares the database, and no more."""
