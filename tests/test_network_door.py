"""The proxy of a kernel by itself, over real sockets: what it reads, dials, refuses and counts."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from gpt_code_ui.errors import NetworkError
from gpt_code_ui.kernel.network import Network, Outside, Reach, Upstream
from gpt_code_ui.kernel.network.addresses import addresses_of, is_own
from gpt_code_ui.kernel.network.head import Malformed, parse_request
from gpt_code_ui.kernel.network.ledger import MOST_HOSTS, Ledger
from gpt_code_ui.kernel.network.upstream import is_direct
from gpt_code_ui.protocol import NetworkHost, NetworkUsed

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
WAIT_S = 10.0
Handle = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


# --- addresses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "::1", "0.0.0.0", "::", "169.254.169.254", "fe80::1",
        "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe", "168.63.129.16", "100.100.100.200",
        "fd00:ec2::254", "192.0.0.192",
    ],
)  # fmt: skip
@pytest.mark.parametrize("private", [False, True])
def test_never_reached(address: str, private: bool) -> None:
    assert Reach(private).refusal(ipaddress.ip_address(address)) is not None


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "172.16.3.4", "192.168.1.1", "100.64.0.1", "fc00::1", "fd12::9"]
)
def test_the_private_network_is_a_matter_of_a_setting(address: str) -> None:
    parsed = ipaddress.ip_address(address)
    assert Reach().refusal(parsed) == "lies in the private network"
    assert Reach(private=True).refusal(parsed) is None


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::", "8.8.8.8"])
def test_other_addresses_are_reached(address: str) -> None:
    assert Reach().refusal(ipaddress.ip_address(address)) is None


def test_what_can_be_bound_is_this_machine() -> None:
    assert is_own(ipaddress.ip_address("127.3.2.1"))
    assert not is_own(ipaddress.ip_address("93.184.216.34"))
    found = [
        ipaddress.ip_address(one.address)
        for addresses in psutil.net_if_addrs().values()
        for one in addresses
        if one.family == socket.AF_INET
    ]
    assert found
    assert {Reach(private=True).refusal(one) for one in found} == {"is this computer"}


def names(*found: str) -> Callable[[str, int], Awaitable[list[str]]]:
    async def answer(_host: str, _port: int) -> list[str]:
        return list(found)

    return answer


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("rebind.example", ["127.0.0.1"]),
        ("both.example", ["93.184.216.34", "127.0.0.1"]),
        ("mapped.example", ["::ffff:10.0.0.1"]),
        ("metadata.example", ["169.254.169.254"]),
        ("localhost", ["93.184.216.34"]),
        ("a.localhost", ["93.184.216.34"]),
        ("metadata.google.internal", ["93.184.216.34"]),
        ("printer.local.", ["93.184.216.34"]),
        ("a b", ["93.184.216.34"]),
        ("fe80::1%eth0", ["93.184.216.34"]),
        ("nobody.example", []),
    ],
)
def test_what_a_name_leads_to_decides(host: str, found: list[str]) -> None:
    with pytest.raises(NetworkError):
        asyncio.run(addresses_of(host, 80, Reach(), names(*found)))


# --- requests ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "GET / HTTP/1.1", "GET /path HTTP/1.1", "GET https://example.org/ HTTP/1.1",
        "GET ftp://example.org/ HTTP/1.1", "CONNECT example.org HTTP/1.1",
        "CONNECT example.org:99999 HTTP/1.1", "CONNECT u@example.org:443 HTTP/1.1", "GET",
        "GET  http://example.org/ HTTP/1.1", "PRI * HTTP/2.0", "CONNECT /etc/x:1 HTTP/1.1",
        "GET http://[::1/ HTTP/1.1", f"GET http://{'a' * 300}/ HTTP/1.1", "CONNECT :443 HTTP/1.1",
    ],
)  # fmt: skip
def test_what_is_no_request_to_a_proxy(line: str) -> None:
    with pytest.raises(Malformed):
        parse_request([line])


@pytest.mark.parametrize("header", [": x", "a b: c", "nothing", " folded", "a\x00: b"])
def test_malformed_headers(header: str) -> None:
    with pytest.raises(Malformed):
        parse_request(["GET http://example.org/ HTTP/1.1", header])


def test_a_request_is_written_anew() -> None:
    request = parse_request([
        "POST http://user:secret@Example.org:8081/a/b?c=%20#frag HTTP/1.1", "Host: other.example",
        "Proxy-Authorization: Basic abc", "Connection: keep-alive", "X-Kept: yes",
        "Content-Length: 3",
    ])  # fmt: skip
    assert request.written() == (
        b"POST /a/b?c=%20 HTTP/1.1\r\nHost: example.org:8081\r\nX-Kept: yes\r\n"
        b"Content-Length: 3\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("host", "port", "no", "direct"),
    [
        ("example.org", 80, "", False), ("example.org", 80, "*", True),
        ("a.example.org", 80, "example.org", True), ("a.example.org", 80, ".example.org", True),
        ("badexample.org", 80, "example.org", False), ("10.1.2.3", 80, "10.0.0.0/8", True),
        ("example.org", 443, "example.org:80", False), ("example.org", 80, "x, example.org", True),
        ("::1", 80, "::1", True),
    ],
)  # fmt: skip
def test_no_proxy(host: str, port: int, no: str, direct: bool) -> None:
    assert is_direct(host, port, no) is direct


# --- over sockets ------------------------------------------------------------------------------


class Scene:
    """A door with a client's end, and what was told of it."""

    def __init__(self, network: Network, folder: Path, told: list[NetworkUsed]) -> None:
        self.network, self.folder, self.told = network, folder, told

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(str(self.folder / "net"))

    async def ask(self, request: bytes) -> bytes:
        """The whole of the answer to one request."""
        reader, writer = await self.connect()
        writer.write(request)
        try:
            return await reader.read()
        finally:
            writer.close()

    def total(self, host: str) -> NetworkHost:
        """What was told of a host in all."""
        self.network.close()
        found = [one for used in self.told for one in used.hosts if one.host == host]
        sums = {name: sum(getattr(one, name) for one in found)
                for name in ("requests", "refused", "sent", "received")}  # fmt: skip
        return NetworkHost(host=host, **sums)


