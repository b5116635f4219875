"""What can be done with conversations, on the real store and publisher."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gpt_code_ui.conversations import RESTARTED, Conversations
from gpt_code_ui.errors import Conflict, InvalidValue, NoModel, NotFound
from gpt_code_ui.kept_notebooks import KeptNotebooks
from gpt_code_ui.notebook import PYTHON_SPEC
from gpt_code_ui.ports import Limits, Stop
from gpt_code_ui.protocol import (
    ApprovalRequested,
    Attachment,
    CellPart,
    CellStarted,
    FileChanges,
    FinishChunk,
    InputPrompt,
    ModelChunk,
    ModelInfo,
    ModelRequest,
    Published,
    RequestSent,
    SandboxLevel,
    StartKernel,
    TextChunk,
    TextDelta,
    TextPart,
    ToolCallChunk,
    ToolPart,
    Transcript,
    TurnFinished,
    TurnStarted,
)
from gpt_code_ui.publisher import Publisher
from gpt_code_ui.setting_types import Approve
from gpt_code_ui.store import Store
from gpt_code_ui.turns import ModelFacts, Ports, title_from
from gpt_code_ui.workspace import Workspace
from tests.fakes_kernel import FakeKernelClient

DEADLINE = 10.0
Answer = Callable[[ModelRequest, Stop], Iterator[ModelChunk]]


class AnswerModel:
    """Gives one scripted answer a request and keeps the requests."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[ModelRequest] = []

    def stream(self, request: ModelRequest, stop: Stop) -> Iterator[ModelChunk]:
        self.requests.append(request)
        yield RequestSent(url="http://model/v1", body=json.dumps({"n": len(self.requests)}))
        yield from self.answers.pop(0)(request, stop)


def says(text: str) -> Answer:
    def answer(request: ModelRequest, stop: Stop) -> Iterator[ModelChunk]:
        yield TextChunk(text=text)
        yield FinishChunk(reason="stop")

    return answer


def runs(code: str) -> Answer:
    def answer(request: ModelRequest, stop: Stop) -> Iterator[ModelChunk]:
        arguments = json.dumps({"code": code})
        yield ToolCallChunk(index=0, id="call", name="execute_code", arguments=arguments)
        yield FinishChunk(reason="tool_calls")

    return answer


def hangs(request: ModelRequest, stop: Stop) -> Iterator[ModelChunk]:
    yield TextChunk(text="let me think")
    stop.wait(DEADLINE)


class Room:
    """One data folder with everything that conversations need."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.model = AnswerModel()
        self.facts = ModelFacts()
        self.level: SandboxLevel = "bwrap"
        self.approve: Approve = "risky"
        self.open()

    def open(self) -> None:
        self.store = Store(self.folder / "log.db")
        self.publisher = Publisher(self.store)
        self.notebooks = KeptNotebooks(
            self.store,
            self.publisher,
            lambda id: self.workspace_for(id).root,
            lambda _: PYTHON_SPEC,
        )
        self.client = FakeKernelClient(self.notebooks.publish)
        ports = Ports(
            model_for=self.model_for,
            models=lambda: ([ModelInfo(id="m", name="M", provider="test")], "m"),
            workspace_for=self.workspace_for,
            kernel_start=lambda _: StartKernel(workspace="/w", python="/p", output_dir="/o"),
            system_prompt=lambda workspace, network, language: (
                f"files: {[f.path for f in workspace.list()]}, network: {network}"
            ),
            facts=lambda _: self.facts,
            level=lambda: self.level,
            approve=lambda: self.approve,
        )
        self.all = Conversations(
            self.store, self.client, self.publisher, ports, Limits(), self.folder / "outputs",
            self.notebooks,
        )  # fmt: skip

    def model_for(self, name: str | None) -> tuple[str, AnswerModel]:
        if name == "none":
            raise NoModel("No model is configured.")
        return name or "m", self.model

    def workspace_for(self, conversation_id: str) -> Workspace:
        root = self.folder / "workspaces" / conversation_id
        root.mkdir(parents=True, exist_ok=True)
        return Workspace(root)

    def close(self) -> None:
        self.all.close()
        self.store.close()

    def until_finished(self, conversation_id: str, turn_id: str) -> Transcript:
        """Wait for the turn's end as a client would, over a subscription."""
        self.wait_for(
            conversation_id,
            lambda one: isinstance(one.event, TurnFinished) and one.event.turn_id == turn_id,
        )
        return self.all.transcript(conversation_id)

    def wait_for(self, conversation_id: str, match: Callable[[Published], bool]) -> None:
        subscription = self.all.subscribe(conversation_id, None)
        try:
            while True:
                chunk = subscription.next(DEADLINE)
                assert chunk is not None, "the event did not come"
                if any(match(one) for one in chunk):
                    return
        finally:
            subscription.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.close()


