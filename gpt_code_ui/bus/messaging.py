"""snakeMQ's Messaging with proof of identity, sealed messages and delivery that is made sure.

A connection goes through version, nonce, identification and resume in this order, each once;
only then do messages flow. Anything else closes it. Exactly one connection is open at a time: a
newcomer that proves itself replaces the one before, which can only be half dead.
"""

import logging
import struct
from dataclasses import dataclass

from gpt_code_ui.bus.auth import MAC_BYTES, Handshake, Seal
from gpt_code_ui.bus.link import GuardedCallback
from gpt_code_ui.bus.packeter import Packet, SafePacketer
from gpt_code_ui.bus.port import MAX_MESSAGE_BYTES
from gpt_code_ui.bus.reliable import Inbox, Numbered, Outbox, Resume
from gpt_code_ui.bus.vendor import (
    FRAME_TYPE_IDENTIFICATION,
    FRAME_TYPE_MESSAGE,
    FRAME_TYPE_PROTOCOL_VERSION,
    INFINITE_TTL,
    Message,
    Messaging,
    NoConnection,
    SnakeMQBrokenMessage,
)

log = logging.getLogger(__name__)

FRAME_TYPE_NONCE = 0x40

DATA, RESUME, ACK = 0x000, 0x100, 0x200
"""The kinds of a message, in snakeMQ's flags."""

# snakeMQ's own message frame: type, uuid, ttl, flags. The uuid is (number, acknowledged number).
_HEADER = struct.Struct("!BQQII")
HEAD_BYTES = _HEADER.size + MAC_BYTES

ACK_DELAY_S = 0.02
PASS_MESSAGES = 128
PASS_BACKLOG_BYTES = 1024 * 1024


@dataclass
class _Line:
    """How far one connection has come."""

    handshake: Handshake
    expects: int = FRAME_TYPE_PROTOCOL_VERSION
    outgoing: Seal | None = None
    incoming: Seal | None = None


