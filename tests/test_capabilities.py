"""What refusals tell of a model, and how it is remembered."""

import json
import stat
from pathlib import Path

import pytest

from gpt_code_ui.capabilities import (
    PICTURES,
    UNKNOWN,
    Capabilities,
    CapabilityStore,
    adapted,
    is_about_a_picture,
    window_in,
)

ALL = ("tools", "stream", "stream_options", "max_tokens", "temperature")
REFUSALS = [
    ("registry.ollama.ai/library/x:1b does not support tools", {"tools": False}),
    ('"auto" tool choice requires --enable-auto-tool-choice', {"tools": False}),
    ("Cannot use tools with stream", {"streams": False}),
    ("tools param requires --jinja flag", {"tools": False}),
    ("Unsupported param: tools", {"tools": False}),
    ("No endpoints found that support tool use. Try disabling", {"tools": False}),
    ("No endpoints found that support the provided 'tool_choice' value", {"tools": False}),
    ("`tools` is not supported in this model", {"tools": False}),
    (
        "Unsupported parameter: 'max_tokens' is not supported with this model. "
        "Use 'max_completion_tokens' instead.",
        {"max_completion_tokens": True},
    ),
    (
        "Unsupported value: 'temperature' does not support 0.2 with this model. "
        "Only the default (1) value is supported.",
        {"temperature": False},
    ),
    ('400 {"error": {"message": "no", "param": "temperature"}}', {"temperature": False}),
    ("Your organization must be verified to stream this model.", {"streams": False}),
    ("Streaming is not supported for this model", {"streams": False}),
    ("[{'loc': ['body', 'stream_options'], 'msg': 'Extra inputs are not permitted'}]",
     {"usage": False}),
    ("Missing `reasoning_content` field in the assistant message at message index 2",
     {"wants_reasoning": True}),
    ("The `reasoning_content` in the thinking mode must be passed back", {"wants_reasoning": True}),
    ("messages.2.reasoning_content: Extra inputs are not permitted", {"wants_reasoning": False}),
    ("System role not supported", {"system": False}),
    ("Unsupported value: 'messages[0].role' does not support 'system' with this model.",
     {"system": False}),
    ("Developer instruction is not enabled for models/gemma-3", {"system": False}),
    ("Unexpected role 'user' after role 'tool'", {"bridges": True}),
]  # fmt: skip
# Beside the shapes of tests/shapes: the same in other words.
BLIND = [
    "This model only supports text input.",
    "At most 0 image(s) may be provided in one request.",
    "Image input is not enabled for this model",
    "The server was not compiled for multimodal or the model projector can't be loaded.",
    "messages[1].content must be a string",
    "list[TextContentPart] -> 0 -> type: Input should be 'text'",
    "Sorry, images in messages are unsupported here",
    "llama3 is a text-only model",
]
# Said of one picture, or of something else: another picture may be taken.
OF_A_PICTURE = [
    "You uploaded an unsupported image. Please make sure your image has one of the formats png",
    "Invalid image: could not decode",
    "image_parse_error: The image is not valid",
    "The image was flagged and is not allowed by our content policy",
    "This model does not support images larger than 20 MB",
]
UNRELATED = [
    "",
    "The model `x` does not exist",
    "Invalid value for 'content': expected a string, got null.",
    "The temperature of the room is fine",
    "This model's maximum context length is 8192 tokens.",
    "Rate limit reached; tools are great",
]


@pytest.mark.parametrize(("said", "facts"), REFUSALS)
def test_a_refusal_tells_what_to_leave_out(said: str, facts: dict[str, bool]) -> None:
    told = adapted(UNKNOWN, said, ALL)
    assert told is not None
    assert told.differences(UNKNOWN) == facts
    assert adapted(told, said, ()) is None


@pytest.mark.parametrize("said", UNRELATED)
def test_other_errors_tell_nothing(said: str) -> None:
    assert adapted(UNKNOWN, said, ALL) is None


