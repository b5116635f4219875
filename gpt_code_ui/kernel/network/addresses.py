"""Which addresses may be reached: a name is resolved once, and what was checked is dialled.

Invariant: an address of this machine, of its link or of a cloud's metadata service is never
reached, however it is written; one of the private network only where a setting says so.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gpt_code_ui.errors import NetworkError, NetworkRefused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[list[str]]]

RESOLVE_S = 10.0
NAME = re.compile(r"(?!-)[A-Za-z0-9_.-]{1,253}")
# What a resolver or a proxy of the person's own might make of this machine or its network.
LOCAL_NAMES = ("localhost", "local", "internal", "localdomain", "home.arpa")
# Services of clouds that give out keys, and that are not link-local.
METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)
TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
COMPATIBLE = ipaddress.ip_network("::/96")
NOBODY = "192.0.2.1"


class UnknownHost(NetworkError):
    """A name that nobody here knows; a proxy may."""


@dataclass(frozen=True)
class Reach:
    """What may be reached. ``private``: also the private network; ``also``: these whatever."""

    private: bool = False
    also: tuple[Network, ...] = ()

    def refusal(self, address: Address) -> str | None:
        """Why an address may not be reached, to follow its name; None if it may."""
        if any(address in network for network in self.also):
            return None
        for one in (address, *_within(address)):
            why = self._refusal(one)
            if why is not None:
                return why
        return None

    def _refusal(self, address: Address) -> str | None:
        if address.is_loopback or address.is_unspecified or is_own(address):
            return "is this computer"
        if address.is_link_local or address in METADATA:
            return "belongs to this computer's own network link"
        if address.is_multicast or address.is_reserved:
            return "is no address of a server"
        if not self.private and not address.is_global:
            return "lies in the private network"
        return None


async def addresses_of(host: str, port: int, reach: Reach, resolve: Resolve) -> list[str]:
    """The addresses to dial for a host, every one of them checked. Raises NetworkError."""
    literal = as_address(host)
    if literal is None and not NAME.fullmatch(host):
        raise NetworkRefused("is no name of a server")
    if literal is None and is_local_name(host) and not reach.also:
        raise NetworkRefused("is a name of this computer or its network")
    found = [str(literal)] if literal is not None else await _resolved(host, port, resolve)
    for text in found:
        why = reach.refusal(ipaddress.ip_address(text))
        if why is not None:
            raise NetworkRefused(why)
    return found


def as_address(host: str) -> Address | None:
    """A host that is an address as it should be written."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_local_name(host: str) -> bool:
    """Whether a name stands for this computer or its surroundings by convention."""
    name = f".{host.lower().rstrip('.')}"
    return any(name.endswith(f".{one}") for one in LOCAL_NAMES)


def is_own(address: Address) -> bool:
    """Whether it is an address of this machine: only those can be bound."""
    return _binds(address) and not _binds(ipaddress.ip_address(NOBODY))


async def resolve(host: str, port: int) -> list[str]:
    """Ask the system. Raises UnknownHost."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnknownHost("is not known") from error
    return list(dict.fromkeys(str(info[4][0]).partition("%")[0] for info in found))


async def _resolved(host: str, port: int, resolve: Resolve) -> list[str]:
    try:
        async with asyncio.timeout(RESOLVE_S):
            found = await resolve(host, port)
    except TimeoutError as error:
        raise UnknownHost("could not be looked up in time") from error
    if not found:
        raise UnknownHost("is not known")
    return found


def _within(address: Address) -> list[Address]:
    """Addresses that others lead to, by the ways in which IPv6 carries IPv4."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[Address | None] = [address.ipv4_mapped, address.sixtofour]
    if address.teredo is not None:
        found += address.teredo
    if address in TRANSLATED or (address in COMPATIBLE and int(address) > 1):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [one for one in found if one is not None]


def _binds(address: Address) -> bool:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
