"""The loop of a turn, with a scripted model and a scripted kernel."""

import itertools
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from gpt_code_ui.agent import run_turn
from gpt_code_ui.calls import STOPPED
from gpt_code_ui.context import DEFAULT_WINDOW, Gauge, message_text
from gpt_code_ui.errors import (
    AnswerCut,
    ContextOverflow,
    InvalidValue,
    KernelStartFailed,
    ModelOverloaded,
    ModelRateLimited,
    ModelRefusedKey,
)
from gpt_code_ui.ports import Approver, Limits, Stop, Tool
from gpt_code_ui.protocol import (
    AssistantMessage,
    CellFinished,
    CellOutput,
    CellStarted,
    ChatMessage,
    CodeDelta,
    ErrorBody,
    Event,
    FinishChunk,
    ModelRequestSent,
    Reason,
    ReasoningChunk,
    ReasoningDelta,
    ReasoningDone,
    RetypeChunk,
    StreamOutput,
    TextDelta,
    TextDone,
    ToolFinished,
    ToolMessage,
    ToolSpec,
    ToolStarted,
    TurnFinished,
    TurnStarted,
    Usage,
    UsageChunk,
    UserMessage,
)
from gpt_code_ui.same_errors import CHANGE_COURSE
from gpt_code_ui.setting_types import Price
from tests.fakes import (
    CALLS_REASON,
    STOP_REASON,
    FakeKernel,
    Result,
    ScriptedModel,
    Step,
    call,
    failed,
    printed,
    raw_call,
    text,
)

TURN = TurnStarted(turn_id="t", prompt="do it", model="m")
FAST = Limits(first_wait_s=0)


@dataclass
class Played:
    """What came out of a turn."""

    events: list[Event]
    model: ScriptedModel
    kernel: FakeKernel
    requests: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def last(self) -> Event:
        return self.events[-1]

    def shown(self) -> list[Event]:
        """All events but the notes about requests."""
        return [event for event in self.events if not isinstance(event, ModelRequestSent)]


def play(
    *answers: Sequence[Step],
    results: Sequence[Result | Exception] = (),
    limits: Limits = FAST,
    stop: Stop | None = None,
    gauge: Gauge | None = None,
    price: Price | None = None,
    tools: Sequence[Tool] = (),
    approver: Approver | None = None,
) -> Played:
    """Run a turn to its end. Ids are 1, 2, 3 ... in the order in which they were asked for."""
    events: list[Event] = []
    played = Played(events, ScriptedModel(*answers), FakeKernel(events.append, *results))
    ids = itertools.count(1)
    turn = run_turn(
        TURN,
        [UserMessage(text="do it")],
        played.model,
        played.kernel,
        limits,
        stop or Stop(),
        system="be good",
        new_id=lambda: str(next(ids)),
        on_request=lambda *request: played.requests.append(request),
        gauge=gauge,
        price=price,
        tools=tools,
        approver=approver,
    )
    events.extend(turn)
    finished = [event for event in events if isinstance(event, TurnFinished)]
    assert finished == [events[-1]]
    assert_parts_are_closed(events)
    return played


def assert_parts_are_closed(events: Sequence[Event]) -> None:
    """R2: one part is open at a time, and none at the end."""
    open_part: str | None = None
    for event in events:
        match event:
            case TextDelta() | ReasoningDelta():
                assert open_part in (None, event.part_id)
                open_part = event.part_id
            case CodeDelta():
                assert open_part in (None, event.cell_id)
                open_part = event.cell_id
            case TextDone() | ReasoningDone():
                assert open_part == event.part_id
                open_part = None
            case CellStarted():
                assert open_part in (None, event.cell_id)
                open_part = event.cell_id
            case CellFinished():
                assert open_part == event.cell_id
                open_part = None
            case TurnFinished():
                assert open_part is None
            case _:
                pass


def finished(status: str, error: ErrorBody | None = None) -> TurnFinished:
    return TurnFinished.model_validate({"turn_id": "t", "status": status, "error": error})


def started(cell_id: str, code: str) -> CellStarted:
    return CellStarted(cell_id=cell_id, turn_id="t", code=code, origin="model")


def not_run(cell_id: str, reason: str) -> CellFinished:
    return CellFinished(cell_id=cell_id, status="not_run", reason=reason)


