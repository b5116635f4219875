"""The pipe between the web process and the kernel manager; the only user of snakeMQ.

``port`` has what is promised, ``SnakeBus`` and ``MemoryBus`` keep it. From the wire up: sockets,
link (connections and time), packeter (frames), messaging (identity and order, with auth and
reliable), snake (the thread).
"""

from gpt_code_ui.bus.memory import MemoryBus, memory_pair
from gpt_code_ui.bus.port import MAX_MESSAGE_BYTES, QUEUE_BYTES, Bus, PeerChange, Receive
from gpt_code_ui.bus.snake import SnakeBus

__all__ = [
    "MAX_MESSAGE_BYTES",
    "QUEUE_BYTES",
    "Bus",
    "MemoryBus",
    "PeerChange",
    "Receive",
    "SnakeBus",
    "memory_pair",
]
