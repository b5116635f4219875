"""The providers that are configured: the environment's, those of config.toml, the page's own.

The page's own are kept in a file, without keys; what the environment and config.toml say stays as
they say it. A key or a secret header never follows a provider to another origin.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel

from gpt_code_ui.errors import InvalidValue, StoreError
from gpt_code_ui.model_list import provider_of
from gpt_code_ui.private_file import write_private
from gpt_code_ui.provider_types import ProviderSpec, a_provider, provider_list
from gpt_code_ui.providers.keys import KeyStore
from gpt_code_ui.setting_types import a_token
from gpt_code_ui.settings import MASK, Settings

log = logging.getLogger(__name__)

ENVIRONMENT = "environment"
FILE = "providers.json"
KEYS = "keys.json"
Source = Literal["environment", "config", "page", "local"]
Row = Mapping[str, object]


@dataclass(frozen=True)
class Provider:
    """A provider and who told of it; only the page's own can be changed there."""

    spec: ProviderSpec
    source: Source


class ProviderBook:
    """All configured providers of one data folder, and the default model chosen on the page."""

    def __init__(self, settings: Settings, keys: KeyStore) -> None:
        self._keys = keys
        self._path = settings.data_dir / FILE
        self._fixed = tuple(_fixed(settings))
        self._lock = threading.Lock()
        self._own: tuple[ProviderSpec, ...] = ()
        self._listed: dict[str, list[str]] = {}
        self.default_model: str | None = None
        self.vision_model: str | None = None
        self._read()

    def all(self) -> list[Provider]:
        """In the order of the dropdown; an id of the page's own gives way to a fixed one."""
        taken = {one.spec.id for one in self._fixed}
        own = (Provider(spec, "page") for spec in self._own if spec.id not in taken)
        return [*self._fixed, *own]

    def key_of(self, spec: ProviderSpec) -> str | None:
        """The key to send. Raises ModelRefusedKey if the keyring does not give it out."""
        return spec.api_key or self._keys.get(spec.id, spec.origin)

    def shown(self) -> list[dict[str, Any]]:
        """All providers as the page may see them: no key, no value of a header."""
        return [self._shown(one) for one in self.all()]

    def change(self, rows: Sequence[Row]) -> None:
        """Put ``rows`` in place of the page's own providers.

        ``key``: a text sets it, an empty one forgets it, none keeps it; a row of a fixed provider
        can do only that. Raises InvalidValue, and nothing is changed; StoreError.
        """
        with self._lock:
            fixed = {one.spec.id: one.spec for one in self._fixed}
            keys = {str(row.get("id")): _key(row) for row in rows if "key" in row}
            own = self._parse([row for row in rows if row.get("id") not in fixed])
            self._save(own=own)
            specs = [*fixed.values(), *own]
            self._keys.keep_only((spec.id, spec.origin) for spec in specs)
            for spec in specs:
                if key := keys.get(spec.id):
                    self._keys.put(spec.id, spec.origin, key)
                elif spec.id in keys:
                    self._keys.drop(spec.id)

    def choose_default(self, model: str | None) -> None:
        """The model that new conversations begin with, None for whichever is first."""
        with self._lock:
            self._save(model=model)

    def choose_vision(self, model: str | None) -> None:
        """The model that looks at pictures for one that cannot see, None for none."""
        with self._lock:
            self._save(vision=model)

    def listed(self, spec: ProviderSpec) -> list[str]:
        """The names that the provider's endpoint listed when it was last asked."""
        return self._listed.get(f"{spec.id} {spec.origin}", [])

    def remember(self, spec: ProviderSpec, names: Sequence[str]) -> None:
        """Keep what the endpoint listed."""
        with self._lock:
            if names != self.listed(spec):
                self._save(listed=self._listed | {f"{spec.id} {spec.origin}": list(names)})

    def _parse(self, rows: Sequence[Row]) -> tuple[ProviderSpec, ...]:
        before = {spec.id: spec for spec in self._own}
        try:
            plain = [{k: v for k, v in row.items() if k != "key"} for row in rows]
            specs = provider_list(plain)
        except ValueError as error:
            raise InvalidValue(f"providers {error}.") from error
        for spec in specs:
            if spec.key_env is not None:
                raise InvalidValue(
                    f"providers: {spec.id}: key_env can be set in config.toml only.",
                    hint="Type the key instead.",
                )
        return tuple(_unmasked(spec, before.get(spec.id)) for spec in specs)

    def _shown(self, one: Provider) -> dict[str, Any]:
        spec = one.spec
        where = "environment" if spec.api_key else self._keys.where(spec.id, spec.origin)
        return {
            "id": spec.id, "name": spec.name, "kind": spec.kind, "base_url": spec.base_url,
            "api_version": spec.api_version, "models": _plain_models(spec),
            "extra_headers": {name: MASK for name, _ in spec.extra_headers},
            "source": one.source, "key_in": where,
        }  # fmt: skip

    def _read(self) -> None:
        try:
            kept = _Kept.model_validate_json(self._path.read_bytes())
            self._own = tuple(a_provider(row) for row in kept.providers)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is damaged"
            log.warning("the providers in %s cannot be read: %s", self._path, why)
            return
        self._listed, self.default_model = kept.listed, kept.default_model
        self.vision_model = kept.vision_model

    def _save(
        self, *, own: tuple[ProviderSpec, ...] | None = None,
        model: str | Literal[False] | None = False, listed: dict[str, list[str]] | None = None,
        vision: str | Literal[False] | None = False,
    ) -> None:  # fmt: skip
        """Write the file with what is given changed, then change it here."""
        own = self._own if own is None else own
        model = self.default_model if model is False else model
        listed = self._listed if listed is None else listed
        vision = self.vision_model if vision is False else vision
        kept = _Kept(
            default_model=model, providers=[_row(one) for one in own], listed=listed,
            vision_model=vision,
        )  # fmt: skip
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self._path, kept.model_dump_json(indent=1).encode())
        except OSError as error:
            raise StoreError(f"The providers cannot be kept: {error.strerror}.") from error
        self._own, self.default_model, self._listed = own, model, listed
        self.vision_model = vision


