"""The environment of a conversation in the real product: chosen, remembered, mended, told."""

import json
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.product import Product, ProductError
from scripts.setup_kernels import KERNELS, READY
from tests.cage_fixtures import why_not
from tests.kernel_fixtures import running_rig
from tests.scripted_openai import ScriptedOpenAI, answer, error
from tests.test_cage_python import SITE, make_venv
from tests.test_cli import NO_PAGE, ROOT
from tests.test_mcp_turns import turn

Events = list[dict[str, Any]]
MORE = 60.0


def need_other_kernels() -> None:
    if not READY.is_file():
        pytest.skip("the kernels that are no Python are not installed: make kernels")


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package index of one: an ipykernel that leads to the one these tests run on."""
    folder = tmp_path_factory.mktemp("links")
    info = "ipykernel-7.0.0.dist-info"
    with zipfile.ZipFile(folder / "ipykernel-7.0.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("shared.pth", f"{SITE}\n")
        wheel.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: ipykernel\nVersion: 7.0.0\n"
        )
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return folder


@pytest.fixture
def model() -> Iterator[ScriptedOpenAI]:
    with ScriptedOpenAI() as server:
        yield server


@pytest.fixture
def product(model: ScriptedOpenAI, links: Path) -> Iterator[Product]:
    environment = {
        "OPENAI_BASE_URL": model.url, "OPENAI_API_KEY": "sk-model", "GPTCODE_MODEL": "scripted",
        "GPTCODE_FIND_LOCAL": "false", "PYTHONPATH": str(ROOT),
        "JUPYTER_PATH": str(KERNELS / "share" / "jupyter"),
        "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links), "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }  # fmt: skip
    with Product(*NO_PAGE, environment=environment) as running:
        yield running


def until(events: Any, type: str, **fields: object) -> dict[str, Any]:
    """The next event of a type with these fields."""
    for published in events:
        event: dict[str, Any] = published["event"]
        if event["type"] == type and fields.items() <= event.items():
            return event
    raise AssertionError("the stream ended")


def run(product: Product, conversation: str, code: str) -> str:
    """What the person's own cell prints."""
    path = f"/api/conversations/{conversation}"
    seq = product.json("GET", path)["seq"]
    texts = []
    with product.events(conversation, seq) as events:
        cell = product.json("POST", f"{path}/cells", {"code": code})["cell_id"]
        for published in events:
            event = published["event"]
            if event["type"] == "cell_output" and event["output"]["output_type"] == "stream":
                texts.append(event["output"]["text"])
            if event["type"] == "cell_finished" and event["cell_id"] == cell:
                return "".join(texts) + event.get("reason", "")
    raise AssertionError("the stream ended")


def test_an_interpreter_is_chosen_on_the_way_and_remembered(
    product: Product, tmp_path: Path
) -> None:
    python = make_venv(tmp_path / "mine")
    conversation = product.conversation()
    path = f"/api/conversations/{conversation}"
    where = "import sys; print(sys.prefix, end='')"
    assert run(product, conversation, where) == sys.prefix
    seq = product.json("GET", path)["seq"]
    with product.events(conversation, seq) as events:
        product.json("PATCH", path, {"python": str(tmp_path / "mine")})
        assert until(events, "conversation_changed")["python"] == str(python)
        until(events, "kernel_status", state="restarting")
        until(events, "kernel_status", state="idle")
    assert run(product, conversation, where) == str(tmp_path / "mine")
    transcript = product.json("GET", path)
    assert (transcript["python"], transcript["language"]) == (str(python), "python")
    product.json("PATCH", path, {"python": None, "kernel": None})
    assert run(product, conversation, where) == sys.prefix
    for wrong in ({"python": "/no/such"}, {"kernel": "no-such"}):
        with pytest.raises(ProductError, match="status 422"):
            product.json("PATCH", path, wrong)


def test_one_cannot_be_chosen_while_code_runs(product: Product) -> None:
    conversation = product.conversation()
    path = f"/api/conversations/{conversation}"
    with product.events(conversation, 0) as events:
        product.json("POST", f"{path}/cells", {"code": "input('go?')"})
        until(events, "input_requested")
        with pytest.raises(ProductError, match="status 409"):
            product.json("PATCH", path, {"python": sys.executable})


