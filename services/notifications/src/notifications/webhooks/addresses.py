"""Where an event may be sent: to public addresses, over https, unless configuration allows more.

A webhook's URL is somebody else's word: it must not make the territory's own servers talk to each
other (SSRF). What its name leads to is looked at when it is registered, and again at each
connection, on the very address that is connected to: a name that leads elsewhere by then (DNS
rebinding) gains nothing.
"""

import asyncio
import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from shared.contract import Rejection, marked
from yarl import URL

type Network = IPv4Network | IPv6Network
type AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
"""What the system's resolver says of an address, as it is connected to."""

_RESOLVES_WITHIN_SECONDS = 5.0
_OBJECTIONS = {
    "not_a_url": marked("Cette adresse n'est pas une URL complète."),
    "not_https": marked("L'adresse doit commencer par https://."),
    "has_credentials": marked("L'adresse ne doit contenir ni identifiant ni mot de passe."),
    "unknown_name": marked("Le nom de ce serveur est introuvable."),
    "private_address": marked("Ce serveur n'a pas d'adresse publique."),
}


class AddressRefused(OSError):
    """Nothing is sent to this address."""


@dataclass(frozen=True, slots=True)
class AddressRule:
    """Which addresses may be sent to; ``allowed_networks`` are those that are not public."""

    allowed_networks: Sequence[Network] = ()
    allows_http: bool = False

    def objection(self, url: str) -> str | None:
        """Say what is wrong with a URL as it is written, or nothing."""
        try:
            read = URL(url)
            host, scheme = read.host, read.scheme
        except ValueError:
            return "not_a_url"
        if not host or scheme not in ("http", "https"):
            return "not_a_url"
        if scheme == "http" and not self.allows_http:
            return "not_https"
        if read.user is not None or read.password is not None:
            return "has_credentials"
        return None

    def permits(self, address: str) -> bool:
        """Tell whether an address may be sent to."""
        read = ip_address(address)
        if isinstance(read, IPv6Address) and read.ipv4_mapped:
            read = read.ipv4_mapped
        return any(read in network for network in self.allowed_networks) or _is_public(read)

    async def examine(self, url: str) -> None:
        """Refuse, with its reason, a URL that nothing would be sent to."""
        if reason := self.objection(url) or await self._objection_to_addresses(URL(url)):
            raise Rejection("webhook_url_refused", _OBJECTIONS[reason], status=422, reason=reason)

    def open_socket(self, found: AddressInfo) -> socket.socket:
        """Make the socket of a connection; raises AddressRefused where it would lead inside."""
        family, kind, protocol, _, where = found
        if not self.permits(where[0]):
            raise AddressRefused(errno.EACCES, f"{where[0]} is not a public address")
        return socket.socket(family, kind, protocol)

    async def _objection_to_addresses(self, url: URL) -> str | None:
        try:
            async with asyncio.timeout(_RESOLVES_WITHIN_SECONDS):
                found = await asyncio.get_running_loop().getaddrinfo(
                    url.raw_host, url.port, type=socket.SOCK_STREAM
                )
        except (OSError, UnicodeError):
            return "unknown_name"
        if all(self.permits(str(where[0])) for *_, where in found):
            return None
        return "private_address"


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell an address of the Internet from any that only means something nearby."""
    if isinstance(address, IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)