def test_text_alone() -> None:
    played = play([*text("Hel", "", "lo 😀", "!"), STOP_REASON])
    assert played.shown() == [
        TextDelta(part_id="2", offset=0, text="Hel"),
        TextDelta(part_id="2", offset=3, text="lo 😀"),
        TextDelta(part_id="2", offset=7, text="!"),
        TextDone(part_id="2", turn_id="t", text="Hello 😀!"),
        finished("completed"),
    ]


def test_text_code_result_and_closing_text() -> None:
    played = play(
        [*text("Let me."), *call("print(1)", pieces=4), CALLS_REASON],
        [*text("It is 1."), STOP_REASON],
        results=[printed("1\n")],
    )
    assert played.shown() == [
        TextDelta(part_id="2", offset=0, text="Let me."),
        TextDone(part_id="2", turn_id="t", text="Let me."),
        CodeDelta(cell_id="3", offset=0, text="print"),
        CodeDelta(cell_id="3", offset=5, text="(1)"),
        started("3", "print(1)"),
        CellOutput(cell_id="3", output=StreamOutput(name="stdout", text="1\n")),
        CellFinished(cell_id="3", status="ok"),
        TextDelta(part_id="5", offset=0, text="It is 1."),
        TextDone(part_id="5", turn_id="t", text="It is 1."),
        finished("completed"),
    ]
    first, second = played.model.requests
    assert (first.system, first.model, first.turn_id) == ("be good", "m", "t")
    assert [tool.name for tool in first.tools] == ["execute_code"]
    assert first.messages == [UserMessage(text="do it")]
    assistant, result = second.messages[1:]
    assert isinstance(assistant, AssistantMessage)
    assert isinstance(result, ToolMessage)
    assert assistant.text == "Let me."
    assert [(one.id, one.name, one.arguments) for one in assistant.tool_calls] == [
        ("call_0", "execute_code", '{"code": "print(1)"}')
    ]
    assert result.tool_call_id == "call_0"
    assert "1" in result.text


def test_requests_are_told_before_their_event() -> None:
    played = play([*text("ok"), STOP_REASON])
    assert played.requests == [("1", "fake:", "request 1")]
    assert played.events[0] == ModelRequestSent(
        turn_id="t",
        request_id="1",
        url="fake:",
        bytes=9,
        sha256="ad1b9de910513527b407147d7a05569066c1a50cceaba3e118df6b13f49e749c",
    )


def test_usage_is_summed_over_the_turn() -> None:
    usage = [UsageChunk(input_tokens=10, output_tokens=5)]
    played = play(
        [*call("1"), CALLS_REASON, *usage], [*text("x"), STOP_REASON, *usage], results=[Result()]
    )
    window = {"context_window": DEFAULT_WINDOW}
    assert [event for event in played.events if isinstance(event, Usage)] == [
        Usage(turn_id="t", input_tokens=10, output_tokens=5, context_tokens=15, **window),
        Usage(turn_id="t", input_tokens=20, output_tokens=10, context_tokens=15, **window),
    ]


def test_usage_carries_the_price_where_it_is_known() -> None:
    usage = UsageChunk(input_tokens=1000, output_tokens=100)
    played = play([*text("x"), STOP_REASON, usage], price=Price("m", 2.0, 10.0))
    assert [event.cost for event in played.events if isinstance(event, Usage)] == [0.003]


def test_a_request_that_is_too_long_is_shortened_and_sent_once_more() -> None:
    overflow = ContextOverflow("The maximum context length is 2048 tokens.")
    gauge = Gauge()
    played = play(
        [*call("1"), CALLS_REASON],
        [*call("2"), CALLS_REASON],
        [overflow],
        [*text("ok"), STOP_REASON],
        results=[printed("x" * 8000), printed("y" * 3000)],
        gauge=gauge,
    )
    assert played.last == finished("completed")
    sent = [message_text(request.messages[2]) for request in played.model.requests[2:]]
    assert len(sent[0]) == 8000 and len(sent[1]) < 1100
    assert gauge.window == 2048


def test_a_request_that_cannot_be_shortened_is_not_repeated() -> None:
    overflow = ContextOverflow("too long")
    played = play([overflow])
    assert played.last == finished("failed", overflow.body())


def test_reasoning_is_its_own_part() -> None:
    played = play([ReasoningChunk(text="hm"), *text("Yes"), STOP_REASON])
    assert played.shown() == [
        ReasoningDelta(part_id="2", offset=0, text="hm"),
        ReasoningDone(part_id="2", turn_id="t", text="hm"),
        TextDelta(part_id="3", offset=0, text="Yes"),
        TextDone(part_id="3", turn_id="t", text="Yes"),
        finished("completed"),
    ]


