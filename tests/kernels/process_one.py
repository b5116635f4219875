"""Plays the web process: a supervisor with one kernel that runs the code of stdin, until killed.

argv: folder. Prints ``ready MANAGER_PID`` when the code has printed something.
"""

import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.kernel_fixtures import Rig


def main() -> None:
    rig = Rig(Path(sys.argv[1]))
    rig.supervisor.start()
    talk = rig.conversation()
    talk.printed(talk.post(sys.stdin.read()), "run")
    sys.stdout.write(f"ready {rig.supervisor.manager_pid}\n")
    sys.stdout.flush()
    threading.Event().wait(60)


main()
