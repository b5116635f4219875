"""Providers over HTTP: shown masked, changed, tested; every refusal in the one error shape."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gpt_code_ui.models import Models
from gpt_code_ui.providers import KeyStore, LocalServer, LocalServers
from gpt_code_ui.settings import Settings
from tests.fakes_web import Site
from tests.scripted_openai import ScriptedOpenAI, answer, error

KEY = "sk-typed-in-0123456789"


@pytest.fixture
def server() -> Iterator[ScriptedOpenAI]:
    with ScriptedOpenAI(models=("m1", "m2")) as server:
        yield server


@pytest.fixture
def site(tmp_path: Path, server: ScriptedOpenAI) -> Iterator[Site]:
    def models(settings: Settings) -> Models:
        keys = KeyStore(settings.data_dir / "keys.json", vault=lambda: None)
        local = LocalServers((LocalServer("ollama", "Ollama", server.port),))
        return Models(settings, keys=keys, local=local)

    site = Site(tmp_path, models=models)
    yield site
    site.close()


def test_from_nothing_to_an_answer(site: Site, server: ScriptedOpenAI) -> None:
    before = site.call("GET", "/api/settings").get_json()
    assert (before["providers"], before["default_model"]) == ([], None)
    found = {
        "id": "ollama", "name": "Ollama", "base_url": f"http://127.0.0.1:{server.port}/v1",
        "models": ["ollama/m1", "ollama/m2"],
    }  # fmt: skip
    assert before["local_servers"] == [found]

    row = {"id": "mine", "name": "Mine", "base_url": server.url, "key": KEY}
    changed = site.call("PATCH", "/api/settings", {"providers": [row]})
    assert changed.status_code == 200
    shown: dict[str, object] = {
        "id": "mine", "name": "Mine", "kind": "openai", "base_url": server.url,
        "api_version": None, "models": [], "extra_headers": {}, "source": "page",
        "key_in": "file",
    }  # fmt: skip
    assert changed.get_json()["providers"] == [shown]
    assert KEY not in changed.text + site.call("GET", "/api/settings").text

    listed = site.call("GET", "/api/models?refresh=1").get_json()
    assert [one["id"] for one in listed["models"]] == ["mine/m1", "mine/m2"]
    assert (listed["default"], listed["problems"]) == ("mine/m1", [])
    site.call("PATCH", "/api/settings", {"default_model": "mine/m2"})
    assert site.call("GET", "/api/models").get_json()["default"] == "mine/m2"

    server.script(answer("hello"))
    conversation = site.begin()
    asked = site.call("POST", f"/api/conversations/{conversation}/turns", {"prompt": "hi"})
    assert asked.status_code == 202
    site.wait_for(conversation, "turn_finished")
    assert server.requests[0].json["model"] == "m2"
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    turn = asked.get_json()["turn_id"]
    url = f"/api/conversations/{conversation}/turns/{turn}/requests"
    assert KEY not in site.call("GET", url).text
    assert KEY not in site.call("GET", f"/api/conversations/{conversation}").text


def test_what_was_shown_can_be_sent_back(site: Site, server: ScriptedOpenAI) -> None:
    row = {"id": "a", "base_url": server.url, "key": KEY, "extra_headers": {"X-Team": "blue"}}
    shown = site.call("PATCH", "/api/settings", {"providers": [row]}).get_json()["providers"]
    again = site.call("PATCH", "/api/settings", {"providers": shown})
    assert again.get_json()["providers"] == shown
    assert site.models is not None
    [provider] = site.models.book.all()
    assert provider.spec.extra_headers == (("X-Team", "blue"),)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"providers": [{"id": "a", "base_url": "nowhere"}]}, "base_url has to be an http"),
        ({"providers": [{"id": "a", "key": "has a space"}]}, "the key of a may hold"),
        ({"providers": [{"id": ["a"]}]}, "providers.0.id"),
        ({"providers": [{"id": "a", "colour": 1}]}, "providers.0.colour"),
        ({"providers": "all"}, "providers"),
        ({"theme": "dark"}, "theme"),
    ],
)
def test_a_refusal_names_what_is_wrong(site: Site, body: object, words: str) -> None:
    refused = site.call("PATCH", "/api/settings", body)
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (422, "invalid")
    assert words in refused.get_json()["error"]["message"]
    assert "has a space" not in refused.text
    assert site.call("GET", "/api/settings").get_json()["providers"] == []


def test_a_model_is_tested(site: Site, server: ScriptedOpenAI) -> None:
    server.script(answer("OK"), error(401, f"Incorrect API key provided: {KEY}"))
    good = site.call("POST", "/api/models/test", {"model": "ollama/m1"})
    assert good.status_code == 200
    assert (good.get_json()["ok"], good.get_json()["text"]) == (True, "OK")
    bad = site.call("POST", "/api/models/test", {"model": "ollama/m1"})
    assert (bad.status_code, bad.get_json()["error"]["code"]) == (502, "model_auth")
    assert KEY not in bad.text


def test_nobody_unknown_changes_or_reads_anything(site: Site) -> None:
    headers = {"Host": site.host}
    for method, path in (
        ("GET", "/api/settings"), ("PATCH", "/api/settings"), ("POST", "/api/models/test"),
    ):  # fmt: skip
        assert site.client().open(path, method=method, headers=headers).status_code == 401