def parts(transcript: Transcript) -> list[tuple[str, str]]:
    """Every part of every turn in short."""
    return [
        (part.status, part.code)
        if isinstance(part, CellPart)
        else (part.type, part.content if isinstance(part, ToolPart) else part.text)
        for turn in transcript.turns
        for part in turn.parts
    ]


def test_a_turn_runs_code_tells_the_model_and_ends(room: Room) -> None:
    room.model.answers = [runs("print(1)"), says("Done.")]
    conversation = room.all.create()
    turn_id = room.all.ask(conversation.id, "add\nplease")
    transcript = room.until_finished(conversation.id, turn_id)
    assert parts(transcript) == [("ok", "print(1)"), ("text", "Done.")]
    assert (transcript.title, transcript.model) == ("add", "m")
    assert transcript.turns[0].status == "completed"
    tool_result = room.model.requests[1].messages[-1]
    assert tool_result.role == "tool" and "print(1)" in tool_result.text


def test_the_next_turn_may_begin_as_soon_as_the_end_was_seen(room: Room) -> None:
    conversation = room.all.create()
    for index in range(20):
        room.model.answers = [says(str(index))]
        turn_id = room.all.ask(conversation.id, "again")
        room.until_finished(conversation.id, turn_id)
    assert [turn.status for turn in room.all.transcript(conversation.id).turns] == [
        "completed"
    ] * 20


def test_the_history_goes_to_the_model(room: Room) -> None:
    room.model.answers = [says("One."), says("Two.")]
    conversation = room.all.create()
    room.until_finished(conversation.id, room.all.ask(conversation.id, "first"))
    room.until_finished(conversation.id, room.all.ask(conversation.id, "second"))
    assert [message.text for message in room.model.requests[1].messages] == [
        "first", "One.", "second",
    ]  # fmt: skip


def test_a_second_turn_is_refused_while_one_runs_and_stop_ends_it(room: Room) -> None:
    room.model.answers = [hangs, says("Here.")]
    conversation = room.all.create()
    turn_id = room.all.ask(conversation.id, "hard")
    with pytest.raises(Conflict, match="running"):
        room.all.ask(conversation.id, "more")
    room.wait_for(conversation.id, lambda one: isinstance(one.event, TextDelta))
    room.all.stop(conversation.id)
    transcript = room.until_finished(conversation.id, turn_id)
    assert transcript.turns[0].status == "stopped"
    assert transcript.turns[0].parts == [
        TextPart(part_id=transcript.turns[0].parts[0].part_id, text="let me think", done=True)  # type: ignore[union-attr]
    ]
    turn_id = room.all.ask(conversation.id, "more")
    assert parts(room.until_finished(conversation.id, turn_id))[-1] == ("text", "Here.")


