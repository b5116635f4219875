"""Killed at any instant, a kept notebook is valid: the real product, and the writing by itself.

``make kills`` does it 50 times; ``KILLS`` says how often.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from tests.test_cli import ROOT

KILLS = int(os.environ.get("KILLS", "4"))
WRITER = """
import sys
from pathlib import Path
from gpt_code_ui.notebook_file import NotebookFile
file = NotebookFile(Path(sys.argv[1]))
cell = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "x" * 2_000_000}
import json
for number in range(1_000_000):
    cells = [{**cell, "id": f"a{n}"} for n in range(number % 3)]
    file.write(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}))
    print(number, flush=True)
"""


def check(path: Path) -> int:
    """How many cells the notebook has; it is valid."""
    value = json.loads(path.read_text(encoding="utf-8"))
    nbformat.validate(value)
    return len(value["cells"])


@pytest.mark.parametrize("seed", range(50))
def test_killed_while_it_writes(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert writer.stdout is not None
    try:
        assert writer.stdout.readline() == b"0\n"
        time.sleep(random.Random(seed).uniform(0, 0.05))  # the instant is what is tested
    finally:
        writer.kill()
        writer.communicate()
    check(path)
    assert {one.name for one in tmp_path.iterdir() if not one.name.endswith(".part")} == {"n.ipynb"}


@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_in_the_middle_of_a_turn(seed: int, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("city,sales\nA,3\nB,5\n")
    path = tmp_path / "out.ipynb"
    command = [sys.executable, "-m", "gpt_code_ui", "run", "Plot sales.csv", "sales.csv",
               "-o", str(path), "--demo", "--data-dir", str(tmp_path / "data")]  # fmt: skip
    product = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert product.stderr is not None
    try:
        while "running" not in (line := product.stderr.readline()):
            assert line, "it ended before anything ran"
        time.sleep(random.Random(seed).uniform(0, 2.5))  # the instant is what is tested
    finally:
        product.send_signal(signal.SIGKILL)
        product.communicate()
    assert check(path) >= 1
