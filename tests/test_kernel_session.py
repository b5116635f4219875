"""One conversation's kernel: cells, interrupts, deaths and restarts, on real kernels."""

import os
import signal
from collections.abc import Iterator

import pytest

from gpt_code_ui.protocol import (
    CellFinished,
    CellOutput,
    CellOutputsCleared,
    CellOutputUpdated,
    CellStarted,
    DisplayDataOutput,
    ErrorOutput,
    ExecuteResultOutput,
    InputReply,
    InputRequested,
    KernelStatus,
    StreamOutput,
    Truncation,
)
from tests.kernel_fixtures import Ran, Rig, Talk, running_rig

pytestmark = pytest.mark.keeps("one manager and one kernel serve the module")


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with running_rig() as rig:
        yield rig


@pytest.fixture(scope="module")
def talk(rig: Rig) -> Talk:
    """A conversation whose kernel tests leave alive and idle."""
    return rig.conversation()


@pytest.fixture
def doomed(rig: Rig) -> Iterator[Talk]:
    """A conversation whose kernel a test may break."""
    talk = rig.conversation()
    yield talk
    rig.client.stop(talk.id)


# --- cells -------------------------------------------------------------------------------------


def test_a_cell_starts_shows_and_finishes(talk: Talk) -> None:
    ran = talk.run("x = 41\nx + 1")
    assert ran.events[:2] == [
        CellStarted(cell_id=ran.cell_id, code="x = 41\nx + 1", origin="person"),
        CellOutput(
            cell_id=ran.cell_id,
            output=ExecuteResultOutput(
                data={"text/plain": "42"}, execution_count=ran.end.execution_count
            ),
        ),
    ]
    assert (ran.status, ran.end.reason) == ("ok", None)


def test_queued_cells_run_in_order_on_one_state(talk: Talk) -> None:
    first, second = talk.post("import time; time.sleep(.3); a = 1"), talk.post("print(a + 1)")
    assert talk.finished(second).text == "2\n"
    order = [
        (type(e).__name__, e.cell_id)
        for e in talk.events
        if isinstance(e, CellStarted | CellFinished) and e.cell_id in (first, second)
    ]
    assert order == [
        ("CellStarted", first), ("CellFinished", first),
        ("CellStarted", second), ("CellFinished", second),
    ]  # fmt: skip


def test_status_follows_the_cell(talk: Talk) -> None:
    talk.run("1")
    seen = talk.settled()
    talk.run("2")
    talk.state("idle", after=seen)
    states = [e.state for e in talk.events[seen:] if isinstance(e, KernelStatus)]
    assert states == ["busy", "idle"]


def test_an_error_has_its_traceback(talk: Talk) -> None:
    ran = talk.run("def f():\n    return 1 / 0\nf()")
    assert ran.status == "error"
    assert ran.error is not None
    assert (ran.error.ename, ran.error.evalue) == ("ZeroDivisionError", "division by zero")
    assert "ZeroDivisionError" in "".join(ran.error.traceback)
    assert talk.run("'still here'").value == "'still here'"


def test_a_cell_after_an_error_still_runs(talk: Talk) -> None:
    bad, good = talk.post("1/0"), talk.post("'ran'")
    assert talk.finished(good).value == "'ran'"
    assert talk.finished(bad).status == "error"


def test_stdout_and_stderr_stay_apart(talk: Talk) -> None:
    ran = talk.run("import sys; print('out', flush=True); print('err', file=sys.stderr)")
    assert sorted((o.name, o.text) for o in ran.outputs) == [
        ("stderr", "err\n"),
        ("stdout", "out\n"),
    ]


def test_files_of_a_cell_are_told(talk: Talk) -> None:
    ran = talk.run("open('one.txt', 'w').write('1'); open('two.txt', 'w').write('2')")
    assert ran.end.files.added == ["one.txt", "two.txt"]
    ran = talk.run("import os; open('one.txt', 'a').write('+'); os.remove('two.txt')")
    assert (ran.end.files.changed, ran.end.files.removed) == (["one.txt"], ["two.txt"])


