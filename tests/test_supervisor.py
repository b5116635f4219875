"""The manager's life and, whoever is killed, nothing left behind."""

import os
import signal
import stat
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gpt_code_ui.protocol import CellFinished, CellStarted, Execute, KernelStatus
from gpt_code_ui.supervisor import log_line, make_folder, printable
from tests.kernel_fixtures import Ran, Rig, Talk, daemons, marked, running_rig, wait_gone

PROCESS_ONE = Path(__file__).parent / "kernels" / "process_one.py"
RUNS_ON = "import time; time.sleep(60)"


@pytest.fixture
def rig() -> Iterator[Rig]:
    with running_rig() as rig:
        yield rig


@pytest.fixture
def mark() -> str:
    return f"mark-{uuid.uuid4().hex}"


def with_daemons(rig: Rig, mark: str) -> tuple[Talk, str, list[psutil.Process]]:
    """A conversation with a cell that runs on, and the daemons it started."""
    talk = rig.conversation()
    cell = talk.post(daemons(mark) + RUNS_ON)
    talk.printed(cell, "daemons run")
    found = marked(mark)
    assert sorted(p.cmdline()[-1] for p in found) == ["plain", "session", "twice"]
    return talk, cell, found


def wardens(rig: Rig) -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process(rig.supervisor.manager_pid).children()
        if any(part.endswith("warden.py") for part in process.cmdline())
    ]


def run_folders(rig: Rig) -> list[str]:
    return sorted(path.name for path in rig.run_dir.iterdir()) if rig.run_dir.exists() else []


def ready_again(rig: Rig, old: int | None) -> None:
    """Wait until another manager serves, by using it; a cell may still reach the old one."""
    for _ in range(10):
        talk = rig.conversation()
        if talk.run("'served'").value == "'served'" and rig.supervisor.manager_pid != old:
            return
    pytest.fail("no other manager came")


# --- life --------------------------------------------------------------------------------------


def test_start_and_stop_leave_nothing(rig: Rig, mark: str) -> None:
    _, _, found = with_daemons(rig, mark)
    family = psutil.Process(rig.supervisor.manager_pid).children(recursive=True)
    began = time.monotonic()
    rig.supervisor.stop()
    assert time.monotonic() - began < 2
    assert rig.supervisor.state == "stopped"
    assert rig.supervisor.manager_pid is None
    wait_gone([*found, *family], timeout=0.5)
    assert run_folders(rig) == []


def test_stop_before_the_manager_is_up() -> None:
    with running_rig() as rig:
        rig.supervisor.stop()
        assert run_folders(rig) == []


def test_states_are_told() -> None:
    with running_rig() as rig:
        talk = rig.conversation()
        talk.run("1")
        assert rig.supervisor.state == "ready"
    assert rig.supervisor.state == "stopped"


