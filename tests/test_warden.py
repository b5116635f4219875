"""A kernel's parent: it reports the end and, whatever happens, leaves no process and no folder."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from gpt_code_ui.kernel import warden
from tests.kernel_fixtures import DAEMONS, marked, wait_gone

RUNS_ON = "import time; print('go', flush=True); time.sleep(60)"
WARDEN = [sys.executable, "-I", "-S", warden.__file__]
Warded = subprocess.Popen[bytes]
NEVER_ENDS = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + RUNS_ON


@contextmanager
def warded(code: str, *options: str, pass_fds: Sequence[int] = ()) -> Iterator[Warded]:
    """A warden over a Python that runs ``code``."""
    with started([*WARDEN, *options, "--", sys.executable, "-c", code], pass_fds) as process:
        yield process


@contextmanager
def started(argv: list[str], pass_fds: Sequence[int] = ()) -> Iterator[Warded]:
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        start_new_session=True, pass_fds=pass_fds,
    ) as process:  # fmt: skip
        yield process
        if process.poll() is None:
            process.kill()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Reader and writer; the writer may be handed to children."""
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    yield reader, writer
    os.close(reader)
    os.close(writer)


def ended(process: Warded) -> tuple[int, bytes]:
    """The exit status and the report."""
    assert process.stdout is not None
    report = process.stdout.read()
    return process.wait(5), report


def child_of(process: Warded) -> psutil.Process:
    """The kernel, once it is there."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        children = psutil.Process(process.pid).children()
        if children and children[0].cmdline()[1:2] == ["-c"]:
            return children[0]
        os.sched_yield()
    raise AssertionError("no kernel came")


@pytest.mark.parametrize(
    ("code", "status", "report"),
    [
        ("print('bye', flush=True)", 0, b"exit 0\nbye\n"),
        ("import os; os._exit(3)", 3, b"exit 3\n"),
        ("import os; os.kill(os.getpid(), 9)", 137, b"signal 9\n"),
        ("import sys; sys.stderr.write('why\\n'); sys.exit(1)", 1, b"exit 1\nwhy\n"),
    ],
)
def test_the_end_is_reported(code: str, status: int, report: bytes) -> None:
    with warded(code) as process:
        assert ended(process) == (status, report)


def test_a_program_that_is_not_there_is_reported() -> None:
    with started([*WARDEN, "--", "/no/such/python"]) as process:
        assert ended(process) == (
            warden.NOT_RUN, b"exit 127\n/no/such/python: No such file or directory\n",
        )  # fmt: skip


def test_only_the_end_of_a_long_log_is_kept() -> None:
    with warded("print('x' * 1_000_000); print('the end')") as process:
        status, report = ended(process)
    assert status == 0
    assert len(report) == len(b"exit 0\n") + warden.LOG_TAIL
    assert report.endswith(b"xxx\nthe end\n")


def test_the_end_of_the_life_line_ends_the_kernel() -> None:
    with warded(NEVER_ENDS) as process:
        kernel = child_of(process)
        assert process.stdin is not None
        process.stdin.close()
        status, report = ended(process)
        assert (status, report.splitlines()[0]) == (137, b"signal 9")
        wait_gone([kernel], timeout=0.5)


def test_sigterm_ends_the_kernel() -> None:
    with warded(NEVER_ENDS) as process:
        kernel = child_of(process)
        process.terminate()
        assert ended(process)[0] == 137
        wait_gone([kernel], timeout=0.5)


def test_sigkill_of_the_warden_takes_the_kernel_along() -> None:
    with warded(NEVER_ENDS) as process:
        kernel = child_of(process)
        process.kill()
        wait_gone([kernel])


def test_sigint_is_passed_to_the_kernel(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    code = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(42))\n"
        f"os.write({writer}, b'x')\n"
        "time.sleep(60)\n"
    )
    with warded(code, pass_fds=[writer]) as process:
        os.read(reader, 1)
        process.send_signal(signal.SIGINT)
        assert ended(process)[0] == 42


@pytest.mark.parametrize("how", ["kernel", "sigterm", "lifeline"])
def test_no_descendant_survives(how: str, pipe: tuple[int, int]) -> None:
    mark = f"mark-{uuid.uuid4().hex}"
    reader, writer = pipe
    last = "os._exit(0)" if how == "kernel" else "import time; time.sleep(60)"
    code = f"MARK = {mark!r}\n{DAEMONS}\nos.write({writer}, b'x'); {last}"
    with warded(code, pass_fds=[writer]) as process:
        os.read(reader, 1)
        if how == "sigterm":
            process.terminate()
        elif how == "lifeline" and process.stdin:
            process.stdin.close()
        ended(process)
        assert marked(mark) == []


def test_its_folder_goes_and_the_shared_one_stays_while_there_is_a_manager(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "k1"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "file").write_text("x")
    (folder / "link").symlink_to(tmp_path)
    options = ("--run-dir", str(folder), "--shared-dir", str(folder.parent))
    with warded("pass", *options) as process:
        ended(process)
    assert [*tmp_path.iterdir()] == [tmp_path / "run"]
    assert [*(tmp_path / "run").iterdir()] == []


def test_the_last_warden_of_a_lost_manager_removes_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "all" / "run" / "k1"
    folder.mkdir(parents=True)
    (folder.parent / "bus").write_text("")
    options = ("--run-dir", str(folder), "--shared-dir", str(folder.parent))
    with warded(RUNS_ON, *options) as process:
        child_of(process)
        assert process.stdin is not None
        process.stdin.close()
        ended(process)
    assert [*tmp_path.iterdir()] == []


def test_the_kernel_has_a_session_no_input_and_default_signals() -> None:
    code = (
        "import os, signal\n"
        "print(os.getsid(0) == os.getpid(), os.read(0, 1), signal.getsignal(signal.SIGINT))"
    )
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    argv = [sys.executable, "-c", ignoring, *WARDEN, "--", sys.executable, "-c", code]
    with started(argv) as process:
        assert ended(process) == (
            0, b"exit 0\nTrue b'' <built-in function default_int_handler>\n",
        )  # fmt: skip


def test_how_an_end_is_told() -> None:
    assert warden.how_it_ended(-9) == "was killed by signal 9 (SIGKILL)"
    assert warden.how_it_ended(-63) == "was killed by signal 63 (unnamed)"
    assert warden.how_it_ended(3) == "exited with status 3"
