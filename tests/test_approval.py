"""Asking first: in the loop with fakes, in a conversation on the real store, and over HTTP."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gpt_code_ui.approval import EVERY, Asking, CreatedFiles, Desk, Known, WithoutPerson
from gpt_code_ui.calls import STOPPED
from gpt_code_ui.conversations import RESTARTED
from gpt_code_ui.errors import Conflict, InvalidValue, NotFound, StoreError
from gpt_code_ui.page_choices import PageChoices
from gpt_code_ui.ports import REFUSED, Decision, Stop
from gpt_code_ui.protocol import (
    ApprovalRequested,
    ApprovalResolved,
    CellFinished,
    CellPart,
    Event,
    FileChanges,
    FilesChanged,
    Published,
    Reason,
    ToolFinished,
    ToolMessage,
    ToolStarted,
)
from gpt_code_ui.setting_types import Approve
from gpt_code_ui.settings import load
from tests.fakes import CALLS_REASON, STOP_REASON, Result, call, printed, raw_call, text
from tests.fakes_web import Site
from tests.test_agent import Echo, Played, finished, not_run, play, started
from tests.test_conversations import Room, parts, runs, says

RISKY = "import os\nos.environ"
WHY = [
    Reason(
        line=2, text="looks outside the working folder: os.environ", kind="outside",
        what="os.environ",
    )
]  # fmt: skip
DEADLINE = 10.0
SEARCH = Reason(line=1, text="calls search of web", kind="tool:web/search", what="web: search")


class Answers:
    """An approver that asks about code with a word in it and gives the scripted answers."""

    def __init__(self, *answers: Decision | None, word: str = "risk") -> None:
        self._answers = list(answers)
        self._word = word
        self.expected: list[str] = []

    def about_code(self, code: str) -> list[Reason]:
        return WHY if self._word in code else []

    def about_tool(self, reasons: Sequence[Reason]) -> list[Reason]:
        return list(reasons)

    def expect(self, cell_id: str) -> None:
        self.expected.append(cell_id)

    def wait(self, cell_id: str, stop: Stop) -> Decision | None:
        assert self.expected[-1] == cell_id
        answer = self._answers.pop(0)
        if answer is None:
            stop.request()
        return answer


def told(played: Played) -> list[ToolMessage]:
    messages = played.model.requests[-1].messages
    return [one for one in messages if isinstance(one, ToolMessage)]


def asked(events: list[Event]) -> list[Event]:
    return [e for e in events if isinstance(e, ApprovalRequested | ApprovalResolved)]


def test_what_is_not_risky_is_not_asked_about() -> None:
    played = play(
        [*call("1"), CALLS_REASON], [*text("ok"), STOP_REASON], results=[Result()],
        approver=Answers(),
    )  # fmt: skip
    assert asked(played.events) == []
    assert played.kernel.codes == ["1"]


def test_allowed_code_runs_after_it_was_asked_about() -> None:
    played = play(
        [*call("risk"), CALLS_REASON], [*text("ok"), STOP_REASON], results=[Result()],
        approver=Answers(Decision(run=True, remember=True)),
    )  # fmt: skip
    assert played.shown()[1:5] == [
        ApprovalRequested(cell_id="2", turn_id="t", code="risk", reasons=WHY),
        ApprovalResolved(cell_id="2", run=True, remember=True),
        started("2", "risk"),
        CellFinished(cell_id="2", status="ok"),
    ]


def test_changed_code_runs_in_place_of_it_and_the_model_is_told() -> None:
    played = play(
        [*call("risk"), CALLS_REASON], [*text("ok"), STOP_REASON], results=[printed("7\n")],
        approver=Answers(Decision(run=True, code="print(7)")),
    )  # fmt: skip
    assert played.kernel.codes == ["print(7)"]
    assert ApprovalResolved(cell_id="2", run=True, edited=True) in played.events
    (result,) = told(played)
    assert "person changed this code" in result.text
    assert "print(7)" in result.text and result.text.endswith("7")


def test_refused_code_does_not_run_and_the_model_may_find_another_way() -> None:
    played = play(
        [*call("risk"), *call("also risk", index=1), CALLS_REASON],
        [*call("safe"), CALLS_REASON],
        [*text("ok"), STOP_REASON],
        results=[Result(), Result()],
        approver=Answers(Decision(run=False), Decision(run=True)),
    )
    assert played.kernel.codes == ["also risk", "safe"]
    assert not_run("2", REFUSED) in played.events
    assert told(played)[0].failed and REFUSED in told(played)[0].text
    assert played.last == finished("completed")


def test_refusals_are_repairs_and_end_at_their_limit() -> None:
    refusing = [Decision(run=False)] * 9
    played = play(
        *[[*call(f"risk {n}"), CALLS_REASON] for n in range(9)], approver=Answers(*refusing)
    )
    assert played.last.type == "turn_finished" and played.last.status == "limit"
    assert played.kernel.codes == []


def test_stop_ends_a_question_and_what_follows_is_not_run() -> None:
    played = play([*call("risk"), *call("next", index=1), CALLS_REASON], approver=Answers(None))
    closed = [one for one in played.events if isinstance(one, CellFinished)]
    assert [(one.status, one.reason) for one in closed] == [("not_run", STOPPED)] * 2
    assert asked(played.events)[1:] == []
    assert played.last == finished("stopped")


class Remote(Echo):
    """A tool of a server."""

    server = "web"

    def reasons(self, arguments: str) -> list[Reason]:
        return [SEARCH]


def play_tool(decision: Decision | None) -> Played:
    return play(
        [*call("1"), CALLS_REASON],
        [*raw_call('{"x": 1}', name="echo"), CALLS_REASON],
        [*text("ok"), STOP_REASON],
        results=[Result()],
        tools=[Remote()],
        approver=Answers(decision),
    )


def test_a_tool_of_a_server_is_asked_about() -> None:
    played = play_tool(Decision(run=True))
    tool = [e for e in played.events if isinstance(e, ToolStarted | ToolFinished)]
    (request, _) = asked(played.events)
    assert isinstance(request, ApprovalRequested)
    assert (request.tool, request.server, request.code) == ("echo", "web", '{"x": 1}')
    assert [e.type for e in tool] == ["tool_started", "tool_finished"]
    assert told(played)[-1].text == '{"x": 1}'


def test_a_refused_tool_is_not_called() -> None:
    played = play_tool(Decision(run=False))
    tool = [e for e in played.events if isinstance(e, ToolStarted | ToolFinished)]
    assert [(e.type, getattr(e, "content", "")) for e in tool] == [("tool_finished", REFUSED)]
    assert told(played)[-1].failed


def test_the_products_own_tools_are_not_asked_about() -> None:
    played = play(
        [*call("1"), CALLS_REASON],
        [*raw_call('{"x": 1}', name="echo"), CALLS_REASON],
        [*text("ok"), STOP_REASON],
        results=[Result()],
        tools=[Echo()],
        approver=Answers(),
    )
    assert asked(played.events) == []


# --- the desk, and what is asked ----------------------------------------------------------------


def test_an_answer_may_come_before_anybody_waits_and_only_once() -> None:
    desk = Desk()
    with pytest.raises(Conflict):
        desk.answer("c", "x", Decision(run=True))
    desk.expect("c", "x")
    assert desk.waiting("c") and not desk.waiting("d")
    desk.answer("c", "x", Decision(run=True))
    with pytest.raises(Conflict):
        desk.answer("c", "x", Decision(run=False))
    assert desk.wait("c", "x", Stop()) == Decision(run=True)
    assert not desk.waiting("c")


def test_stop_wakes_who_waits() -> None:
    desk, stop, got = Desk(), Stop(), list[Decision | None]()
    desk.expect("c", "x")
    thread = threading.Thread(target=lambda: got.append(desk.wait("c", "x", stop)), name="waits")
    thread.start()
    stop.request()
    thread.join(DEADLINE)
    assert got == [None]
    with pytest.raises(Conflict):
        desk.answer("c", "x", Decision(run=True))


@pytest.mark.parametrize(
    ("mode", "code", "allowed", "reasons"),
    [
        ("never", RISKY, (), []),
        ("risky", RISKY, (), WHY),
        ("risky", RISKY, ("outside",), []),
        ("risky", RISKY, ("network",), WHY),
        ("risky", "1", (), []),
        ("always", "1", (), [EVERY]),
        ("always", "1", ("every",), []),
        ("always", RISKY, ("every",), WHY),
        ("always", RISKY, ("outside",), [EVERY]),
    ],
)
def test_what_is_asked(
    mode: Approve, code: str, allowed: tuple[str, ...], reasons: list[Reason]
) -> None:
    asking = Asking(Desk(), "c", lambda: mode, lambda: Known(allowed=allowed))
    assert asking.about_code(code) == reasons


def test_a_tool_is_allowed_by_its_name_and_server() -> None:
    def about(mode: Approve, *allowed: str) -> int:
        asking = Asking(Desk(), "c", lambda: mode, lambda: Known(allowed=allowed))
        return len(asking.about_tool([SEARCH]))

    assert about("risky") == about("always") == about("risky", "tool:web/other") == 1
    assert about("never") == about("risky", "tool:web/search") == 0


def test_a_tool_without_a_reason_is_asked_about_only_where_everything_is() -> None:
    def about(mode: Approve) -> list[Reason]:
        return Asking(Desk(), "c", lambda: mode, Known).about_tool([])

    assert (about("never"), about("risky"), about("always")) == ([], [], [EVERY])


def test_code_of_another_language_is_always_a_question() -> None:
    asking = Asking(Desk(), "c", lambda: "risky", Known, language="r")
    assert [one.kind for one in asking.about_code("1 + 1")] == ["hidden"]


def test_without_a_person_it_is_refused_and_told_why() -> None:
    nobody = WithoutPerson(Asking(Desk(), "c", lambda: "risky", Known))
    played = play([*call(RISKY), CALLS_REASON], [*text("ok"), STOP_REASON], approver=nobody)
    assert played.kernel.codes == []
    assert "Nobody is here" in told(played)[0].text and "os.environ" in told(played)[0].text


def test_files_that_cells_made_are_not_the_persons_until_they_are_replaced() -> None:
    created = CreatedFiles()

    def happens(event: Event) -> None:
        created.apply(Published(conversation_id="c", at="", event=event))

    files = FileChanges(added=["a", "b", "c"])
    happens(CellFinished(cell_id="1", status="ok", files=files))
    happens(CellFinished(cell_id="2", status="ok", files=FileChanges(removed=["c"])))
    happens(FilesChanged(files=FileChanges(changed=["b"])))
    assert created.paths == {"a"}


# --- in a conversation --------------------------------------------------------------------------


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.close()


def ask_risky(room: Room, id: str, code: str = RISKY) -> tuple[str, str]:
    """A turn that asks; its id and the cell's."""
    room.model.answers = [runs(code), says("Done.")]
    turn = room.all.ask(id, "go")
    cell: list[str] = []

    def is_request(one: Published) -> bool:
        event = one.event
        if isinstance(event, ApprovalRequested) and event.turn_id == turn:
            cell.append(event.cell_id)
        return bool(cell)

    room.wait_for(id, is_request)
    return turn, cell[0]