def test_an_error_goes_back_to_the_model() -> None:
    played = play(
        [*call("df['x']"), CALLS_REASON],
        [*call("df['y']"), CALLS_REASON],
        [*text("done"), STOP_REASON],
        results=[failed("KeyError", "'x'"), printed("7")],
    )
    assert played.kernel.codes == ["df['x']", "df['y']"]
    report = played.model.requests[1].messages[-1]
    assert isinstance(report, ToolMessage)
    assert "KeyError: 'x'" in report.text
    assert played.last == finished("completed")


def test_parallel_calls_run_in_order_one_on_the_screen() -> None:
    calls = [*call("a", index=0, id="x"), *call("b", index=2, id="x"), *text("after")]
    played = play([*calls, CALLS_REASON], [*text("ok"), STOP_REASON], results=[Result(), Result()])
    assert played.shown()[:-3] == [
        CodeDelta(cell_id="2", offset=0, text="a"),
        started("2", "a"),
        CellFinished(cell_id="2", status="ok"),
        started("3", "b"),
        CellFinished(cell_id="3", status="ok"),
        TextDelta(part_id="5", offset=0, text="after"),
        TextDone(part_id="5", turn_id="t", text="after"),
    ]
    assistant, first, second = played.model.requests[1].messages[1:]
    assert isinstance(assistant, AssistantMessage)
    assert isinstance(first, ToolMessage)
    assert isinstance(second, ToolMessage)
    assert assistant.text == "after"
    ids = [one.id for one in assistant.tool_calls]
    assert ids == [first.tool_call_id, second.tool_call_id]
    assert len(set(ids)) == 2


def test_code_runs_also_when_the_reason_is_stop() -> None:
    played = play([*call("1"), STOP_REASON], [*text("ok"), STOP_REASON], results=[Result()])
    assert played.kernel.codes == ["1"]


@pytest.mark.parametrize(
    ("arguments", "shown", "hint"),
    [
        ("", "", "not valid JSON"),
        ("null", "", "no code"),
        ("[]", "", "no code"),
        ("{}", "", "no code"),
        ('{"code": 5}', "", "no code"),
        ('{"code": ""}', "", "no code"),
        ('{"code": "print(1', "print(1", "not valid JSON"),
        ('{"code": "1"} {"code": "', "1", "not valid JSON"),
        ("[" * 100_000, "", "not valid JSON"),
    ],
)
def test_calls_that_cannot_be_understood_are_explained(
    arguments: str, shown: str, hint: str
) -> None:
    played = play([*raw_call(arguments), CALLS_REASON], [*text("sorry"), STOP_REASON])
    assert played.kernel.codes == []
    assistant, report = played.model.requests[1].messages[1:]
    assert isinstance(report, ToolMessage)
    assert isinstance(assistant, AssistantMessage)
    assert hint in report.text
    cells = [event for event in played.events if isinstance(event, CellStarted | CellFinished)]
    assert cells == ([started("2", shown), not_run("2", report.text)] if shown else [])
    assert played.last == finished("completed")


def test_broken_arguments_go_into_the_history_as_valid_json() -> None:
    played = play([*raw_call('{"code": "f('), CALLS_REASON], [*text("sorry"), STOP_REASON])
    assistant = played.model.requests[1].messages[1]
    assert isinstance(assistant, AssistantMessage)
    assert assistant.tool_calls[0].arguments == '{"malformed": "{\\"code\\": \\"f("}'


def test_a_call_that_was_understood_runs_and_is_marked() -> None:
    steps = raw_call('{"code": "a\nb"', name="python", pieces=3)
    played = play([*steps, CALLS_REASON], [*text("ok"), STOP_REASON], results=[Result()])
    assert played.kernel.codes == ["a\nb"]
    begun = [event for event in played.events if isinstance(event, CellStarted)]
    assert [event.repaired for event in begun] == [True]
    assert [one.text for one in played.events if isinstance(one, CodeDelta)] == ["a\nb"]
    assistant = played.model.requests[1].messages[1]
    assert isinstance(assistant, AssistantMessage)
    assert assistant.tool_calls[0].name == "execute_code"
    assert assistant.tool_calls[0].arguments == '{"code": "a\\nb"}'


