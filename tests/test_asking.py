"""A refused request is asked again in the way the model can take it, and that is remembered."""

from collections.abc import Iterator

import pytest

from gpt_code_ui.answer import EXECUTE_CODE, code_of
from gpt_code_ui.arguments import Understood
from gpt_code_ui.asking import Options
from gpt_code_ui.capabilities import Capabilities, CapabilityStore
from gpt_code_ui.errors import GptCodeError
from gpt_code_ui.openai_model import Endpoint, OpenAIModel
from gpt_code_ui.ports import Stop
from gpt_code_ui.protocol import (
    AssistantMessage,
    FinishChunk,
    ModelChunk,
    ModelRequest,
    ReasoningChunk,
    RequestSent,
    RetypeChunk,
    TextChunk,
    ToolCall,
    ToolCallChunk,
    ToolMessage,
    UserMessage,
)
from tests.scripted_openai import (
    DONE,
    Answer,
    Reply,
    ScriptedOpenAI,
    answer,
    chunk,
    error,
    plain,
    raw_call_chunks,
    text_chunks,
)

REQUEST = ModelRequest(
    turn_id="t",
    model="m",
    system="Be brief.",
    messages=[
        UserMessage(text="go"),
        AssistantMessage(
            text="",
            tool_calls=[ToolCall(id="1", name="execute_code", arguments='{"code": "1"}')],
            reasoning="I think.",
        ),
        ToolMessage(tool_call_id="1", text="1"),
    ],
    tools=[EXECUTE_CODE],
)
NO_TOOLS = error(400, "m does not support tools")
BLOCK = Reply([*text_chunks("Look.\n```python\nprint(1)\n```\n5"), chunk(finish="stop"), DONE])


class Room:
    """A server, a model, and what is known of it."""

    def __init__(self, server: ScriptedOpenAI) -> None:
        self.server = server
        self.known = CapabilityStore()
        self._models: list[OpenAIModel] = []

    def ask(self, *answers: Answer, options: Options = Options()) -> list[ModelChunk]:  # noqa: B008
        self.server.script(*answers)
        endpoint = Endpoint("sk-test-0123456789", self.server.url, options=options)
        self._models.append(OpenAIModel(endpoint, capabilities=self.known))
        return list(self._models[-1].stream(REQUEST, Stop()))

    def again(self, *answers: Answer) -> list[ModelChunk]:
        """Ask the same model object once more."""
        self.server.script(*answers)
        return list(self._models[-1].stream(REQUEST, Stop()))

    @property
    def learnt(self) -> Capabilities:
        return self.known.get(self.server.url, "m")

    def body(self, number: int) -> dict[str, object]:
        return self.server.requests[number].json

    def close(self) -> None:
        for model in self._models:
            model.close()


@pytest.fixture
def room() -> Iterator[Room]:
    with ScriptedOpenAI() as server:
        one = Room(server)
        yield one
        one.close()


def text_of(chunks: list[ModelChunk]) -> str:
    return "".join(one.text for one in chunks if isinstance(one, TextChunk))


def arguments_of(chunks: list[ModelChunk]) -> str:
    return "".join(one.arguments for one in chunks if isinstance(one, ToolCallChunk))


