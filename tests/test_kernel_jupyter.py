"""Kernels as Jupyter speaks to them: messages, and starts that go wrong."""

import json
import re
import shlex
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gpt_code_ui.errors import KernelStartFailed
from gpt_code_ui.kernel import mending
from gpt_code_ui.kernel.jupyter import (
    Asked,
    Began,
    Cleared,
    Idle,
    KernelMessage,
    Replied,
    Shown,
    Updated,
)
from gpt_code_ui.kernel.jupyter.launch import kernel_command, make_connection, start_failure
from gpt_code_ui.kernel.jupyter.messages import read_message
from gpt_code_ui.kernel.process import Ended, read_report
from gpt_code_ui.protocol import (
    DisplayDataOutput,
    ErrorOutput,
    ExecuteResultOutput,
    KernelStatus,
    StartKernel,
    StreamOutput,
)
from tests.kernel_fixtures import Rig, running_rig

ERR = StreamOutput(name="stderr", text="")

# --- messages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "content", "value"),
    [
        ("stream", {"name": "stderr", "text": ""}, Shown("p", ERR)),
        ("stream", {"name": "odd", "text": "x"}, Shown("p", StreamOutput(name="stdout", text="x"))),
        (
            "display_data",
            {"data": {"a/b": 1}, "metadata": {}, "transient": {"display_id": "d"}},
            Shown("p", DisplayDataOutput(data={"a/b": 1}), "d"),
        ),
        (
            "execute_result",
            {"data": {"text/plain": "1"}, "metadata": {}, "execution_count": 3},
            Shown("p", ExecuteResultOutput(data={"text/plain": "1"}, execution_count=3)),
        ),
        (
            "error",
            {"ename": "E", "evalue": "v", "traceback": ["t"]},
            Shown("p", ErrorOutput(ename="E", evalue="v", traceback=["t"])),
        ),
        (
            "update_display_data",
            {"data": {"a/b": 1}, "metadata": {"m": 1}, "transient": {"display_id": "d"}},
            Updated("p", "d", {"a/b": 1}, {"m": 1}),
        ),
        ("update_display_data", {"data": {}, "metadata": {}}, None),
        ("clear_output", {"wait": True}, Cleared("p", True)),
        ("execute_input", {"code": "1"}, Began("p")),
        ("status", {"execution_state": "idle"}, Idle("p")),
        ("status", {"execution_state": "busy"}, None),
        ("execute_reply", {"status": "ok", "execution_count": 2}, Replied("p", "ok", 2, False)),
        (
            "execute_reply",
            {"status": "ok", "execution_count": 2, "payload": [{"source": "ask_exit"}]},
            Replied("p", "ok", 2, True),
        ),
        ("execute_reply", {"status": "aborted"}, Replied("p", "aborted", None, False)),
        ("input_request", {"prompt": "? ", "password": True}, Asked("p", "? ", True)),
        ("comm_open", {"comm_id": "x"}, None),
    ],
)  # fmt: skip
def test_messages(kind: str, content: dict[str, Any], value: KernelMessage | None) -> None:
    assert read_message(kind, "p", content) == value


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("stream", {}), ("stream", {"name": "stdout", "text": 5}), ("error", {"ename": "E"}),
        ("display_data", {"data": "text"}), ("execute_reply", {"status": "ok", "payload": [1]}),
    ],
)  # fmt: skip
def test_malformed_messages_raise_what_the_channel_drops(
    kind: str, content: dict[str, Any]
) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        read_message(kind, "p", content)


@pytest.mark.parametrize(
    ("report", "ended"),
    [
        (b"exit 3\nwhy\n", Ended("exited with status 3", "why")),
        (b"signal 9\n", Ended("was killed by signal 9 (SIGKILL)")),
        (b"", Ended("was killed together with the process that watches it")),
    ],
)
def test_reports(report: bytes, ended: Ended) -> None:
    assert read_report(report) == ended


# --- starts that go wrong ----------------------------------------------------------------------


