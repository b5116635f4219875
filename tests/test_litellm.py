"""The LiteLLM proxy, as people run it, between our client and a model: real answers, real errors.

Its mock responses need no network. It is installed by ``make peers``.
"""

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpt_code_ui.answer import EXECUTE_CODE
from gpt_code_ui.errors import (
    ContentFiltered,
    ContextOverflow,
    ModelError,
    ModelOverloaded,
    ModelRateLimited,
    ModelRefusedKey,
    UnknownModel,
)
from gpt_code_ui.models import Models
from gpt_code_ui.ports import Stop
from gpt_code_ui.protocol import (
    FinishChunk,
    ModelChunk,
    ModelRequest,
    TextChunk,
    ToolCallChunk,
    UsageChunk,
    UserMessage,
)
from gpt_code_ui.settings import load
from tests.scripted_openai import ScriptedOpenAI, answer

ROOT = Path(__file__).parent.parent
PROXY = ROOT / ".peers" / "bin" / "litellm"
KEY = "sk-of-the-proxy"
START_S = 90.0
MOCKS = {
    "says": "Hello from the proxy, in a few words.",
    "limited": "litellm.RateLimitError",
    "long": "litellm.ContextWindowExceededError",
    "broken": "litellm.InternalServerError",
    "filtered": "Exception: content_filter_policy",
}
pytestmark = [
    pytest.mark.skipif(
        not PROXY.exists() and not os.environ.get("CI"),
        reason="the LiteLLM proxy is not installed: make peers",
    ),
    pytest.mark.keeps("one proxy for the module"),
]


@pytest.fixture(scope="module")
def upstream() -> Iterator[ScriptedOpenAI]:
    with ScriptedOpenAI() as server:
        yield server


@pytest.fixture(scope="module")
def proxy(upstream: ScriptedOpenAI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("litellm")
    rows = [
        {"model_name": name, "litellm_params": {
            "model": f"openai/{name}", "api_key": "none", "mock_response": said}}
        for name, said in MOCKS.items()
    ]  # fmt: skip
    through = {"model": "openai/scripted", "api_key": "none", "api_base": upstream.url}
    config = {
        "model_list": [*rows, {"model_name": "through", "litellm_params": through}],
        "litellm_settings": {"num_retries": 0, "telemetry": False},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "general_settings": {"master_key": KEY},
    }
    (folder / "config.yaml").write_text(json.dumps(config))
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    log = (folder / "log.txt").open("w")
    process = subprocess.Popen(
        [PROXY, "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port),
         "--telemetry", "False"],
        cwd=folder, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "LITELLM_TELEMETRY": "False",
             "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    )  # fmt: skip
    try:
        wait_for(f"http://127.0.0.1:{port}/health/liveliness", process, folder / "log.txt")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()
        log.close()


def wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    """It has no way to tell that it listens, so it is asked until it answers."""
    deadline = time.monotonic() + START_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (OSError, urllib.error.URLError):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.1)


def ask(url: str, model: str, data_dir: Path, key: str = KEY) -> list[ModelChunk]:
    flags: dict[str, object] = {"data_dir": str(data_dir), "base_url": url, "api_key": key}
    models = Models(load(flags, {"GPTCODE_FIND_LOCAL": "false"}, data_dir.parent))
    request = ModelRequest(
        turn_id="t", model=model, system="s", messages=[UserMessage(text="hi")],
        tools=[EXECUTE_CODE],
    )  # fmt: skip
    try:
        return list(models.model_for(model)[1].stream(request, Stop()))
    finally:
        models.close()


def test_a_mock_answer_streams(proxy: str, data_dir: Path) -> None:
    chunks = ask(proxy, "says", data_dir)
    texts = [chunk.text for chunk in chunks if isinstance(chunk, TextChunk)]
    assert "".join(texts) == MOCKS["says"]
    assert len(texts) > 1
    assert [chunk.reason for chunk in chunks if isinstance(chunk, FinishChunk)] == ["stop"]
    [usage] = [chunk for chunk in chunks if isinstance(chunk, UsageChunk)]
    assert usage.input_tokens > 0 and usage.output_tokens > 0


@pytest.mark.parametrize(
    ("model", "key", "kind"),
    [
        ("limited", KEY, ModelRateLimited),
        ("long", KEY, ContextOverflow),
        ("broken", KEY, ModelOverloaded),
        ("filtered", KEY, ContentFiltered),
        ("says", "sk-another", ModelRefusedKey),
        ("nobody", KEY, UnknownModel),
    ],
)
def test_its_errors_are_told_apart(
    proxy: str, data_dir: Path, model: str, key: str, kind: type[ModelError]
) -> None:
    with pytest.raises(ModelError) as failure:
        ask(proxy, model, data_dir, key)
    assert type(failure.value) is kind, failure.value.message
    assert key not in failure.value.message


def test_a_call_comes_through(proxy: str, upstream: ScriptedOpenAI, data_dir: Path) -> None:
    upstream.script(answer("I compute.", "print(6 * 7)"))
    chunks = ask(proxy, "through", data_dir)
    calls = [chunk for chunk in chunks if isinstance(chunk, ToolCallChunk)]
    assert {chunk.name for chunk in calls} - {None} == {"execute_code"}
    assert json.loads("".join(chunk.arguments for chunk in calls)) == {"code": "print(6 * 7)"}
    assert [chunk.reason for chunk in chunks if isinstance(chunk, FinishChunk)] == ["tool_calls"]
    sent = upstream.requests[-1].json
    assert (sent["model"], sent["stream"]) == ("scripted", True)
    assert sent["tools"][0]["function"]["name"] == "execute_code"


def test_it_lists_its_models(proxy: str, data_dir: Path) -> None:
    flags: dict[str, object] = {"data_dir": str(data_dir), "base_url": proxy, "api_key": KEY}
    models = Models(load(flags, {"GPTCODE_FIND_LOCAL": "false"}, data_dir.parent))
    try:
        assert models.refresh() == []
        assert {row.id for row in models.rows()[0]} == {*MOCKS, "through"}
    finally:
        models.close()