def test_without_tools_the_same_answer_goes_on_in_blocks(room: Room) -> None:
    chunks = room.ask(NO_TOOLS, BLOCK)
    assert [one.type for one in chunks[:2]] == ["request_sent", "request_sent"]
    assert text_of(chunks) == "Look.\n"
    assert code_of("execute_code", arguments_of(chunks)) == Understood("print(1)")
    assert chunks[-1] == FinishChunk(reason="tool_calls")
    assert "tools" in room.body(0) and "tools" not in room.body(1)
    roles = [message["role"] for message in room.server.requests[1].json["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert room.learnt == Capabilities(tools=False, streams=True)


def test_what_was_learnt_is_used_at_once(room: Room) -> None:
    room.ask(NO_TOOLS, BLOCK)
    room.ask(BLOCK)
    assert len(room.server.requests) == 3
    assert "tools" not in room.body(2)


def test_a_refusal_in_the_stream_before_any_word_counts_as_well(room: Room) -> None:
    refusal = Reply([b'event: error\ndata: {"error": "m does not support tools"}\n\n'])
    assert text_of(room.ask(refusal, BLOCK)) == "Look.\n"


def broken() -> Reply:
    return Reply([*raw_call_chunks('{"code": "f('), chunk(finish="tool_calls"), DONE])


def test_calls_that_stay_broken_are_given_up_for_blocks(room: Room) -> None:
    room.ask(broken())
    assert room.learnt == Capabilities(tools=True, streams=True)
    room.again(broken())
    assert room.learnt == Capabilities(tools=False, streams=True)
    assert text_of(room.again(BLOCK)) == "Look.\n"
    assert "tools" in room.body(1) and "tools" not in room.body(2)


def test_a_good_call_forgives_a_broken_one(room: Room) -> None:
    room.ask(broken())
    for reply in (answer("", "1"), broken()):
        room.again(reply)
    assert room.learnt.tools is True


def test_a_call_that_was_cut_is_not_broken(room: Room) -> None:
    cut = Reply([*raw_call_chunks('{"code": "f('), chunk(finish="length"), DONE])
    room.ask(cut)
    room.again(cut)
    assert room.learnt == Capabilities(tools=True, streams=True)


def test_nothing_is_learnt_from_an_answer_that_never_came(room: Room) -> None:
    with pytest.raises(GptCodeError):
        room.ask(NO_TOOLS, error(500, "oops"))
    assert room.learnt == Capabilities()


def test_a_refusal_that_stays_is_raised(room: Room) -> None:
    with pytest.raises(GptCodeError, match="cannot call tools"):
        room.ask(NO_TOOLS, NO_TOOLS)
    assert len(room.server.requests) == 2


def test_the_name_of_the_limit_and_the_temperature(room: Room) -> None:
    limit = "Unsupported parameter: 'max_tokens' is not supported with this model."
    heat = "Unsupported value: 'temperature' does not support 0.2 with this model."
    options = Options(temperature=0.2, max_tokens=99)
    room.ask(error(400, limit), error(400, heat), answer("ok", "1"), options=options)
    assert room.body(0)["max_tokens"] == 99
    assert room.body(1)["max_completion_tokens"] == 99
    assert room.body(1)["temperature"] == 0.2
    assert not {"max_tokens", "temperature"} & set(room.body(2))
    assert room.learnt == Capabilities(
        max_completion_tokens=True, temperature=False, tools=True, streams=True
    )


def test_where_nothing_is_set_nothing_is_sent(room: Room) -> None:
    room.ask(answer("ok"))
    assert set(room.body(0)) == {"model", "messages", "stream", "tools", "stream_options"}


def test_an_endpoint_that_does_not_stream(room: Room) -> None:
    refusal = error(400, "Your organization must be verified to stream this model.")
    whole = '{"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]}'
    assert text_of(room.ask(refusal, plain(whole))) == "Hi"
    assert room.body(1)["stream"] is False
    assert "stream_options" not in room.body(1)
    assert room.learnt == Capabilities(streams=False)


def test_thinking_is_sent_back_only_where_it_is_asked_for(room: Room) -> None:
    refusal = error(400, "Missing `reasoning_content` field in the assistant message at index 2")
    thought = [chunk({"reasoning_content": "Hm."}), *text_chunks("ok"), chunk(finish="stop"), DONE]
    chunks = room.ask(refusal, Reply(thought))
    assert [one for one in chunks if isinstance(one, ReasoningChunk)] == [
        ReasoningChunk(text="Hm.")
    ]
    sent = [room.server.requests[n].json["messages"][2] for n in (0, 1)]
    assert "reasoning_content" not in sent[0]
    assert sent[1]["reasoning_content"] == "I think."
    assert room.learnt == Capabilities(wants_reasoning=True, reasoning=True, streams=True)


def test_the_window_is_learnt_from_the_error(room: Room) -> None:
    with pytest.raises(GptCodeError, match="longer than the model can read"):
        room.ask(error(400, "This model's maximum context length is 8192 tokens."))
    assert room.learnt == Capabilities(context_window=8192)


def test_every_try_is_told(room: Room) -> None:
    chunks = room.ask(NO_TOOLS, BLOCK)
    sent = [one.body for one in chunks if isinstance(one, RequestSent)]
    assert sent == [request.body.decode() for request in room.server.requests]


@pytest.mark.parametrize(("setting", "sent"), [("always", True), ("never", False)])
def test_what_is_set_for_thinking_is_done(room: Room, setting: str, sent: bool) -> None:
    room.known.learn(room.server.url, "m", wants_reasoning=None if sent else True)
    room.ask(answer("ok"), options=Options(send_reasoning=setting))
    messages = room.server.requests[0].json["messages"]
    assert ("reasoning_content" in messages[2]) is sent


def test_an_endpoint_that_refuses_thinking_is_not_sent_it_again(room: Room) -> None:
    refusal = error(400, "messages.2.reasoning_content: Extra inputs are not permitted")
    chunks = room.ask(refusal, answer("ok"), options=Options(send_reasoning="always"))
    assert text_of(chunks) == "ok"
    assert "reasoning_content" not in room.server.requests[1].json["messages"][2]


def test_a_template_without_a_system_role_gets_it_in_the_question(room: Room) -> None:
    chunks = room.ask(error(500, "System role not supported"), answer("ok"))
    assert text_of(chunks) == "ok"
    messages = room.server.requests[1].json["messages"]
    assert messages[0] == {"role": "user", "content": "Be brief.\n\ngo"}
    assert [one["role"] for one in messages] == ["user", "assistant", "tool"]


def test_a_model_that_opens_its_thinking_is_read_so_from_then_on(room: Room) -> None:
    thought = Reply([*text_chunks("Hm.\n</think>\n\nok"), chunk(finish="stop"), DONE])
    plain_text = Reply([*text_chunks("sure"), chunk(finish="stop"), DONE])
    room.ask(thought)
    assert room.learnt.opens_thinking is True
    second = room.ask(thought)
    assert "".join(one.text for one in second if isinstance(one, ReasoningChunk)).strip() == "Hm."
    assert text_of(second) == "ok"
    third = room.ask(plain_text)
    assert RetypeChunk(kind="text") in third
    assert room.learnt.opens_thinking is False


def test_a_printed_call_that_was_cut_is_shown_and_not_called(room: Room) -> None:
    text = '<tool_call>{"name": "execute_code", "arguments": {"code": "1"}}</tool_call>'
    room.server.script(Reply([*text_chunks(text)]))
    model = OpenAIModel(Endpoint("sk-test-0123456789", room.server.url), capabilities=room.known)
    chunks: list[ModelChunk] = []
    with pytest.raises(GptCodeError, match="broke off"):
        chunks.extend(model.stream(REQUEST, Stop()))
    model.close()
    assert text_of(chunks) == text and arguments_of(chunks) == ""
