"""The command as a person runs it: real processes, real signals, one line for what is wrong."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from gpt_code_ui import __version__
from gpt_code_ui.cli import main, parse
from gpt_code_ui.errors import UsageError
from gpt_code_ui.server import listen
from gpt_code_ui.trusted_dotenv import TrustedDotenv
from gpt_code_ui.web.page import bundle_is_there

ROOT = Path(__file__).parent.parent
DEADLINE = 20.0
# The tests of Python run before the page is built; a start for its developers needs none.
NO_PAGE = () if bundle_is_there() else ("--dev-origin", "http://localhost:5173")


class Gptcode:
    """A running ``gptcode`` on a port of its own."""

    def __init__(self, data: Path, *flags: str, cwd: Path | None = None, **environ: str) -> None:
        command = [
            sys.executable, "-m", "gpt_code_ui", "--no-browser", "--port", "0",
            "--data-dir", str(data), *NO_PAGE, *flags,
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=cwd or data.parent,
            env=os.environ | {"PYTHONPATH": str(ROOT), "GPTCODE_TOKEN": "tok"} | environ,
        )  # fmt: skip
        self.banner: list[str] = []
        assert self.process.stdout is not None
        while "Ctrl-C stops" not in self.banner:
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1]
            self.banner.append(line.rstrip("\n"))
        self.address = self.banner[1].split()[1]
        self.port = int(re.findall(r":(\d+)/#code=", self.address)[0])

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        headers = {"Authorization": "Bearer tok", "Content-Type": "application/json"}
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Exit code and stderr."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        errors = self.process.communicate(timeout=DEADLINE)[1]
        return self.process.returncode, errors


@contextlib.contextmanager
def running(data: Path, *flags: str, **kwargs: Any) -> Iterator[Gptcode]:
    gptcode = Gptcode(data, *flags, **kwargs)
    try:
        yield gptcode
    finally:
        gptcode.end()


def run(*flags: str, cwd: Path, **environ: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a start that does not last."""
    done = subprocess.run(
        [sys.executable, "-m", "gpt_code_ui", "--no-browser", *flags],
        capture_output=True, text=True, cwd=cwd, timeout=DEADLINE, check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environ,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_from_start_to_stop(data_dir: Path, number: int) -> None:
    with running(data_dir, "--demo") as gptcode:
        assert gptcode.banner[0] == f"GPT-Code UI {__version__}"
        data, code, model, last = gptcode.banner[2:]
        assert (data, model, last) == (f"  data   {data_dir}", "  model  demo", "Ctrl-C stops")
        assert code.startswith("  code   ")
        assert gptcode.call("GET", "/api/health")[1]["status"] == "ok"
        status, made = gptcode.call("POST", "/api/conversations", {"title": "kept"})
        assert status == 201
        assert gptcode.call("GET", "/api/models")[1]["default"] == "demo"
        children = psutil.Process(gptcode.process.pid).children(recursive=True)
        started = time.monotonic()
        assert gptcode.end(number) == (0, "")
        assert time.monotonic() - started < 5
    assert psutil.wait_procs(children, timeout=3)[1] == []
    assert not (data_dir / "instance.json").exists()
    with running(data_dir) as again:
        rows = again.call("GET", "/api/conversations")[1]["conversations"]
        assert [(row["id"], row["title"]) for row in rows] == [(made["id"], "kept")]


def test_a_cell_runs_in_the_folder_that_was_named(data_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my folder"
    folder.mkdir()
    with running(data_dir, str(folder)) as gptcode:
        assert f"  folder {folder}" in gptcode.banner
        conversation = gptcode.call("POST", "/api/conversations", {})[1]["id"]
        path = f"/api/conversations/{conversation}"
        cell = {"code": "open('made.txt', 'w').write('x'); print('done')"}
        connection = http.client.HTTPConnection("127.0.0.1", gptcode.port, timeout=DEADLINE)
        connection.request("GET", f"{path}/events", headers={"Authorization": "Bearer tok"})
        events = connection.getresponse()
        assert gptcode.call("POST", f"{path}/cells", cell)[0] == 202
        finished = next(
            json.loads(line[6:])["event"]
            for line in events
            if line.startswith(b"data: ") and b'"cell_finished"' in line
        )
        connection.close()
        assert (finished["status"], finished["files"]["added"]) == ("ok", ["made.txt"])
        assert gptcode.end()[0] == 0
    assert (folder / "made.txt").read_text() == "x"


def test_what_code_left_as_dotenv_is_not_believed(data_dir: Path, tmp_path: Path) -> None:
    (folder := tmp_path / "folder").mkdir()
    dotenv = folder / ".env"
    dotenv.write_text("GPTCODE_DEMO=1\n")
    with running(data_dir, str(folder), cwd=folder) as gptcode:
        assert "  model  demo" in gptcode.banner  # nothing of ours ran here before
    dotenv.write_text("GPTCODE_SANDBOX=none\nGPTCODE_TRUST_ENV=1\n")
    for where in ([str(folder)], []):
        code, _, err = run("--data-dir", str(data_dir), *where, *NO_PAGE, cwd=folder)
        assert (code, err.count("\n")) == (2, 1)
        assert f"{dotenv} was made or changed since code worked in this folder" in err
    dotenv.write_text("GPTCODE_DEMO=1\n")
    with running(data_dir, str(folder), cwd=folder) as gptcode:
        assert "  model  demo" in gptcode.banner
    dotenv.write_text("GPTCODE_DEMO=yes\n")
    for flags in (["--trust-env"], []):
        with running(data_dir, *flags, cwd=folder) as gptcode:
            assert "  model  demo" in gptcode.banner


def test_a_dotenv_elsewhere_is_nobodys_business(data_dir: Path, tmp_path: Path) -> None:
    (folder := tmp_path / "folder").mkdir()
    dotenv = tmp_path / ".env"
    trusted = TrustedDotenv(data_dir)
    trusted.note(dotenv, folder)
    dotenv.write_text("GPTCODE_MODEL=mine\n")
    TrustedDotenv(data_dir).check(dotenv)
    (folder / "sub").mkdir()
    (below := folder / "sub" / ".env").write_text("GPTCODE_MODEL=mine\n")
    with pytest.raises(UsageError, match="code may have done it"):
        TrustedDotenv(data_dir).check(below)
    assert (data_dir / "folders.json").stat().st_mode & 0o777 == 0o600


def test_the_printed_address_lets_a_browser_in_once(data_dir: Path) -> None:
    with running(data_dir) as gptcode:
        code = gptcode.address.partition("#code=")[2]
        assert gptcode.call("POST", "/api/session", {"code": code})[0] == 200
        assert gptcode.call("POST", "/api/session", {"code": code})[0] == 401


def test_a_second_start_opens_the_one_that_runs(data_dir: Path, tmp_path: Path) -> None:
    with running(data_dir) as gptcode:
        code, out, err = run("--data-dir", str(data_dir), *NO_PAGE, cwd=tmp_path)
        assert (code, err) == (0, "")
        assert out.startswith("GPT-Code UI runs already on this data folder: http://127.0.0.1:")
        fresh = out.strip().partition("#code=")[2]
        assert gptcode.call("POST", "/api/session", {"code": fresh})[0] == 200


def test_no_secret_is_in_argv_or_in_the_environment_of_a_kernel(data_dir: Path) -> None:
    with running(data_dir, OPENAI_API_KEY="sk-not-to-be-seen") as gptcode:
        for process in psutil.Process(gptcode.process.pid).children(recursive=True):
            assert "sk-not-to-be-seen" not in " ".join(process.cmdline())
            assert "sk-not-to-be-seen" not in process.environ().values()
            assert "tok" not in process.environ().values()


def test_a_port_in_use(data_dir: Path, tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        code, out, err = run(
            "--port", str(port), "--data-dir", str(data_dir), *NO_PAGE, cwd=tmp_path
        )
    hint = "choose another with --port, or --port 0 for any"
    assert (code, out, err) == (2, "", f"gptcode: port {port} is in use ({hint})\n")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--prot", "1"], "gptcode: unknown flag --prot (did you mean --port?)"),
        (["--sandbx", "none"], "gptcode: unknown flag --sandbx"),
        (["one", "two"], "gptcode: unknown argument two"),
        (["--port"], "gptcode: argument --port: expected one argument"),
        (["--port", "x"], "gptcode: --port has to be a number, not 'x'"),
        (["--host", "0.0.0.0"], "gptcode: --host 0.0.0.0 opens this computer to the network"),
        (["--python", "/none"], "gptcode: --python /none is no Python interpreter"),
        (["--data-dir", "/proc/none"], "gptcode: the data folder /proc/none cannot be written"),
        (["doctor", "--prot"], "gptcode: unknown flag --prot"),
    ],
)
def test_usage_errors_are_one_line_and_exit_code_2(
    arguments: list[str], line: str, data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [] if "--data-dir" in arguments else ["--data-dir", str(data_dir)]
    assert main([*arguments, *data, *NO_PAGE]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(line) and err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["no/such/folder"], "gptcode: there is no folder "),
        (["/"], "gptcode: / cannot be worked in"),
        (["--log-file", "/no/folder/log"], "gptcode: the log file /no/folder/log cannot be"),
    ],
)
def test_what_only_a_real_start_finds_out(
    arguments: list[str], line: str, data_dir: Path, tmp_path: Path
) -> None:
    flags = ["--port", "0", "--data-dir", str(data_dir), *NO_PAGE]
    code, out, err = run(*arguments, *flags, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith(line) and err.count("\n") == 1


def test_a_start_whose_banner_cannot_be_printed_leaves_nothing(
    data_dir: Path, tmp_path: Path
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "gpt_code_ui", "--no-browser", "--port", "0",
             "--data-dir", str(data_dir), *NO_PAGE],
            stdout=full, stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=DEADLINE,
            env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(place)}, check=False,
        )  # fmt: skip
    assert done.returncode != 0
    assert "No space left" in done.stderr
    assert list(place.iterdir()) == []
    assert not (data_dir / "instance.json").exists()


