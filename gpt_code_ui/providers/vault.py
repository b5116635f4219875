"""The system's keyring by way of the ``keyring`` library, never waiting for a person.

Only backends that keep secrets for the logged-in person count: macOS, Windows, and a Secret Service
that is unlocked already (asking a locked one would open a window). Each call is bounded in time,
on a thread that is left alone when it does not come back.
"""

import logging
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

log = logging.getLogger(__name__)

SERVICE = "gptcode"
PATIENCE_S = 3.0
REAL = {
    "darwin": "keyring.backends.macOS",
    "win32": "keyring.backends.Windows",
    "linux": "keyring.backends.SecretService",
}
T = TypeVar("T")


def system_vault() -> "SystemVault | None":
    """The keyring of this system, or None where there is none that opens without a question."""
    backend = _within(_real_backend)
    return None if backend is None else SystemVault(backend)


class SystemVault:
    """A backend of ``keyring`` that answers in time or not at all."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def get(self, account: str) -> str | None:
        """The secret of that name, None also where the keyring fails."""
        found = _within(lambda: self._backend.get_password(SERVICE, account))
        return found if isinstance(found, str) else None

    def put(self, account: str, secret: str) -> bool:
        """Keep it; true only if it can be read back."""
        _within(lambda: self._backend.set_password(SERVICE, account, secret))
        return self.get(account) == secret

    def drop(self, account: str) -> None:
        """Forget it, if the keyring lets us."""
        _within(lambda: self._backend.delete_password(SERVICE, account))


def _real_backend() -> Any:
    # Imported when a key is first kept or needed: it takes a while and most starts need none.
    import keyring

    chosen = keyring.get_keyring()
    wanted = REAL.get(sys.platform)
    for backend in getattr(chosen, "backends", [chosen]):
        if type(backend).__module__ == wanted and _is_open(backend):
            return backend
    return None


def _is_open(backend: Any) -> bool:
    if sys.platform != "linux":
        return True
    import secretstorage

    connection = secretstorage.dbus_init()
    try:
        return not secretstorage.get_default_collection(connection).is_locked()
    finally:
        connection.close()


def _within(work: Callable[[], T]) -> T | None:
    """What the work gives within a few seconds; None if it fails or does not come back."""
    result: list[T] = []

    def run() -> None:
        try:
            result.append(work())
        except Exception as error:  # noqa: BLE001 - whatever a platform raises; none is needed
            log.info("the system keyring cannot be used: %s", type(error).__name__)

    thread = threading.Thread(target=run, name="keyring", daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    return result[0] if result else None
