"""``gptcode run`` as cron and Make have it: real kernels, a scripted endpoint, no terminal."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from tests.scripted_openai import Answer, ScriptedOpenAI, answer, error
from tests.test_cli import ROOT, running

DEADLINE = 60.0


@contextmanager
def started(
    cwd: Path, *arguments: str, stdin: int = subprocess.DEVNULL, **environ: str
) -> Iterator[subprocess.Popen[str]]:
    """The command, with pipes for what it says; ended with the block."""
    command = [sys.executable, "-m", "gpt_code_ui", "run", *arguments]
    process = subprocess.Popen(
        command, cwd=cwd, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "GPTCODE_DATA_DIR": str(cwd / "data")} | environ,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def done(
    cwd: Path, *arguments: str, given: str | None = None, **environ: str
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command when it is over."""
    stdin = subprocess.DEVNULL if given is None else subprocess.PIPE
    with started(cwd, *arguments, stdin=stdin, **environ) as process:
        out, errors = process.communicate(given, timeout=DEADLINE)
        return process.returncode, out, errors


@contextmanager
def model(*answers: Answer) -> Iterator[dict[str, str]]:
    """A scripted endpoint, as the environment that leads to it."""
    with ScriptedOpenAI(*answers) as server:
        yield {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k", "GPTCODE_MODEL": "scripted",
               "GPTCODE_FIND_LOCAL": "0"}  # fmt: skip


def read(path: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    nbformat.validate(value)
    return value


def test_one_turn_from_question_to_files(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "sales.csv").write_text("a\n1\n2\n")
    (tmp_path / "out").mkdir()
    wrong = "open('sale.csv').read()"
    right = "text = open('sales.csv').read()\nopen('made.txt', 'w').write(text)"
    with model(answer("Look.", wrong), answer("", right), answer("It has **two** rows.")) as env:
        code, out, errors = done(tmp_path, "How many\nrows?", "in/sales.csv", "-o", "out/r", **env)
    assert (code, out) == (0, "It has **two** rows.\n")
    lines = [line.removeprefix("gptcode: ") for line in errors.splitlines()]
    assert lines[:3] == ["asking: How many", "running: open('sale.csv').read()",
                         "error: FileNotFoundError: [Errno 2] No such file or directory: "
                         "'sale.csv'"]  # fmt: skip
    assert lines[3] == "the model is told, and tries again"
    assert lines[-1] == f"file: {tmp_path}/out/made.txt"
    assert (tmp_path / "out" / "made.txt").read_text() == "a\n1\n2\n"
    found = read(tmp_path / "out" / "r.ipynb")
    assert [cell["source"] for cell in found["cells"]] == [
        "> How many\n> rows?\n\n*Files: `sales.csv`*", "Look.", wrong, right,
        "It has **two** rows.",
    ]  # fmt: skip
    assert found["cells"][2]["metadata"]["tags"] == ["raises-exception"]
    assert found["metadata"]["gptcode"]["usage"] == {"input_tokens": 30, "output_tokens": 15}
    assert list(found["metadata"]["gptcode"]["produced"]) == ["made.txt"]
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["made.txt", "r.ipynb"]
    with running(tmp_path / "data", "--demo") as gptcode:
        rows = gptcode.call("GET", "/api/conversations")[1]["conversations"]
    assert [row["title"] for row in rows] == ["How many"]


def test_as_json_with_the_prompt_from_stdin(tmp_path: Path) -> None:
    with model(answer("", "print(6)\nopen('a.txt', 'w').close()"), answer("six")) as env:
        code, out, _ = done(tmp_path, "-", "--json", given="What is it?", **env)
    found = json.loads(out)
    assert (code, found["status"], found["answer"]) == (0, "completed", "six")
    assert found["files"] == [str(tmp_path / "a.txt")]
    assert (found["notebook"], found["error"]) == (None, None)
    assert found["usage"]["input_tokens"] == 20
    assert [(cell["status"], cell["error"]) for cell in found["cells"]] == [("ok", None)]


def test_what_a_run_made_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("mine")
    writes = "import time\nfor n in 'abc': open(n + '.txt', 'w').write(str(time.time()))"

    def once() -> None:
        with model(answer("", writes), answer("done")) as env:
            assert done(tmp_path, "Go", "-o", "r.ipynb", **env)[0] == 0

    once()
    assert (tmp_path / "b.txt").read_text() == "mine"
    assert (tmp_path / "b (2).txt").exists()
    before = {name: (tmp_path / name).read_text() for name in ("a.txt", "b.txt", "b (2).txt")}
    (tmp_path / "c.txt").write_text("changed by hand")
    once()
    names = sorted(one.name for one in tmp_path.glob("*.txt"))
    assert names == ["a.txt", "b (2).txt", "b (3).txt", "b.txt", "c (2).txt", "c.txt"]
    assert (tmp_path / "a.txt").read_text() != before["a.txt"]
    assert (tmp_path / "b.txt").read_text() == "mine"
    assert (tmp_path / "c.txt").read_text() == "changed by hand"


def test_a_file_that_cannot_be_written_costs_neither_the_answer_nor_the_others(
    tmp_path: Path,
) -> None:
    (tmp_path / "taken").write_text("a file, where a folder is wanted")
    code_written = (
        "import os; os.makedirs('taken'); open('taken/a.txt', 'w').write('a')\n"
        "open('b.txt', 'w').write('b')"
    )
    with model(answer("", code_written), answer("Both are made.")) as env:
        code, out, errors = done(tmp_path, "make them", "--json", **env)
    told = json.loads(out)
    assert code == 1
    assert (told["status"], told["answer"]) == ("completed", "Both are made.")
    assert told["files"] == [str(tmp_path / "b.txt")]
    assert told["error"].startswith(f"{tmp_path}/taken/a.txt cannot be written: ")
    assert told["error"] in errors and "Traceback" not in errors
    assert (tmp_path / "taken").read_text() == "a file, where a folder is wanted"


def test_nobody_is_there_to_answer_input(tmp_path: Path) -> None:
    with model(answer("", "name = input('who? ')"), answer("I could not ask.")) as env:
        code, out, errors = done(tmp_path, "Ask me", **env)
    assert (code, out) == (0, "I could not ask.\n")
    assert "asks for input and nobody is here" in errors


def test_what_would_be_asked_about_is_refused_and_told(tmp_path: Path) -> None:
    risky = "import os\nprint(os.environ['HOME'])"
    with model(answer("", risky), answer("I may not.")) as env:
        code, out, errors = done(tmp_path, "Go", "-o", "r.ipynb", **env)
    assert (code, out) == (0, "I may not.\n")
    assert "refused, for nobody is here to be asked" in errors
    cell = read(tmp_path / "r.ipynb")["cells"][1]
    assert (cell["metadata"]["gptcode"]["status"], cell["outputs"]) == ("not_run", [])
    with model(answer("", risky), answer("Done.")) as env:
        assert done(tmp_path, "Go", "--approve", "never", "-o", "r.ipynb", **env)[0] == 0
    assert read(tmp_path / "r.ipynb")["cells"][1]["metadata"]["gptcode"]["status"] == "ok"


def test_a_model_that_fails_is_told_and_the_code_is_1(tmp_path: Path) -> None:
    with model(error(401, "bad key")) as env:
        code, out, errors = done(tmp_path, "Go", "-o", "r.ipynb", **env)
    assert (code, out) == (1, "")
    assert "failed: " in errors
    assert read(tmp_path / "r.ipynb")["metadata"]["gptcode"]["turns"][0]["status"] == "failed"
    code, _, errors = done(tmp_path, "Go", GPTCODE_FIND_LOCAL="0")
    assert code == 1 and "No model" in errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "required: PROMPT"), (["  "], "prompt is empty"), (["Go", "none.csv"], "not a file"),
        (["Go", "-o", "no/r.ipynb"], "no folder"), (["Go", "-o", "theirs.ipynb"], "already"),
        (["Go", "--port", "1"], "unknown flag --port"), (["Go", "--modle=x"], "mean --model?"),
    ],
)  # fmt: skip
def test_what_cannot_be_begun_has_the_code_2(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "theirs.ipynb").write_text("{}")
    code, out, errors = done(tmp_path, *arguments)
    assert (code, out) == (2, "")
    assert said in errors and len(errors.splitlines()) == 1
    assert (tmp_path / "theirs.ipynb").read_text() == "{}"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly(tmp_path: Path, number: int) -> None:
    forever = "print('begun', flush=True)\nwhile True: pass"
    with (
        model(answer("", forever)) as env,
        started(tmp_path, "Go", "-o", "r.ipynb", **env) as process,
    ):
        assert process.stderr is not None
        while "running" not in process.stderr.readline():
            assert process.poll() is None
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(number)
        began = time.monotonic()
        out, errors = process.communicate(timeout=DEADLINE)
        assert time.monotonic() - began < 8
        assert (process.returncode, out) == (1, "")
        assert "stopped" in errors
    assert psutil.wait_procs(children, timeout=3)[1] == []
    found = read(tmp_path / "r.ipynb")
    assert found["metadata"]["gptcode"]["turns"][0]["status"] == "stopped"
    assert found["cells"][1]["metadata"]["tags"] == ["raises-exception"]