@asynccontextmanager
async def scene(folder: Path, upstream: Upstream, *, allowed: bool = True) -> AsyncIterator[Scene]:
    told: list[NetworkUsed] = []
    network = Network(
        "c", Outside(upstream, frozenset({"pypi.test"})), told.append, allowed=allowed
    )
    await network.listen(folder)
    try:
        async with asyncio.timeout(WAIT_S):
            yield Scene(network, folder, told)
    finally:
        network.close()


@asynccontextmanager
async def serving(handle: Handle) -> AsyncIterator[int]:
    """A server on loopback; its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await handle(reader, writer)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def to_loopback(*found: str, **proxies: str) -> Upstream:
    return Upstream(Reach(also=LOOPBACK), proxies, names(*(found or ("127.0.0.1",))))


async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    body = b"path " + head.split()[1]
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n%b"
                 % (len(body), body))  # fmt: skip
    await writer.drain()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()


def test_shut_it_says_so_and_counts(tmp_path: Path) -> None:
    async def go() -> None:
        async with scene(tmp_path, to_loopback(), allowed=False) as at:
            said = await at.ask(b"GET http://a.test/ HTTP/1.1\r\n\r\n")
            assert said.startswith(b"HTTP/1.1 403 The network is switched off in GPT-Code UI\r\n")
            assert b"allow it for this conversation" in said
            assert at.network.end_cell() == ["a.test"]
            assert at.total("a.test") == NetworkHost(host="a.test", refused=1)

    asyncio.run(go())


def test_a_request_is_forwarded_and_counted(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(hello) as port, scene(tmp_path, to_loopback()) as at:
            said = await at.ask(b"GET http://a.test:%d/x HTTP/1.1\r\nHost: b\r\n\r\n" % port)
            assert said.endswith(b"\r\nConnection: close\r\n\r\npath /x")
            assert b"keep-alive" not in said
            sent = len(b"GET /x HTTP/1.1\r\nHost: a.test:%d\r\nConnection: close\r\n\r\n" % port)
            assert at.total("a.test") == NetworkHost(
                host="a.test", requests=1, sent=sent, received=len(said)
            )

    asyncio.run(go())


def test_a_tunnel_streams_both_ways_and_its_bytes_are_counted(tmp_path: Path) -> None:
    size = 8 << 20

    async def go() -> None:
        async with serving(echo) as port, scene(tmp_path, to_loopback()) as at:
            reader, writer = await at.connect()
            writer.write(b"CONNECT a.test:%d HTTP/1.1\r\n\r\n" % port)
            assert await reader.readuntil(b"\r\n\r\n") == (
                b"HTTP/1.1 200 Connection established\r\n\r\n"
            )
            writer.write(b"ping")
            assert await reader.readexactly(4) == b"ping"  # before the whole is there

            async def send() -> None:
                for _ in range(size >> 16):
                    writer.write(b"x" * (1 << 16))
                    await writer.drain()
                writer.write_eof()

            sending = asyncio.create_task(send())
            back = await reader.read()
            while more := await reader.read():
                back += more
            await sending
            writer.close()
            assert len(back) == size
            host = at.total("a.test")
            assert (host.sent, host.received) == (size + 4, size + 4)

    asyncio.run(go())


def test_shutting_it_ends_what_runs(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(echo) as port, scene(tmp_path, to_loopback()) as at:
            reader, writer = await at.connect()
            writer.write(b"CONNECT a.test:%d HTTP/1.1\r\n\r\nping" % port)
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(4) == b"ping"
            at.network.allow(False)
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            writer.close()

    asyncio.run(go())


def test_what_was_checked_is_what_is_dialled(tmp_path: Path) -> None:
    """A name that leads elsewhere when it is looked up again: it is looked up once."""
    asked: list[str] = []

    async def changing(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    async def go() -> None:
        upstream = Upstream(Reach(also=LOOPBACK), {}, changing)
        async with serving(hello) as port, scene(tmp_path, upstream) as at:
            first = await at.ask(b"GET http://a.test:%d/1 HTTP/1.1\r\n\r\n" % port)
            second = await at.ask(b"GET http://a.test:%d/2 HTTP/1.1\r\n\r\n" % port)
            assert first.endswith(b"path /1")
            assert second.startswith(b"HTTP/1.1 403 a.test belongs to")
            assert asked == ["a.test", "a.test"]

    asyncio.run(go())


def test_while_something_is_installed_only_those_hosts_are_reached(tmp_path: Path) -> None:
    async def go() -> None:
        async with serving(hello) as port, scene(tmp_path, to_loopback(), allowed=False) as at:
            ask = b"GET http://%b:%d/ HTTP/1.1\r\n\r\n"
            at.network.begin_cell(installs=True)
            assert b"200 OK" in await at.ask(ask % (b"pypi.test", port))
            assert b"403 The network is switched off" in await at.ask(ask % (b"a.test", port))
            assert at.network.end_cell() == ["a.test"]
            assert b"403 The network is switched off" in await at.ask(ask % (b"pypi.test", port))

    asyncio.run(go())


def test_the_persons_own_proxy_is_used(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        if heard[-1].startswith(b"CONNECT"):
            writer.write(b"HTTP/1.1 200 Yes\r\n\r\n")
            await echo(reader, writer)
        else:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\nby the proxy")

    async def go() -> None:
        async with serving(proxy) as port, serving(hello) as near:
            mine = f"http://me:p%40ss@127.0.0.1:{port}"
            upstream = to_loopback("93.184.216.34", http=mine, https=mine, no="near.test")
            upstream = Upstream(upstream.reach, upstream.proxies, names_by(near="127.0.0.1"))
            async with scene(tmp_path, upstream) as at:
                said = await at.ask(b"GET http://a.test/x HTTP/1.1\r\n\r\n")
                assert said.endswith(b"by the proxy")
                reader, writer = await at.connect()
                writer.write(b"CONNECT b.test:443 HTTP/1.1\r\n\r\nping")
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
                assert await reader.readexactly(4) == b"ping"
                writer.close()
                said = await at.ask(b"GET http://near.test:%d/ HTTP/1.1\r\n\r\n" % near)
                assert said.endswith(b"path /")
        pair = b"Proxy-Authorization: Basic bWU6cEBzcw==\r\n"
        assert heard[0].startswith(b"GET http://a.test/x HTTP/1.1\r\n")
        assert heard[1].startswith(b"CONNECT b.test:443 HTTP/1.1\r\n")
        assert [pair in one for one in heard] == [True, True]

    asyncio.run(go())


def names_by(**near: str) -> Callable[[str, int], Awaitable[list[str]]]:
    async def answer(host: str, _port: int) -> list[str]:
        return [near.get(host.partition(".")[0], "93.184.216.34")]

    return answer


def test_a_name_only_the_proxy_knows_is_its_to_find_but_none_of_this_computer(
    tmp_path: Path,
) -> None:
    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nby the proxy")

    async def go() -> None:
        async with serving(proxy) as port:
            upstream = Upstream(Reach(), {"http": f"http://127.0.0.1:{port}"}, names())
            async with scene(tmp_path, upstream) as at:
                assert (await at.ask(b"GET http://a.test/ HTTP/1.1\r\n\r\n")).endswith(b"proxy")
                for host in (b"localhost", b"127.0.0.1", b"10.0.0.1", b"x.internal"):
                    said = await at.ask(b"GET http://%b/ HTTP/1.1\r\n\r\n" % host)
                    assert said.startswith(b"HTTP/1.1 403 "), host

    asyncio.run(go())


def test_a_proxy_of_a_kind_we_do_not_speak_is_not_passed_by(tmp_path: Path) -> None:
    async def go() -> None:
        upstream = to_loopback(all="socks5://127.0.0.1:9")
        async with serving(hello) as port, scene(tmp_path, upstream) as at:
            said = await at.ask(b"GET http://a.test:%d/ HTTP/1.1\r\n\r\n" % port)
            assert said.startswith(b"HTTP/1.1 502 a.test a proxy of the kind socks5://")

    asyncio.run(go())


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", b"400"),
        (b"GET http://a.test/ HTTP/1.1\r\nX: " + b"x" * 200_000 + b"\r\n\r\n", b"400"),
    ],
)
def test_what_makes_no_sense_is_answered(tmp_path: Path, request_: bytes, status: bytes) -> None:
    async def go() -> None:
        async with scene(tmp_path, to_loopback()) as at:
            reader, writer = await at.connect()
            writer.write(request_)
            assert (await reader.readline()).split()[1] == status
            writer.close()

    asyncio.run(go())


def test_a_server_that_does_not_speak_http(tmp_path: Path) -> None:
    async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-x\r\n\r\n")

    async def go() -> None:
        async with serving(rude) as port, scene(tmp_path, to_loopback()) as at:
            said = await at.ask(b"GET http://a.test:%d/ HTTP/1.1\r\n\r\n" % port)
            assert said.startswith(b"HTTP/1.1 502 a.test did not answer in HTTP")
            assert b"SSH" not in said

    asyncio.run(go())


def test_however_many_hosts_are_asked_for_the_ledger_stays_small() -> None:
    async def go() -> list[NetworkUsed]:
        told: list[NetworkUsed] = []
        ledger = Ledger(told.append)
        for number in range(3 * MOST_HOSTS):
            ledger.shut(f"h{number}.test")
        assert len(ledger.take_shut()) == MOST_HOSTS
        ledger.flush()
        return told

    (used,) = asyncio.run(go())
    assert len(used.hosts) == MOST_HOSTS + 1
    assert used.hosts[-1] == NetworkHost(host="*", refused=2 * MOST_HOSTS)
