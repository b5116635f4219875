"""Interpreters where tools put them, kernelspecs, and what an interpreter lacks."""

import json
import sys
import time
from pathlib import Path

import pytest

from gpt_code_ui.environments import Environment, Environments
from gpt_code_ui.errors import InvalidValue
from gpt_code_ui.interpreters import Interpreter, find, interpreter_in, version_of
from gpt_code_ui.kernel import mending
from gpt_code_ui.languages import plain_language, shown_language, words_for


def environment(folder: Path, *, venv: bool = True, packages: tuple[str, ...] = ()) -> Path:
    """Something laid out like an environment; the path of its interpreter."""
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable) if venv else python.touch(0o755)
    site = folder / "lib" / "python3.12" / "site-packages"
    site.mkdir(parents=True)
    for name in packages:
        (site / name).mkdir()
    if venv:
        (folder / "pyvenv.cfg").write_text("include-system-site-packages = false\n")
    return python


def test_where_tools_put_them(tmp_path: Path) -> None:
    home, project = tmp_path / "home", tmp_path / "project"
    made = {
        "active": environment(tmp_path / "active"),
        "folder": environment(project / ".venv"),
        "venv": environment(home / ".virtualenvs" / "work"),
        "conda": environment(home / "miniforge3" / "envs" / "data", venv=False),
        "pyenv": environment(home / ".pyenv" / "versions" / "3.12.1", venv=False),
        "uv": environment(home / ".local" / "share" / "uv" / "python" / "cpython-3.13", venv=False),
    }
    noted = environment(tmp_path / "elsewhere", venv=False)
    (home / ".conda").mkdir()
    (home / ".conda" / "environments.txt").write_text(f"{noted.parent.parent}\n/gone\n\n")
    environment(home / "deep" / "down" / ".venv")  # nobody looks there
    environ = {"HOME": str(home), "VIRTUAL_ENV": str(tmp_path / "active"), "PATH": "/nowhere"}
    found = [one for one in find(environ, (project,)) if one.origin != "system"]
    assert found == [
        Interpreter(str(made["active"]), "active"),
        Interpreter(str(made["folder"]), "folder"),
        Interpreter(str(made["venv"]), "venv"),
        Interpreter(str(noted), "conda"),
        Interpreter(str(made["conda"]), "conda"),
        Interpreter(str(made["pyenv"]), "pyenv"),
        Interpreter(str(made["uv"]), "uv"),
    ]


def test_a_home_of_any_size_is_not_searched(tmp_path: Path) -> None:
    for number in range(3000):
        (tmp_path / f"f{number}").mkdir()
    began = time.perf_counter()
    find({"HOME": str(tmp_path), "PATH": ""})
    assert time.perf_counter() - began < 0.5


def test_an_interpreter_or_an_environment(tmp_path: Path) -> None:
    python = environment(tmp_path / "venv")
    assert interpreter_in(tmp_path / "venv") == interpreter_in(python) == python
    (tmp_path / "data.csv").touch(0o644)
    assert interpreter_in(tmp_path / "data.csv") is None
    assert interpreter_in(tmp_path) is None


def test_what_is_installed_is_seen_without_a_start(tmp_path: Path) -> None:
    ready = environment(tmp_path / "ready", packages=("ipykernel", "pip"))
    bare = environment(tmp_path / "bare")
    assert mending.has(str(ready), "ipykernel") is True
    assert mending.has(str(bare), "ipykernel") is False
    (tmp_path / "bare" / "pyvenv.cfg").write_text("include-system-site-packages = true\n")
    assert mending.has(str(bare), "ipykernel") is None


def test_the_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_pip = str(environment(tmp_path / "a", packages=("pip",)))
    without = str(environment(tmp_path / "b"))
    assert mending.command(with_pip) == [with_pip, "-m", "pip", "install", "ipykernel"]
    monkeypatch.setenv("PATH", str(tmp_path))
    outside = [sys.executable, "-m", "pip", "--python", without, "install", "ipykernel"]
    assert mending.command(without) == outside
    (tmp_path / "uv").touch(0o755)
    assert mending.command(without)[1:] == ["pip", "install", "--python", without, "ipykernel"]