def test_beside_a_running_one_it_works_on_a_folder_of_its_own(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--demo") as gptcode:
        with model(answer("fine")) as env:
            code, out, errors = done(tmp_path, "Go", "-o", "r.ipynb", **env)
        assert (code, out) == (0, "fine\n")
        assert "is in use by another gptcode" in errors
        assert gptcode.call("GET", "/api/conversations")[1]["conversations"] == []
    assert len(read(tmp_path / "r.ipynb")["cells"]) == 2


def test_a_notebook_is_kept_by_the_flag_of_a_start(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--demo", "-n", "here", cwd=tmp_path) as gptcode:
        first = gptcode.call("POST", "/api/conversations", {})[1]["id"]
        gptcode.call("POST", "/api/conversations", {})
        path = f"/api/conversations/{first}/cells"
        gptcode.call("POST", path, {"code": "print(6 * 7)"})
        deadline = time.monotonic() + DEADLINE
        while not (tmp_path / "here.ipynb").exists() or not outputs(tmp_path / "here.ipynb"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert gptcode.end()[0] == 0
    assert outputs(tmp_path / "here.ipynb")[0]["text"] == "42\n"
    assert [one.name for one in tmp_path.glob("*.ipynb")] == ["here.ipynb"]


def outputs(path: Path) -> list[dict[str, Any]]:
    return [output for cell in read(path)["cells"] for output in cell.get("outputs", ())]


def test_a_notebook_that_can_go_nowhere_is_told_before_the_start(tmp_path: Path) -> None:
    done_ = subprocess.run(
        [sys.executable, "-m", "gpt_code_ui", "--demo", "--no-browser", "-n", "no/where.ipynb"],
        cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done_.returncode, done_.stdout) == (2, "")
    assert "there is no folder" in done_.stderr