def test_a_call_of_a_cut_answer_is_never_understood() -> None:
    played = play(raw_call('{"code": "print(1)"'))
    assert played.kernel.codes == []


def test_an_unknown_tool_is_explained() -> None:
    steps = raw_call('{"code": "1"}', name="run_shell")
    played = play([*steps, CALLS_REASON], [*text("sorry"), STOP_REASON])
    report = played.model.requests[1].messages[-1]
    assert isinstance(report, ToolMessage)
    assert report.text == "There is no tool 'run_shell'. The only tool is 'execute_code'."
    assert not [event for event in played.events if isinstance(event, CellStarted | CodeDelta)]


def test_too_many_malformed_calls_end_the_turn() -> None:
    played = play(*[[*raw_call("oops"), CALLS_REASON]] * 3)
    assert isinstance(played.last, TurnFinished)
    assert played.last.status == "limit"
    assert len(played.model.requests) == 3


def test_code_that_fails_too_often_ends_the_turn() -> None:
    played = play(
        *[[*call("bad"), CALLS_REASON]] * 3,
        results=[failed("ValueError", "no")] * 3,
        limits=Limits(max_repairs=2),
    )
    assert played.last == finished(
        "limit",
        ErrorBody(
            code="turn_limit",
            message="The code failed 3 times in a row, so the turn ended here.",
            hint="Tell the model what to do differently, or choose another model.",
        ),
    )


def test_success_forgives_earlier_failures() -> None:
    results = [failed("E", "1"), Result(), failed("E", "2"), Result()]
    played = play(
        *[[*call("x"), CALLS_REASON]] * 4, [*text("ok"), STOP_REASON],
        results=results, limits=Limits(max_repairs=1),
    )  # fmt: skip
    assert played.last == finished("completed")


def test_rounds_are_limited() -> None:
    played = play(
        *[[*call("x"), CALLS_REASON]] * 2, results=[Result()] * 2, limits=Limits(max_rounds=2)
    )
    assert played.last == finished(
        "limit",
        ErrorBody(
            code="turn_limit",
            message="The model did not finish within 2 rounds.",
            hint='What was done is kept. Write "go on" to let it continue.',
        ),
    )


def test_the_same_error_changes_the_course_once_and_then_ends_the_turn() -> None:
    results = [failed("KeyError", f"'x' at {n}") for n in range(4)]
    played = play(*[[*call("df['x']"), CALLS_REASON]] * 4, results=results)
    assert isinstance(played.last, TurnFinished) and played.last.status == "limit"
    assert played.last.error is not None
    assert played.last.error.message == (
        "The same error came 4 times in a row, also after the model was told to change course: "
        "KeyError."
    )
    results_told = [
        message.text
        for message in played.model.requests[-1].messages
        if isinstance(message, ToolMessage)
    ]
    assert [CHANGE_COURSE in text for text in results_told] == [False, False, True]


def test_other_errors_and_success_begin_the_count_anew() -> None:
    errors = [failed("E", "a"), failed("E", "a"), failed("E", "b"), failed("E", "a")]
    results = [*errors, Result(), *[failed("E", "a")] * 2]
    answers: list[Sequence[Step]] = [[*call("x"), CALLS_REASON]] * len(results)
    played = play(*answers, [*text("done"), STOP_REASON], results=results)
    assert played.last == finished("completed")
    told = [message_text(message) for message in played.model.requests[-1].messages]
    assert not any(CHANGE_COURSE in text for text in told)


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ([], "model_cut"),
        ([AnswerCut("cut")], "model_cut"),
        ([RuntimeError("ours")], "internal"),
        ([FinishChunk(reason="length")], "model_too_long"),
        ([FinishChunk(reason="content_filter")], "model_filtered"),
    ],
)
def test_code_of_an_answer_that_did_not_end_well_is_not_run(ending: list[Step], code: str) -> None:
    played = play([*text("see:"), *call("rm()", index=0), *call("b", index=1), *ending])
    assert isinstance(played.last, TurnFinished)
    assert played.last.status == "failed"
    assert played.last.error is not None
    assert played.last.error.code == code
    reason = played.last.error.message
    assert [event for event in played.events if isinstance(event, CellStarted | CellFinished)] == [
        started("3", "rm()"),
        not_run("3", reason),
        started("4", "b"),
        not_run("4", reason),
    ]
    assert len(played.model.requests) == 1


