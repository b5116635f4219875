"""The bus over snakeMQ: one thread that owns the connections and is rebuilt if it ever fails.

What was sent and what was received outlive every connection and every rebuilding, so that within
a run nothing is lost and nothing comes twice.
"""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from gpt_code_ui.bus.auth import MIN_KEY_BYTES
from gpt_code_ui.bus.link import IDLE_S, SafeLink
from gpt_code_ui.bus.messaging import HEAD_BYTES, SafeMessaging
from gpt_code_ui.bus.packeter import SafePacketer
from gpt_code_ui.bus.port import PeerChange, Receive
from gpt_code_ui.bus.reliable import Inbox, Outbox
from gpt_code_ui.bus.sockets import LOOPBACK, has_unix_sockets
from gpt_code_ui.bus.vendor import MAX_IDENT_LENGTH, Message
from gpt_code_ui.errors import BusError

log = logging.getLogger(__name__)

SETTLE_S = 0.25
"""What ``close`` gives a connected peer to acknowledge what was sent."""

JOIN_S = 2.0
FIRST_REBUILD_S = 0.05
LAST_REBUILD_S = 2.0

ANY_PORT = f"{LOOPBACK}:0"


class SnakeBus:
    """A ``Bus`` between two processes. Made by ``listen`` or ``connect``."""

    def __init__(
        self,
        *,
        own: str,
        peer: str,
        key: bytes,
        on_receive: Receive,
        on_peer: PeerChange,
        attach: Callable[[SafeLink, str], str],
        address: str,
    ) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise BusError(f"The bus key has {len(key)} bytes, {MIN_KEY_BYTES} are the least.")
        for name in (own, peer):
            if len(name) > MAX_IDENT_LENGTH or not (name.isascii() and name.isprintable()):
                raise BusError(f"{name!r} cannot be a name on the bus.")
        self._own, self._peer, self._key = own, peer, key
        self._on_receive, self._on_peer = on_receive, on_peer
        self._attach = attach
        self._outbox, self._inbox = Outbox(), Inbox()
        self._connected = False
        self._closing = threading.Event()
        self._link, self._address = self._build(address)
        self._thread = threading.Thread(target=self._run, name=f"bus-{own}", daemon=True)
        self._thread.start()

    @classmethod
    def listen(
        cls,
        *,
        address: str | None,
        run_id: str,
        key: bytes,
        on_receive: Receive,
        on_peer: PeerChange,
    ) -> "SnakeBus":
        """The web side. ``address`` is a socket path in a 0700 folder of ours, "127.0.0.1:port",
        or None for any port; a path falls back to TCP where there are no Unix sockets.

        Raises BusError if it cannot listen there.
        """
        if address is None or (Path(address).is_absolute() and not has_unix_sockets()):
            address = ANY_PORT
        return cls(
            own=f"web-{run_id}",
            peer=f"kernel-{run_id}",
            key=key,
            on_receive=on_receive,
            on_peer=on_peer,
            attach=SafeLink.add_listener,
            address=address,
        )

    @classmethod
    def connect(
        cls, *, address: str, run_id: str, key: bytes, on_receive: Receive, on_peer: PeerChange
    ) -> "SnakeBus":
        """The manager's side, to the listener's ``address``; keeps trying until closed.

        Raises BusError for an address that cannot be one.
        """
        return cls(
            own=f"kernel-{run_id}",
            peer=f"web-{run_id}",
            key=key,
            on_receive=on_receive,
            on_peer=on_peer,
            attach=SafeLink.add_connector,
            address=address,
        )

    @property
    def address(self) -> str:
        """What to hand to the peer: "/path" or "127.0.0.1:port"."""
        return self._address

    @property
    def connected(self) -> bool:
        return self._connected

    def send(self, body: bytes, *, timeout: float = 5.0) -> None:
        """As ``Bus.send``."""
        self._outbox.put(body, 0.0 if self._on_own_thread() else timeout)
        self._link.wakeup_poll()

    def close(self) -> None:
        """As ``Bus.close``; takes a second at most unless a callback blocks."""
        self._outbox.close()
        if not self._on_own_thread():
            self._outbox.settle(SETTLE_S, hopeless=lambda: not self._connected)
        self._closing.set()
        self._link.stop()
        if not self._on_own_thread():
            self._thread.join(JOIN_S)
            if self._thread.is_alive():
                log.error("a callback keeps the thread %s from ending", self._thread.name)

    # --- the bus's own thread ---

    def _run(self) -> None:
        delay = FIRST_REBUILD_S
        while True:
            self._loop_until_it_ends()
            while not self._closing.wait(delay):
                delay = min(LAST_REBUILD_S, delay * 2)
                if self._rebuilt():
                    break
            if self._closing.is_set():
                self._discard_link()
                return

    def _loop_until_it_ends(self) -> None:
        try:
            self._link.loop(poll_timeout=IDLE_S)
            if not self._closing.is_set():
                log.error("the bus loop returned and is rebuilt")
        except BaseException:
            log.exception("the bus loop failed and is rebuilt")
        self._discard_link()

    def _discard_link(self) -> None:
        try:
            self._link.cleanup()
        except Exception:
            log.exception("the bus could not be taken down cleanly")

    def _rebuilt(self) -> bool:
        try:
            self._link, _ = self._build(self._address)
        except (BusError, OSError):
            log.exception("the bus could not be rebuilt yet")
            return False
        return True

    def _build(self, address: str) -> tuple[SafeLink, str]:
        link = SafeLink()
        try:
            address = self._attach(link, address)
        except OSError as exc:
            link.cleanup()
            raise BusError(f"The bus cannot use {address}: {exc}") from exc
        except BusError:
            link.cleanup()
            raise
        messaging = SafeMessaging(
            SafePacketer(link, HEAD_BYTES),
            own=self._own,
            peer=self._peer,
            key=self._key,
            outbox=self._outbox,
            inbox=self._inbox,
        )
        messaging.on_message_recv.add(self._received)
        messaging.on_connect.add(lambda *_: self._peer_changed(True))
        messaging.on_disconnect.add(lambda *_: self._peer_changed(False))
        return link, address

    def _received(self, _conn_id: str, _peer: str, message: Message) -> None:
        self._on_receive(message.data)

    def _peer_changed(self, present: bool) -> None:
        self._connected = present
        self._outbox.wake()
        self._on_peer(present)

    def _on_own_thread(self) -> bool:
        return threading.current_thread() is self._thread