def start(workspace: Path, **changes: Any) -> StartKernel:
    values = {"workspace": str(workspace), "python": sys.executable, "output_dir": "/o", **changes}
    return StartKernel.model_validate(values)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KernelStartFailed, match="no Python interpreter at /no/python"):
        kernel_command(start(tmp_path, python="/no/python"), tmp_path)
    with pytest.raises(KernelStartFailed, match="working folder is not there"):
        kernel_command(start(tmp_path / "gone"), tmp_path)
    with pytest.raises(KernelStartFailed, match="no kernel named 'none-such'"):
        kernel_command(start(tmp_path, kernel_name="none-such"), tmp_path)


def test_a_run_folder_with_a_long_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KernelStartFailed, match="too long for sockets") as caught:
        make_connection(tmp_path / ("x" * 100))
    assert caught.value.hint
    assert not (tmp_path / ("x" * 100)).exists()


def test_the_mend_for_a_missing_ipykernel_is_one_command() -> None:
    ended = Ended("exited with status 1", "/v/bin/python: No module named ipykernel_launcher")
    error = start_failure(ended, "/v/bin/python")
    assert error.message == "ipykernel is not installed for /v/bin/python."
    assert error.hint == "/v/bin/python -m pip install ipykernel"


# --- the same with real processes --------------------------------------------------------------


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with running_rig() as rig:
        yield rig


