"""Who is at the other end, and that nobody in between changed a byte.

Both sides prove that they hold the run's key over two fresh nonces; each direction of each
connection then has its own HMAC-SHA256 key and counter. So nothing can be forged, reflected,
replayed, reordered or left out unseen. Secrecy is not sought: loopback does not need it.
"""

import hmac
import secrets
import struct

NONCE_BYTES = 32
PROOF_BYTES = 32
MAC_BYTES = 32
MIN_KEY_BYTES = 16

_COUNTER = struct.Struct("!Q")


class Handshake:
    """One side of the mutual proof on one connection."""

    def __init__(self, *, key: bytes, own: str, peer: str) -> None:
        self.own = own.encode()
        self.peer = peer.encode()
        self.nonce = secrets.token_bytes(NONCE_BYTES)
        self._key = key
        self._peer_nonce = b""

    def challenge(self, peer_nonce: bytes) -> bytes:
        """Take the peer's nonce; returns our identification. Raises ValueError on a bad nonce."""
        if len(peer_nonce) != NONCE_BYTES:
            raise ValueError(f"a nonce has {NONCE_BYTES} bytes, not {len(peer_nonce)}")
        self._peer_nonce = peer_nonce
        return self.own + b"\0" + self._derive(b"proof", self.own, self.nonce, peer_nonce)

    def verify(self, identification: bytes) -> bool:
        """Whether it is the peer we expect, with the key and our nonce."""
        name, separator, proof = identification.partition(b"\0")
        expected = self._derive(b"proof", self.peer, self._peer_nonce, self.nonce)
        genuine = hmac.compare_digest(proof, expected)
        return genuine and bool(separator) and name == self.peer

    def seals(self) -> tuple["Seal", "Seal"]:
        """The seals of the two directions: (outgoing, incoming)."""
        outgoing = self._derive(b"seal", self.own, self.nonce, self._peer_nonce)
        incoming = self._derive(b"seal", self.peer, self._peer_nonce, self.nonce)
        return Seal(outgoing), Seal(incoming)

    def _derive(self, purpose: bytes, name: bytes, sender: bytes, receiver: bytes) -> bytes:
        # Fixed-size nonces last and no NUL in a name: the parts cannot be read another way.
        return hmac.digest(self._key, b"\0".join((purpose, name, sender + receiver)), "sha256")


class Seal:
    """The message codes of one direction of one connection, in order."""

    def __init__(self, key: bytes) -> None:
        self._keyed = hmac.new(key, digestmod="sha256")
        self._count = 0

    def next(self, header: bytes, body: bytes) -> bytes:
        """The code of the next message; neither part is copied."""
        code = self._keyed.copy()
        code.update(_COUNTER.pack(self._count) + header)
        code.update(body)
        self._count += 1
        return code.digest()

    def matches(self, code: bytes, header: bytes, body: bytes) -> bool:
        """Whether ``code`` is the one of the next message."""
        return hmac.compare_digest(code, self.next(header, body))