def test_cut_inside_a_call_keeps_what_was_shown() -> None:
    played = play([*text("T"), *raw_call('{"code": "pri', pieces=3)])
    assert TextDone(part_id="2", turn_id="t", text="T") in played.events
    assert started("3", "pri") in played.events
    assert played.kernel.codes == []


def test_an_empty_answer_is_an_error() -> None:
    played = play([STOP_REASON])
    assert isinstance(played.last, TurnFinished)
    assert played.last.status == "failed"


def test_an_empty_answer_after_code_is_an_end() -> None:
    played = play([*call("1"), CALLS_REASON], [STOP_REASON], results=[Result()])
    assert played.last == finished("completed")


def test_failures_before_any_output_are_repeated() -> None:
    busy = ModelRateLimited("slow down", retry_after=0.0)
    played = play([busy], [ModelOverloaded("500")], [*text("ok"), STOP_REASON])
    assert played.last == finished("completed")
    assert [request[2] for request in played.requests] == ["request 1", "request 2", "request 3"]


@pytest.mark.parametrize(
    ("answers", "requests"),
    [
        ([[ModelOverloaded("500")]] * 3, 3),
        ([[ModelRefusedKey("401")]], 1),
        ([[ModelRateLimited("later", retry_after=3600)]], 1),
        ([[*text("begun"), ModelOverloaded("500")]], 1),
    ],
)
def test_repeating_has_its_bounds(answers: list[list[Step]], requests: int) -> None:
    played = play(*answers)
    assert isinstance(played.last, TurnFinished)
    assert played.last.status == "failed"
    assert len(played.model.requests) == requests


def test_stop_ends_the_wait_before_a_repetition() -> None:
    stop = Stop()
    timer = threading.Timer(0.05, stop.request)
    timer.start()
    played = play([ModelRateLimited("later", retry_after=20)], stop=stop)
    timer.join(5)
    assert played.last == finished("stopped")


def test_a_kernel_that_fails_fails_the_turn() -> None:
    error = KernelStartFailed("no ipykernel", hint="pip install ipykernel")
    played = play([*call("1"), CALLS_REASON], results=[error])
    assert played.shown()[1:] == [
        started("2", "1"),
        not_run("2", "no ipykernel"),
        finished("failed", error.body()),
    ]


# --- stop at any moment ------------------------------------------------------------------------


def request_stop(stop: Stop) -> None:
    stop.request()


def test_stop_before_the_first_token() -> None:
    played = play([request_stop, *text("never")])
    assert played.shown() == [finished("stopped")]


def test_stop_in_text() -> None:
    played = play([*text("He"), request_stop, *text("llo")])
    assert played.shown() == [
        TextDelta(part_id="2", offset=0, text="He"),
        TextDone(part_id="2", turn_id="t", text="He"),
        finished("stopped"),
    ]


def test_stop_in_code() -> None:
    played = play([*raw_call('{"code": "ab'), request_stop, *call("never", index=1)])
    assert played.shown() == [
        CodeDelta(cell_id="2", offset=0, text="ab"),
        started("2", "ab"),
        not_run("2", STOPPED),
        finished("stopped"),
    ]


def test_stop_in_a_running_cell_leaves_the_rest_not_run() -> None:
    played = play(
        [*call("a", index=0), *call("b", index=1), CALLS_REASON],
        results=[Result(during=request_stop)],
    )
    assert played.shown()[1:] == [
        started("2", "a"),
        CellFinished(cell_id="2", status="interrupted"),
        started("3", "b"),
        not_run("3", STOPPED),
        finished("stopped"),
    ]


def test_an_error_that_the_stop_caused_is_a_stop() -> None:
    played = play([*text("a"), request_stop, AnswerCut("cut")])
    assert played.last == finished("stopped")


def test_stop_calls_back_once() -> None:
    stop, calls = Stop(), list[str]()
    with stop.on_request(lambda: calls.append("gone")):
        pass
    with stop.on_request(lambda: calls.append("kept")):
        assert not stop.wait(0)
        stop.request()
        stop.request()
    with stop.on_request(lambda: calls.append("late")):
        pass
    assert calls == ["kept", "late"]
    assert stop.requested
    assert stop.wait(0)


class Echo:
    """A tool that gives back what it was asked, once the history has a cell's result."""

    spec = ToolSpec(name="echo", description="", parameters={"type": "object"})
    server: str | None = None

    def offered(self, messages: Sequence[ChatMessage]) -> bool:
        return any(isinstance(message, ToolMessage) for message in messages)

    def reasons(self, arguments: str) -> list[Reason]:
        return []

    def run(self, arguments: str, stop: Stop) -> str:
        if arguments == "{}":
            raise InvalidValue("Nothing was asked.", hint="Ask.")
        return arguments


