"""A kernel-side end in a process of its own: writes each message's number and answers it."""

import os
import sys
import threading

from gpt_code_ui.bus import SnakeBus


def main(address: str, run_id: str, key: str) -> None:
    ready = threading.Event()

    def receive(body: bytes) -> None:
        ready.wait()
        os.write(1, body[:8] + b"\n")
        bus.send(body[:8])

    bus = SnakeBus.connect(
        address=address,
        run_id=run_id,
        key=bytes.fromhex(key),
        on_receive=receive,
        on_peer=lambda present: None,
    )
    ready.set()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
