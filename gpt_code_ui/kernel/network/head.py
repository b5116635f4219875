"""The first lines of a request to a proxy and of an answer: read strictly, written anew.

Invariant: what is sent on names the host that was asked for and nothing of the way here.
"""

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from gpt_code_ui.errors import NetworkError

LIMIT = 64 * 1024
NAME_MAX = 253
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# Between a client and its proxy; none of these goes further.
OF_THE_WAY = frozenset({
    "connection", "proxy-connection", "proxy-authorization", "proxy-authenticate", "keep-alive",
    "host", "te", "upgrade",
})  # fmt: skip


class Malformed(NetworkError):
    """What came is no request to a proxy."""


@dataclass(frozen=True)
class Request:
    """``CONNECT host:port``, or a method on ``http://host:port/path``."""

    method: str
    host: str
    port: int
    path: str = "/"
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def tunnel(self) -> bool:
        """Whether bytes are passed on unseen."""
        return self.method == "CONNECT"

    @property
    def authority(self) -> str:
        """Host and port as they stand in an address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 80 and not self.tunnel else f"{host}:{self.port}"

    def written(self, *, absolute: bool = False, extra: tuple[tuple[str, str], ...] = ()) -> bytes:
        """As it is sent on; ``absolute`` to another proxy."""
        target = f"http://{self.authority}{self.path}" if absolute else self.path
        lines = [f"{self.method} {target} HTTP/1.1", f"Host: {self.authority}"]
        lines += [f"{name}: {value}" for name, value in (*self.headers, *extra)]
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1")


async def read_head(reader: asyncio.StreamReader) -> list[str]:
    """The lines up to the empty one. Raises Malformed; EOFError where nothing came."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            raise EOFError from error
        raise Malformed("The request was cut off.") from error
    except asyncio.LimitOverrunError as error:
        raise Malformed("The first lines of the request are too long.") from error
    return raw.decode("latin-1").split("\r\n")[:-2]


def parse_request(lines: list[str]) -> Request:
    """A request to a proxy. Raises Malformed."""
    parts = lines[0].split(" ")
    if len(parts) != 3 or not TOKEN.fullmatch(parts[0]) or not parts[2].startswith("HTTP/1."):
        raise Malformed("This is not HTTP/1.1.")
    method, target, _ = parts
    headers = tuple(_header(line) for line in lines[1:])
    kept = tuple(one for one in headers if one[0].lower() not in OF_THE_WAY)
    if method == "CONNECT":
        host, port = _authority(target, None)
        return Request(method, host, port)
    if not target.lower().startswith("http://"):
        raise Malformed("This is a proxy: it takes http:// addresses, and CONNECT for others.")
    authority, _, rest = target[len("http://") :].partition("/")
    authority, question, query = authority.partition("?")
    host, port = _authority(authority.rpartition("@")[2], 80)
    path = f"/?{query}" if question else f"/{rest.partition('#')[0]}"
    return Request(method, host, port, path, kept)


def answer(lines: list[str]) -> tuple[int, bytes]:
    """An answer's status, and its head as the client gets it: one request a connection.

    Raises Malformed.
    """
    match = re.fullmatch(r"HTTP/1\.[01] (\d{3})( .*)?", lines[0])
    if match is None:
        raise Malformed("The server does not speak HTTP/1.1.")
    status = int(match[1])
    headers = [_header(line) for line in lines[1:]]
    kept = [f"{n}: {v}" for n, v in headers if n.lower() not in OF_THE_WAY]
    closing = [] if status < 200 else ["Connection: close"]
    return status, "\r\n".join([lines[0], *kept, *closing, "", ""]).encode("latin-1")


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not TOKEN.fullmatch(name) or any(c in value for c in "\r\n\0"):
        raise Malformed("A header of the request is malformed.")
    return name, value.strip(" \t")


def _authority(text: str, default: int | None) -> tuple[str, int]:
    try:
        split = urlsplit(f"//{text}")
        host, port = split.hostname, split.port or default
    except ValueError as error:
        raise Malformed("The address of the request is malformed.") from error
    if not host or not host.isascii() or not host.isprintable() or len(host) > NAME_MAX:
        raise Malformed("The name of the server is malformed.")
    if port is None or split.path or split.query or split.username is not None:
        raise Malformed("The address of the request is malformed.")
    return host.rstrip("."), port