def test_another_tool_is_offered_called_and_told() -> None:
    played = play(
        [*call("1"), CALLS_REASON],
        [*raw_call('{"x": 1}', name="echo"), *raw_call("{}", name="echo", index=1), CALLS_REASON],
        [*text("ok"), STOP_REASON],
        results=[Result()],
        tools=[Echo()],
    )
    assert played.last == finished("completed")
    offered = [[tool.name for tool in request.tools] for request in played.model.requests]
    assert offered == [["execute_code"], *[["execute_code", "echo"]] * 2]
    shown = [event for event in played.events if isinstance(event, ToolStarted | ToolFinished)]
    ids = [event.call_id for event in shown]
    assert ids[0] == ids[1] != ids[2] == ids[3]
    assert shown == [
        ToolStarted(call_id=ids[0], turn_id="t", name="echo", arguments='{"x": 1}'),
        ToolFinished(call_id=ids[0], status="ok", content='{"x": 1}'),
        ToolStarted(call_id=ids[2], turn_id="t", name="echo", arguments="{}"),
        ToolFinished(call_id=ids[2], status="error", content="Nothing was asked. Ask."),
    ]
    *_, first, second = played.model.requests[-1].messages
    assert isinstance(first, ToolMessage) and first.text == '{"x": 1}'
    assert isinstance(second, ToolMessage) and second.text == "Nothing was asked. Ask."


class Reader(Echo):
    """A tool that is always offered."""

    spec = ToolSpec(name="read_output", description="", parameters={"type": "object"})

    def offered(self, messages: Sequence[ChatMessage]) -> bool:
        return True


def test_text_that_was_thinking_is_closed_as_that() -> None:
    played = play([
        *text("Hm", "."), RetypeChunk(kind="reasoning"), *text("So: "), *call("1"), CALLS_REASON,
    ], [*text("Done"), STOP_REASON], results=[printed("1")])  # fmt: skip
    assert played.shown()[:5] == [
        TextDelta(part_id="2", offset=0, text="Hm"), TextDelta(part_id="2", offset=2, text="."),
        ReasoningDone(part_id="2", turn_id="t", text="Hm."),
        TextDelta(part_id="3", offset=0, text="So: "),
        TextDone(part_id="3", turn_id="t", text="So: "),
    ]  # fmt: skip
    sent = played.model.requests[1].messages[1]
    assert isinstance(sent, AssistantMessage)
    assert (sent.text, sent.reasoning) == ("So: ", "Hm.")


def test_a_model_that_calls_what_is_not_there_is_told_all_that_is() -> None:
    played = play(
        [*raw_call('{"q": "x"}', name="web_search"), CALLS_REASON],
        [*text("I cannot."), STOP_REASON],
        tools=[Reader()],
    )  # fmt: skip
    told = played.model.requests[1].messages[-1]
    assert told.text.endswith("The tools are 'execute_code' and 'read_output'.")


def test_a_tool_by_nearly_its_name_is_that_tool() -> None:
    played = play(
        [*raw_call('{"cell": "1"}', name="functions.readOutput"), CALLS_REASON],
        [*text("Yes."), STOP_REASON],
        tools=[Reader()],
    )
    names = [one.name for one in played.events if isinstance(one, ToolStarted)]
    assert names == ["read_output"]


def test_only_thinking_is_no_answer() -> None:
    played = play([ReasoningChunk(text="Hm."), STOP_REASON])
    assert isinstance(played.last, TurnFinished) and played.last.error is not None
    assert played.last.error.message == "The model gave an empty answer: it only thought."


def test_a_call_without_code_that_is_refused_is_shown_as_a_tool() -> None:
    played = play(
        [*raw_call('{"q": "x"}', name="web_search"), CALLS_REASON], [*text("No."), STOP_REASON]
    )
    shown = [one for one in played.events if isinstance(one, ToolStarted | ToolFinished)]
    reason = "There is no tool 'web_search'. The only tool is 'execute_code'."
    assert shown == [
        ToolStarted(call_id="2", turn_id="t", name="web_search", arguments='{"q": "x"}'),
        ToolFinished(call_id="2", status="error", content=reason),
    ]
