"""Whether one conversation's kernel may reach the network, now and while it installs something."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from gpt_code_ui.kernel.network.door import Door, Forward
from gpt_code_ui.kernel.network.ledger import Ledger
from gpt_code_ui.kernel.network.upstream import Upstream
from gpt_code_ui.protocol import NetworkUsed, SandboxLevel


@dataclass(frozen=True)
class Outside:
    """What the conversations of a manager share: the way out, and the hosts that serve packages."""

    upstream: Upstream = field(default_factory=Upstream)
    packages: frozenset[str] = frozenset()


class Network:
    """Used on the loop's thread."""

    def __init__(
        self, name: str, outside: Outside, tell: Callable[[NetworkUsed], None], *, allowed: bool
    ) -> None:
        self._packages = Forward(outside.packages)
        self._ledger = Ledger(tell)
        self._door = Door(name, outside.upstream, self._ledger)
        self._installing = False
        self.allowed = allowed
        self._apply()

    def allow(self, allowed: bool) -> None:
        """Let code reach the network from now on, or no longer."""
        self.allowed = allowed
        self._apply()

    def begin_cell(self, *, installs: bool) -> None:
        """What is refused from now on is refused to this cell."""
        self._ledger.take_shut()
        self._installing = installs
        self._apply()

    def end_cell(self) -> list[str]:
        """The hosts that the cell asked for while the network was off."""
        self._installing = False
        self._apply()
        return self._ledger.take_shut()

    def is_on(self, level: SandboxLevel) -> bool:
        """Whether code at this level reaches the network now."""
        if level == "none":
            return True
        return level == "bwrap" and self.allowed

    async def listen(self, run_dir: Path) -> None:
        """Be there for the kernel of this folder. Raises OSError."""
        await self._door.listen(run_dir)

    def close(self) -> None:
        """The kernel is gone: end its connections, and tell what was not told."""
        self._door.close()
        self._ledger.flush()

    def _apply(self) -> None:
        if self.allowed:
            self._door.forward(Forward())
        else:
            self._door.forward(self._packages if self._installing else None)
