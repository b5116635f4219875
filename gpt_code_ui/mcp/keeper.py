"""Runs the command of one MCP server, and sees to it that nothing of it outlives this product.

    python keeper.py COMMAND [ARGUMENT ...]

What comes in on stdin goes to the command, whose stdout and stderr are our own. When stdin ends,
which it does however the product ends, the command gets one second to end as well, then it and all
its children are killed. Runs as a file, without our package. Only for POSIX, as the first process
of a group of its own.
"""

import os
import signal
import subprocess
import sys
import threading
import time

GRACE_S = 1.0
TERM_S = 0.3
PIECE = 65536


def main(command: list[str]) -> None:
    """Run the command to its end, then end the whole group."""
    # A handler, because what is ignored would be ignored by the command as well.
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, bufsize=0)
    except OSError as error:
        os.write(2, f"{command[0]} cannot be run: {error.strerror}\n".encode())
        os._exit(127)
    threading.Thread(target=relay, args=(child,), daemon=True).start()
    code = child.wait()
    if code != 0:
        os.write(2, f"{ended(code)}\n".encode())
    end_group()
    os._exit(code if code >= 0 else 128 - code)


def ended(code: int) -> str:
    """How the command ended, for whoever reads what it wrote last."""
    return f"it ended with code {code}" if code > 0 else f"it was ended by signal {-code}"


def relay(child: "subprocess.Popen[bytes]") -> None:
    """Pass stdin on, and end the command once there is no more."""
    assert child.stdin is not None
    try:
        while piece := os.read(0, PIECE):
            view = memoryview(piece)
            while view:
                view = view[child.stdin.write(view) :]
    except OSError:
        return  # the command has ended, or will not read any more
    child.stdin.close()
    try:
        child.wait(GRACE_S)
    except subprocess.TimeoutExpired:
        if is_leader():
            os.killpg(0, signal.SIGTERM)
            time.sleep(TERM_S)
        child.kill()


def end_group() -> None:
    """End what the command left running, and with it ourselves."""
    if is_leader():
        os.killpg(0, signal.SIGKILL)


def is_leader() -> bool:
    """Whether our group is ours alone; else it would be others that are killed."""
    return os.getpgrp() == os.getpid()


if __name__ == "__main__":
    main(sys.argv[1:])
