"""Answers and errors in the shapes that real servers give them, through the real client.

Every row of ``shapes/*.json`` names where its shape is told of. ``send``: an object is an event, a
string goes as it is; ``picture``: the request shows one; ``expected``: what the loop gets, and what
is known of the model afterwards.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gpt_code_ui.answer import EXECUTE_CODE, code_of
from gpt_code_ui.arguments import Understood
from gpt_code_ui.asking import Options
from gpt_code_ui.capabilities import UNKNOWN, CapabilityStore
from gpt_code_ui.errors import GptCodeError
from gpt_code_ui.models import TEST_PICTURE
from gpt_code_ui.openai_model import Endpoint, OpenAIModel
from gpt_code_ui.ports import Stop
from gpt_code_ui.protocol import (
    FinishChunk,
    ModelRequest,
    ReasoningChunk,
    RetypeChunk,
    TextChunk,
    ToolCallChunk,
    UsageChunk,
    UserMessage,
)
from tests.scripted_openai import Reply, ScriptedOpenAI

FILES = sorted((Path(__file__).parent / "shapes").glob("*.json"))
VENDORS = {
    "openai", "azure", "ollama", "vllm", "llamacpp", "lmstudio", "deepseek", "openrouter", "gemini",
    "mistral", "moonshot", "perplexity", "groq", "fireworks", "poolside", "llama",
    "qwen",
}  # fmt: skip
ROWS = {
    f"{path.stem}: {row['name']}": row
    for path in FILES
    for row in json.loads(path.read_text(encoding="utf-8"))
}
REQUEST = ModelRequest(
    turn_id="t",
    model="m",
    system="Be brief.",
    messages=[UserMessage(text="go")],
    tools=[EXECUTE_CODE],
)
WITH_PICTURE = REQUEST.model_copy(
    update={"messages": [UserMessage(text="go", pictures=[TEST_PICTURE])]}
)
# What every good answer tells; the rows name the rest.
USUAL = {"streams": True, "tools": True, "reasoning": True}


@pytest.fixture(scope="module")
def server() -> Iterator[ScriptedOpenAI]:
    with ScriptedOpenAI() as one:
        yield one


def replies(row: dict[str, Any]) -> list[Reply]:
    return [
        Reply(
            [step.encode() if isinstance(step, str) else step for step in one["send"]],
            one["status"],
            content_type=one["content_type"],
        )
        for one in row["replies"]
    ]


def folded(model: OpenAIModel, request: ModelRequest) -> dict[str, Any]:
    """What came of an answer."""
    got: dict[str, Any] = {"text": "", "reasoning": "", "finish": None, "usage": None}
    calls: dict[int, list[str]] = {}
    try:
        for chunk in model.stream(request, Stop()):
            match chunk:
                case TextChunk():
                    got["text"] += chunk.text
                case ReasoningChunk():
                    got["reasoning"] += chunk.text
                case ToolCallChunk():
                    call = calls.setdefault(chunk.index, ["", ""])
                    call[0] = chunk.name or call[0]
                    call[1] += chunk.arguments
                case RetypeChunk():
                    other = "text" if chunk.kind == "reasoning" else "reasoning"
                    got[chunk.kind], got[other] = got[chunk.kind] + got[other], ""
                case UsageChunk():
                    got["usage"] = [chunk.input_tokens, chunk.output_tokens]
                case FinishChunk():
                    got["finish"] = chunk.reason
                case _:
                    pass
    except GptCodeError as error:
        return {"error": error.code}
    assert all(isinstance(code_of(*call), Understood) for call in calls.values())
    return {**got, "calls": list(calls.values())}


@pytest.mark.parametrize("name", ROWS)
def test_a_real_shape_is_understood(server: ScriptedOpenAI, name: str) -> None:
    row = ROWS[name]
    expected = dict(row["expected"])
    learnt = expected.pop("learnt", {})
    before = len(server.requests)
    server.script(*replies(row))
    known = CapabilityStore()
    endpoint = Endpoint("sk-test-0123456789", server.url, options=Options(**row.get("options", {})))
    model = OpenAIModel(endpoint, capabilities=known)
    try:
        assert folded(model, WITH_PICTURE if row.get("picture") else REQUEST) == expected
    finally:
        model.close()
    assert len(server.requests) - before == len(row["replies"])
    facts = known.get(server.url, "m").differences(UNKNOWN)
    assert {k: v for k, v in facts.items() if USUAL.get(k) != v} == {
        k: v for k, v in learnt.items() if USUAL.get(k) != v
    }


def test_every_vendor_is_there_and_every_shape_has_its_source() -> None:
    assert {path.stem for path in FILES} == VENDORS
    assert [name for name, row in ROWS.items() if "https://" not in row["source"]] == []
