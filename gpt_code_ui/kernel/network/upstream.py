"""How a server is reached: directly at an address that was checked, or by the person's own proxy.

A name that only that proxy knows is the proxy's to resolve: names of this computer are refused
before, and it cannot be asked for addresses that would be refused.
"""

import asyncio
import base64
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from gpt_code_ui.errors import NetworkError
from gpt_code_ui.kernel.network import addresses
from gpt_code_ui.kernel.network.addresses import (
    Reach,
    Resolve,
    UnknownHost,
    addresses_of,
    as_address,
)
from gpt_code_ui.kernel.network.head import LIMIT, Malformed, Request, answer, read_head

CONNECT_S = 20.0
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Way:
    """A connection, and how a request is written on it."""

    streams: Streams
    absolute: bool = False
    extra: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Upstream:
    """``proxies`` by scheme, and ``no`` for hosts that are reached directly; addresses as given."""

    reach: Reach = field(default_factory=Reach)
    proxies: Mapping[str, str] = field(default_factory=dict)
    resolve: Resolve = addresses.resolve

    async def open(self, request: Request) -> Way:
        """A connection for a request. Raises NetworkError."""
        proxy = self._proxy_for(request)
        try:
            found = await addresses_of(request.host, request.port, self.reach, self.resolve)
        except UnknownHost:
            if proxy is None:
                raise
            found = []
        if proxy is not None:
            return await self._by_proxy(proxy, request)
        return Way(await _dial(found, request.port))

    def _proxy_for(self, request: Request) -> str | None:
        if is_direct(request.host, request.port, self.proxies.get("no", "")):
            return None
        # What is tunnelled is nearly always https.
        scheme = "https" if request.tunnel else "http"
        return self.proxies.get(scheme) or self.proxies.get("all") or None

    async def _by_proxy(self, proxy: str, request: Request) -> Way:
        split = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        if split.scheme not in ("http", "https") or split.hostname is None:
            raise NetworkError(f"a proxy of the kind {split.scheme}:// cannot be used")
        secure = split.scheme == "https"
        try:
            async with asyncio.timeout(CONNECT_S):
                streams = await asyncio.open_connection(
                    split.hostname, split.port or (443 if secure else 80), ssl=secure or None,
                    limit=LIMIT,
                )  # fmt: skip
        except (OSError, TimeoutError, ValueError) as error:
            raise NetworkError("the proxy that you use does not answer") from error
        extra = _authorization(split.username, split.password)
        if not request.tunnel:
            return Way(streams, absolute=True, extra=extra)
        try:
            await _tunnel(streams, request, extra)
        except BaseException:
            streams[1].close()
            raise
        return Way(streams)


async def _tunnel(streams: Streams, request: Request, extra: tuple[tuple[str, str], ...]) -> None:
    """Have the person's proxy open the way. Raises NetworkError."""
    reader, writer = streams
    lines = [f"CONNECT {request.authority} HTTP/1.1", f"Host: {request.authority}"]
    lines += [f"{name}: {value}" for name, value in extra]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    try:
        async with asyncio.timeout(CONNECT_S):
            status, _ = answer(await read_head(reader))
    except (OSError, TimeoutError, EOFError, Malformed) as error:
        raise NetworkError("the proxy that you use does not answer") from error
    if status != 200:
        raise NetworkError(f"the proxy that you use answered {status}")


async def _dial(found: list[str], port: int) -> Streams:
    """The first of the addresses that answers. Raises NetworkError."""
    error: BaseException | None = None
    for address in found:
        try:
            async with asyncio.timeout(CONNECT_S):
                return await asyncio.open_connection(address, port, limit=LIMIT)
        except (OSError, TimeoutError) as failed:
            error = failed
    raise NetworkError("does not answer") from error


def is_direct(host: str, port: int, no: str) -> bool:
    """Whether NO_PROXY names a host: by name, domain, address, network or ``*``."""
    address = as_address(host)
    for one in (part.strip().lower() for part in no.split(",")):
        name, _, only = one.rpartition(":") if one.count(":") == 1 else (one, "", "")
        if only and only != str(port):
            continue
        bare = name.lstrip("*").lstrip(".")
        if name == "*" or (name and (host.lower() == bare or host.lower().endswith(f".{bare}"))):
            return True
        if address is not None and name and _holds(name, address):
            return True
    return False


def _holds(text: str, address: addresses.Address) -> bool:
    try:
        return address in ipaddress.ip_network(text, strict=False)
    except (ValueError, TypeError):
        return False


def _authorization(user: str | None, password: str | None) -> tuple[tuple[str, str], ...]:
    if user is None:
        return ()
    pair = f"{unquote(user)}:{unquote(password or '')}".encode()
    return (("Proxy-Authorization", f"Basic {base64.b64encode(pair).decode()}"),)