def test_stop_interrupts_the_cell_that_runs(room: Room) -> None:
    room.model.answers = [runs("wait")]
    conversation = room.all.create()
    turn_id = room.all.ask(conversation.id, "long")
    room.wait_for(conversation.id, lambda one: isinstance(one.event, CellStarted))
    room.all.stop(conversation.id)
    transcript = room.until_finished(conversation.id, turn_id)
    assert parts(transcript) == [("interrupted", "wait")]
    assert transcript.turns[0].status == "stopped"


def test_a_stop_between_the_start_and_the_thread_is_not_lost(room: Room) -> None:
    """Whoever has seen ``turn_started`` can stop the turn, however long its kernel takes."""
    conversation = room.all.create()
    room.client.on_ensure = lambda: room.all.stop(conversation.id)
    room.model.answers = [says("Not to be said.")]
    turn_id = room.all.ask(conversation.id, "hello")
    turn = room.until_finished(conversation.id, turn_id).turns[0]
    assert (turn.status, turn.parts) == ("stopped", [])


def test_what_was_sent_is_kept(room: Room) -> None:
    room.model.answers = [runs("print(1)"), says("Done.")]
    conversation = room.all.create()
    turn_id = room.all.ask(conversation.id, "add")
    room.until_finished(conversation.id, turn_id)
    bodies = [request["body"] for request in room.all.requests(conversation.id, turn_id)]
    assert bodies == ['{"n": 1}', '{"n": 2}']
    with pytest.raises(NotFound, match="no turn"):
        room.all.requests(conversation.id, "other")


def test_the_person_runs_code_of_their_own(room: Room) -> None:
    conversation = room.all.create()
    cell_id = room.all.run_cell(conversation.id, "x = 1")
    room.wait_for(conversation.id, lambda one: one.event.type == "cell_finished")
    turn = room.all.transcript(conversation.id).turns[0]
    assert (turn.turn_id, [part.cell_id for part in turn.parts if isinstance(part, CellPart)]) == (
        None, [cell_id],
    )  # fmt: skip


def test_a_question_of_the_code_is_answered_once(room: Room) -> None:
    conversation = room.all.create()
    cell_id = room.all.run_cell(conversation.id, "ask")
    room.wait_for(conversation.id, lambda one: one.event.type == "input_requested")
    cell = room.all.transcript(conversation.id).turns[0].parts[0]
    assert isinstance(cell, CellPart) and cell.input == InputPrompt(prompt="name? ")
    room.all.reply_input(conversation.id, cell_id, "Ada")
    room.wait_for(conversation.id, lambda one: one.event.type == "cell_finished")
    assert ("input", "Ada") in room.client.calls
    with pytest.raises(Conflict, match="not waiting"):
        room.all.reply_input(conversation.id, cell_id, "again")


def test_retry_asks_the_same_again(room: Room) -> None:
    room.model.answers = [says("a"), says("b")]
    conversation = room.all.create()
    first = room.all.ask(conversation.id, "what", "other")
    room.until_finished(conversation.id, first)
    second = room.all.retry(conversation.id, first)
    turns = room.until_finished(conversation.id, second).turns
    assert [(turn.prompt, turn.model) for turn in turns] == [("what", "other")] * 2


@pytest.mark.parametrize(
    ("prompt", "model", "attachments", "error"),
    [
        ("  ", None, [], InvalidValue),
        ("hello", "none", [], NoModel),
        ("hello", None, ["absent.csv"], NotFound),
        ("hello", None, ["../../etc/passwd"], InvalidValue),
    ],
)
def test_a_turn_that_cannot_begin_leaves_nothing_behind(
    room: Room, prompt: str, model: str | None, attachments: list[str], error: type[Exception]
) -> None:
    conversation = room.all.create()
    with pytest.raises(error):
        room.all.ask(
            conversation.id, prompt, model, [Attachment(path=path) for path in attachments]
        )
    assert room.all.transcript(conversation.id).turns == []
    room.model.answers = [says("fine")]
    room.until_finished(conversation.id, room.all.ask(conversation.id, "hello"))


