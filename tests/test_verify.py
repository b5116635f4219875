"""``gptcode verify`` on notebooks of others and of ours, in real kernels."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import nbformat.v4
import pytest
from jupyter_client.manager import start_new_kernel

from gpt_code_ui.cli import main
from tests.rerun_fixtures import running_lab

v4: Any = nbformat.v4
KEPT_MESSAGES = ("stream", "display_data", "execute_result", "error")

CODE = {
    "number": "40 + 2.5",
    "figure": "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3]); plt.show()",
    "exception": "raise ValueError('as before')",
    "missing_output": "print('said')",
    "noise": "import time, uuid\nprint(time.time(), object(), uuid.uuid4())\nobject()",
    "input": "print(open('data.csv').read())",
}


def run_notebook(folder: Path, *codes: str) -> Path:
    """A notebook as Jupyter's own client leaves it: run for real, by nothing of ours."""
    manager, client = start_new_kernel(cwd=str(folder), kernel_name="python3")
    cells: list[Any] = [v4.new_markdown_cell("# Not ours")]
    try:
        for number, code in enumerate(codes, 1):
            outputs: list[Any] = []

            def keep(message: Any, outputs: list[Any] = outputs) -> None:
                if message["msg_type"] in KEPT_MESSAGES:
                    outputs.append(v4.output_from_msg(message))

            client.execute_interactive(code, output_hook=keep, timeout=60)
            cells.append(v4.new_code_cell(code, execution_count=number, outputs=outputs))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
    spec = {"name": "python3", "language": "python", "display_name": "Python 3"}
    path = folder / "given.ipynb"
    write(v4.new_notebook(cells=cells, metadata={"kernelspec": spec}), path)
    return path


def write(notebook: Any, path: Path) -> None:
    path.write_text(nbformat.writes(notebook))  # type: ignore[no-untyped-call]


def read(path: Path) -> Any:
    return nbformat.read(path, 4)  # type: ignore[no-untyped-call]


def change(path: Path, number: int, how: Any) -> None:
    notebook = read(path)
    how(notebook.cells[number])
    write(notebook, path)


@pytest.fixture
def given(tmp_path: Path) -> Path:
    (tmp_path / "data.csv").write_text("1\n2\n")
    return run_notebook(tmp_path, *CODE.values())


