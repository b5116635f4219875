"""The MCP servers that are configured: those of the settings, and those added on the page.

The page's own are kept in a file without the values of ``env`` and ``headers``; these are kept like
keys, and are given only to the command and arguments, or the origin, that they were typed in for.
"""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from gpt_code_ui.errors import InvalidValue, StoreError
from gpt_code_ui.mcp.spec import McpServerSpec, Pairs, mcp_server_list
from gpt_code_ui.private_file import write_private
from gpt_code_ui.providers import KeyStore
from gpt_code_ui.settings import MASK, Settings

log = logging.getLogger(__name__)

FILE = "mcp_servers.json"
SECRETS = "mcp_secrets.json"
Secrets = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Listed:
    """A server and who told of it; only the page's own can be changed there."""

    spec: McpServerSpec
    source: Literal["config", "page"]


class McpBook:
    """All configured servers of one data folder. ``conceal`` hears of every secret."""

    def __init__(
        self, settings: Settings, secrets: KeyStore | None = None, *,
        conceal: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._secrets = secrets or KeyStore(settings.data_dir / SECRETS)
        self._path = settings.data_dir / FILE
        self._conceal = conceal
        self._fixed = tuple(Listed(spec, "config") for spec in settings.mcp_servers)
        self._lock = threading.Lock()
        self._own: tuple[McpServerSpec, ...] = self._read()
        for one in self._fixed:
            self._hide(one.spec)

    def all(self) -> list[Listed]:
        """The settings' servers first; one of the page with the same name gives way.

        The values of the page's own ``env`` and ``headers`` are masked here.
        """
        taken = {one.spec.name for one in self._fixed}
        own = (Listed(spec, "page") for spec in self._own if spec.name not in taken)
        return [*self._fixed, *own]

    def whole(self, listed: Listed) -> McpServerSpec:
        """The server with its secrets. Raises ModelRefusedKey if the keyring keeps them back."""
        spec = listed.spec
        if listed.source == "config":
            return spec
        kept = self._kept(spec)
        whole = replace(
            spec, env=_filled(spec.env, kept["env"]), headers=_filled(spec.headers, kept["headers"])
        )
        self._hide(whole)
        return whole

    def change(self, value: object) -> None:
        """Put servers in place of the page's own; MASK keeps a value that was there.

        Raises InvalidValue, and nothing is changed; StoreError.
        """
        with self._lock:
            fixed = {one.spec.name for one in self._fixed}
            try:
                given = [spec for spec in mcp_server_list(value) if spec.name not in fixed]
            except ValueError as error:
                raise InvalidValue(f"mcp_servers {error}.") from error
            wanted = {spec.name: self._secrets_of(spec) for spec in given}
            own = tuple(_masked(spec) for spec in given)
            self._save(own)
            self._secrets.keep_only((spec.name, spec.origin) for spec in own)
            for spec in own:
                if any(wanted[spec.name].values()):
                    self._secrets.put(spec.name, spec.origin, json.dumps(wanted[spec.name]))
                else:
                    self._secrets.drop(spec.name)

    def _secrets_of(self, spec: McpServerSpec) -> Secrets:
        """What is to be kept for a server that somebody wrote down."""
        self._hide(spec)
        masked = any(text == MASK for _, text in spec.env + spec.headers)
        kept = self._kept(spec) if masked else {"env": {}, "headers": {}}
        found: Secrets = {}
        for field, pairs in (("env", spec.env), ("headers", spec.headers)):
            found[field] = {}
            for name, text in pairs:
                value = kept[field].get(name) if text == MASK else text
                if value is None:
                    raise InvalidValue(
                        f"mcp_servers: the value of {name} of {spec.name} is not kept for this "
                        "command or address.",
                        hint="Type it once more.",
                    )
                found[field][name] = value
        return found

    def _kept(self, spec: McpServerSpec) -> Secrets:
        text = self._secrets.get(spec.name, spec.origin)
        kept = {} if text is None else json.loads(text)
        return {field: dict(kept.get(field, {})) for field in ("env", "headers")}

    def _hide(self, spec: McpServerSpec) -> None:
        for secret in spec.secrets:
            if secret != MASK and len(secret) >= 8:
                self._conceal(secret)

    def _read(self) -> tuple[McpServerSpec, ...]:
        try:
            return mcp_server_list(json.loads(self._path.read_text("utf-8")))
        except FileNotFoundError:
            return ()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is damaged"
            log.warning("the MCP servers in %s cannot be read: %s", self._path, why)
            return ()

    def _save(self, own: tuple[McpServerSpec, ...]) -> None:
        text = json.dumps([row_of(spec) for spec in own], ensure_ascii=False, indent=1)
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self._path, text.encode())
        except OSError as error:
            raise StoreError(f"The MCP servers cannot be kept: {error.strerror}.") from error
        self._own = own


def row_of(spec: McpServerSpec) -> dict[str, Any]:
    """A server as a table, with the values of ``env`` and ``headers`` masked."""
    return {
        "name": spec.name, "command": spec.command, "args": list(spec.args),
        "env": {name: MASK for name, _ in spec.env}, "cwd": spec.cwd, "url": spec.url,
        "headers": {name: MASK for name, _ in spec.headers}, "trust": spec.trust,
        "enabled": spec.enabled, "timeout": spec.timeout,
    }  # fmt: skip


def _masked(spec: McpServerSpec) -> McpServerSpec:
    return replace(
        spec,
        env=tuple((name, MASK) for name, _ in spec.env),
        headers=tuple((name, MASK) for name, _ in spec.headers),
    )


def _filled(pairs: Pairs, kept: Mapping[str, str]) -> Pairs:
    return tuple((name, kept[name]) for name, _ in pairs if name in kept)