def test_a_question_waits_is_seen_and_answered(room: Room) -> None:
    id = room.all.create().id
    turn, cell = ask_risky(room, id)
    shown = room.all.cell(id, cell)
    assert shown.status == "waiting" and shown.approval and shown.approval.reasons == WHY
    assert [(one.running, one.waiting) for one in room.all.list()] == [(True, True)]
    room.all.decide(id, cell, run=True)
    transcript = room.until_finished(id, turn)
    assert parts(transcript) == [("ok", RISKY), ("text", "Done.")]
    assert room.all.list()[0].waiting is None
    with pytest.raises(Conflict):
        room.all.decide(id, cell, run=True)
    with pytest.raises(NotFound):
        room.all.decide(id, "nothing", run=True)


def test_what_was_changed_is_told_in_later_turns_too(room: Room) -> None:
    id = room.all.create().id
    turn, cell = ask_risky(room, id)
    for code, run in ((" ", True), ("x", False)):
        with pytest.raises(InvalidValue):
            room.all.decide(id, cell, run=run, code=code)
    room.all.decide(id, cell, run=True, code="print(2)")
    part = room.until_finished(id, turn).turns[0].parts[0]
    assert isinstance(part, CellPart)
    assert (part.status, part.code, part.edited) == ("ok", "print(2)", True)
    room.model.answers = [says("Yes.")]
    room.until_finished(id, room.all.ask(id, "and?"))
    results = [one for one in room.model.requests[-1].messages if isinstance(one, ToolMessage)]
    assert "the person changed this code" in results[0].text


