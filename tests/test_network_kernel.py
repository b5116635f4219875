"""The network switch on real kernels in real cages, beside servers of this machine."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from gpt_code_ui.protocol import KernelStatus, NetworkHost, NetworkOptions, NetworkUsed
from gpt_code_ui.supervisor import LaunchOptions
from tests.cage_fixtures import PRELUDE, listening, need
from tests.kernel_fixtures import Rig, Talk, running_rig

pytestmark = pytest.mark.keeps("one manager serves the module")

# In the kernel: asks through the proxy even for what NO_PROXY would have it reach directly.
ASK = (
    PRELUDE
    + """
import urllib.request
def ask(url, data=None):
    request = urllib.request.Request(url, data)
    request.set_proxy(os.environ["http_proxy"][len("http://"):], "http")
    try:
        return urllib.request.urlopen(request, timeout=20).read().decode()
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.reason}"
"""
)


class Answers(http.server.BaseHTTPRequestHandler):
    """``/stream`` waits between its halves until ``go_on`` is set."""

    go_on = threading.Event()
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"first")
        self.wfile.flush()
        if self.path == "/stream":
            self.go_on.wait(20)
        self.wfile.write(b"final")

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        while size:
            size -= len(self.rfile.read(min(size, 1 << 16)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def web_server() -> Iterator[int]:
    """A server of this machine; its port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        Answers.go_on.clear()
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="web-server")
        thread.start()
        try:
            yield server.server_port
        finally:
            Answers.go_on.set()
            server.shutdown()
            thread.join()


@contextmanager
def managed(**options: Any) -> Iterator[Rig]:
    need("bwrap")
    log: list[str] = []
    launch = LaunchOptions(network=NetworkOptions(**options), log=log.append)
    with running_rig(launch) as rig:
        yield rig


def talk_in(rig: Rig, **start: Any) -> Talk:
    talk = rig.conversation(sandbox="bwrap", **start)
    assert talk.run(ASK).status == "ok"
    return talk


def value(talk: Talk, expression: str) -> str:
    ran = talk.run(f"print(tried(lambda: {expression}), end='')", timeout=40)
    assert ran.error is None, ran.error
    return ran.text


@pytest.fixture(scope="module")
def shut() -> Iterator[Talk]:
    """A kernel whose network is off."""
    with managed() as rig:
        yield talk_in(rig)


@pytest.fixture(scope="module")
def open_to_loopback() -> Iterator[Rig]:
    """A manager that may reach this machine, which nobody's may outside of tests."""
    with managed(also=["127.0.0.0/8"]) as rig:
        yield rig


# --- off ---------------------------------------------------------------------------------------


def test_off_is_told_and_every_way_out_is_closed(shut: Talk) -> None:
    assert shut.state("idle").network is False
    with web_server() as port, listening(2, ("127.0.0.1", 0)) as address:
        assert value(shut, f"ask('http://127.0.0.1:{port}/')") == (
            "403 The network is switched off in GPT-Code UI"
        )
        raw = f"socket.create_connection({tuple(address)!r}, 5)"
        assert value(shut, raw) == "ECONNREFUSED"  # the cage's own loopback, where nobody listens
    assert value(shut, "socket.create_connection(('93.184.216.34', 80), 5)") == "ENETUNREACH"
    assert value(shut, "socket.create_connection(('169.254.169.254', 80), 5)") == "ENETUNREACH"
    assert value(shut, "socket.getaddrinfo('example.org', 80)") == "gaierror"
    udp = "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('8.8.8.8', 53))"
    assert value(shut, udp) == "ENETUNREACH"
    assert value(shut, "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)") == "EPERM"


def test_the_cell_that_was_refused_says_for_what(shut: Talk) -> None:
    ran = shut.run("[ask(f'http://{name}.test/') for name in 'aab']")
    assert ran.end.refused_hosts == ["a.test", "b.test"]
    assert shut.run("1").end.refused_hosts is None
    shut.wait(lambda e: isinstance(e, NetworkUsed) and e.hosts[-1].host == "b.test")