def test_the_whole_text_is_in_a_file(talk: Talk) -> None:
    ran = talk.run("print('printed'); 'value'")
    assert (talk.outputs / f"{ran.cell_id}.txt").read_text() == "printed\n'value'\n"


# --- displays ----------------------------------------------------------------------------------


def test_a_display_can_be_updated_from_a_later_cell(talk: Talk) -> None:
    first = talk.run("from IPython.display import display\nh = display('one', display_id='d1')")
    assert first.events[1] == CellOutput(
        cell_id=first.cell_id,
        output=DisplayDataOutput(data={"text/plain": "'one'"}),
        display_id="d1",
    )
    seen = len(talk.events)
    talk.run("h.update('two')")
    update = talk.wait(lambda e: isinstance(e, CellOutputUpdated), after=seen)
    assert update == CellOutputUpdated(display_id="d1", data={"text/plain": "'two'"})


def test_clear_output_at_once_and_when_something_comes(talk: Talk) -> None:
    ran = talk.run(
        "from IPython.display import clear_output\nimport time\n"
        "print('a', flush=True); time.sleep(.1); clear_output(); print('b', flush=True)\n"
        "time.sleep(.1); clear_output(wait=True); print('c')"
    )
    cleared = [e.wait for e in ran.events if isinstance(e, CellOutputsCleared)]
    assert cleared == [False, True]
    assert isinstance(ran.events[-2], CellOutput)
    assert ran.events[-2].output == StreamOutput(name="stdout", text="c\n")


def test_lone_surrogates_reach_the_page_replaced(talk: Talk) -> None:
    assert (
        talk.run("from IPython.display import display\ndisplay({'text/plain': 1})").status == "ok"
    )
    ran = talk.run("raise ValueError('x\\udc80y')")
    assert ran.status == "error"
    assert talk.run("print('emoji 😀 עברית')").text == "emoji 😀 עברית\n"
    ran = talk.run("print('a\\ud800b')\nprint('after')")
    assert ran.status in ("ok", "error")
    assert talk.run("'alive'").value == "'alive'"


def test_late_output_of_a_thread_goes_to_its_own_cell(talk: Talk) -> None:
    first = talk.run(
        "import threading, time\n"
        "def late():\n    time.sleep(.5); print('late words')\n"
        "threading.Thread(target=late).start()"
    )
    assert first.text == ""
    second = talk.run("time.sleep(1); print('second')")
    assert second.text == "second\n"
    assert Ran(first.cell_id, talk.events).text == "late words\n"


# --- input -------------------------------------------------------------------------------------


def test_input_asks_and_gets_the_answer(talk: Talk) -> None:
    cell = talk.post("print('first'); name = input('name? '); print('hello', name)")
    asked = talk.wait(lambda e: isinstance(e, InputRequested) and e.cell_id == cell)
    assert asked == InputRequested(cell_id=cell, prompt="name? ", password=False)
    talk.client.input_reply(talk.id, InputReply(cell_id=cell, text="Ada"))
    assert talk.finished(cell).text == "first\nhello Ada\n"


def test_a_password_is_asked_as_one(talk: Talk) -> None:
    cell = talk.post("import getpass; len(getpass.getpass('secret: '))")
    asked = talk.wait(lambda e: isinstance(e, InputRequested) and e.cell_id == cell)
    assert asked == InputRequested(cell_id=cell, prompt="secret: ", password=True)
    talk.client.input_reply(talk.id, InputReply(cell_id=cell, text="four"))
    assert talk.finished(cell).value == "4"


def test_input_can_be_interrupted(talk: Talk) -> None:
    cell = talk.post("input('?')")
    talk.wait(lambda e: isinstance(e, InputRequested) and e.cell_id == cell)
    talk.client.interrupt(talk.id)
    assert talk.finished(cell).status == "interrupted"
    assert talk.run("'on'").value == "'on'"


# --- interrupt ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "import time; print('go', flush=True); time.sleep(60)",
        "print('go', flush=True)\nwhile True: pass",
        "import subprocess; print('go', flush=True); subprocess.run(['sleep', '60'])",
        "import asyncio; print('go', flush=True); await asyncio.sleep(60)",
    ],
)
def test_interrupt_stops_what_runs(talk: Talk, code: str) -> None:
    talk.run("kept = 1")
    cell = talk.post(code)
    talk.printed(cell, "go")
    talk.client.interrupt(talk.id)
    assert talk.finished(cell).status == "interrupted"
    # Had it not stopped in time, the kernel would have been ended.
    assert talk.run("kept").value == "1"