def test_an_unknown_conversation_is_not_found(room: Room) -> None:
    for act in (room.all.transcript, room.all.stop, room.all.delete, room.all.workspace):
        with pytest.raises(NotFound):
            act("nobody")
    with pytest.raises(NotFound):
        room.all.subscribe("nobody", None)


def test_delete_hides_and_restore_brings_back(room: Room) -> None:
    conversation = room.all.create(title="Mine")
    room.all.delete(conversation.id)
    assert room.all.list() == []
    with pytest.raises(NotFound):
        room.all.transcript(conversation.id)
    assert room.all.restore(conversation.id).title == "Mine"
    assert [summary.id for summary in room.all.list()] == [conversation.id]
    assert ("stop", conversation.id) in room.client.calls


def test_rename_pin_and_model_are_kept(room: Room) -> None:
    conversation = room.all.create()
    room.all.update(conversation.id, title="New name", model="big", pinned=True)
    transcript = room.all.transcript(conversation.id)
    assert (transcript.title, transcript.model, transcript.pinned) == ("New name", "big", True)


def test_a_fault_of_ours_still_ends_the_turn(room: Room) -> None:
    def broken(request: ModelRequest, stop: Stop) -> Iterator[ModelChunk]:
        yield TextChunk(text=str(1 / 0))

    room.model.answers = [broken, says("fine")]
    conversation = room.all.create()
    turn_id = room.all.ask(conversation.id, "boom")
    turn = room.until_finished(conversation.id, turn_id).turns[0]
    assert turn.status == "failed" and turn.error is not None
    assert "ZeroDivisionError" not in turn.error.message
    room.until_finished(conversation.id, room.all.ask(conversation.id, "again"))


def test_what_a_crash_left_open_is_closed_at_the_next_start(room: Room) -> None:
    conversation = room.all.create()
    turn = TurnStarted(turn_id="t", prompt="p", model="m")
    room.publisher.publish(conversation.id, turn)
    room.publisher.publish(
        conversation.id, CellStarted(cell_id="k", turn_id="t", code="1", origin="model")
    )
    room.publisher.publish(conversation.id, TextDelta(part_id="x", offset=0, text="half"))
    room.publisher.call(
        lambda: room.store.checkpoint_part(conversation.id, "x", "text_delta", "half")
    )
    # Not closed in good order: a second life begins on what the first one stored.
    room.publisher.close()
    room.store.close()
    room.open()
    recovered = room.all.transcript(conversation.id)
    assert recovered.turns[0].status == "failed"
    assert parts(recovered) == [("interrupted", "1"), ("text", "half")]
    assert recovered.kernel.state == "parked" and RESTARTED in (recovered.kernel.reason or "")


def test_a_turn_that_runs_gets_the_whole_time_to_end(room: Room) -> None:
    closing = threading.Event()

    def slow_to_end(request: ModelRequest, stop: Stop) -> Iterator[ModelChunk]:
        yield TextChunk(text="let me think")
        stop.wait(DEADLINE)
        closing.wait(0.2)

    for _ in range(20):
        room.all.create()
    room.model.answers = [slow_to_end]
    conversation = room.all.create()
    turn_id = room.all.ask(conversation.id, "hard")
    room.wait_for(conversation.id, lambda one: isinstance(one.event, TextDelta))
    assert len(room.all.list()) == 21
    room.all.close(timeout=3.0)
    last = list(room.store.events(conversation.id, 0))[-1].event
    assert last == TurnFinished(turn_id=turn_id, status="stopped")


def test_closing_stops_a_turn_that_runs(tmp_path: Path) -> None:
    room = Room(tmp_path)
    room.model.answers = [hangs]
    conversation = room.all.create()
    room.all.ask(conversation.id, "hard")
    room.wait_for(conversation.id, lambda one: isinstance(one.event, TextDelta))
    room.close()
    room.open()
    assert room.all.transcript(conversation.id).turns[0].status == "stopped"
    room.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("turn-")]


