"""Tools of MCP servers in real turns: offered, called, shown, repaired, stopped; set over HTTP."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from scripts.product import Product
from tests.scripted_openai import (
    DONE,
    Reply,
    ScriptedOpenAI,
    answer,
    chunk,
    raw_call_chunks,
    usage,
)
from tests.test_cli import NO_PAGE, ROOT
from tests.test_mcp_servers import row

SECRET = "its-own-secret-0123"


def calling(*calls: tuple[str, dict[str, object]]) -> Reply:
    steps = []
    for index, (name, arguments) in enumerate(calls):
        text = json.dumps(arguments)
        steps += raw_call_chunks(text, index=index, id=f"call_{index}", name=name)
    return Reply([*steps, chunk(finish="tool_calls"), usage(), DONE])


@pytest.fixture
def model() -> Iterator[ScriptedOpenAI]:
    with ScriptedOpenAI() as server:
        yield server


@pytest.fixture
def product(model: ScriptedOpenAI) -> Iterator[Product]:
    environment = {
        "OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "sk-model", "GPTCODE_MODEL": "scripted",
        "GPTCODE_FIND_LOCAL": "false", "PYTHONPATH": str(ROOT), "GPTCODE_MCP_START_SECONDS": "60",
        "GPTCODE_MCP_SERVERS": json.dumps({"mcpServers": {"gone": {"command": "/no/such"}}}),
    }  # fmt: skip
    with Product(*NO_PAGE, environment=environment) as running:
        yield running


def add_peer(product: Product) -> None:
    peer = row("peer", env={"KEY": SECRET}, trust=True)
    product.json("PATCH", "/api/settings", {"mcp_servers": [peer]})


def allow(product: Product, path: str, asked: dict[str, Any]) -> None:
    product.json("POST", f"{path}/cells/{asked['cell_id']}/approval", {"run": True})


def turn(product: Product, conversation: str, prompt: str) -> list[dict[str, Any]]:
    """The events of a turn; what is asked about is allowed."""
    path = f"/api/conversations/{conversation}"
    seq = product.json("GET", path)["seq"]
    seen = []
    with product.events(conversation, seq) as events:
        product.json("POST", f"{path}/turns", {"prompt": prompt})
        for published in events:
            seen.append(published["event"])
            if seen[-1]["type"] == "approval_requested":
                allow(product, path, seen[-1])
            if seen[-1]["type"] == "turn_finished":
                return seen
    raise AssertionError("the stream ended")


def test_a_turn_with_tools(product: Product, model: ScriptedOpenAI) -> None:
    add_peer(product)
    model.script(
        calling(("peer__fail", {"why": "locked"})),
        calling(("peer__add", {"a": 2, "b": 40}), ("execute_code", {"code": "print(6 * 7)"})),
        answer("42"),
        answer("again"),
    )
    conversation = product.conversation()
    events = turn(product, conversation, "what is the sum?")
    started = [event for event in events if event["type"] == "tool_started"]
    assert [(one["server"], one["name"]) for one in started] == [
        ("peer", "peer__fail"), ("peer", "peer__add"),
    ]  # fmt: skip
    asked = [event for event in events if event["type"] == "approval_requested"]
    assert [one["tool"] for one in asked] == ["peer__fail"]  # the other only reads, and is trusted
    assert [one["what"] for one in asked[0]["reasons"]] == ["peer: fail"]
    finished = [event for event in events if event["type"] == "tool_finished"]
    assert [one["status"] for one in finished] == ["error", "ok"]
    assert json.loads(finished[1]["content"]) == {"sum": 42}
    assert events[-1]["status"] == "completed"

    offered = [tool["function"]["name"] for tool in model.requests[0].json["tools"]]
    assert offered[0] == "execute_code" and "peer__add" in offered
    told = model.requests[2].json["messages"]
    assert [one["role"] for one in told[-5:]] == ["assistant", "tool", "assistant", "tool", "tool"]
    assert told[-4]["content"].endswith("locked")
    assert SECRET not in json.dumps([request.json for request in model.requests])

    turn(product, conversation, "and again?")
    later = model.requests[3].json["messages"]
    calls = [call["function"]["name"] for one in later for call in one.get("tool_calls") or ()]
    assert calls == ["peer__fail", "peer__add", "execute_code"]

    shown = {one["name"]: one for one in product.json("GET", "/api/settings")["mcp_servers"]}
    assert (shown["peer"]["state"], shown["peer"]["env"]) == ("ready", {"KEY": "********"})
    assert shown["gone"]["state"] == "failed" and "cannot be run" in shown["gone"]["problem"]
    assert SECRET not in product.log() + json.dumps(shown)
    assert product.json("POST", "/api/mcp/check", {"name": "peer"})["state"] == "ready"


def test_stop_ends_a_call_and_the_end_ends_the_server(
    product: Product, model: ScriptedOpenAI, tmp_path: Path
) -> None:
    add_peer(product)
    model.script(calling(("peer__slow", {"marker": str(tmp_path / "marker")})))
    conversation = product.conversation()
    path = f"/api/conversations/{conversation}"
    with product.events(conversation) as events:
        product.json("POST", f"{path}/turns", {"prompt": "wait"})
        allow(product, path, events.until("approval_requested"))
        events.until("tool_started")
        pause = threading.Event()
        while not (tmp_path / "marker").exists():
            pause.wait(0.02)
        product.json("POST", f"{path}/stop", {})
        assert events.until("tool_finished")["status"] == "error"
        assert events.until("turn_finished")["status"] == "stopped"
    children = psutil.Process(product.process.pid).children(recursive=True)
    assert any("tests.mcp_peer" in " ".join(one.cmdline()) for one in children)
    product.close()
    assert psutil.wait_procs(children, timeout=3)[1] == []


def test_what_cannot_be_set_is_told(product: Product) -> None:
    for rows, said in (
        ([{"name": "a"}], "command or url is needed"),
        ([{"name": "a", "command": "x", "colour": 1}], "unknown field"),
        ([{"name": "a", "url": "ftp://x"}], "http or https"),
        ([{"name": "a", "url": "http://x", "headers": {"K": "line\nbreak"}}], "value of K"),
        ({"mcpServers": {"a": {"type": "sse", "url": "http://x"}}}, "of the type sse"),
        ([{"name": "a", "command": "x"}, {"name": "a", "command": "y"}], "two servers"),
    ):
        with pytest.raises(Exception, match=said):
            product.json("PATCH", "/api/settings", {"mcp_servers": rows})
