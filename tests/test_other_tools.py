"""Our exports in other people's tools: nbconvert, JupyterLab's own server, Jupytext.

They live in an environment of their own; ``make notebooks`` installs them.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from gpt_code_ui.notebook import ipynb_text, render
from scripts.setup_notebooks import JUPYTER, READY, python
from tests.test_cli import ROOT

DEADLINE = 120.0

pytestmark = pytest.mark.skipif(
    not (JUPYTER / READY).exists(), reason="run 'make notebooks': the tools are not installed"
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook of a real turn of the demo, with a cell that failed put into it."""
    folder = tmp_path_factory.mktemp("exported")
    (folder / "sales.csv").write_text("city,sales\nA,3\nB,5\n")
    done = subprocess.run(
        [sys.executable, "-m", "gpt_code_ui", "run", "Plot sales.csv", "sales.csv", "--demo",
         "-o", "out.ipynb", "--data-dir", str(folder / "data")],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT), "GPTCODE_ALLOW_ROOT": "1"},
        capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder / "out.ipynb"


def tool(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [str(python()), "-m", *arguments], cwd=cwd, capture_output=True, text=True,
        timeout=DEADLINE, check=False,
        env=os.environ | {"JUPYTER_PLATFORM_DIRS": "1", "HOME": str(cwd)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", ["html", "markdown", "script"])
def test_nbconvert_shows_every_output(exported: Path, tmp_path: Path, kind: str) -> None:
    tool("nbconvert", "--to", kind, "--output-dir", str(tmp_path), str(exported), cwd=tmp_path)
    made = next(one for one in tmp_path.iterdir() if one.is_file())
    text = made.read_text(encoding="utf-8")
    assert "Plot sales.csv" in text
    assert kind != "html" or text.count("data:image/png;base64,") >= 1


def test_nbconvert_runs_all_of_it_a_failed_cell_included(exported: Path, tmp_path: Path) -> None:
    value = json.loads(exported.read_text(encoding="utf-8"))
    codes = [cell for cell in value["cells"] if cell["cell_type"] == "code"]
    for cell in codes:
        cell["source"] = "print('ran')"
    failed = {**codes[0], "id": "failed", "source": "1 / 0"}
    failed["metadata"] = {**failed["metadata"], "tags": ["raises-exception"]}
    value["cells"].insert(1, failed)
    (tmp_path / "n.ipynb").write_text(ipynb_text(value))
    tool("nbconvert", "--to", "notebook", "--execute", "--output", "ran.ipynb", "n.ipynb",
         cwd=tmp_path)  # fmt: skip
    ran = json.loads((tmp_path / "ran.ipynb").read_text())
    outputs = [cell["outputs"] for cell in ran["cells"] if cell["cell_type"] == "code"]
    assert outputs[0][0]["ename"] == "ZeroDivisionError"
    assert all(one[0]["text"] in ("ran\n", ["ran\n"]) for one in outputs[1:])


def test_jupytext_reads_the_script_as_the_same_cells(exported: Path, tmp_path: Path) -> None:
    value = json.loads(exported.read_text(encoding="utf-8"))
    value["cells"].append({**value["cells"][2], "id": "magic", "source": "%time x = 1\n!ls\nx"})
    (tmp_path / "n.py").write_text(render(value, "py", "T").text)
    tool("jupytext", "--to", "ipynb", "--output", "n.ipynb", "n.py", cwd=tmp_path)
    read = json.loads((tmp_path / "n.ipynb").read_text())
    wanted = [(cell["cell_type"], cell["source"].strip()) for cell in value["cells"]]
    found = [(cell["cell_type"], "".join(cell["source"]).strip()) for cell in read["cells"]]
    assert found == wanted


def test_jupyterlab_serves_it_with_every_output(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "n.ipynb").write_bytes(exported.read_bytes())
    server = subprocess.Popen(
        [str(python()), "-m", "jupyterlab", "--no-browser", "--ServerApp.ip=127.0.0.1",
         "--ServerApp.port=0", "--IdentityProvider.token=t", "--allow-root",
         f"--ServerApp.root_dir={tmp_path}"],
        cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"HOME": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path / "run")},
    )  # fmt: skip
    try:
        model = contents(address(server, tmp_path / "run"), "n.ipynb")
    finally:
        server.terminate()
        server.communicate(timeout=DEADLINE)
    value = json.loads(exported.read_text(encoding="utf-8"))
    assert "message" not in model  # what its validation has to say
    assert [c["source"] for c in model["content"]["cells"]] == [c["source"] for c in value["cells"]]
    outputs = [c.get("outputs") for c in model["content"]["cells"]]
    assert outputs == [c.get("outputs") for c in value["cells"]]


def address(server: "subprocess.Popen[str]", runtime: Path) -> str:
    """Where it listens, once it says so in its own file."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline and server.poll() is None:
        for note in runtime.glob("jpserver-*.json"):
            url: str = json.loads(note.read_text())["url"]
            return url
        time.sleep(0.1)
    raise AssertionError("JupyterLab's server did not start")


def contents(url: str, name: str) -> dict[str, Any]:
    """The notebook as JupyterLab's page gets it."""
    request = urllib.request.Request(
        f"{url}api/contents/{name}", headers={"Authorization": "token t"}
    )
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
                model: dict[str, Any] = json.load(answer)
                return model
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