def test_the_run_folder_is_ours_alone(rig: Rig) -> None:
    rig.conversation().run("1")
    (folder,) = rig.run_dir.iterdir()
    for path in (rig.run_dir, folder, *folder.glob("k*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o777 == 0o700
    assert stat.S_IMODE((folder / "k1" / "c.json").stat().st_mode) == 0o600


def test_a_manager_that_hangs_is_killed(rig: Rig) -> None:
    rig.conversation().run("1")
    manager = psutil.Process(rig.supervisor.manager_pid)
    family = manager.children(recursive=True)
    manager.suspend()
    rig.supervisor.stop(timeout=0.5)
    assert rig.supervisor.state == "stopped"
    wait_gone([manager, *family])
    assert run_folders(rig) == []


def test_sigint_is_left_to_the_web_process(rig: Rig) -> None:
    talk = rig.conversation()
    talk.run("kept = 1")
    os.kill(rig.supervisor.manager_pid or 0, signal.SIGINT)
    assert talk.run("kept").value == "1"


def test_sigterm_ends_a_manager_cleanly_and_another_comes(rig: Rig, mark: str) -> None:
    talk, cell, found = with_daemons(rig, mark)
    old = rig.supervisor.manager_pid
    os.kill(old or 0, signal.SIGTERM)
    assert talk.finished(cell).status in ("interrupted", "died")
    wait_gone(found)
    ready_again(rig, old)


# --- who is killed -----------------------------------------------------------------------------


def test_sigkill_of_the_manager(rig: Rig, mark: str) -> None:
    talk, cell, found = with_daemons(rig, mark)
    waiting = talk.post("'never'")
    old, folders = rig.supervisor.manager_pid, run_folders(rig)
    family = psutil.Process(old).children(recursive=True)
    os.kill(old or 0, signal.SIGKILL)
    ran = talk.finished(cell)
    reason = "The kernel manager was killed by signal 9 (SIGKILL)."
    assert (ran.status, ran.end.reason) == ("died", reason)
    dropped = talk.finished(waiting)
    assert (dropped.status, dropped.end.reason) == ("not_run", reason)
    assert isinstance(dropped.events[0], CellStarted)
    assert talk.state("dead").reason == reason
    wait_gone([*found, *family])
    ready_again(rig, old)
    assert not set(folders) & set(run_folders(rig))
    assert talk.run("'cell' in globals()").value == "False"


def test_sigkill_of_the_warden(rig: Rig, mark: str) -> None:
    talk, cell, found = with_daemons(rig, mark)
    (warden,) = wardens(rig)
    family = warden.children(recursive=True)
    warden.kill()
    ran = talk.finished(cell)
    assert ran.status == "died"
    wait_gone([*found, *family])
    assert talk.run("'fresh'").value == "'fresh'"


def test_sigkill_of_both(rig: Rig, mark: str) -> None:
    talk, cell, found = with_daemons(rig, mark)
    (warden,) = wardens(rig)
    family = warden.children(recursive=True)
    old, folders = rig.supervisor.manager_pid, run_folders(rig)
    for pid in (old or 0, warden.pid):
        os.kill(pid, signal.SIGKILL)
    assert talk.finished(cell).status == "died"
    wait_gone([*found, *family])
    ready_again(rig, old)
    assert not set(folders) & set(run_folders(rig))


@pytest.mark.parametrize("victims", [["one"], ["one", "manager"], ["manager", "one"]])
def test_sigkill_of_process_one(victims: list[str], run_dir: Path, mark: str) -> None:
    process = subprocess.Popen(
        [sys.executable, str(PROCESS_ONE), str(run_dir)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(daemons(mark) + RUNS_ON)
        process.stdin.close()
        ready, manager = process.stdout.readline().split()
        assert ready == "ready"
        family = psutil.Process(process.pid).children(recursive=True)
        assert len(marked(mark)) == 3
        for victim in victims:
            os.kill(process.pid if victim == "one" else int(manager), signal.SIGKILL)
    wait_gone([*family, *marked(mark)])
    assert not (run_dir / "r").exists()


# --- cells without a manager -------------------------------------------------------------------


def test_a_cell_waits_for_the_manager_to_come_back(rig: Rig) -> None:
    talk = rig.conversation()
    talk.run("1")
    os.kill(rig.supervisor.manager_pid or 0, signal.SIGKILL)
    talk.state("dead")
    assert talk.run("'waited'").value == "'waited'"


def test_events_of_a_lost_run_are_told_once(rig: Rig) -> None:
    talk = rig.conversation()
    cell = talk.post("print('go', flush=True); " + RUNS_ON)
    talk.printed(cell, "go")
    os.kill(rig.supervisor.manager_pid or 0, signal.SIGKILL)
    talk.finished(cell)
    assert talk.run("2").value == "2"
    ends = [e.cell_id for e in talk.events if isinstance(e, CellFinished)]
    assert len(ends) == len(set(ends)) == 2
    dead = [e for e in talk.events if isinstance(e, KernelStatus) and e.state == "dead"]
    assert len(dead) == 1


# --- the environment ---------------------------------------------------------------------------


def test_secrets_and_parents_stay_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "GPTCODE_TOKEN", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"):
        monkeypatch.setenv(name, "sk-do-not-tell")
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    monkeypatch.setenv("LC_TIME", "C.UTF-8")
    with running_rig() as rig:
        talk = rig.conversation()
        ran = talk.run("import os; print('sk-do-not-tell' in str(os.environ))")
        assert ran.text == "False\n"
        ran = talk.run("print('JPY_PARENT_PID' in os.environ, os.environ.get('LC_TIME'))")
        assert ran.text == "False C.UTF-8\n"
        (warden,) = wardens(rig)
        for pid in (rig.supervisor.manager_pid, warden.pid):
            assert b"sk-do-not-tell" not in environment_of(pid)


def environment_of(pid: int | None) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except PermissionError:
        # Only root gets past a process that is not dumpable: its own user sees nothing.
        return b""


# --- parts -------------------------------------------------------------------------------------


def test_a_folder_others_may_write_is_refused(run_dir: Path) -> None:
    run_dir.chmod(0o777)
    with pytest.raises(FileExistsError):
        make_folder(run_dir, "run")


def test_the_managers_log_cannot_move_the_cursor(caplog: pytest.LogCaptureFixture) -> None:
    assert printable("a\x1b[2Jb\tc") == "a\N{REPLACEMENT CHARACTER}[2Jb\tc"
    with caplog.at_level("INFO", "gpt_code_ui.kernel.manager"):
        log_line("WARNING some.module: careful")
        log_line("Traceback (most recent call last):")
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("WARNING", "some.module: careful"),
        ("ERROR", "Traceback (most recent call last):"),
    ]


def test_execute_never_waits_for_a_manager(rig: Rig) -> None:
    began = time.monotonic()
    talk = rig.conversation()
    rig.client.execute(talk.id, Execute(cell_id="early", code="'early'", origin="model"))
    assert time.monotonic() - began < 0.5
    assert Ran("early", talk.finished("early").events).value == "'early'"
