"""What the reader may use: set before it looks at the first byte, and never raised again."""

import resource
import signal
from collections.abc import Mapping
from typing import Any

from gpt_code_ui.kernel.sandbox import landlock
from gpt_code_ui.kernel.warden import PR_SET_PDEATHSIG, prctl

CPU_S = 20
ADDRESS_SPACE_BYTES = 2 << 30
OPEN_FILES = 256
LIFE_S = 60


def confine(bounds: Mapping[str, Any] | None = None) -> None:
    """No file can be written, and time, memory and life are bounded.

    ``bounds``: what Landlock is to leave, where that is the cage. Raises OSError.
    """
    for limit, value in (
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_AS, ADDRESS_SPACE_BYTES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
    ):
        _lower(limit, value)
    # Whoever started us may be gone without a word: the system ends us then, or the alarm does.
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(LIFE_S)
    if bounds is not None:
        landlock.confine(landlock.Bounds(**bounds))


def _lower(limit: int, value: int) -> None:
    hard = resource.getrlimit(limit)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    try:
        resource.setrlimit(limit, (value, value))
    except (OSError, ValueError):
        pass  # a system without this limit still has the clock of whoever waits for us