def verdict(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    code = main(["verify", str(path), "--json", "--python", sys.executable])
    said = capsys.readouterr()
    assert said.err == ""
    return code, json.loads(said.out)


def test_a_foreign_notebook_with_noise_reproduces(
    given: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = verdict(given, capsys)
    assert (code, told["status"], told["cells"]) == (0, "reproduces", 6)
    sha = hashlib.sha256(b"1\n2\n").hexdigest()
    assert {"path": "data.csv", "size": 4, "sha256": sha} in told["inputs"]
    assert "matplotlib" in told["packages"]
    assert sorted(path.name for path in given.parent.iterdir() if path.is_file()) == [
        "data.csv", "given.ipynb"
    ]  # fmt: skip


def test_a_figure_and_a_time_of_another_jupyter_reproduce(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Below zero, where the minus sign stands, and as Python writes the present."""
    path = run_notebook(
        tmp_path,
        "%matplotlib inline\nimport matplotlib.pyplot as plt\n"
        "figure, axes = plt.subplots(); axes.plot([-2, 1], [-0.5, 3.5]); plt.close(figure); figure",
        "import datetime; datetime.datetime.now()",
        "import threading; print(id([])); threading.current_thread()",
    )
    assert "image/png" in read(path).cells[1].outputs[0].data
    code, told = verdict(path, capsys)
    assert (code, told["status"], told.get("difference")) == (0, "reproduces", None)


def set_number(cell: Any) -> None:
    cell.outputs[0].data["text/plain"] = "42.6"


def set_figure(cell: Any) -> None:
    other = subprocess.run(
        [sys.executable, "-c", "import io, sys, matplotlib; matplotlib.use('agg')\n"
         "import matplotlib.pyplot as p; p.plot([1, 2, 2.5]); b = io.BytesIO()\n"
         "p.savefig(b, bbox_inches='tight'); sys.stdout.buffer.write(b.getvalue())"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    import base64

    (shown,) = [one for one in cell.outputs if "data" in one]
    shown.data["image/png"] = base64.b64encode(other).decode()


def set_exception(cell: Any) -> None:
    cell.outputs[0].evalue = "another"


def add_output(cell: Any) -> None:
    cell.outputs.append(v4.new_output("display_data", data={"text/plain": "more"}))


@pytest.mark.parametrize(
    ("place", "kind", "how"),
    [
        (1, "number", set_number), (2, "figure", set_figure), (3, "exception", set_exception),
        (4, "missing_output", add_output),
    ],
)  # fmt: skip
def test_a_seeded_difference_is_found_where_it_is(
    given: Path, capsys: pytest.CaptureFixture[str], place: int, kind: str, how: Any
) -> None:
    change(given, place, how)
    code, told = verdict(given, capsys)
    assert (code, told["status"]) == (1, "differs")
    assert (told["difference"]["kind"], told["difference"]["cell"]) == (kind, place)


def test_a_changed_input_is_told_by_its_hash(
    given: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook = read(given)
    sha = hashlib.sha256(b"1\n2\n").hexdigest()
    inputs = [{"path": "data.csv", "size": 4, "sha256": sha}]
    notebook.metadata["gptcode"] = {"replay": {"inputs": inputs}}
    write(notebook, given)
    assert verdict(given, capsys)[0] == 0
    (given.parent / "data.csv").write_text("1\n3\n")
    code, told = verdict(given, capsys)
    assert (code, told["difference"]["kind"]) == (1, "changed_input")


def test_the_report_is_for_people(given: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(given, 1, set_number)
    assert main(["verify", str(given), "--python", sys.executable]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("given.ipynb differs at cell 1, output 1: a number")
    assert lines[1:3] == ["  expected  42.6", "  found     42.5"]


def test_help_names_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--help"]) == 0
    said = capsys.readouterr()
    assert said.err == "" and said.out.startswith("usage: gptcode verify NOTEBOOK")
    assert all(f"{code}: " in said.out for code in (0, 1, 2, 3))


def test_what_cannot_be_run_is_3_and_misuse_is_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify"]) == 2
    assert main(["verify", str(tmp_path / "none.ipynb")]) == 2
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{")
    assert main(["verify", str(broken)]) == 3
    never_run = tmp_path / "never.ipynb"
    notebook = v4.new_notebook(cells=[v4.new_code_cell("1")])
    write(notebook, never_run)
    assert main(["verify", str(never_run)]) == 3
    notebook.cells[0].execution_count = 1
    write(notebook, never_run)
    assert main(["verify", str(never_run), "--python", "/no/such/python"]) in (2, 3)
    assert "Traceback" not in capsys.readouterr().err


def test_our_own_export_reproduces_beside_its_inputs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_lab() as lab:
        id = lab.begin()
        lab.file(id, "data.csv").write_text("1\n2\n")
        lab.run(id, "text = open('data.csv').read(); print(text)")
        lab.run(id, "open('out.csv', 'w').write(text)")
        lab.run(id, "1 / 0")
        assert lab.prove(id).status == "reproduces"
        exported = lab.all.notebook(id)
    note = exported["metadata"]["gptcode"]["replay"]
    assert (note["status"], note["stale"], note["inputs"][0]["path"]) == (
        "reproduces", False, "data.csv"
    )  # fmt: skip
    assert note["packages"]["ipykernel"]
    path = tmp_path / "export.ipynb"
    write(nbformat.from_dict(exported), path)  # type: ignore[no-untyped-call]
    (tmp_path / "data.csv").write_text("1\n2\n")
    (tmp_path / "out.csv").write_text("of an earlier run")
    code, told = verdict(path, capsys)
    assert (code, told["cells"]) == (0, 3)
    (tmp_path / "data.csv").unlink()
    code, told = verdict(path, capsys)
    assert (code, told["difference"]["kind"]) == (1, "changed_input")
