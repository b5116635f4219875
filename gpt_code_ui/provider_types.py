"""What a provider of models is, and the checks on one that somebody wrote down.

A provider is told by the environment, ``config.toml``, the page, or found on this computer; no
vendor has code of its own. A key belongs to one origin: it never follows a changed address.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from gpt_code_ui import setting_types as kind
from gpt_code_ui.setting_types import ModelChoice, origin_of

OPENAI_URL = "https://api.openai.com/v1"
ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
RESERVED = ("environment", "demo")
NAME_LENGTH = 60
MOST_PROVIDERS = 50
MOST_MODELS = 500
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_FIELDS = ("id", "name", "kind", "base_url", "api_version", "models", "extra_headers", "key_env")
Kind = Literal["openai", "azure"]


@dataclass(frozen=True)
class ProviderSpec:
    """One provider. ``base_url`` None: OpenAI's own. ``api_key`` comes from the environment."""

    id: str
    name: str
    kind: Kind = "openai"
    base_url: str | None = None
    api_version: str | None = None
    models: tuple[ModelChoice, ...] = ()
    extra_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    key_env: str | None = None
    api_key: str | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The address that is asked."""
        return self.base_url or OPENAI_URL

    @property
    def origin(self) -> str:
        """What a key of this provider is bound to."""
        return origin_of(self.url)


def provider_list(value: object) -> tuple[ProviderSpec, ...]:
    """Several providers: a list of tables, or the same as JSON. Raises ValueError."""
    rows = kind.from_json(value)
    if not isinstance(rows, list) or len(rows) > MOST_PROVIDERS:
        raise ValueError(f"has to be a list of at most {MOST_PROVIDERS} providers")
    specs = tuple(a_provider(row) for row in rows)
    ids = [spec.id for spec in specs]
    for one in ids:
        if ids.count(one) > 1:
            raise ValueError(f"has two providers with the id {one}")
    return specs


def a_provider(row: object) -> ProviderSpec:
    """One provider from a table. Raises ValueError with words that complete "<name> ..."."""
    if not isinstance(row, Mapping):
        raise ValueError('has to hold tables like {"id": "local", "base_url": "http://..."}')
    id = row.get("id")
    if not isinstance(id, str) or not ID.fullmatch(id):
        raise ValueError("has a provider without an id of lower-case letters, digits, - and _")
    if id in RESERVED:
        raise ValueError(f"has a provider with the id {id}, which is taken")
    for name in row:
        if name not in _FIELDS:
            raise ValueError(f"has a provider {id} with an unknown field {str(name)[:40]!r}")
    try:
        return _checked(id, row)
    except ValueError as error:
        raise ValueError(f"has a provider {id} whose {error}") from None


def _checked(id: str, row: Mapping[str, object]) -> ProviderSpec:
    of: Kind = "azure" if _kind(row.get("kind")) == "azure" else "openai"
    base_url = _given(row, "base_url", _address)
    if of == "azure" and base_url is None:
        raise ValueError("base_url is missing: Azure needs the address of the endpoint")
    models = kind.model_choices(row.get("models") or [])
    if len(models) > MOST_MODELS:
        raise ValueError(f"models are over {MOST_MODELS}")
    return ProviderSpec(
        id=id,
        name=(_given(row, "name", _line) or id)[:NAME_LENGTH],
        kind=of,
        base_url=base_url,
        api_version=_given(row, "api_version", _line),
        models=models,
        extra_headers=_headers(row.get("extra_headers") or {}),
        key_env=_given(row, "key_env", _line),
    )


def _kind(value: object) -> str:
    try:
        return kind.an_api_type(value or "openai")
    except ValueError:
        raise ValueError("kind has to be openai or azure") from None


def _given(row: Mapping[str, object], name: str, parse: object) -> str | None:
    value = row.get(name)
    if value is None or value == "":
        return None
    try:
        text: str = parse(value)  # type: ignore[operator]
    except ValueError as error:
        raise ValueError(f"{name} {error}") from None
    return text


def _line(value: object) -> str:
    text = kind.a_text(value).strip()
    if not text.isprintable() or len(text) > 200:
        raise ValueError("has to be one line of at most 200 characters")
    return text


def _address(value: object) -> str:
    url = kind.a_url(value)
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise ValueError("has a name or password in it; those belong into the key")
    if not url.isprintable() or " " in url or len(url) > 1000 or parts.fragment:
        raise ValueError("has to be an http or https address")
    try:
        origin_of(url)
    except ValueError:
        raise ValueError("has to be an http or https address") from None
    return url


def _headers(value: object) -> tuple[tuple[str, str], ...]:
    headers = kind.header_table(value)
    for name, text in headers:
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError("extra_headers have a name that is none")
        if not text.isascii() or not text.isprintable():
            raise ValueError(f"extra_headers have a value of {name} that no header can hold")
    return headers
