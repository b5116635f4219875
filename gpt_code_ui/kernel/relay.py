"""Lets a kernel that listens on TCP alone be reached by the sockets of its folder.

Runs as ``python -I -S relay.py FILE TCP_FILE -- ARGV...`` with the standard library alone, in the
kernel's cage: it writes ``TCP_FILE``, a connection file with ports of this machine, becomes
``ARGV`` and leaves a process behind that passes on, byte by byte, what comes by the sockets that
``FILE`` names. The bytes are signed messages; it reads none of them.
"""

import json
import os
import socket
import sys
import threading
from pathlib import Path

HOST = "127.0.0.1"
PORTS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
CHUNK = 64 * 1024


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now. Raises OSError."""
    taken = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports: list[int] = [one.getsockname()[1] for one in taken]
    for one in taken:
        one.close()
    return ports


def listening(path: str) -> socket.socket:
    """A socket of the kernel's folder. Raises OSError."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(path)
    server.listen(16)
    return server


def serve(server: socket.socket, port: int) -> None:
    """Pass on every connection; one that comes before the kernel listens is dropped, and tried
    again by who made it."""
    while True:
        client, _ = server.accept()
        try:
            kernel = socket.create_connection((HOST, port))
        except OSError:
            client.close()
            continue
        kernel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, target in ((client, kernel), (kernel, client)):
            threading.Thread(target=copy, args=(source, target), daemon=True).start()


def copy(source: socket.socket, target: socket.socket) -> None:
    """Until one of them ends, which ends both."""
    try:
        while data := source.recv(CHUNK):
            target.sendall(data)
    except OSError:
        pass
    for one in (source, target):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def main(arguments: list[str]) -> None:
    """``FILE TCP_FILE -- ARGV...``; does not return."""
    file, tcp_file, _, *argv = arguments
    connection = json.loads(Path(file).read_text("utf-8"))
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    servers = [(listening(f"{connection['ip']}-{connection[name]}"), ports[name]) for name in PORTS]
    Path(tcp_file).touch(0o600)  # it has the kernel's key
    Path(tcp_file).write_text(json.dumps({**connection, **ports, "transport": "tcp", "ip": HOST}))
    if os.fork() == 0:
        # Apart from the kernel's session, so that its interrupts do not come here.
        os.setsid()
        threads = [threading.Thread(target=serve, args=one) for one in servers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    main(sys.argv[1:])
