"""What was reached and what was refused, by host: told in steps, at most one a second.

Invariant: however many hosts are asked for, the numbers are bounded and nothing is counted twice.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from gpt_code_ui.protocol import NetworkHost, NetworkUsed

EVERY_S = 1.0
MOST_HOSTS = 200
OTHERS = "*"


@dataclass
class Count:
    """What was added for a host since it was last told."""

    requests: int = 0
    refused: int = 0
    sent: int = 0
    received: int = 0


class Ledger:
    """One conversation's. Used on the loop's thread."""

    def __init__(self, tell: Callable[[NetworkUsed], None]) -> None:
        self._tell = tell
        self._counts: dict[str, Count] = {}
        self._seen: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._refused: list[str] = []

    def of(self, host: str) -> Count:
        """What to add to; it is told within a second."""
        if host not in self._seen and len(self._seen) >= MOST_HOSTS:
            host = OTHERS
        self._seen.add(host)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(EVERY_S, self.flush)
        return self._counts.setdefault(host, Count())

    def shut(self, host: str) -> None:
        """A request came while the network was off."""
        self.of(host).refused += 1
        if host not in self._refused and len(self._refused) < MOST_HOSTS:
            self._refused.append(host)

    def take_shut(self) -> list[str]:
        """The hosts that were asked for while the network was off, since this was last called."""
        hosts, self._refused = self._refused, []
        return hosts

    def flush(self) -> None:
        """Tell what there is."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        counts, self._counts = self._counts, {}
        hosts = [
            NetworkHost(
                host=host, requests=c.requests, refused=c.refused, sent=c.sent, received=c.received
            )
            for host, c in counts.items()
        ]
        if hosts:
            self._tell(NetworkUsed(hosts=hosts))
