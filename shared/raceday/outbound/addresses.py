"""Which addresses may be spoken to: public ones, and nothing that a name could lead back into our own network."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from raceday.errors import OutboundRefused, OutboundUnavailable

Resolver = Callable[[str, int], Awaitable[list[str]]]
"""Returns the addresses of a host as texts; raises `OutboundUnavailable` when it has none."""

LOOKUPS_AT_ONCE = 40
"""A thread waits for its name server however long that takes, also when nobody waits for the thread any more."""
# Not the loop's own threads: names that answer slowly must not hold up what else the process does.
_LOOKUPS = ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="lookup")
_GLOBAL_UNICAST = ip_network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
# The standard library's `is_global` lets these through.
_REFUSED = tuple(ip_network(network) for network in ("192.88.99.0/24", "2001::/23", "3fff::/20"))


async def resolved(host: str, port: int) -> list[str]:
    """Return the addresses of a host, in the system's order, each once.

    Raises `OutboundUnavailable` when it has none, `OutboundRefused` for what can be no name of a host.
    """
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        found = await asyncio.get_running_loop().run_in_executor(_LOOKUPS, look_up)
    except UnicodeError:
        raise OutboundRefused(f"{host[:80]} is no domain name") from None
    except OSError as error:
        raise OutboundUnavailable(f"{host} has no address: {error}") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def check_addresses(host: str, addresses: list[str]) -> None:
    """Raise `OutboundRefused` when any of a host's addresses is not public.

    One is enough: a name with a public and a private address is a try to get at the private one. Which it is, only
    the log is told: the answer would be a map of our network.
    """
    for address in addresses:
        if not is_public(address):
            raise OutboundRefused(f"{host} does not lead to public addresses alone", f"{host} leads to {address}")


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet.

    Not private, loopback, link-local, shared (100.64.0.0/10), multicast, reserved, unspecified or for documentation;
    an IPv6 address that carries an IPv4 one (mapped, 6to4, NAT64) is judged by that one.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return False
    address = _carried(address)
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    if any(address.version == network.version and address in network for network in _REFUSED):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _carried(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 address carries, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
