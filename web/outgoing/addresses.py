"""Where a webhook may go: to public addresses and into networks that the settings name, and nowhere else."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from contextlib import suppress

from web.settings import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Forbidden(OSError):
    """The name leads to an address that nothing of ours may go to."""


def connected(host: str, port: int, *, networks: Iterable[Network], timeout: float) -> socket.socket:
    """A connection to `host`, if every address that its name leads to may be reached.

    The name is asked once and what it said is connected to, so that one which says something else the next
    time leads nowhere. Raises Forbidden, OSError.
    """
    found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    allowed = tuple(networks)
    for text in found:
        if not may_reach(text, allowed):
            raise Forbidden(f"{host} leads to {text}, which is neither public nor named in the settings")
    for text in found[:-1]:
        with suppress(OSError):
            return socket.create_connection((text, port), timeout)
    return socket.create_connection((found[-1], port), timeout)


def may_reach(text: str, networks: Iterable[Network]) -> bool:
    """Whether this address is public, or in one of the networks."""
    address = _bare(text)
    named = any(address in network for network in networks if network.version == address.version)
    return named or (address.is_global and not address.is_multicast)


def _bare(text: str) -> Address:
    """The address without its zone; of one that only wraps an IPv4 address, that one."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        return address.ipv4_mapped or address.sixtofour or address
    return address