def test_https_says_why_as_well(shut: Talk) -> None:
    said = value(shut, "urllib.request.urlopen('https://example.org/')")
    assert said == "URLError"
    ran = shut.run("urllib.request.urlopen('https://example.org/')")
    assert ran.error is not None
    assert "403 The network is switched off in GPT-Code UI" in ran.error.evalue


def test_servers_of_its_own_are_reached_without_the_proxy(shut: Talk) -> None:
    code = """
    import http.server, threading
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    server.RequestHandlerClass.log_message = lambda *_: None
    threading.Thread(target=server.handle_request).start()
    print(urllib.request.urlopen(f"http://localhost:{server.server_port}/").status)
    """.replace("\n    ", "\n")
    assert shut.run(code).text == "200\n"


def test_without_its_end_in_the_cage_there_is_no_network_and_nothing_more() -> None:
    """Code can end the forwarder, and talk to the socket itself: that says the same."""
    with managed() as rig:
        talk = talk_in(rig)
        folder = value(talk, "[p for p in sys.argv if p.endswith('c.json')] and sys.argv[2][:-6]")
        direct = (
            "s = socket.socket(socket.AF_UNIX); s.connect({!r})\n"
            "s.sendall(b'CONNECT 127.0.0.1:22 HTTP/1.1\\r\\n\\r\\n'); print(s.recv(99), end='')"
        ).format(f"{folder}/net")
        assert "403 The network is switched off" in talk.run(direct).text
        talk.run(
            "for pid in filter(str.isdigit, os.listdir('/proc')):\n"
            "    if b'forwarder' in open(f'/proc/{pid}/cmdline', 'rb').read() and pid != '1':\n"
            "        os.kill(int(pid), 9)"
        )
        gone = ("ECONNREFUSED", "ECONNRESET", "URLError", "RemoteDisconnected")
        assert value(talk, "ask('http://a.test/')") in gone
        assert talk.run("print(1, end='')").text == "1"
        rig.client.set_network(talk.id, True)
        assert "403 127.0.0.1 is this computer" in talk.run(direct).text


# --- on ----------------------------------------------------------------------------------------


def test_on_it_is_told_at_once_and_this_machine_is_still_not_reached() -> None:
    with managed() as rig, web_server() as port:
        talk = talk_in(rig)
        before = talk.settled()
        assert rig.client.set_network(talk.id, True)
        assert talk.state("idle", after=before).network is True
        for host in (
            "127.0.0.1", "2130706433", "0x7f000001", "127.1", "0", "[::1]", "[::ffff:127.0.0.1]",
            "localhost", "169.254.169.254", "[fe80::1]", "10.0.0.1", "192.168.0.1",
        ):  # fmt: skip
            assert value(talk, f"ask('http://{host}:{port}/')").startswith("403 "), host
        assert value(talk, f"socket.create_connection(('127.0.0.1', {port}), 5)") == "ECONNREFUSED"


def test_http_is_forwarded_streamed_and_counted(open_to_loopback: Rig) -> None:
    talk = talk_in(open_to_loopback, network=True)
    with web_server() as port:
        assert value(talk, f"ask('http://127.0.0.1:{port}/')") == "firstfinal"
        cell = talk.post(
            "import http.client\nc = http.client.HTTPConnection('127.0.0.1', 3128)\n"
            f"c.request('GET', 'http://127.0.0.1:{port}/stream')\n"
            "r = c.getresponse(); print(r.read(5).decode(), flush=True); print(r.read().decode())"
        )
        talk.printed(cell, "first\n")  # while the server still holds the rest back
        Answers.go_on.set()
        assert talk.finished(cell).text == "first\nfinal\n"
        size = 3 << 20
        assert value(talk, f"ask('http://127.0.0.1:{port}/', bytes({size}))") == ""
    host = total(talk, "127.0.0.1", 3)
    assert (host.requests, host.refused) == (3, 0)
    assert size < host.sent < size + 4096
    assert 20 < host.received < 4096


def total(talk: Talk, host: str, requests: int) -> NetworkHost:
    """What was told of a host, once so many requests were."""

    def sums() -> NetworkHost:
        found = [
            one for e in talk.events if isinstance(e, NetworkUsed)
            for one in e.hosts if one.host == host
        ]  # fmt: skip
        names = ("requests", "refused", "sent", "received")
        return NetworkHost(host=host, **{n: sum(getattr(o, n) for o in found) for n in names})

    talk.wait(lambda _: sums().requests >= requests)
    return sums()


