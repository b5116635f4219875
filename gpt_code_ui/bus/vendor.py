"""The one import of snakeMQ 1.6, so that nothing else meets its compile-time warning.

``snakemq.rpc`` unpickles what it receives and is never imported. ``vendor.pyi`` beside this file
types what we build on.
"""

import warnings

with warnings.catch_warnings():
    # `count is not 0` in snakemq.link is a SyntaxWarning: fatal under -W error without this.
    warnings.simplefilter("ignore", SyntaxWarning)
    from snakemq.callbacks import Callback
    from snakemq.exceptions import NoConnection, SnakeMQBrokenMessage, SnakeMQException
    from snakemq.link import Link, LinkSocket
    from snakemq.message import Message
    from snakemq.messaging import (
        FRAME_TYPE_IDENTIFICATION,
        FRAME_TYPE_MESSAGE,
        FRAME_TYPE_PROTOCOL_VERSION,
        INFINITE_TTL,
        MAX_IDENT_LENGTH,
        Messaging,
    )
    from snakemq.packeter import Packeter

__all__ = [
    "FRAME_TYPE_IDENTIFICATION",
    "FRAME_TYPE_MESSAGE",
    "FRAME_TYPE_PROTOCOL_VERSION",
    "INFINITE_TTL",
    "MAX_IDENT_LENGTH",
    "Callback",
    "Link",
    "LinkSocket",
    "Message",
    "Messaging",
    "NoConnection",
    "Packeter",
    "SnakeMQBrokenMessage",
    "SnakeMQException",
]
