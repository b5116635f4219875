"""``gptcode doctor``: one line a check, each with its mend."""

import sys
from pathlib import Path

import pytest

from gpt_code_ui import doctor
from gpt_code_ui.doctor import Finding
from gpt_code_ui.instance import Instance
from gpt_code_ui.server import listen
from gpt_code_ui.settings import Settings, load


def settings(data: Path, **flags: object) -> Settings:
    return load({"data_dir": str(data), "port": "0", **flags}, {}, data.parent)


def test_a_line_for_each_check(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = doctor.examine(settings(data_dir))
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("GPT-Code UI ")
    names = [line[6:19].strip() for line in lines]
    assert names == ["model", "mcp", "kernel", "sandbox", "page", "data folder", "port", "older"]
    assert all(line.startswith(("ok  ", "mend")) for line in lines)
    assert lines[0].startswith("mend  model        no key and no endpoint: set OPENAI_API_KEY")
    assert code == 1


def test_the_model(data_dir: Path) -> None:
    assert doctor.check_model(settings(data_dir, demo=True)) == Finding("demo at demo")
    local = settings(data_dir, base_url="http://localhost:11434/v1", model="qwen")
    assert doctor.check_model(local) == Finding("qwen at localhost:11434")
    azure = settings(data_dir, api_key="k", api_type="azure")
    assert doctor.check_model(azure).mend == "set OPENAI_BASE_URL"


def test_the_kernel(data_dir: Path, tmp_path: Path) -> None:
    assert doctor.check_kernel(settings(data_dir)).mend is None
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    found = doctor.check_kernel(settings(data_dir, python=str(bare)))
    assert found == Finding(f"{bare} has no ipykernel", f"{bare} -m pip install ipykernel")
    assert doctor.check_kernel(settings(data_dir, kernel="fortran")).mend is not None


def test_the_data_folder_and_the_port(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = doctor.check_data(settings(tmp_path / "file"))
    assert found.mend == "choose another with --data-dir"
    assert doctor.check_data(settings(data_dir)) == Finding(str(data_dir))
    (data_dir / "outputs" / "one").mkdir()
    (data_dir / "outputs" / "one" / "c.txt").write_bytes(b"x" * 100_000)
    told = doctor.check_data(settings(data_dir)).text
    assert " KB in 1 conversation, most in one (" in told
    with listen("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        found = doctor.check_port(settings(data_dir, port=port))
        assert found.text == f"port {port} is in use"
    assert doctor.check_port(settings(data_dir)).mend is None
    running = Instance.acquire(data_dir)
    assert running is not None
    assert "a gptcode runs" in doctor.check_port(settings(data_dir)).text
    running.release()


def test_an_older_project_of_the_same_name(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert doctor.check_older(settings(data_dir)).mend is None
    command = tmp_path / "gptcode"
    command.write_text("#!/usr/bin/python\nfrom gpt_code_ui.main import main\nmain()\n")
    command.chmod(0o755)
    info = tmp_path / "gpt_code_ui-0.42.42.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gpt-code-ui\nVersion: 0.42.42\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = doctor.check_older(settings(data_dir))
    assert found.text == (
        "gpt-code-ui 0.42.42, an older project of this name, is installed; "
        f"the command {command} is not this program"
    )
    assert found.mend is not None and "pip uninstall gpt-code-ui" in found.mend
    command.write_text("#!/usr/bin/python\nfrom gpt_code_ui.cli import main\nmain()\n")
    assert "command" not in doctor.check_older(settings(data_dir)).text