def test_titles_come_from_the_first_line() -> None:
    assert title_from("\n  Hello \nthere") == "Hello"
    assert title_from("x" * 100) == "x" * 59 + "…"
    assert title_from("   ") == ""


def test_the_system_prompt_knows_the_files(room: Room) -> None:
    room.model.answers = [says("ok")]
    conversation = room.all.create()
    workspace: Workspace = room.all.workspace(conversation.id)
    workspace.save("a.csv", [b"x\n1\n"], size=4, replace=False)
    turn_id = room.all.ask(conversation.id, "look", None, [Attachment(path="a.csv")])
    room.until_finished(conversation.id, turn_id)
    assert room.model.requests[0].system == "files: ['a.csv'], network: False"


def test_a_long_conversation_is_kept_within_the_window(room: Room) -> None:
    room.facts = ModelFacts(window=2000)
    conversation = room.all.create()
    for number in range(3):
        room.model.answers = [says("yes")]
        turn_id = room.all.ask(conversation.id, f"{number} " + "word " * 800)
        room.until_finished(conversation.id, turn_id)
    sent = room.model.requests[-1].messages
    assert [one.role for one in sent] == ["user", "user"]
    assert "Left out here: 2 earlier messages" in sent[0].text and sent[1].text.startswith("2 ")


def test_the_model_hears_what_happened_since_its_last_answer(room: Room) -> None:
    conversation = room.all.create()
    first = "Count"
    for prompt in (first, "And now?"):
        room.model.answers = [says("4")]
        turn_id = room.all.ask(conversation.id, prompt)
        room.until_finished(conversation.id, turn_id)
        room.all.files_changed(conversation.id, FileChanges(added=["late.csv"]))
    sent = [one.text for one in room.model.requests[-1].messages]
    news = "\n\n[GPT-Code UI: since the last answer, files added: late.csv.]"
    assert sent == [first, "4", f"And now?{news}"]


def test_house_rules_of_a_conversation_reach_its_model(room: Room) -> None:
    conversation = room.all.create()
    room.all.update(conversation.id, rules="Answer in rhymes.")
    assert room.all.transcript(conversation.id).rules == "Answer in rhymes."
    for rules in ("Answer in rhymes.", ""):
        room.all.update(conversation.id, rules=rules)
        room.model.answers = [says("4")]
        turn_id = room.all.ask(conversation.id, "2+2?")
        room.until_finished(conversation.id, turn_id)
        system = room.model.requests[-1].system
        assert system.endswith(f"\n\n{rules}") if rules else "rules" not in system


def test_the_model_reads_more_of_a_long_output(room: Room) -> None:
    conversation = room.all.create()

    def reads(request: ModelRequest, stop: Stop) -> Iterator[ModelChunk]:
        found = re.search(r"read_output\(cell=(\w+)\)", request.messages[-1].text)
        assert found is not None
        folder = room.folder / "outputs" / conversation.id
        folder.mkdir(parents=True)
        (folder / f"{found[1]}.txt").write_text("one\ntwo\nthree\n")
        arguments = json.dumps({"cell": found[1], "lines": "2-3"})
        yield ToolCallChunk(index=0, id="r", name="read_output", arguments=arguments)
        yield FinishChunk(reason="tool_calls")

    room.model.answers = [runs("x" * 20_000), reads, says("two")]
    turn_id = room.all.ask(conversation.id, "What came second?")
    transcript = room.until_finished(conversation.id, turn_id)
    offered = [[tool.name for tool in request.tools] for request in room.model.requests]
    assert offered == [["execute_code"], *[["execute_code", "read_output"]] * 2]
    part = transcript.turns[0].parts[1]
    assert isinstance(part, ToolPart)
    assert (part.name, part.status, part.content) == ("read_output", "ok", "2: two\n3: three")
    assert room.model.requests[-1].messages[-1].text == part.content