def test_interrupt_drops_the_cells_that_wait(talk: Talk) -> None:
    running = talk.post("import time; print('go', flush=True); time.sleep(60)")
    waiting = talk.post("'never'")
    talk.printed(running, "go")
    talk.client.interrupt(talk.id)
    assert talk.finished(running).status == "interrupted"
    dropped = talk.finished(waiting)
    assert (dropped.status, dropped.end.reason, dropped.outputs) == (
        "not_run", "It was interrupted before it ran.", [],
    )  # fmt: skip


def test_interrupt_of_an_idle_kernel_is_nothing(talk: Talk) -> None:
    talk.client.interrupt(talk.id)
    assert talk.run("'fine'").value == "'fine'"


def test_a_cell_right_after_an_interrupt_is_not_lost(talk: Talk) -> None:
    for number in range(20):
        running = talk.post("import time; time.sleep(60)")
        talk.client.interrupt(talk.id)
        after = talk.post(f"{number}")
        assert talk.finished(after).value == str(number)
        assert talk.finished(running).status in ("interrupted", "not_run")


def test_what_ignores_interrupts_loses_its_kernel(doomed: Talk) -> None:
    cell = doomed.post(
        "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "print('go', flush=True)\nwhile True:\n    time.sleep(.1)"
    )
    doomed.printed(cell, "go")
    seen = len(doomed.events)
    doomed.client.interrupt(doomed.id)
    ran = doomed.finished(cell)
    assert ran.status == "interrupted"
    assert ran.end.reason == (
        "It did not stop within 3 s; the kernel was ended and its variables are lost."
    )
    doomed.state("idle", after=seen)
    assert doomed.run("'fresh'").value == "'fresh'"


# --- death and restart -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os; os._exit(3)", "The kernel exited with status 3."),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            "The kernel was killed by signal 9 (SIGKILL).",
        ),
        ("import ctypes; ctypes.string_at(0)", "The kernel was killed by signal 11 (SIGSEGV)."),
        ("import os; os.abort()", "The kernel was killed by signal 6 (SIGABRT)."),
    ],
)
def test_a_kernel_that_dies_is_replaced(doomed: Talk, code: str, reason: str) -> None:
    doomed.run("lost = 1")
    seen = doomed.settled()
    ran = doomed.run(code)
    assert (ran.status, ran.end.reason) == ("died", reason)
    doomed.state("idle", after=seen, timeout=5)
    states = [(e.state, e.reason) for e in doomed.events[seen:] if isinstance(e, KernelStatus)]
    assert states == [
        ("busy", None),
        ("dead", f"{reason[:-1]}; its variables are lost."),
        ("restarting", reason),
        ("idle", None),
    ]
    assert doomed.run("'lost' in globals()").value == "False"


def test_an_idle_kernel_that_dies_is_replaced(doomed: Talk) -> None:
    pid = int(doomed.run("import os; os.getpid()").value or 0)
    doomed.state("idle")
    seen = len(doomed.events)
    os.kill(pid, signal.SIGKILL)
    doomed.state("dead", after=seen)
    doomed.state("idle", after=seen)


def test_cells_wait_for_the_new_kernel(doomed: Talk) -> None:
    killer, waiting = doomed.post("import os; os._exit(1)"), doomed.post("'after'")
    assert doomed.finished(killer).status == "died"
    assert doomed.finished(waiting).value == "'after'"


@pytest.mark.parametrize("code", ["exit()", "quit()"])
def test_exit_is_a_restart(doomed: Talk, code: str) -> None:
    doomed.run("lost = 1")
    seen = doomed.settled()
    assert doomed.run(code).status == "ok"
    status = doomed.state("restarting", after=seen)
    assert status.reason == "exit() ended the kernel; its variables are lost."
    assert doomed.run("'lost' in globals()").value == "False"


