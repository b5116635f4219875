"""The models behind the names in the dropdown, whoever serves them.

The environment's models have bare names, all others ``<provider>/<model>``; a bare name means the
first provider that lists it, else the default's. A provider's client is made when a turn first
needs it, and an endpoint is asked for its list only when ``refresh`` is called.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from gpt_code_ui.answer import EXECUTE_CODE
from gpt_code_ui.asking import Options
from gpt_code_ui.capabilities import UNKNOWN, Capabilities, CapabilityStore
from gpt_code_ui.errors import GptCodeError, NoModel
from gpt_code_ui.model_list import BUILT_IN, DEMO, model_list
from gpt_code_ui.ports import Model, Stop
from gpt_code_ui.protocol import (
    ModelChunk,
    ModelInfo,
    ModelRequest,
    Picture,
    TextChunk,
    UserMessage,
)
from gpt_code_ui.provider_types import OPENAI_URL, ProviderSpec
from gpt_code_ui.providers import KeyStore, LocalServers, Provider, ProviderBook
from gpt_code_ui.providers.book import ENVIRONMENT, KEYS
from gpt_code_ui.providers.local import usual
from gpt_code_ui.setting_types import ModelChoice, origin_of
from gpt_code_ui.settings import Settings

if TYPE_CHECKING:
    from gpt_code_ui.openai_model import OpenAIModel

LIST_S = 5.0
TEST_S = 60.0
# What the page shows of a model that was tested.
SHOWN = ("tools", "vision", "context_window", "streams", "reasoning", "temperature")
# Names in a provider's list that do not chat.
OTHER_WORK = re.compile(
    r"embed|whisper|\btts|dall-e|moderation|rerank|transcri|realtime|image|sora|^(babbage|davinci)",
    re.IGNORECASE,
)
# A red square of 64 x 64 pixels: some models take nothing smaller than 28.
TEST_PICTURE = Picture(
    name="test.png", media_type="image/png", width=64, height=64,
    data=(
        "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAT0lEQVR42u3PQQkAAAgEsItw/dMYzQi+hcEKLNO+"
        "FgEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQGBywL8QgDTjQNSmAAAAABJRU5E"
        "rkJggg=="
    ),
)  # fmt: skip
DEMO_FACTS = Capabilities(vision=False)
NO_MODEL_HINT = (
    "Add a provider in the settings, set OPENAI_API_KEY, or OPENAI_BASE_URL for a local endpoint, "
    "or start with --demo."
)


@dataclass(frozen=True)
class Entry:
    """A model of the dropdown: ``wire`` is what its provider calls it."""

    info: ModelInfo
    wire: str
    provider: Provider


class Models:
    """All models of one running product. ``close`` ends what they started."""

    def __init__(
        self, settings: Settings, *, port: int | None = None, local: LocalServers | None = None,
        keys: KeyStore | None = None, conceal: Callable[[str], None] = lambda _: None,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._chosen: str | None = settings.model
        self._vision: str | None = settings.vision_model
        self.book = ProviderBook(
            settings, keys or KeyStore(settings.data_dir / KEYS, conceal=conceal)
        )
        own = () if port is None else (port,)
        self._capabilities = CapabilityStore(settings.data_dir / "capabilities.json")
        self._local = local or LocalServers(usual(settings.ollama_host), skip=own)
        self._looks = settings.find_local and not settings.demo
        self._lock = threading.Lock()
        self._clients: dict[str, tuple[ProviderSpec, OpenAIModel]] = {}
        self._demo: Model | None = None
        self._endings = ExitStack()

    # --- which there are -----------------------------------------------------------------------

    def look(self) -> None:
        """Begin to look for local servers, in the background."""
        if self._looks:
            self._local.look()

    def rows(self) -> tuple[list[ModelInfo], str | None]:
        """The rows of the dropdown, and the id of the default; no endpoint of a provider is
        asked, local servers for 0.3 s at most."""
        if self._settings.demo:
            return [DEMO], DEMO.id
        self.look()
        return [self._told(entry) for entry in self._entries()], self.default()

    def default(self) -> str | None:
        """The id of the model new conversations begin with."""
        if self._settings.demo:
            return DEMO.id
        chosen = self._chosen or self.book.default_model
        if chosen is not None and (self.book.all() or "/" in chosen):
            return chosen
        configured = self._configured()
        return configured[0].info.id if configured else None

    def known(self, name: str) -> Capabilities:
        """What the answers of a model have told of it."""
        if self._settings.demo:
            return DEMO_FACTS
        found = self._resolve(name)
        return UNKNOWN if found is None else self._capabilities.get(found[0].spec.url, found[1])

    def _told(self, entry: Entry) -> ModelInfo:
        facts = self._capabilities.get(entry.provider.spec.url, entry.wire)
        told = {
            "tools": facts.tools,
            "vision": facts.vision,
            "context_window": facts.context_window,
        }
        return entry.info.model_copy(update={k: v for k, v in told.items() if v is not None})

    def provider_name(self, name: str) -> str:
        """Who serves the model, in a word."""
        found = self._resolve(name)
        return DEMO.provider if found is None else found[0].spec.name

    def choose_default(self, name: str | None) -> None:
        """From now on, and after a restart without --model. Raises StoreError."""
        self.book.choose_default(name)
        self._chosen = name

    def vision_model(self) -> str | None:
        """The model that looks at pictures for one that cannot see, if one is set."""
        return None if self._settings.demo else self._vision or self.book.vision_model

    def choose_vision(self, name: str | None) -> None:
        """From now on, and after a restart without the setting. Raises StoreError."""
        self.book.choose_vision(name)
        self._vision = name

    def change(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Put rows in place of the page's own providers; see ProviderBook.change."""
        self.book.change(rows)
        chosen = self.book.default_model
        if chosen is not None and "/" in chosen and self._resolve(chosen, typed=False) is None:
            self.choose_default(None)
        eyes = self.book.vision_model
        if eyes is not None and "/" in eyes and self._resolve(eyes, typed=False) is None:
            self.choose_vision(None)
        with self._lock:
            self._clients.clear()

    def local_servers(self) -> list[dict[str, Any]]:
        """The servers found on this computer, with their models."""
        if not self._looks:
            return []
        self.look()
        return [
            {
                "id": one.spec.id, "name": one.spec.name, "base_url": one.spec.base_url,
                "models": [f"{one.spec.id}/{choice.name}" for choice in one.spec.models],
            }
            for one in self._found()
        ]  # fmt: skip

    def refresh(self) -> list[dict[str, Any]]:
        """Ask the endpoints of all configured providers for their models, for 5 s at most.

        Returns those that did not tell, each with its error; the rest is in ``rows`` from now on.
        """
        if self._settings.demo:
            return []
        if self._looks:
            self._local.look(again=True)
        asked = [one for one in self.book.all() if not one.spec.models and one.spec.kind != "azure"]
        if not asked:
            return []
        with ThreadPoolExecutor(len(asked), thread_name_prefix="list-models") as pool:
            return [problem for problem in pool.map(self._ask, asked) if problem is not None]

    def _ask(self, provider: Provider) -> dict[str, Any] | None:
        spec = provider.spec
        try:
            names = self._client(spec).list_models(LIST_S)
            self.book.remember(spec, [name for name in names if not OTHER_WORK.search(name)])
        except GptCodeError as error:
            return {"provider": spec.name, "error": error.body().model_dump(exclude_none=True)}
        return None

    def _entries(self) -> list[Entry]:
        return [*self._configured(), *_all_of(self._found())]

    def _configured(self) -> list[Entry]:
        providers = [self._with_names(one) for one in self.book.all()]
        entries = _all_of(providers)
        chosen = self._chosen or self.book.default_model
        if chosen is None or any(entry.info.id == chosen for entry in entries):
            return entries
        provider, wire = self._by_prefix(chosen) or (next(iter(providers), None), chosen)
        if provider is None or provider.source == "local":
            return entries
        return [_entry(provider, ModelChoice(wire, wire), chosen), *entries]

    def _with_names(self, provider: Provider) -> Provider:
        """The provider with the best list that is known of its models."""
        spec = provider.spec
        names = self.book.listed(spec)
        known = tuple(one for one in BUILT_IN if one.name in names)
        seen = {one.name for one in known}
        listed = known + tuple(ModelChoice(name, name) for name in names if name not in seen)
        models = spec.models or listed
        if not models and spec.origin == origin_of(OPENAI_URL) and self._chosen is None:
            models = BUILT_IN
        if not models and provider.source == "environment":
            rows = model_list(self._settings)[0]
            models = tuple(ModelChoice(row.id, row.name) for row in rows)
        return Provider(_with_models(spec, models), provider.source)

    def _found(self) -> list[Provider]:
        if not self._looks:
            return []
        configured = [one.spec for one in self.book.all()]
        ids = {spec.id for spec in configured}
        taken = {_loopback(spec.origin) for spec in configured}
        specs = (
            ProviderSpec(
                id=one.id, name=one.name, base_url=one.base_url,
                models=tuple(
                    ModelChoice(n, n) for n in one.models if not OTHER_WORK.search(n)
                ),
            )
            for one in self._local.found()
        )  # fmt: skip
        return [
            Provider(spec, "local")
            for spec in specs
            if spec.id not in ids and _loopback(spec.origin) not in taken
        ]

    # --- the one to ask ------------------------------------------------------------------------

    def model_for(self, name: str | None) -> tuple[str, Model]:
        """The model of that id or bare name, or the default one. Raises NoModel."""
        if self._settings.demo and name not in (None, DEMO.id):
            raise NoModel(
                f"The model {name} is not there: this is the demo.",
                hint="Choose the demo model, or start without --demo.",
            )
        name = name or self.default()
        if name is None:
            raise NoModel("No model is configured.", hint=NO_MODEL_HINT)
        found = self._resolve(name)
        if found is None and name == DEMO.id:
            return name, self._demo_model()
        if found is None:
            raise NoModel("No model is configured.", hint=NO_MODEL_HINT)
        provider, wire = found
        client = self._client(provider.spec)
        return name, client if wire == name else _Renamed(client, wire)

    def test(self, name: str) -> dict[str, Any]:
        """Ask a model for one word, and tell what came of it. Raises ModelError and its kin."""
        id, model = self.model_for(name)
        begun = time.monotonic()
        request = ModelRequest(
            turn_id="test", model=id, system="You are being tested. Answer in one word.",
            messages=[UserMessage(text="Say OK.", pictures=[TEST_PICTURE])], tools=[EXECUTE_CODE],
        )  # fmt: skip
        stop = Stop()
        timer = threading.Timer(TEST_S, stop.request)
        timer.start()
        if found := self._resolve(id):
            self._capabilities.forget(found[0].spec.url, found[1])
        text = ""
        try:
            for chunk in model.stream(request, stop):
                text += chunk.text if isinstance(chunk, TextChunk) else ""
        finally:
            timer.cancel()
        seconds = round(time.monotonic() - begun, 2)
        learnt = asdict(self.known(id))
        return {
            "model": id,
            "ok": True,
            "seconds": seconds,
            "text": text.strip()[:200],
            "learnt": {key: learnt.get(key) for key in SHOWN},
        }

    def close(self) -> None:
        """End what the models started."""
        self._local.close()
        self._endings.close()

    def _resolve(self, name: str, *, typed: bool = True) -> tuple[Provider, str] | None:
        """Whose model that is, and its name there; ``typed``: nobody needs to have listed it."""
        if self._settings.demo:
            return None
        entries = self._entries()
        for entry in entries:
            if entry.info.id == name:
                return entry.provider, entry.wire
        if prefixed := self._by_prefix(name):
            return prefixed
        for entry in entries:
            if entry.wire == name:
                return entry.provider, name
        if not typed:
            return None
        default = self._by_prefix(self.default() or "")
        first = next(iter(self.book.all()), None)
        if name == DEMO.id or (first is None and default is None):
            return None
        if first is not None and (first.source == "environment" or default is None):
            return first, name
        return default and (default[0], name)

    def _by_prefix(self, name: str) -> tuple[Provider, str] | None:
        """Who serves ``<provider>/<model>``; a local server also while it does not run."""
        id, slash, wire = name.partition("/")
        if not slash or not wire or self._settings.demo:
            return None
        for one in (*self.book.all(), *self._found()):
            if one.spec.id == id:
                return one, wire
        usual = next((one for one in self._local.usual if one.id == id), None)
        if usual is None or not self._looks:
            return None
        return Provider(ProviderSpec(id, usual.name, base_url=usual.base_url), "local"), wire

    def _client(self, spec: ProviderSpec) -> "OpenAIModel":
        """The client of a provider, made anew when the provider was changed."""
        spec = _with_models(spec, ())
        with self._lock:
            known = self._clients.get(spec.id)
        if known is not None and known[0] == spec:
            return known[1]
        key = self.book.key_of(spec)
        with self._lock:
            # Here, because most starts never need it at once.
            from gpt_code_ui.openai_model import Endpoint, OpenAIModel

            logging.getLogger("openai").setLevel(self._settings.api_log_level.upper())
            endpoint = Endpoint(
                api_key=key, base_url=spec.base_url, api_version=spec.api_version,
                api_type="azure" if spec.kind == "azure" else "open_ai",
                extra_headers=dict(spec.extra_headers) or None,
                options=Options(
                    self._settings.temperature, self._settings.max_output_tokens,
                    self._settings.send_reasoning,
                ),
            )  # fmt: skip
            client = OpenAIModel(endpoint, capabilities=self._capabilities)
            # A former client may still answer somebody: it ends with the product.
            self._endings.callback(client.close)
            self._clients[spec.id] = (spec, client)
            return client

    def _demo_model(self) -> Model:
        with self._lock:
            if self._demo is None:
                from gpt_code_ui.demo_model import DemoModel

                self._demo = DemoModel()
            return self._demo


class _Renamed:
    """A model under the name its provider has for it."""

    def __init__(self, model: Model, wire: str) -> None:
        self._model = model
        self._wire = wire

    def stream(self, request: ModelRequest, stop: Stop) -> Iterator[ModelChunk]:
        """One answer."""
        return self._model.stream(request.model_copy(update={"model": self._wire}), stop)


def _all_of(providers: Sequence[Provider]) -> list[Entry]:
    entries = []
    for one in providers:
        for choice in one.spec.models:
            bare = one.spec.id == ENVIRONMENT
            id = choice.name if bare else f"{one.spec.id}/{choice.name}"
            entries.append(_entry(one, choice, id))
    return entries


def _entry(provider: Provider, choice: ModelChoice, id: str) -> Entry:
    info = ModelInfo(id=id, name=choice.display_name, provider=provider.spec.name)
    return Entry(info, choice.name, provider)


def _with_models(spec: ProviderSpec, models: tuple[ModelChoice, ...]) -> ProviderSpec:
    return replace(spec, models=models)


def _loopback(origin: str) -> str:
    """An origin with one spelling for this computer."""
    return re.sub(r"//(localhost|\[::1\]|127\.[\d.]+):", "//127.0.0.1:", origin)