def test_what_is_allowed_is_remembered_over_a_restart_and_taken_back(room: Room) -> None:
    id, other = room.all.create().id, room.all.create().id
    turn, cell = ask_risky(room, id)
    room.all.decide(id, cell, run=True, remember=True)
    assert room.until_finished(id, turn).allowed == ["outside"]
    room.close()
    room.open()
    room.model.answers = [runs(RISKY), says("Again.")]
    assert parts(room.until_finished(id, room.all.ask(id, "again")))[-1] == ("text", "Again.")
    turn, cell = ask_risky(room, id, "import requests")
    room.all.decide(id, cell, run=False, remember=True)
    assert room.until_finished(id, turn).allowed == ["outside"]
    turn, cell = ask_risky(room, other)
    room.all.decide(other, cell, run=False)
    room.until_finished(other, turn)

    with pytest.raises(InvalidValue):
        room.all.update(id, allowed=["network"])
    room.all.update(id, allowed=[])
    turn, cell = ask_risky(room, id)
    room.all.stop(id)
    transcript = room.until_finished(id, turn)
    assert transcript.turns[-1].status == "stopped"
    assert parts(transcript)[-1] == ("not_run", RISKY)


def test_a_restart_closes_what_waits(room: Room) -> None:
    id = room.all.create().id
    _, cell = ask_risky(room, id)
    # Not closed in good order: a second life begins on what the first one stored.
    first = room.all
    room.publisher.close()
    room.store.close()
    room.open()
    shown = room.all.cell(id, cell)
    assert (shown.status, shown.reason, shown.approval) == ("not_run", RESTARTED, None)
    assert room.all.transcript(id).turns[0].status == "failed"
    with pytest.raises(Conflict):
        room.all.decide(id, cell, run=True)
    first.close()