@pytest.fixture
def specs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "jupyter"
    for name, spec in {
        "bash": {"argv": ["b"], "display_name": "Bash", "language": "bash"},
        "ir": {"argv": ["r"], "display_name": "R", "language": "R"},
        "broken": None,
    }.items():
        (folder / "kernels" / name).mkdir(parents=True)
        text = "{" if spec is None else json.dumps(spec)
        (folder / "kernels" / name / "kernel.json").write_text(text)
    monkeypatch.setenv("JUPYTER_PATH", str(folder))
    return folder


def test_rows_name_each_kernel_once_and_one_default(tmp_path: Path, specs: Path) -> None:
    python = str(environment(tmp_path / "venv", packages=("ipykernel",)))
    other = str(environment(tmp_path / "home" / ".virtualenvs" / "other"))
    all = Environments(python, None, environ={"HOME": str(tmp_path / "home"), "PATH": ""})
    rows = all.rows()
    assert rows[0] == {
        "name": None, "display_name": f"Python ({python})", "language": "python",
        "python": python, "origin": "default", "ready": True, "default": True,
    }  # fmt: skip
    mine = next(row for row in rows if row.get("python") == other)
    assert (mine["origin"], mine["ready"], mine["default"]) == ("venv", False, False)
    named = {row["name"]: row for row in rows if row["name"]}
    assert named["bash"]["language"] == "bash"
    assert named["ir"]["display_name"] == "R"
    assert "broken" not in named
    assert [row for row in rows if row["default"]] == [rows[0]]
    by_kernel = Environments(python, "ir", environ={"PATH": ""}).rows()
    assert [row["name"] for row in by_kernel if row["default"]] == ["ir"]


def test_what_was_chosen(tmp_path: Path, specs: Path) -> None:
    python = str(environment(tmp_path / "venv"))
    other = environment(tmp_path / "other")
    all = Environments(python, "bash", environ={})
    assert all.of(None, None) == Environment(python, "bash", "bash", "Bash")
    assert all.of("", "").foreign == "bash"
    assert all.of("ir", None).language == "r"
    assert all.of(None, "/p") == Environment("/p", None, "python", "Python (/p)")
    assert all.of("gone", None).language == "unknown"
    assert all.chosen("", str(other.parent.parent)).python == str(other)
    assert all.chosen("bash", "").spec == {
        "name": "bash", "display_name": "Bash", "language": "bash",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kernel", "python", "said"),
    [("none", "", "none named 'none'"), ("", "/no/such", "no Python interpreter"),
     ("", "relative/python", "no Python interpreter"), ("bash", "/usr/bin/python3", "one of them")],
)  # fmt: skip
def test_what_cannot_be_chosen(specs: Path, kernel: str, python: str, said: str) -> None:
    with pytest.raises(InvalidValue, match=said):
        Environments(sys.executable, None, environ={}).chosen(kernel, python)


def test_languages_by_all_their_names() -> None:
    assert [plain_language(name) for name in ("R", " Python3 ", "", "Klingon")] == [
        "r", "python", "unknown", "klingon",
    ]  # fmt: skip
    assert [shown_language(one) for one in ("typescript", "r", "klingon")] == [
        "TypeScript", "R", "Klingon",
    ]  # fmt: skip
    assert words_for("bash") == {"bash", "sh", "shell", "zsh"}
    assert words_for("klingon") == {"klingon"}


def test_a_path_that_may_not_be_looked_at(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(InvalidValue):
        Environments(sys.executable, None, environ={}).chosen("", str(loop))


def test_versions_are_read_from_the_files(tmp_path: Path) -> None:
    assert version_of(sys.executable) == sys.version_info[:2]
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch(mode=0o755)
    assert version_of(str(python)) is None
    for text in ("home = /usr\nversion = 3.12.1\n", "version_info = 3.12.1.final.0\n"):
        (tmp_path / "venv" / "pyvenv.cfg").write_text(text)
        assert version_of(str(python)) == (3, 12)
    real = tmp_path / "python3.9"
    real.touch(mode=0o755)
    link = tmp_path / "bin" / "python3"
    link.parent.mkdir()
    link.symlink_to(real)
    assert version_of(str(link)) == (3, 9)
    assert version_of(str(tmp_path / "none")) is None


def test_only_a_python_that_is_no_newer_has_our_grammar(tmp_path: Path) -> None:
    newer = tmp_path / f"python3.{sys.version_info[1] + 1}"
    newer.touch(mode=0o755)
    assert Environment(sys.executable).our_grammar
    assert not Environment(str(newer)).our_grammar
    assert not Environment(sys.executable, "ir", "r").our_grammar