@pytest.mark.parametrize("said", BLIND)
def test_a_refusal_of_pictures_tells_of_a_model_that_does_not_see(said: str) -> None:
    told = adapted(UNKNOWN, said, (*ALL, PICTURES))
    assert told is not None and told.differences(UNKNOWN) == {"vision": False}
    assert adapted(UNKNOWN, said, ALL) is None


@pytest.mark.parametrize("said", OF_A_PICTURE)
def test_a_refusal_of_one_picture_tells_nothing_of_the_model(said: str) -> None:
    assert adapted(UNKNOWN, said, (*ALL, PICTURES)) is None
    assert is_about_a_picture(said)


@pytest.mark.parametrize(("said", "facts"), REFUSALS)
def test_a_picture_in_the_request_changes_no_other_refusal(
    said: str, facts: dict[str, bool]
) -> None:
    told = adapted(UNKNOWN, said, (*ALL, PICTURES))
    assert told is not None and told.differences(UNKNOWN) == facts


def test_what_was_not_sent_cannot_be_refused() -> None:
    for said, _ in REFUSALS[:-7]:
        assert adapted(UNKNOWN, said, ("model", "messages")) is None


@pytest.mark.parametrize(
    ("said", "window"),
    [
        ("This model's maximum context length is 8192 tokens. However, you requested", 8192),
        ("maximum context length is 128,000 tokens", 128_000),
        ('{"type": "exceed_context_size_error", "n_prompt_tokens": 14429, "n_ctx": 8192}', 8192),
        ("request (1407 tokens) exceeds the available context size (256 tokens), try", 256),
        ("Requested tokens (2285) exceed context window of 2048", 2048),
        ("However, the model is loaded with context length of only 4096 tokens, which", 4096),
        ("The decoder prompt (length 5000) is longer than the maximum model length of 4096", 4096),
        ("prompt is too long: 208310 tokens > 200000 maximum", 200_000),
        ("input token count exceeds the maximum number of tokens allowed (1048576)", 1_048_576),
        ("`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000", 4096),
        ("prompt too long; exceeded max context length by 4123 tokens", None),
        ("the request exceeds the available context size", None),
        ("maximum context length is 3 tokens", None),
    ],
)
def test_the_window_in_an_error(said: str, window: int | None) -> None:
    assert window_in(said) == window


def test_facts_are_kept_by_address_and_model(tmp_path: Path) -> None:
    path = tmp_path / "capabilities.json"
    store = CapabilityStore(path)
    assert store.get("http://a/v1", "m") == UNKNOWN
    store.learn("http://me:secret@a/v1/", "m", tools=False)
    store.learn("http://a/v1", "m", context_window=4096)
    store.learn("http://a/v1", "n", streams=True)
    again = CapabilityStore(path)
    assert again.get("http://a/v1", "m") == Capabilities(tools=False, context_window=4096)
    assert again.get("http://b/v1", "m") == UNKNOWN
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"secret" not in path.read_bytes()
    again.forget("http://a/v1", "m")
    assert CapabilityStore(path).get("http://a/v1", "m") == Capabilities(context_window=4096)
    assert CapabilityStore(path).get("http://a/v1", "n") == Capabilities(streams=True)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"u": 5}', "null", '{"u": {"m": 5}}'])
def test_a_broken_file_is_begun_anew(tmp_path: Path, content: str) -> None:
    path = tmp_path / "capabilities.json"
    path.write_text(content)
    store = CapabilityStore(path)
    assert store.get("u", "m") == UNKNOWN
    store.learn("u", "m", tools=True)
    assert json.loads(path.read_text()) == {"u": {"m": {"tools": True}}}


def test_what_is_not_a_fact_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "capabilities.json"
    path.write_text(
        '{"u": {"m": {"tools": "yes", "context_window": true, "x": 1, "streams": true}}}'
    )
    assert CapabilityStore(path).get("u", "m") == Capabilities(streams=True)


def test_a_file_that_cannot_be_written_costs_only_memory(tmp_path: Path) -> None:
    store = CapabilityStore(tmp_path / "gone" / "capabilities.json")
    store.learn("u", "m", tools=True)
    assert store.get("u", "m") == Capabilities(tools=True)
