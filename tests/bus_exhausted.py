"""A listener that has run out of file descriptors: writes the CPU seconds half a second costs."""

import os
import resource
import sys
import threading
import time

from gpt_code_ui.bus import SnakeBus
from tests.bus_parts import Ear, listen


def main(address: str) -> None:
    ear = Ear()
    bus: SnakeBus = listen(ear, address)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    taken: list[int] = []
    try:
        while True:
            taken.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        os.write(1, b"exhausted\n")
    began = time.process_time()
    threading.Event().wait(0.5)  # measured, not waited for
    os.write(1, b"%f\n" % (time.process_time() - began))
    sys.stdin.readline()
    for fd in taken:
        os.close(fd)
    ear.wait_peer(True)
    sys.stdin.read()
    bus.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
