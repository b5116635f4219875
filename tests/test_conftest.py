"""The guards themselves: a guard that never refuses guards nothing."""

import socket
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from tests.conftest import Left, NetworkGuard, NetworkRefused, children_now, wait_settled


@pytest.mark.refused_network
def test_connecting_beyond_this_machine_is_refused(network_guard: NetworkGuard) -> None:
    with socket.socket() as sock, pytest.raises(NetworkRefused, match=r"192\.0\.2\.1"):
        sock.connect(("192.0.2.1", 80))
    with pytest.raises(NetworkRefused, match=r"example\.invalid"):
        socket.getaddrinfo("example.invalid", 443)
    assert network_guard.refused[-2:] == ["192.0.2.1", "example.invalid"]


def test_loopback_and_unix_sockets_pass(run_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()
    path = str(run_dir / "s")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)


def test_a_thread_and_a_process_that_stay_are_named() -> None:
    threads, children = set(threading.enumerate()), children_now()
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, name="forgotten")
    thread.start()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        left = Left(threads, children)
        assert [t.name for t in left.threads] == ["forgotten"]
        assert left.processes == [psutil.Process(process.pid)]
        assert "forgotten" in str(left)
        stop.set()
        process.kill()
    assert not wait_settled(threads, children)


def test_keys_and_proxies_do_not_reach_the_product() -> None:
    code = (
        "import os; print(sorted(n for n in os.environ if n.startswith(('OPENAI_', 'GPTCODE_'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # Root is told that it may; nothing else is there.
    assert done.stdout.strip() in ("[]", "['GPTCODE_ALLOW_ROOT']")