def test_restart_ends_the_cell_and_drops_what_waits(doomed: Talk) -> None:
    running = doomed.post("import time; print('go', flush=True); time.sleep(60)")
    waiting = doomed.post("'never'")
    doomed.printed(running, "go")
    doomed.client.restart(doomed.id)
    after = doomed.post("'running' in globals()")
    assert doomed.finished(after).value == "False"
    ran = doomed.finished(running)
    assert (ran.status, ran.end.reason) == ("interrupted", "The kernel was restarted.")
    dropped = doomed.finished(waiting)
    assert (dropped.status, dropped.end.reason) == (
        "not_run", "The kernel was restarted before it ran.",
    )  # fmt: skip


def test_restart_of_a_stopped_process(doomed: Talk) -> None:
    pid = int(doomed.run("import os; os.getpid()").value or 0)
    os.kill(pid, signal.SIGSTOP)
    cell = doomed.post("1")
    doomed.started(cell)
    doomed.client.restart(doomed.id)
    assert doomed.finished(cell).status == "interrupted"
    assert doomed.run("'fresh'").value == "'fresh'"


def test_a_kernel_that_does_not_answer_is_told(doomed: Talk) -> None:
    pid = int(doomed.run("import os; os.getpid()").value or 0)
    os.kill(pid, signal.SIGSTOP)
    seen = len(doomed.events)
    cell = doomed.post("'thawed'")
    silent = doomed.wait(lambda e: isinstance(e, KernelStatus) and e.reason, after=seen, timeout=10)
    assert isinstance(silent, KernelStatus)
    assert silent.reason == "The kernel does not answer; its process may be stopped."
    os.kill(pid, signal.SIGCONT)
    assert doomed.finished(cell).value == "'thawed'"


def test_stopping_parks_the_kernel(rig: Rig) -> None:
    talk = rig.conversation()
    cell = talk.post("import time; print('go', flush=True); time.sleep(60)")
    talk.printed(cell, "go")
    talk.client.stop(talk.id)
    ran = talk.finished(cell)
    assert (ran.status, ran.end.reason) == ("interrupted", "The kernel was stopped.")
    talk.state("parked")


# --- floods ------------------------------------------------------------------------------------


def test_a_flood_is_capped_on_the_page_and_whole_in_the_file(talk: Talk) -> None:
    ran = talk.run("for i in range(200_000): print(i)", timeout=60)
    whole = "".join(f"{i}\n" for i in range(200_000))
    assert (talk.outputs / f"{ran.cell_id}.txt").read_text() == whole
    text = ran.text
    assert text.startswith(whole[: 200 * 1024])
    assert text.endswith(whole[-60 * 1024 :])
    assert len(text) < 330 * 1024
    assert "bytes (" in text and "lines) left out …" in text
    last = [e for e in ran.events if isinstance(e, CellOutput)][-1]
    assert last.truncated == Truncation(bytes_total=len(whole), lines_total=200_000)


def test_one_huge_line(talk: Talk) -> None:
    ran = talk.run("print('x' * 20_000_000)", timeout=60)
    assert ran.status == "ok"
    assert len(ran.text) < 330 * 1024
    assert (talk.outputs / f"{ran.cell_id}.txt").stat().st_size == 20_000_001


def test_a_flood_can_be_interrupted(talk: Talk) -> None:
    cell = talk.post("while True: print('flood')")
    talk.printed(cell, "flood")
    talk.client.interrupt(talk.id)
    ran = talk.finished(cell)
    assert (ran.status, ran.end.reason) == ("interrupted", None)


def test_events_are_paced(talk: Talk) -> None:
    ran = talk.run(
        "import time\nfor i in range(200): print(i, flush=True); time.sleep(.005)", timeout=30
    )
    assert ran.text == "".join(f"{i}\n" for i in range(200))
    outputs = [e for e in ran.events if isinstance(e, CellOutput)]
    assert len(outputs) <= 20 * ran.end.ms / 1000 + 3


def test_error_values_are_bounded(talk: Talk) -> None:
    ran = talk.run("raise ValueError('v' * 5_000_000)")
    assert isinstance(ran.error, ErrorOutput)
    assert sum(map(len, ran.error.traceback)) + len(ran.error.evalue) < 300_000
