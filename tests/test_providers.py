"""Providers: configured, found, kept; their keys; the models they serve. On real HTTP servers."""

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gpt_code_ui.errors import InvalidValue, ModelRefusedKey, UsageError
from gpt_code_ui.kernel.sandbox.environment import is_allowed
from gpt_code_ui.models import Models
from gpt_code_ui.ports import Stop
from gpt_code_ui.protocol import ModelRequest, TextChunk, UserMessage
from gpt_code_ui.provider_types import a_provider, provider_list
from gpt_code_ui.providers import KeyStore, LocalServer, LocalServers
from gpt_code_ui.providers.vault import SystemVault, system_vault
from gpt_code_ui.setting_types import origin_of
from gpt_code_ui.settings import Settings, load
from tests.scripted_openai import Cut, Reply, ScriptedOpenAI, answer, error, plain

KEY = "sk-typed-in-0123456789"
NOWHERE = "http://127.0.0.1:1/v1"


def settings(data: Path, environ: dict[str, str] | None = None, **flags: object) -> Settings:
    return load({"data_dir": str(data), **flags}, environ or {}, data.parent)


@pytest.fixture
def models_of(data_dir: Path) -> Iterator[Callable[..., Models]]:
    """Models of the data folder, without a keyring and with the local servers that are given."""
    data_dir.mkdir(mode=0o700, exist_ok=True)
    made: list[Models] = []

    def make(
        environ: dict[str, str] | None = None, local: tuple[LocalServer, ...] = (), **flags: object
    ) -> Models:
        keys = KeyStore(data_dir / "keys.json", vault=lambda: None)
        one = Models(settings(data_dir, environ, **flags), keys=keys, local=LocalServers(local))
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


def ids(models: Models) -> list[str]:
    return [row.id for row in models.rows()[0]]


def ask(models: Models, name: str | None) -> str:
    _, model = models.model_for(name)
    request = ModelRequest(
        turn_id="t", model=name or "", system="", messages=[UserMessage(text="hi")], tools=[]
    )
    chunks = model.stream(request, Stop())
    return "".join(chunk.text for chunk in chunks if isinstance(chunk, TextChunk))


# --- what a provider may look like ---------------------------------------------------------------