def test_an_interpreter_without_ipykernel_is_mended_by_a_click(
    product: Product, tmp_path: Path
) -> None:
    venv.create(tmp_path / "bare", symlinks=True, with_pip=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    made = product.json("POST", "/api/conversations", {"python": python})
    path = f"/api/conversations/{made['id']}"
    said = run(product, made["id"], "1")
    command = f"{python} -m pip install ipykernel"
    assert f"ipykernel is not installed for {python}. To mend it: {command}" in said
    kernel = product.json("GET", path)["kernel"]
    assert (kernel["state"], kernel["missing"], kernel["hint"]) == ("dead", "ipykernel", command)
    mended = product.json("POST", f"{path}/kernel", {"action": "install"})
    assert mended["ok"], mended
    assert mended["command"] == command
    assert "Successfully installed ipykernel-7.0.0" in mended["output"]
    assert run(product, made["id"], "import sys; print(sys.prefix)") == f"{tmp_path / 'bare'}\n"


def test_a_command_that_fails_is_shown(product: Product, tmp_path: Path, links: Path) -> None:
    venv.create(tmp_path / "bare", symlinks=True, with_pip=False)
    made = product.json("POST", "/api/conversations", {"python": str(tmp_path / "bare")})
    wheel = next(links.glob("*.whl"))
    aside = wheel.rename(tmp_path / wheel.name)
    try:
        mended = product.json(
            "POST", f"/api/conversations/{made['id']}/kernel", {"action": "install"}
        )
    finally:
        aside.rename(wheel)
    assert not mended["ok"]
    assert "No matching distribution found for ipykernel" in mended["output"]


# --- kernels of other languages ----------------------------------------------------------------


@pytest.mark.parametrize("level", ["none", "bwrap"])
@pytest.mark.parametrize(
    ("name", "cells", "wrong"),
    [("bash", ("x=3; cd /", "echo $((x + 1)) $PWD"), "cat /no/such"),
     ("deno", ("let x: number = 3", "console.log(x + 1, '/')"), "null.x")],
)  # fmt: skip
def test_they_keep_state_fail_and_stop(
    level: str, name: str, cells: tuple[str, str], wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_other_kernels()
    if level == "bwrap" and (why := why_not("bwrap")):
        pytest.skip(why)
    monkeypatch.setenv("JUPYTER_PATH", str(KERNELS / "share" / "jupyter"))
    with running_rig() as rig:
        talk = rig.conversation(sandbox=level, kernel_name=name, language=name)
        assert talk.run(cells[0], timeout=MORE).status == "ok"
        ran = talk.run(cells[1])
        assert ran.text.strip() == "4 /"
        assert [e.language for e in ran.events if e.type == "cell_started"] == [name]
        assert talk.run(wrong).status == "error"
        endless = {"bash": "echo go; sleep 60", "deno": "console.log('go'); while (true) {}"}[name]
        cell = talk.post(endless)
        talk.printed(cell, "go")
        rig.client.interrupt(talk.id)
        assert talk.finished(cell).status in ("interrupted", "error", "died")
        assert talk.run({"bash": "echo on", "deno": "console.log('on')"}[name]).text == "on\n"


def told_of_code(request: dict[str, Any]) -> str:
    """What a request says of the tool for code."""
    tool = next(t for t in request["tools"] if t["function"]["name"] == "execute_code")
    return json.dumps(tool)


def test_a_turn_in_bash(product: Product, model: ScriptedOpenAI) -> None:
    need_other_kernels()
    made = product.json("POST", "/api/conversations", {"kernel": "bash"})
    assert (made["kernel_name"], made["language"]) == ("bash", "bash")
    model.script(answer("Look.", "echo one > made.txt; ls"), answer("done"))
    events = turn(product, made["id"], "make a file")
    assert events[-1]["status"] == "completed"
    first = model.requests[0].json
    system = first["messages"][0]["content"]
    assert "writing Bash and running it" in system
    assert "pandas" not in system and "%pip" not in system and "{{" not in system
    assert "Run Bash code" in told_of_code(first) and "Python" not in told_of_code(first)
    asked = next(e for e in events if e["type"] == "approval_requested")
    assert "bash" in asked["reasons"][0]["text"].lower()
    cell = next(e for e in events if e["type"] == "cell_started")
    assert (cell["language"], cell["code"]) == ("bash", "echo one > made.txt; ls")
    finished = next(e for e in events if e["type"] == "cell_finished")
    assert finished["files"]["added"] == ["made.txt"]
    result = model.requests[1].json["messages"][-1]
    assert "made.txt" in result["content"]
    note = product.json("GET", f"/api/conversations/{made['id']}/notebook?format=ipynb")
    assert note["metadata"]["kernelspec"] == {
        "name": "bash", "display_name": "Bash", "language": "bash",
    }  # fmt: skip
    model.script(answer("ok"))
    product.json("PATCH", f"/api/conversations/{made['id']}", {"kernel": ""})
    turn(product, made["id"], "go on")
    last = model.requests[-1].json["messages"]
    assert "code runs in python now" in last[-1]["content"]
    assert "writing Python and running it" in last[0]["content"]


def test_a_model_without_tools_writes_blocks_of_that_language(
    product: Product, model: ScriptedOpenAI
) -> None:
    need_other_kernels()
    made = product.json("POST", "/api/conversations", {"kernel": "deno"})
    refusal = error(400, "this model does not support tools", code="invalid_request_error")
    model.script(
        refusal,
        answer("A block:\n\n```python\nnot run\n```\n\n```ts\nconsole.log(6 * 7)\n```\n"),
        answer("42"),
    )
    events = turn(product, made["id"], "what is the product?")
    assert events[-1]["status"] == "completed", events[-1]
    cell = next(e for e in events if e["type"] == "cell_started")
    assert (cell["language"], cell["code"]) == ("typescript", "console.log(6 * 7)")
    asked = model.requests[1].json["messages"]
    assert "```typescript and ends" in asked[0]["content"]
    again = model.requests[2].json["messages"]
    assert "```typescript\nconsole.log(6 * 7)\n```" in again[-2]["content"]
    assert "42" in again[-1]["content"]