# --- the network -------------------------------------------------------------------------------


def test_the_network_is_off_until_it_is_switched_on(room: Room) -> None:
    id = room.all.create().id
    assert room.all.transcript(id).network is False
    assert room.all.update(id, network=True).network is True
    told = room.all.transcript(id)
    assert (told.network, told.kernel.network, told.kernel.state) == (True, True, "parked")
    assert room.all.update(id, title="T").network is True
    room.close()
    room.open()
    assert room.all.transcript(id).network is True
    room.all.run_cell(id, "print")
    assert room.client.started[id].network is True
    room.all.update(id, network=False)
    assert room.client.started[id].network is False


def test_it_can_be_asked_for_at_the_beginning(room: Room) -> None:
    id = room.all.create(network=True).id
    room.all.run_cell(id, "print")
    assert room.client.started[id].network is True


def test_the_model_is_told_of_the_network_as_it_is_then(room: Room) -> None:
    id = room.all.create().id
    room.model.answers = [says("a"), says("b")]
    room.until_finished(id, room.all.ask(id, "one"))
    room.all.update(id, network=True)
    room.until_finished(id, room.all.ask(id, "two"))
    said = [request.system.rpartition("network: ")[2] for request in room.model.requests]
    assert said == ["False", "True"]


def test_a_switch_in_a_turn_holds_for_the_rest_of_it(room: Room) -> None:
    """The kernel of a turn's later cells is the one that is set now."""
    id = room.all.create().id

    def switches(request: ModelRequest, stop: Stop) -> Iterator[ModelChunk]:
        room.all.update(id, network=True)
        yield from runs("print")(request, stop)

    room.model.answers = [runs("print"), switches, says("done")]
    asked: list[bool] = []
    room.client.on_start = lambda start: asked.append(start.network)
    room.until_finished(id, room.all.ask(id, "go"))
    assert asked[-1] is True
    assert asked[0] is False


@pytest.mark.parametrize(("level", "wish"), [("none", False), ("landlock", True)])
def test_what_a_level_cannot_do_is_refused(room: Room, level: SandboxLevel, wish: bool) -> None:
    id = room.all.create().id
    room.level = level
    with pytest.raises(Conflict):
        room.all.update(id, network=wish)
    with pytest.raises(Conflict):
        room.all.create(network=wish)
    assert room.all.transcript(id).network is False


def test_the_persons_installations_find_packages(room: Room) -> None:
    id = room.all.create().id
    room.all.install(id, ["numpy>=2"])
    room.all.run_cell(id, "%pip install seaborn")
    room.all.run_cell(id, "import seaborn")
    assert [(one.code, one.installs) for one in room.client.executed] == [
        ('%pip install "numpy>=2"', True),
        ("%pip install seaborn", True),
        ("import seaborn", False),
    ]


def test_a_models_installation_finds_packages_once_it_was_allowed(room: Room) -> None:
    """Where nothing is asked nobody allowed it, and the network stays as it is set."""
    id = room.all.create().id
    room.model.answers = [runs("%pip install x"), says("ok")]
    turn = room.all.ask(id, "one")
    room.wait_for(id, lambda one: isinstance(one.event, ApprovalRequested))
    (waiting,) = room.all.transcript(id).turns[0].parts
    assert isinstance(waiting, CellPart)
    room.all.decide(id, waiting.cell_id, run=True)
    room.until_finished(id, turn)
    room.approve = "never"
    room.model.answers = [runs("%pip install x"), says("ok")]
    room.until_finished(id, room.all.ask(id, "two"))
    assert [one.installs for one in room.client.executed] == [True, False]


def test_under_landlock_nothing_is_installed_from_here(room: Room) -> None:
    id = room.all.create().id
    room.level = "landlock"
    with pytest.raises(Conflict) as refused:
        room.all.install(id, ["numpy"])
    assert refused.value.hint == "Outside: /p -m pip install numpy"
