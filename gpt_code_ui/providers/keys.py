"""Keys that were typed in: in the system's keyring where a real one is open, else in a 0600 file.

A key is bound to a provider and an origin, and is found for that pair only. The file says where
each key is, so that nobody has to ask the keyring only to tell whether there is one.
"""

import json
import logging
import secrets
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, Protocol

from gpt_code_ui.errors import ModelRefusedKey, StoreError
from gpt_code_ui.private_file import write_private
from gpt_code_ui.providers.vault import system_vault

log = logging.getLogger(__name__)

Where = Literal["keyring", "file"]


class Vault(Protocol):
    """A keyring. None of these asks the person anything or takes longer than a few seconds."""

    def get(self, account: str) -> str | None:
        """The secret of that name."""

    def put(self, account: str, secret: str) -> bool:
        """Whether it was kept."""
        ...

    def drop(self, account: str) -> None:
        """Forget it."""


class KeyStore:
    """The keys of one data folder. ``conceal`` hears of each key before it is used anywhere."""

    def __init__(
        self, path: Path, *, vault: Callable[[], Vault | None] = system_vault,
        conceal: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._path = path
        self._find_vault = vault
        self._conceal = conceal
        self._lock = threading.Lock()
        self._table = _read(path)

    def where(self, provider: str, origin: str) -> Where | None:
        """Where the key for that origin is kept; the keyring is not asked."""
        row = self._row(provider, origin)
        return None if row is None else ("file" if "key" in row else "keyring")

    def get(self, provider: str, origin: str) -> str | None:
        """The key for that origin. Raises ModelRefusedKey if the keyring does not give it."""
        row = self._row(provider, origin)
        if row is None:
            return None
        key = row.get("key") or self._from_vault(str(row.get("account", "")))
        if key is None:
            raise ModelRefusedKey(
                f"The system keyring does not give out the key of {provider}.",
                hint="Unlock the keyring, or type the key once more.",
            )
        self._conceal(key)
        return str(key)

    def put(self, provider: str, origin: str, key: str) -> Where:
        """Keep a key in place of the former one. Raises StoreError."""
        self._conceal(key)
        account = f"{provider} {origin} {secrets.token_hex(4)}"
        vault = self._find_vault()
        in_vault = vault is not None and vault.put(account, key)
        row = {"origin": origin} | ({"account": account} if in_vault else {"key": key})
        self._replace(provider, row)
        return "keyring" if in_vault else "file"

    def drop(self, provider: str) -> None:
        """Forget a provider's key; harmless without one. Raises StoreError."""
        if provider in self._table:
            self._replace(provider, None)

    def keep_only(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Forget the keys of all other providers and origins. Raises StoreError."""
        wanted = set(pairs)
        for provider, row in list(self._table.items()):
            if (provider, row.get("origin")) not in wanted:
                self._replace(provider, None)

    def _row(self, provider: str, origin: str) -> dict[str, Any] | None:
        row = self._table.get(provider)
        return row if row is not None and row.get("origin") == origin else None

    def _from_vault(self, account: str) -> str | None:
        vault = self._find_vault()
        return None if vault is None else vault.get(account)

    def _replace(self, provider: str, row: dict[str, Any] | None) -> None:
        with self._lock:
            table = {name: one for name, one in self._table.items() if name != provider}
            former = self._table.get(provider)
            if row is not None:
                table[provider] = row
            try:
                write_private(self._path, json.dumps(table).encode())
            except OSError as error:
                raise StoreError(f"The key cannot be kept: {error.strerror}.") from error
            self._table = table
        if former is not None and "account" in former and (vault := self._find_vault()):
            vault.drop(former["account"])


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        table = json.loads(path.read_text("utf-8"))
        return {str(name): dict(row) for name, row in table.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, TypeError):
        # What is in the file is not told: it may be a key.
        log.warning("the keys in %s cannot be read; type them once more", path)
        return {}