def script(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


@pytest.mark.keeps("one manager serves the module")
def test_a_python_without_ipykernel(rig: Rig, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    python = str(tmp_path / "bare" / "bin" / "python")
    talk = rig.conversation(python=python)
    cell = talk.post("1")
    dead = talk.state("dead")
    assert dead.reason == f"ipykernel is not installed for {python}."
    # It has no pip of its own either.
    assert dead.hint == shlex.join(mending.command(python))
    assert dead.missing == "ipykernel"
    ran = talk.finished(cell)
    assert ran.status == "not_run"
    assert ran.end.reason == f"{dead.reason} To mend it: {dead.hint}"
    states = [e.state for e in talk.events if isinstance(e, KernelStatus)]
    assert states == ["starting", "dead"]


@pytest.mark.keeps("one manager serves the module")
def test_a_python_that_is_not_there(rig: Rig) -> None:
    talk = rig.conversation(python="/no/such/python")
    ran = talk.run("1")
    assert (ran.status, talk.state("dead").reason) == (
        "not_run", "There is no Python interpreter at /no/such/python.",
    )  # fmt: skip


@pytest.mark.keeps("one manager serves the module")
def test_a_kernel_that_crashes_at_every_start_is_given_up(rig: Rig, tmp_path: Path) -> None:
    counter = tmp_path / "starts"
    python = script(
        tmp_path / "python", f"#!/bin/sh\necho x >> {counter}\necho 'the reason why' >&2\nexit 7\n"
    )
    talk = rig.conversation(python=python)
    ran = talk.run("1")
    dead = talk.state("dead")
    assert dead.reason == "The kernel exited with status 7 while it was starting.\nthe reason why"
    assert (ran.status, ran.end.reason) == ("not_run", dead.reason)
    assert counter.read_text() == "x\n" * 3


@pytest.mark.keeps("one manager serves the module")
def test_a_mended_kernel_starts_with_the_next_cell(rig: Rig, tmp_path: Path) -> None:
    python = script(tmp_path / "python", "#!/bin/sh\nexit 1\n")
    talk = rig.conversation(python=python)
    talk.state("dead")
    script(tmp_path / "python", f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    assert talk.run("'mended'").value == "'mended'"


@pytest.mark.keeps("one manager serves the module")
def test_a_kernel_that_cannot_live_is_given_up(rig: Rig, tmp_path: Path) -> None:
    python = script(
        tmp_path / "python",
        f'#!/bin/sh\n(sleep 2; kill -9 $$) &\nexec {sys.executable} "$@"\n',
    )
    talk = rig.conversation(python=python)
    dead = talk.wait(
        lambda e: isinstance(e, KernelStatus) and "again and again" in (e.reason or ""), timeout=40
    )
    assert isinstance(dead, KernelStatus)
    assert dead.state == "dead"


@pytest.mark.keeps("one manager serves the module")
def test_a_named_kernel(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "kernels" / "mine"
    folder.mkdir(parents=True)
    spec = {
        "argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Mine", "language": "python", "env": {"FROM_SPEC": "yes"},
    }  # fmt: skip
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    with running_rig() as own:
        talk = own.conversation(kernel_name="mine")
        assert talk.run("import os; os.environ['FROM_SPEC']").value == "'yes'"
        # This specification knows interrupts as signals only.
        cell = talk.post("import time; print('go', flush=True); time.sleep(60)")
        talk.printed(cell, "go")
        own.client.interrupt(talk.id)
        assert talk.finished(cell).status == "interrupted"


@pytest.mark.keeps("one manager serves the module")
def test_figures_have_chinese_glyphs(rig: Rig) -> None:
    talk = rig.conversation()
    for line in ("", "plt.rcParams['font.sans-serif'] = ['SimHei']"):
        ran = talk.run(
            f"import matplotlib.pyplot as plt\n{line}\n"
            "plt.bar(['北京', '上海'], [1, -2]); plt.title('各省 GDP'); plt.show()",
            timeout=60,
        )
        assert ran.status == "ok"
        assert ran.text == ""
        assert [o for o in ran.outputs if "image/png" in getattr(o, "data", {})]


@pytest.mark.keeps("one manager serves the module")
def test_charts_come_as_their_json(rig: Rig) -> None:
    """With the real libraries, from the first import of each, and without a warning."""
    talk = rig.conversation()
    plotly = talk.run(
        "import plotly.express as px\nfig = px.scatter(x=[1, 2], y=[3, 4]); fig.show(); fig",
        timeout=60,
    )
    assert (plotly.status, plotly.text) == ("ok", "")
    kinds = [list(getattr(output, "data", {})) for output in plotly.outputs]
    assert kinds == [["application/vnd.plotly.v1+json"]] * 2
    altair = talk.run(
        "import altair as alt\nalt.Chart(alt.Data(values=[{'a': 1}])).mark_bar().encode(x='a:Q')",
        timeout=60,
    )
    assert (altair.status, altair.text) == ("ok", "")
    (chart,) = altair.outputs
    assert re.search(r"vnd\.vegalite\.v\d+[+.]json", " ".join(getattr(chart, "data", {})))
    assert talk.run("'AfterImport' in globals()").value == "False"


SEND = """
import IPython, json
kernel = IPython.get_ipython().kernel
def send(content, kind="display_data"):
    header = {"msg_type": kind, "msg_id": "1", "session": "x", "username": "", "version": "5.3",
              "date": "2026-01-01T00:00:00Z"}
    parts = [json.dumps(header), json.dumps(kernel.get_parent()["header"], default=str), "{}",
             content]
    parts = [part.encode() for part in parts]
    signature = kernel.session.sign(parts)
    kernel.iopub_socket.send_multipart([b"x", b"<IDS|MSG>", signature, *parts])
"""


@pytest.mark.keeps("one manager serves the module")
@pytest.mark.parametrize("depth", [90, 101, 240, 900, 200_000])
def test_an_output_that_is_nested_without_end_costs_no_other_its_output(
    rig: Rig, depth: int
) -> None:
    talk = rig.conversation()
    nested = f"""'{{"data":{{"a/b":' + '['*{depth} + ']'*{depth} + '}}}}'"""
    ran = talk.run(f"{SEND}\nsend({nested})\nprint(1)")
    kinds = [one.data for one in ran.outputs if isinstance(one, DisplayDataOutput)]
    assert [list(data) for data in kinds] == {
        90: [["a/b"]], 200_000: []}.get(depth, [["text/plain"]])  # fmt: skip
    assert ran.text == "1\n"
    assert talk.run("print(2)").text == "2\n"


@pytest.mark.keeps("one manager serves the module")
def test_what_is_no_message_is_dropped(rig: Rig) -> None:
    talk = rig.conversation()
    bodies = [
        "{}", "[]", "5", "null", '{"data": 5}', '{"data": [[1, 2]], "transient": 5}',
        '{"name": "stdout", "text": null}', '{"execution_state": []}',
        '{"data": {"a/b": 1}, "transient": {"display_id": {}}, "metadata": 5}',
    ]  # fmt: skip
    kinds = ["display_data", "update_display_data", "stream", "error", "status", "clear_output"]
    talk.run(SEND)
    talk.run(f"for kind in {kinds}:\n    for body in {bodies}: send(body, kind)")
    assert talk.run("print(2)").text == "2\n"