def test_connect_is_forwarded(open_to_loopback: Rig) -> None:
    talk = talk_in(open_to_loopback, network=True)
    code = (
        "import http.client\nc = http.client.HTTPConnection('127.0.0.1', 3128)\n"
        "c.set_tunnel('127.0.0.1', {port}); c.request('GET', '/')\n"
        "print(c.getresponse().read().decode(), end='')"
    )
    with web_server() as port:
        assert talk.run(code.replace("{port}", str(port))).text == "firstfinal"


def test_it_is_switched_while_a_cell_runs(open_to_loopback: Rig) -> None:
    talk = talk_in(open_to_loopback)
    with web_server() as port:
        cell = talk.post(
            "import time\nseen = []\n"
            "while True:\n"
            f"    said = tried(lambda: ask('http://127.0.0.1:{port}/'))[:5]\n"
            "    if said in ('403 T', 'first') and said not in seen[-1:]:  # else it was cut\n"
            "        seen.append(said); print(said, flush=True)\n"
            "    if len(seen) == 3: break\n"
            "    time.sleep(0.02)"
        )
        talk.printed(cell, "403 T\n")
        open_to_loopback.client.set_network(talk.id, True)
        talk.wait(lambda e: isinstance(e, KernelStatus) and e.state == "busy" and e.network)
        talk.printed(cell, "first\n")
        open_to_loopback.client.set_network(talk.id, False)
        ran = talk.finished(cell)
    assert ran.text.splitlines() == ["403 T", "first", "403 T"]
    assert ran.status == "ok"
    assert ran.end.refused_hosts == ["127.0.0.1"]


def test_what_runs_when_it_is_switched_off_is_cut(open_to_loopback: Rig) -> None:
    talk = talk_in(open_to_loopback, network=True)
    with web_server() as port:
        cell = talk.post(
            "import http.client\nc = http.client.HTTPConnection('127.0.0.1', 3128)\n"
            f"c.request('GET', 'http://127.0.0.1:{port}/stream'); r = c.getresponse()\n"
            "print(r.read(5).decode(), flush=True)\n"
            "print(tried(r.read))"
        )
        talk.printed(cell, "first\n")
        open_to_loopback.client.set_network(talk.id, False)
        assert talk.finished(cell).text.splitlines()[1] in ("IncompleteRead", "ECONNRESET")


def test_it_stays_as_it_was_set_when_the_kernel_is_restarted(open_to_loopback: Rig) -> None:
    talk = talk_in(open_to_loopback)
    open_to_loopback.client.set_network(talk.id, True)
    talk.settled()
    before = len(talk.events)
    open_to_loopback.client.restart(talk.id)
    talk.state("restarting", after=before)
    assert talk.state("idle", after=before).network is True
    assert talk.run(ASK).status == "ok"
    with web_server() as port:
        assert value(talk, f"ask('http://127.0.0.1:{port}/')") == "firstfinal"


def test_two_conversations_are_switched_apart(open_to_loopback: Rig) -> None:
    one, two = talk_in(open_to_loopback), talk_in(open_to_loopback)
    open_to_loopback.client.set_network(one.id, True)
    with web_server() as port:
        assert value(one, f"ask('http://127.0.0.1:{port}/')") == "firstfinal"
        assert value(two, f"ask('http://127.0.0.1:{port}/')").startswith("403 ")


# --- levels without a proxy --------------------------------------------------------------------


def test_without_a_cage_there_is_always_a_network() -> None:
    with running_rig() as rig:
        talk = rig.conversation(sandbox="none", network=False)
        talk.run("1")
        assert talk.state("idle").network is True


def test_under_landlock_there_is_never_one() -> None:
    need("landlock")
    with running_rig() as rig:
        talk = rig.conversation(sandbox="landlock", network=True)
        talk.run("1")
        assert talk.state("idle").network is False
        before = talk.settled()
        rig.client.set_network(talk.id, True)
        assert talk.state("idle", after=before).network is False
