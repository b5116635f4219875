"""A machine on which no cage works, from start to consent: the real product, over HTTP."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gpt_code_ui.kernel.sandbox import seccomp
from gpt_code_ui.web.page import bundle_is_there
from scripts.product import Product

ROOT = Path(__file__).resolve().parent.parent
NO_PAGE = () if bundle_is_there() else ("--dev-origin", "http://localhost:5173")
UNCAGED = [sys.executable, "-m", "tests.no_sandbox", sys.executable, "-m", "gpt_code_ui"]


@pytest.mark.skipif(seccomp.machine() is None, reason="there is no filter for this machine")
def test_no_code_runs_before_the_person_agreed() -> None:
    environment = {"PYTHONPATH": str(ROOT)}
    with Product("--demo", *NO_PAGE, command=UNCAGED, environment=environment) as product:
        told = product.json("GET", "/api/settings")["sandbox"]
        assert (told["level"], told["wanted"], told["asks"]) == ("none", "auto", True)
        assert told["why"]
        assert told["mend"]
        conversation = product.conversation()
        finished = run(product, conversation)
        assert finished["status"] == "not_run"
        assert finished["reason"].startswith("Code does not run here yet")
        product.json("PATCH", "/api/settings", {"sandbox_consent": True})
        assert product.json("GET", "/api/settings")["sandbox"]["asks"] is False
        assert run(product, conversation)["status"] == "ok"
        kernel = product.json("GET", f"/api/conversations/{conversation}")["kernel"]
        assert (kernel["sandbox"], kernel["network"]) == ("none", True)


@pytest.mark.skipif(seccomp.machine() is None, reason="there is no filter for this machine")
def test_a_run_without_a_page_asks_nobody(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    flags = ["--demo", "--data-dir", str(tmp_path / "data")]
    done = subprocess.run(
        [*UNCAGED, "run", "Explain", *flags], cwd=tmp_path, env=environment, text=True,
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "no sandbox works here" in done.stderr
    assert "--sandbox none" in done.stderr


def run(product: Product, conversation: str) -> dict[str, str]:
    """A cell's end."""
    with product.events(conversation) as events:
        path = f"/api/conversations/{conversation}/cells"
        cell_id = product.json("POST", path, {"code": "1 + 1"})["cell_id"]
        return events.until("cell_finished", cell_id=cell_id)
