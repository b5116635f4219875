"""What an MCP server is in the settings, and the checks on one that somebody wrote down.

Accepted are a list of tables, a table by name, and the ``{"mcpServers": {...}}`` that other
programs keep, whose further fields are passed over.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gpt_code_ui import setting_types as kind

MOST_SERVERS = 50
MOST_ARGUMENTS = 200
LONGEST_CALL_S = 86_400
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_FIELDS = (
    "name", "command", "args", "env", "cwd", "url", "headers", "trust", "enabled", "timeout",
)  # fmt: skip
_HTTP = ("http", "streamable-http", "streamablehttp", "streamable_http")
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class McpServerSpec:
    """One server: a ``command`` that speaks over stdio, or a ``url`` that speaks HTTP.

    ``trust``: tools that it calls read-only are not asked about. ``timeout``: seconds a call may
    take, None for the setting.
    """

    name: str
    command: str | None = None
    args: tuple[str, ...] = ()
    env: Pairs = field(default=(), repr=False)
    cwd: str | None = None
    url: str | None = None
    headers: Pairs = field(default=(), repr=False)
    trust: bool = False
    enabled: bool = True
    timeout: int | None = None

    @property
    def origin(self) -> str:
        """What the secrets of this server are bound to: who would get them."""
        if self.url is not None:
            return kind.origin_of(self.url)
        return json.dumps([self.command, *self.args])

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text in here that nobody may see."""
        query = urlsplit(self.url or "").query
        in_query = (pair.partition("=")[2] for pair in query.split("&"))
        texts = (*(text for _, text in self.env + self.headers), *in_query)
        return tuple(text for text in texts if text)


def mcp_server_list(value: object) -> tuple[McpServerSpec, ...]:
    """Several servers. Raises ValueError with words that complete "<name> ..."."""
    rows = _rows(kind.from_json(value))
    if len(rows) > MOST_SERVERS:
        raise ValueError(f"has more than {MOST_SERVERS} servers")
    specs = tuple(a_server(row) for row in rows)
    names = [spec.name for spec in specs]
    for one in names:
        if names.count(one) > 1:
            raise ValueError(f"has two servers with the name {one}")
    return specs


def _rows(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    foreign = isinstance(value, Mapping) and "mcpServers" in value
    table = value["mcpServers"] if isinstance(value, Mapping) and foreign else value
    if not isinstance(table, Mapping):
        raise ValueError('has to be like {"mcpServers": {"files": {"command": "..."}}}')
    return [_named(name, row, foreign) for name, row in table.items()]


def _named(name: object, row: object, foreign: bool) -> object:
    if not isinstance(row, Mapping):
        return row
    if foreign:
        how = str(row.get("type") or row.get("transport") or "").lower()
        if how not in ("", "stdio", *_HTTP):
            raise ValueError(f"has a server {name} of the type {how}; stdio and http can be used")
        if row.get("disabled") is True:
            row = {**row, "enabled": False}
        row = {field: text for field, text in row.items() if field in _FIELDS}
    return {**row, "name": name}


def a_server(row: object) -> McpServerSpec:
    """One server from a table. Raises ValueError."""
    if not isinstance(row, Mapping):
        raise ValueError('has to hold tables like {"name": "files", "command": "..."}')
    name = row.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError("has a server without a name of letters, digits, spaces, '.', '-' and '_'")
    for one in row:
        if one not in _FIELDS:
            raise ValueError(f"has a server {name} with an unknown field {str(one)[:40]!r}")
    try:
        return _checked(name, row)
    except ValueError as error:
        raise ValueError(f"has a server {name} whose {error}") from None


def _checked(name: str, row: Mapping[str, object]) -> McpServerSpec:
    command, url = _line(row, "command"), _address(row)
    if (command is None) == (url is None):
        raise ValueError("command or url is needed, one of the two")
    if command is None and (row.get("args") or row.get("env") or row.get("cwd")):
        raise ValueError("args, env and cwd are for a command, not for a url")
    if url is None and row.get("headers"):
        raise ValueError("headers are for a url, not for a command")
    return McpServerSpec(
        name=name,
        command=command,
        args=_arguments(row.get("args") or []),
        env=_pairs(row, "env", _VARIABLE),
        cwd=_line(row, "cwd"),
        url=url,
        headers=_pairs(row, "headers", _HEADER),
        trust=_switch(row, "trust", default=False),
        enabled=_switch(row, "enabled", default=True),
        timeout=_seconds(row.get("timeout")),
    )


def _line(row: Mapping[str, object], name: str) -> str | None:
    value = row.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not value.isprintable() or len(value) > 1000:
        raise ValueError(f"{name} has to be one line of text")
    return value.strip()


def _address(row: Mapping[str, object]) -> str | None:
    if not row.get("url"):
        return None
    try:
        url = kind.a_url(row["url"])
        parts = urlsplit(url)
        kind.origin_of(url)
    except ValueError:
        raise ValueError("url has to be an http or https address") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("url has a name or password in it; those belong into the headers")
    if not url.isprintable() or " " in url or len(url) > 1000 or parts.fragment:
        raise ValueError("url has to be an http or https address")
    return url


def _arguments(value: object) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or len(value) > MOST_ARGUMENTS:
        raise ValueError(f"args have to be a list of at most {MOST_ARGUMENTS} texts")
    for one in value:
        if not isinstance(one, str) or "\0" in one:
            raise ValueError("args have to be a list of texts")
    return tuple(value)


def _pairs(row: Mapping[str, object], name: str, pattern: re.Pattern[str]) -> Pairs:
    value = row.get(name) or {}
    if not isinstance(value, Mapping):
        raise ValueError(f'{name} has to be a table like {{"NAME": "value"}}')
    for key, text in value.items():
        if not isinstance(key, str) or not pattern.fullmatch(key):
            raise ValueError(f"{name} has a name that is none")
        # What is in the value is not told: it may be a key.
        if not isinstance(text, str) or "\0" in text:
            raise ValueError(f"{name} has a value of {key} that is no text")
        if name == "headers" and not (text.isascii() and text.isprintable()):
            raise ValueError(f"headers have a value of {key} that no header can hold")
    return tuple(value.items())


def _switch(row: Mapping[str, object], name: str, *, default: bool) -> bool:
    value = row.get(name)
    if value is None:
        return default
    try:
        return kind.a_switch(value)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None


def _seconds(value: object) -> int | None:
    if value is None:
        return None
    try:
        return kind.a_number(1, LONGEST_CALL_S)(value)
    except ValueError as error:
        raise ValueError(f"timeout {error}") from None
