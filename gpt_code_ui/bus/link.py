"""snakeMQ's Link, made fit for hostile and broken peers: the loop outlives whatever they do.

Every socket error closes one connection and nothing else; strangers get little room and little
time; the loop wakes for events and for the earliest timer, never to look. Timers are monotonic.
"""

import contextlib
import errno
import logging
import os
import select
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from functools import partial

from gpt_code_ui.bus.sockets import BusSocket, socket_for
from gpt_code_ui.bus.vendor import Callback, Link, NoConnection

log = logging.getLogger(__name__)

PROBATION_S = 2.0
MAX_STRANGERS = 8
ACCEPT_PAUSE_S = 0.1
FIRST_RETRY_S = 0.02
LAST_RETRY_S = 1.0
IDLE_S = 3600.0
"""How long the loop sleeps with no timer set; the bell, a socket or a timer ends it sooner."""


class GuardedCallback(Callback):
    """Callbacks that may raise without harm to the loop that calls them."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def __call__(self, *args: object) -> None:
        for callback in list(self.callbacks):
            try:
                callback(*args)
            except Exception:
                log.exception("a bus %s callback failed", self._name)


class SafeLink(Link):
    """Runs in one thread; only ``wakeup_poll`` and ``stop`` may be called from others.

    A connection begins as a stranger's and is closed after PROBATION_S unless ``admit``-ted; of
    more than MAX_STRANGERS the oldest is closed, so idle ones cannot keep the real peer out.
    """

    def __init__(self) -> None:
        super().__init__()
        self.on_connect = GuardedCallback("connect")
        self.on_disconnect = GuardedCallback("disconnect")
        self.on_recv = GuardedCallback("receive")
        self.on_ready_to_send = GuardedCallback("writable")
        self.on_loop_pass = GuardedCallback("loop")
        self._sock_by_fd: dict[int, BusSocket] = {}
        self._sock_by_conn: dict[str, BusSocket] = {}
        self._listen_socks: dict[str, BusSocket] = {}
        self._listen_socks_filenos: set[int] = set()
        self._connectors: dict[str, BusSocket] = {}
        self._socks_waiting_to_connect: set[BusSocket] = set()
        self._retry_s: dict[str, float] = {}
        self._strangers: dict[str, None] = {}  # in order of arrival
        self._timers: dict[Hashable, tuple[float, Callable[[], None]]] = {}
        self._bell_lock = threading.Lock()
        self._bell_rung = False
        self._bell_gone = False
        self._stopped = False
        if os.name == "posix":
            os.set_blocking(self._poll_bell.w, False)

    # --- from any thread ---

    def wakeup_poll(self) -> None:
        """Let the loop make a pass; a pass that is due already is enough."""
        with self._bell_lock:
            if self._bell_rung or self._bell_gone:
                return
            self._bell_rung = True
            with contextlib.suppress(BlockingIOError):
                self._poll_bell.write(b"!")

    def stop(self) -> None:
        """End the loop, also one that has not begun yet."""
        self._stopped = True
        self.wakeup_poll()

    # --- where to listen and to whom to connect ---

    def add_listener(self, address: str) -> str:
        """Listen; returns the address to hand out. Raises BusError or OSError."""
        sock = socket_for(address)
        try:
            sock.remote_peer = sock.listen()
        except BaseException:
            sock.close()
            raise
        self._sock_by_fd[sock.fileno()] = sock
        self._listen_socks[sock.remote_peer] = sock
        self._listen_socks_filenos.add(sock.fileno())
        self.poller.register(sock, select.EPOLLIN)
        return sock.remote_peer

    def add_connector(self, address: str) -> str:
        """Keep a connection to ``address`` from the loop's start on. Raises BusError."""
        self._connectors[address] = socket_for(address)
        self._retry_s[address] = FIRST_RETRY_S
        self.set_timer(("connect", address), 0.0, partial(self.connect, address))
        return address

    # --- timers ---

    def set_timer(self, key: Hashable, delay: float, action: Callable[[], None]) -> None:
        """Call ``action`` once in ``delay`` seconds; a timer of the same key is replaced."""
        self._timers[key] = (time.monotonic() + delay, action)

    def clear_timer(self, key: Hashable) -> None:
        """Forget a timer, if there is one."""
        self._timers.pop(key, None)

    def has_timer(self, key: Hashable) -> bool:
        return key in self._timers

    def deal_connects(self) -> None:
        """What snakeMQ calls at its start and after every pass: here, whatever is due."""
        if not self._timers:
            return
        now = time.monotonic()
        due = [(when, key) for key, (when, _) in self._timers.items() if when <= now]
        for _, key in sorted(due, key=lambda item: item[0]):
            timer = self._timers.pop(key, None)
            if timer is not None:
                timer[1]()

    def poll(self, poll_timeout: float) -> Sequence[tuple[int, int]]:
        if self._stopped:
            # One last pass: what has arrived from a peer that is gone is still heard.
            self._do_loop = False
            poll_timeout = 0.0
        elif self._timers:
            earliest = min(when for when, _ in self._timers.values())
            poll_timeout = max(0.0, min(poll_timeout, earliest - time.monotonic()))
        events = super().poll(poll_timeout)
        with self._bell_lock:
            # Before the pass looks for work: whoever adds some from now on rings again.
            self._bell_rung = False
        return events

    # --- connections ---

    def new_connection_id(self, sock: BusSocket) -> str:
        conn_id = super().new_connection_id(sock)
        self._strangers[conn_id] = None
        self.set_timer(("probation", conn_id), PROBATION_S, partial(self._turn_away, conn_id))
        return conn_id

    def del_connection_id(self, sock: BusSocket) -> None:
        if sock.conn_id is not None:
            self._end_probation(sock.conn_id)
            self.clear_timer(("lost", sock.conn_id))
        super().del_connection_id(sock)

    def admit(self, conn_id: str) -> None:
        """The peer has proven itself: the connection may stay."""
        self._end_probation(conn_id)
        address = self._sock_by_conn[conn_id].remote_peer
        if address in self._retry_s:
            self._retry_s[address] = FIRST_RETRY_S

    def close(self, conn_id: str) -> None:
        """Close a connection; one that is gone already is no error."""
        sock = self._sock_by_conn.get(conn_id)
        if sock is not None:
            self.handle_close(sock)

    def send(self, conn_id: str, data: bytes | memoryview) -> int:
        """Write what fits now; returns its size. Raises NoConnection for an unknown connection.

        On an error the data is dropped, as all that follows, and the connection is closed when
        the loop's pass ends: never under the feet of the caller, who may be handling a packet.
        """
        sock = self._sock_by_conn.get(conn_id)
        if sock is None:
            raise NoConnection(conn_id)
        try:
            return sock.sock.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as exc:
            log.info("bus connection %s lost while sending: %s", conn_id, exc)
            self.set_timer(("lost", conn_id), 0.0, partial(self.handle_sock_err, sock))
            return len(data)

    def await_room(self, conn_id: str, wanted: bool) -> None:
        """Whether ``on_ready_to_send`` is to be called while the connection can be written."""
        sock = self._sock_by_conn.get(conn_id)
        if sock is not None and sock.awaits_room != wanted:
            sock.awaits_room = wanted
            self.poller.modify(sock, select.EPOLLIN | (select.EPOLLOUT if wanted else 0))

    # --- events of the loop ---

    def connect(self, address: str) -> None:
        sock = self._connectors[address]
        try:
            result = sock.connect()
        except OSError as exc:  # out of descriptors
            log.warning("the bus cannot connect: %s", exc)
            self._plan_retry(address)
            return
        if result == errno.ECONNREFUSED:
            sock.close()
            self._plan_retry(address)
            return
        self.poller.register(sock, select.EPOLLIN | select.EPOLLOUT)
        self._sock_by_fd[sock.fileno()] = sock
        self._socks_waiting_to_connect.add(sock)
        if result == 0:
            self.handle_connect(sock)

    def handle_connect(self, sock: BusSocket) -> None:
        try:
            sock.vet()
        except OSError as exc:
            log.warning("the bus does not trust its listener: %s", exc)
            self.handle_close(sock)
            return
        super().handle_connect(sock)

    def handle_accept(self, sock: BusSocket) -> None:
        try:
            newcomer, _ = sock.accept()
        except (BlockingIOError, ConnectionError, PermissionError) as exc:
            log.warning("a connection to the bus was not accepted: %s", exc)
            return
        except OSError as exc:
            self._pause_accepting(sock, exc)
            return
        if len(self._strangers) >= MAX_STRANGERS:
            self.close(next(iter(self._strangers)))
        conn_id = self.new_connection_id(newcomer)
        self._sock_by_fd[newcomer.fileno()] = newcomer
        self.poller.register(newcomer, select.EPOLLIN)
        self.on_connect(conn_id)

    def handle_recv(self, sock: BusSocket) -> None:
        self._receive(sock)

    def handle_ready_to_send(self, sock: BusSocket) -> None:
        self.on_ready_to_send(sock.conn_id, 0)

    def handle_sock_err(self, sock: BusSocket) -> None:
        # A peer that wrote and left hangs up with its last words still unread.
        while self._receive(sock):
            pass
        if sock.fileno() >= 0:
            self.handle_close(sock)

    def handle_close(self, sock: BusSocket) -> None:
        fileno = sock.fileno()
        if self._sock_by_fd.get(fileno) is sock:
            del self._sock_by_fd[fileno]
            with contextlib.suppress(OSError, ValueError):  # the poller itself may be broken
                self.poller.unregister(sock)
        self._socks_waiting_to_connect.discard(sock)
        sock.close()
        conn_id = sock.conn_id
        if conn_id is not None:
            self.del_connection_id(sock)
            self.on_disconnect(conn_id)
        if sock.is_connector:
            self._plan_retry(sock.remote_peer)

    def cleanup(self) -> None:
        """Close everything, whatever state the loop ended in; may be called again."""
        self._stopped = True
        with self._bell_lock:
            if self._bell_gone:
                return
            self._bell_gone = True
            self._poll_bell.close()
        self._connectors.clear()
        self._retry_s.clear()
        for sock in list(self._sock_by_fd.values()):
            self.handle_close(sock)
        for sock in self._listen_socks.values():
            sock.unpublish()
        self._listen_socks.clear()
        self._timers.clear()
        close_poller = getattr(self.poller, "close", None)
        if close_poller is not None:
            close_poller()

    # --- inside ---

    def _receive(self, sock: BusSocket) -> bool:
        """Read once and pass it on; False when there is no more to read."""
        conn_id = sock.conn_id
        if conn_id is None:
            return False
        try:
            data = sock.recv(self.recv_block_size)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as exc:
            log.info("bus connection %s lost: %s", conn_id, exc)
            data = b""
        if not data:
            self.handle_close(sock)
            return False
        self.on_recv(conn_id, data)
        return True

    def _plan_retry(self, address: str) -> None:
        delay = self._retry_s.get(address)
        if delay is not None:
            self._retry_s[address] = min(LAST_RETRY_S, delay * 2)
            self.set_timer(("connect", address), delay, partial(self.connect, address))

    def _pause_accepting(self, sock: BusSocket, reason: OSError) -> None:
        # The connection stays in the backlog and would wake the loop again at once.
        log.warning("the bus cannot accept connections for now: %s", reason)
        self.poller.modify(sock, 0)
        resume = partial(self.poller.modify, sock, select.EPOLLIN)
        self.set_timer(("accept", sock), ACCEPT_PAUSE_S, resume)

    def _turn_away(self, conn_id: str) -> None:
        log.warning("bus connection %s did not prove itself in %g s", conn_id, PROBATION_S)
        self.close(conn_id)

    def _end_probation(self, conn_id: str) -> None:
        self._strangers.pop(conn_id, None)
        self.clear_timer(("probation", conn_id))