class SafeMessaging(Messaging):
    """One peer, one key; ``outbox`` and ``inbox`` outlive the connections and this object.

    ``on_connect`` and ``on_disconnect`` speak of the open connection only.
    """

    def __init__(
        self,
        packeter: SafePacketer,
        *,
        own: str,
        peer: str,
        key: bytes,
        outbox: Outbox,
        inbox: Inbox,
    ) -> None:
        super().__init__(own, "", packeter)
        self.packeter = packeter
        self.on_message_recv = GuardedCallback("message")
        self.on_connect = GuardedCallback("peer")
        self.on_disconnect = GuardedCallback("peer")
        self._peer = peer
        self._key = key
        self._outbox = outbox
        self._inbox = inbox
        self._lines: dict[str, _Line] = {}
        self._open: str | None = None
        self._takers = {
            FRAME_TYPE_PROTOCOL_VERSION: self._take_version,
            FRAME_TYPE_NONCE: self._take_nonce,
            FRAME_TYPE_IDENTIFICATION: self._take_identification,
            FRAME_TYPE_MESSAGE: self._take_message,
        }

    # --- from the packeter ---

    def _on_connect(self, conn_id: str) -> None:
        line = _Line(Handshake(key=self._key, own=self.identifier, peer=self._peer))
        self._lines[conn_id] = line
        try:
            self.send_protocol_version(conn_id)
            self.packeter.send_packet(conn_id, bytes([FRAME_TYPE_NONCE]) + line.handshake.nonce)
        except NoConnection:
            log.debug("bus connection %s is gone", conn_id)

    def _on_disconnect(self, conn_id: str) -> None:
        self._lines.pop(conn_id, None)
        ident = self._ident_by_conn.pop(conn_id, None)
        if ident is not None:
            del self._conn_by_ident[ident]
        if self._open == conn_id:
            self._open = None
            self.packeter.link.clear_timer("ack")
            self.on_disconnect(conn_id, ident)

    def _on_packet_recv(self, conn_id: str, packet: Packet) -> None:
        line = self._lines[conn_id]
        frame_type = packet.head[0]
        if frame_type != line.expects:
            raise SnakeMQBrokenMessage(f"frame {frame_type} where {line.expects} was due")
        try:
            self._takers[frame_type](conn_id, line, packet)
        except (ValueError, struct.error) as exc:
            raise SnakeMQBrokenMessage(str(exc)) from exc

    # --- one step of a connection each ---

    def _take_version(self, conn_id: str, line: _Line, packet: Packet) -> None:
        self.parse_protocol_version(packet.head[1:] + packet.body, conn_id)
        line.expects = FRAME_TYPE_NONCE

    def _take_nonce(self, conn_id: str, line: _Line, packet: Packet) -> None:
        identification = line.handshake.challenge(packet.head[1:] + packet.body)
        line.expects = FRAME_TYPE_IDENTIFICATION
        self.packeter.send_packet(conn_id, bytes([FRAME_TYPE_IDENTIFICATION]) + identification)

    def _take_identification(self, conn_id: str, line: _Line, packet: Packet) -> None:
        if not line.handshake.verify(packet.head[1:] + packet.body):
            raise SnakeMQBrokenMessage("identification refused")
        before = self._conn_by_ident.get(self._peer)
        if before is not None:
            log.info("bus connection %s is replaced by %s", before, conn_id)
            self.packeter.link.close(before)
        self._ident_by_conn[conn_id] = self._peer
        self._conn_by_ident[self._peer] = conn_id
        line.outgoing, line.incoming = line.handshake.seals()
        line.expects = FRAME_TYPE_MESSAGE
        # Only now that the old connection is closed does what we say here stay true.
        inbox, outbox = self._inbox, self._outbox
        resume = Resume(outbox.epoch, inbox.epoch, inbox.received, outbox.first)
        self._queue_message(conn_id, RESUME, 0, resume.pack())
        self.packeter.flush(conn_id)

    def _take_message(self, conn_id: str, line: _Line, packet: Packet) -> None:
        header, code = packet.head[: _HEADER.size], packet.head[_HEADER.size :]
        if line.incoming is None or not line.incoming.matches(code, header, packet.body):
            raise SnakeMQBrokenMessage("a message with a false seal")
        _, seq, acknowledged, _, kind = _HEADER.unpack(header)
        if (kind == RESUME) == (self._open == conn_id):
            raise SnakeMQBrokenMessage(f"message kind {kind:#x} out of place")
        if kind == RESUME:
            self._open_line(conn_id, Resume.unpack(packet.body))
            return
        self._outbox.acknowledge(acknowledged)
        if kind == DATA:
            self._deliver(conn_id, Numbered(seq, packet.body))

    def _open_line(self, conn_id: str, resume: Resume) -> None:
        self._inbox.resume(resume.epoch, resume.first)
        self._outbox.resume(resume.received if resume.known == self._outbox.epoch else 0)
        self.packeter.trust(conn_id, HEAD_BYTES + MAX_MESSAGE_BYTES)
        self.packeter.link.admit(conn_id)
        self._open = conn_id
        self.on_connect(conn_id, self._peer)

    def _deliver(self, conn_id: str, message: Numbered) -> None:
        if self._inbox.accept(message):
            self.on_message_recv(conn_id, self._peer, Message(message.body, ttl=None, uuid=b"-"))

    # --- sending: once a pass of the loop, which every send wakes ---

    def _on_link_loop_pass(self) -> None:
        conn_id = self._open
        if conn_id is None:
            return
        try:
            self._queue_from_outbox(conn_id)
            if self._inbox.overdue:
                self._queue_message(conn_id, ACK, 0, b"")
            self.packeter.flush(conn_id)
        except NoConnection:
            return
        link = self.packeter.link
        if not self._inbox.owes:
            link.clear_timer("ack")
        elif not link.has_timer("ack"):
            link.set_timer("ack", ACK_DELAY_S, self._acknowledge)

    def _queue_from_outbox(self, conn_id: str) -> None:
        for _ in range(PASS_MESSAGES):
            if self.packeter.backlog(conn_id) >= PASS_BACKLOG_BYTES:
                return  # The pass after the socket has taken some goes on.
            message = self._outbox.take()
            if message is None:
                return
            self._queue_message(conn_id, DATA, message.seq, message.body)
        self.packeter.link.wakeup_poll()

    def _acknowledge(self) -> None:
        if self._open is not None and self._inbox.owes:
            try:
                self._queue_message(self._open, ACK, 0, b"")
                self.packeter.flush(self._open)
            except NoConnection:
                log.debug("the bus connection is gone")

    def _queue_message(self, conn_id: str, kind: int, seq: int, body: bytes) -> None:
        line = self._lines.get(conn_id)
        if line is None or line.outgoing is None:
            raise NoConnection(conn_id)
        acknowledged = self._inbox.paid()
        header = _HEADER.pack(FRAME_TYPE_MESSAGE, seq, acknowledged, INFINITE_TTL, kind)
        self.packeter.queue_packet(conn_id, header + line.outgoing.next(header, body), body)