class _Kept(BaseModel):
    """The file."""

    default_model: str | None = None
    vision_model: str | None = None
    providers: list[dict[str, Any]] = []
    listed: dict[str, list[str]] = {}


def _fixed(settings: Settings) -> list[Provider]:
    found = []
    if settings.api_key is not None or settings.base_url is not None:
        azure = settings.api_type == "azure"
        own, other = settings.models, settings.azure_deployments
        spec = ProviderSpec(
            id=ENVIRONMENT, name=provider_of(settings), kind="azure" if azure else "openai",
            base_url=settings.base_url, api_version=settings.api_version,
            models=(other or own) if azure else (own or other),
            extra_headers=settings.extra_headers, api_key=settings.api_key,
        )  # fmt: skip
        found.append(Provider(spec, "environment"))
    return [*found, *(Provider(spec, "config") for spec in settings.providers)]


def _key(row: Row) -> str:
    value = row.get("key") or ""
    try:
        return a_token(value).strip()
    except ValueError as error:
        raise InvalidValue(f"providers: the key of {row.get('id')} {error}.") from error


def _unmasked(spec: ProviderSpec, before: ProviderSpec | None) -> ProviderSpec:
    """The headers whose values came back as they were shown, with what they stood for."""
    known: dict[str, str] = {}
    if before is not None and before.origin == spec.origin:
        known = dict(before.extra_headers)
    headers = (
        (name, known.get(name) if text == MASK else text) for name, text in spec.extra_headers
    )
    return replace(spec, extra_headers=tuple((name, text) for name, text in headers if text))


def _plain_models(spec: ProviderSpec) -> list[dict[str, str]]:
    return [{"name": one.name, "displayName": one.display_name} for one in spec.models]


def _row(spec: ProviderSpec) -> dict[str, Any]:
    return {
        "id": spec.id, "name": spec.name, "kind": spec.kind, "base_url": spec.base_url,
        "api_version": spec.api_version, "models": _plain_models(spec),
        "extra_headers": dict(spec.extra_headers),
    }  # fmt: skip
