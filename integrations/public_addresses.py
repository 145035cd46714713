"""Which addresses a webhook may go to: those of the public internet, judged after the name is resolved.

Whoever may name an address would else reach what only this machine can: metadata services, databases, us.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

Resolve = Callable[[str, int], Awaitable[list[str]]]
NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


async def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a name, in the order in which the system would try them; raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def is_public(address: str) -> bool:
    """Tell whether an address is one of the public internet, also what is wrapped inside IPv6."""
    try:
        given = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(each.is_global and not each.is_multicast for each in _meant(given))


def _meant(given: Address) -> list[Address]:
    """Return the address itself, and every IPv4 address that it leads to."""
    if isinstance(given, ipaddress.IPv4Address):
        return [given]
    if given.ipv4_mapped is not None:
        return [given.ipv4_mapped]
    inner: list[Address] = [each for each in (given.sixtofour, *(given.teredo or ())) if each is not None]
    if given in NAT64:
        inner.append(ipaddress.IPv4Address(int(given) & 0xFFFFFFFF))
    return [given, *inner]