def test_a_page_that_is_not_built(
    data_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpt_code_ui.web.page.INDEX", "no-index.html")
    assert main(["--data-dir", str(data_dir)]) == 2
    assert capsys.readouterr().err == (
        "gptcode: the page is not built (run `make page` in the checkout, or install the wheel)\n"
    )
    assert not data_dir.exists()


def test_an_unknown_variable(
    data_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPTCODE_TOKN", "x")
    assert main(["--data-dir", str(data_dir)]) == 2
    assert capsys.readouterr().err == (
        "gptcode: the environment has an unknown setting GPTCODE_TOKN "
        "(did you mean GPTCODE_TOKEN?)\n"
    )


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for flag in ("--version", "--help"):
        with pytest.raises(SystemExit) as ended:
            main([flag])
        assert ended.value.code == 0
    out = capsys.readouterr().out
    assert out.startswith(f"gptcode {__version__}\n")
    assert "--no-browser" in out and "FOLDER" in out


def test_flags_that_are_not_given_are_not_there() -> None:
    assert {name: value for name, value in parse([]).items() if value is not None} == {}
    given = parse(["--demo", "--allow-host", "a", "--allow-host", "b:1", "here"])
    assert {name: value for name, value in given.items() if value is not None} == {
        "demo": True, "allow_host": ["a", "b:1"], "folder": "here",
    }  # fmt: skip
    with pytest.raises(UsageError):
        parse(["--data", "x"])