def test_a_provider_is_checked() -> None:
    spec = a_provider({
        "id": "corp", "name": "Corp", "kind": "azure", "base_url": "https://x.example/",
        "api_version": "2024-10-21", "models": ["a", {"name": "b", "displayName": "B"}],
        "extra_headers": {"X-Team": "blue"},
    })  # fmt: skip
    assert (spec.url, spec.origin) == ("https://x.example", "https://x.example:443")
    assert [(one.name, one.display_name) for one in spec.models] == [("a", "a"), ("b", "B")]
    assert "blue" not in repr(spec)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"id": "A b"}, "without an id"),
        ({"id": "demo"}, "is taken"),
        ({"id": "x", "color": "red"}, "unknown field 'color'"),
        ({"id": "x", "kind": "magic"}, "kind has to be openai or azure"),
        ({"id": "x", "kind": "azure"}, "base_url is missing"),
        ({"id": "x", "base_url": "file:///etc/passwd"}, "has to be an http or https address"),
        ({"id": "x", "base_url": "https://me:pw@host/v1"}, "has a name or password in it"),
        ({"id": "x", "base_url": "http://h:99999/v1"}, "has to be an http or https address"),
        ({"id": "x", "extra_headers": {"X-A": "a\r\nB: c"}}, "no header can hold"),
        ({"id": "x", "models": [{}]}, "an entry without a name"),
        ("x", "has to hold tables"),
    ],
)
def test_what_is_no_provider(row: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        provider_list([row])


def test_an_id_is_given_once() -> None:
    with pytest.raises(ValueError, match="two providers with the id a"):
        provider_list([{"id": "a"}, {"id": "a"}])


def test_origins_have_one_spelling() -> None:
    assert origin_of("https://API.Example.com./v1") == origin_of("https://api.example.com:443/x")
    assert origin_of("http://[::1]:11434/v1") == "http://[::1]:11434"
    assert origin_of("http://a.example") != origin_of("https://a.example")


def test_config_toml_and_the_key_of_a_variable(data_dir: Path) -> None:
    data_dir.mkdir(exist_ok=True)
    (data_dir / "config.toml").write_text(
        '[[providers]]\nid = "m"\nbase_url = "https://m.example/v1"\nkey_env = "M_KEY"\n'
        'models = ["big"]\n'
    )
    loaded = settings(data_dir, {"M_KEY": KEY})
    assert [(one.id, one.api_key) for one in loaded.providers] == [("m", KEY)]
    assert KEY not in repr(loaded)
    (data_dir / "config.toml").write_text('[[providers]]\nbase_url = "https://m.example"\n')
    with pytest.raises(UsageError, match="providers has a provider without an id"):
        settings(data_dir)


# --- several at once -----------------------------------------------------------------------------


def test_several_providers_in_one_list(models_of: Callable[..., Models]) -> None:
    with ScriptedOpenAI(answer("one")) as first, ScriptedOpenAI(answer("two")) as second:
        models = models_of({"OPENAI_BASE_URL": first.url, "OPENAI_MODELS": '["m", "n/o"]'})
        row = {"id": "b", "name": "B", "base_url": second.url, "models": ["m", "x"], "key": KEY}
        models.change([row])
        assert ids(models) == ["m", "n/o", "b/m", "b/x"]
        assert models.default() == "m"
        assert ask(models, "m") == "one"
        assert ask(models, "b/m") == "two"
        sent = second.requests[0]
        assert sent.json["model"] == "m"
        assert sent.headers["authorization"] == f"Bearer {KEY}"
        assert "authorization" not in first.requests[0].headers


@pytest.mark.parametrize("name", ["x", "b/x", "b/never/listed", "y"])
def test_who_serves_a_name(models_of: Callable[..., Models], name: str) -> None:
    with ScriptedOpenAI(answer("b")) as other:
        models = models_of(local=())
        models.change([{"id": "b", "base_url": other.url, "models": ["x"]}])
        assert ask(models, name) == "b"
        assert other.requests[0].json["model"] == name.removeprefix("b/")


def test_a_change_of_default_lasts(models_of: Callable[..., Models]) -> None:
    models = models_of()
    models.change([{"id": "b", "base_url": NOWHERE, "models": ["x", "y"]}])
    assert models.default() == "b/x"
    models.choose_default("b/y")
    assert models_of().default() == "b/y"
    assert models_of(model="b/z").default() == "b/z"
    models.change([])
    assert models.default() is None
    assert models_of().default() is None


def test_an_endpoint_is_asked_for_its_list_only_when_told_to(
    models_of: Callable[..., Models],
) -> None:
    names = ("chat-1", "text-embedding-3", "chat-2")
    with ScriptedOpenAI(models=names) as server:
        models = models_of({"OPENAI_BASE_URL": server.url, "GPTCODE_MODEL": "mine"})
        models.change([{"id": "b", "base_url": NOWHERE}])
        assert ids(models) == ["mine"]
        [problem] = models.refresh()
        assert (problem["provider"], problem["error"]["code"]) == ("b", "model_unreachable")
        assert ids(models) == ["mine", "chat-1", "chat-2"]
        assert ids(models_of({"OPENAI_BASE_URL": server.url})) == ["chat-1", "chat-2"]


def test_azure_asks_its_deployment_with_its_own_header(models_of: Callable[..., Models]) -> None:
    with ScriptedOpenAI(answer("az")) as server:
        base = server.url.removesuffix("/v1")
        row = {"id": "az", "kind": "azure", "base_url": base, "api_version": "2024-10-21"}
        models = models_of()
        models.change([row | {"models": ["dep"], "key": KEY}])
        assert ask(models, "az/dep") == "az"
        sent = server.requests[0]
        assert sent.path == "/openai/deployments/dep/chat/completions?api-version=2024-10-21"
        assert sent.headers["api-key"] == KEY


# --- keys ----------------------------------------------------------------------------------------


def test_a_key_never_follows_to_another_origin(
    models_of: Callable[..., Models], data_dir: Path
) -> None:
    with ScriptedOpenAI(answer("a"), answer("a")) as server, ScriptedOpenAI(answer("b")) as other:
        models = models_of()
        row = {"id": "b", "base_url": server.url, "models": ["x"]}
        headers = {"X-Secret": "hush-hush"}
        models.change([row | {"key": KEY, "extra_headers": headers}])
        [shown] = models.book.shown()
        assert shown["key_in"] == "file"
        assert shown["extra_headers"] == {"X-Secret": "********"}
        back = {name: shown[name] for name in ("id", "base_url", "models", "extra_headers")}
        models.change([back])
        ask(models, "b/x")
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
        assert server.requests[0].headers["x-secret"] == "hush-hush"
        models.change([back | {"base_url": other.url}])
        ask(models, "b/x")
        assert "authorization" not in other.requests[0].headers
        assert "x-secret" not in other.requests[0].headers
        assert KEY not in (data_dir / "keys.json").read_text()
        models.change([back])
        assert models.book.shown()[0]["key_in"] is None


def test_a_key_is_forgotten_when_told_to_and_with_its_provider(
    models_of: Callable[..., Models], data_dir: Path
) -> None:
    models = models_of()
    row = {"id": "b", "base_url": NOWHERE}
    models.change([row | {"key": KEY}])
    models.change([row | {"key": ""}])
    assert models.book.shown()[0]["key_in"] is None
    models.change([row | {"key": KEY}])
    models.change([])
    assert KEY not in "".join(path.read_text() for path in data_dir.glob("*.json"))


def test_files_of_keys_and_providers_are_private(
    models_of: Callable[..., Models], data_dir: Path
) -> None:
    models_of().change([{"id": "b", "base_url": NOWHERE, "key": KEY}])
    assert [path.stat().st_mode & 0o777 for path in sorted(data_dir.glob("*.json"))] == [0o600] * 2
    assert KEY not in (data_dir / "providers.json").read_text()
    assert models_of().book.shown()[0]["key_in"] == "file"


def test_a_key_typed_for_the_environments_provider(models_of: Callable[..., Models]) -> None:
    with ScriptedOpenAI(answer("a")) as server:
        environ = {"OPENAI_BASE_URL": server.url, "GPTCODE_MODEL": "m"}
        models_of(environ).change([{"id": "environment", "key": KEY}])
        ask(models_of(environ), None)
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
        elsewhere = models_of({"OPENAI_BASE_URL": NOWHERE, "GPTCODE_MODEL": "m"})
        assert elsewhere.book.shown()[0]["key_in"] is None


def test_a_wrong_row_changes_nothing(models_of: Callable[..., Models]) -> None:
    models = models_of()
    models.change([{"id": "b", "base_url": NOWHERE}])
    for wrong in (
        {"id": "b", "base_url": "ftp://x"},
        {"id": "c", "base_url": NOWHERE, "key": "two words"},
        {"id": "c", "base_url": NOWHERE, "key_env": "HOME"},
    ):
        with pytest.raises(InvalidValue) as failure:
            models.change([wrong])
        assert "two words" not in failure.value.message
    assert [one["id"] for one in models.book.shown()] == ["b"]


def test_no_error_and_no_log_has_the_key(
    models_of: Callable[..., Models], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with ScriptedOpenAI(error(401, f"Incorrect API key provided: {KEY}")) as server:
        models = models_of(api_log_level="debug")
        models.change([{"id": "b", "base_url": server.url, "models": ["x"], "key": KEY}])
        with pytest.raises(ModelRefusedKey) as failure:
            models.test("b/x")
        assert KEY not in failure.value.message + str(failure.value.hint)
        assert failure.value.hint is not None
    assert KEY not in "".join(record.getMessage() for record in caplog.records)


def test_every_key_is_concealed_before_it_is_used(data_dir: Path) -> None:
    data_dir.mkdir(exist_ok=True)
    heard: list[str] = []
    keys = KeyStore(data_dir / "k", vault=lambda: None, conceal=heard.append)
    keys.put("b", "http://x:80", KEY)
    assert KeyStore(data_dir / "k", vault=lambda: None, conceal=heard.append).get(
        "b", "http://x:80"
    )
    assert heard == [KEY, KEY]


def test_no_variable_with_a_key_reaches_a_kernel() -> None:
    names = ("OPENAI_API_KEY", "GPTCODE_API_KEY", "GPTCODE_PROVIDERS", "M_KEY", "MISTRAL_API_KEY")
    assert [name for name in names if is_allowed(name)] == []


class Backend:
    """A keyring in a dictionary; ``stuck`` waits as one does that asks the person."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.stuck = threading.Event()
        self.stuck.set()

    def get_password(self, service: str, account: str) -> str | None:
        assert self.stuck.wait(20)
        return self.kept.get((service, account))

    def set_password(self, service: str, account: str, secret: str) -> None:
        self.kept[service, account] = secret

    def delete_password(self, service: str, account: str) -> None:
        del self.kept[service, account]


def test_a_keyring_keeps_the_key_and_the_file_does_not(data_dir: Path) -> None:
    data_dir.mkdir(exist_ok=True)
    backend = Backend()
    keys = KeyStore(data_dir / "k", vault=lambda: SystemVault(backend))
    assert keys.put("b", "http://x:80", KEY) == "keyring"
    assert KEY not in (data_dir / "k").read_text()
    again = KeyStore(data_dir / "k", vault=lambda: SystemVault(backend))
    assert (again.where("b", "http://x:80"), again.get("b", "http://x:80")) == ("keyring", KEY)
    assert again.get("b", "http://y:80") is None
    again.drop("b")
    assert backend.kept == {}


def test_a_keyring_that_is_gone_or_stuck_is_told(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir.mkdir(exist_ok=True)
    backend = Backend()
    keys = KeyStore(data_dir / "k", vault=lambda: SystemVault(backend))
    keys.put("b", "http://x:80", KEY)
    monkeypatch.setattr("gpt_code_ui.providers.vault.PATIENCE_S", 0.05)
    backend.stuck.clear()
    with pytest.raises(ModelRefusedKey, match="keyring does not give out"):
        keys.get("b", "http://x:80")
    assert keys.put("c", "http://x:80", KEY) == "file"
    backend.stuck.set()


def test_a_keyring_without_a_desktop_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    assert system_vault() is None


def test_a_damaged_file_of_keys_is_not_quoted(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data_dir.mkdir(exist_ok=True)
    (data_dir / "k").write_text(f"{{{KEY}")
    assert KeyStore(data_dir / "k").get("b", "o") is None
    assert KEY not in caplog.text


# --- servers on this computer --------------------------------------------------------------------


def local(server: ScriptedOpenAI) -> LocalServer:
    return LocalServer("ollama", "Ollama", server.port)


def test_a_local_server_is_found_and_used(models_of: Callable[..., Models]) -> None:
    with ScriptedOpenAI(answer("local"), models=("qwen3", "nomic-embed-text")) as server:
        models = models_of(local=(local(server), LocalServer("vllm", "vLLM", 1)))
        rows, default = models.rows()
        assert [(row.id, row.provider) for row in rows] == [("ollama/qwen3", "Ollama")]
        assert default is None, "nothing is used that nobody chose"
        assert [one["models"] for one in models.local_servers()] == [["ollama/qwen3"]]
        models.choose_default("ollama/qwen3")
        assert models.default() == "ollama/qwen3"
        assert ask(models, None) == "local"
        assert "authorization" not in server.requests[0].headers


def test_a_local_server_that_is_configured_is_not_found_again(
    models_of: Callable[..., Models],
) -> None:
    with ScriptedOpenAI(models=("a",)) as server:
        url = server.url.replace("127.0.0.1", "localhost")
        models = models_of({"OPENAI_BASE_URL": url, "GPTCODE_MODEL": "a"}, (local(server),))
        assert ids(models) == ["a"]


@pytest.mark.parametrize(
    "reply",
    [
        plain("<html>no</html>", content_type="text/html"),
        plain("{}", status=404),
        plain('{"data": 7}'),
        Reply([Cut("reset")]),
        Reply([threading.Event()]),
        plain("", status=302, headers={"Location": "http://127.0.0.1:1/"}),
    ],
)
def test_what_answers_otherwise_is_not_found_and_costs_no_time(
    models_of: Callable[..., Models], reply: Reply
) -> None:
    class Other(ScriptedOpenAI):
        def reply_to(self, request: object) -> Reply:
            return reply

    with Other() as server:
        models = models_of(local=(local(server),))
        begun = time.monotonic()
        assert ids(models) == []
        assert time.monotonic() - begun < 2.0


def test_a_port_that_takes_and_never_answers_is_left_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        servers = LocalServers((LocalServer("x", "X", silent.getsockname()[1]),))
        begun = time.monotonic()
        servers.look()
        assert servers.found() == []
        assert time.monotonic() - begun < 1.0
        servers.close()


def test_our_own_port_is_not_asked_and_nothing_in_a_demo(models_of: Callable[..., Models]) -> None:
    with ScriptedOpenAI() as server:
        servers = LocalServers((local(server),), skip=(server.port,))
        servers.look()
        assert servers.found() == []
        for off in ({"demo": True}, {"find_local": "no"}):
            assert models_of(local=(local(server),), **off).local_servers() == []


# --- the test of a model -------------------------------------------------------------------------


def test_a_model_is_tested_with_one_request(models_of: Callable[..., Models]) -> None:
    with ScriptedOpenAI(answer("OK")) as server:
        models = models_of({"OPENAI_BASE_URL": server.url, "GPTCODE_MODEL": "m"})
        told = models.test("m")
        assert (told["model"], told["ok"], told["text"]) == ("m", True, "OK")
        assert len(server.requests) == 1
        assert len(json.dumps(server.requests[0].json)) < 2000


def test_the_demo_can_be_had_without_a_key(models_of: Callable[..., Models]) -> None:
    assert models_of().model_for("demo")[0] == "demo"