def test_the_persons_own_cells_and_what_cells_made_are_not_asked_about(room: Room) -> None:
    id = room.all.create().id
    room.all.run_cell(id, RISKY)
    room.wait_for(id, lambda one: isinstance(one.event, CellFinished))
    folder = room.workspace_for(id).root
    (folder / "made.csv").write_text("1")
    (folder / "mine.csv").write_text("1")
    made = CellFinished(cell_id="x", status="ok", files=FileChanges(added=["made.csv"]))
    room.publisher.publish_durably(id, made)
    room.model.answers = [runs("open('made.csv', 'w')"), says("Done.")]
    assert parts(room.until_finished(id, room.all.ask(id, "go")))[-1] == ("text", "Done.")
    turn, cell = ask_risky(room, id, "open('mine.csv', 'w')")
    approval = room.all.cell(id, cell).approval
    assert approval and [one.kind for one in approval.reasons] == ["files"]
    room.all.stop(id)
    room.until_finished(id, turn)


# --- over HTTP ----------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


def test_nothing_to_answer_and_answers_that_are_none(site: Site) -> None:
    id = site.begin()
    site.call("POST", f"/api/conversations/{id}/cells", {"code": "1"})
    site.wait_for(id, "cell_finished")
    parts = site.call("GET", f"/api/conversations/{id}").get_json()["turns"][0]["parts"]
    path = f"/api/conversations/{id}/cells/{parts[0]['cell_id']}/approval"
    assert site.call("POST", path, {"run": True}).status_code == 409
    assert site.call("POST", f"{path[:-12]}x/approval", {"run": True}).status_code == 404
    for body in ({}, {"run": "yes"}, {"run": True, "more": 1}, {"run": True, "code": 5}):
        assert site.call("POST", path, body).status_code == 422
    assert site.call("PATCH", f"/api/conversations/{id}", {"allowed": ["x"]}).status_code == 422


# --- the setting --------------------------------------------------------------------------------


def choices(folder: Path, **flags: str) -> PageChoices:
    return PageChoices(load({"data_dir": str(folder), **flags}, {}, folder))


def test_the_choice_holds_at_later_starts_unless_they_say_otherwise(tmp_path: Path) -> None:
    first = choices(tmp_path)
    assert first.approve() == "risky"
    first.choose_approve("always")
    assert first.approve() == choices(tmp_path).approve() == "always"
    given = choices(tmp_path, approve="never")
    assert given.approve() == "never"
    assert choices(tmp_path).approve() == "always"


def test_a_damaged_choice_is_the_default_and_one_that_cannot_be_kept_changes_nothing(
    tmp_path: Path,
) -> None:
    (tmp_path / "page.json").write_text('{"approve": "sometimes"}')
    assert choices(tmp_path).approve() == "risky"
    (tmp_path / "file").write_text("")
    nowhere = choices(tmp_path / "file")
    with pytest.raises(StoreError):
        nowhere.choose_approve("never")
    assert nowhere.approve() == "risky"
