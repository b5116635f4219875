"""What a kernel gets from us: its environment, and fonts for figures."""

import os
from pathlib import Path

import pytest

from gpt_code_ui.kernel.sandbox.environment import (
    caged_environment,
    environment,
    is_allowed,
    kernel_environment,
)
from gpt_code_ui.kernel.sandbox.fonts import choose_families, matplotlibrc, own_matplotlibrc


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("PATH", True), ("LC_ALL", True), ("CONDA_PREFIX", True), ("https_proxy", True),
        ("CUDA_VISIBLE_DEVICES", True), ("XDG_CACHE_HOME", True), ("PYTHONPATH", True),
        ("OPENAI_API_KEY", False), ("OPENAI_BASE_URL", False), ("GPTCODE_TOKEN", False),
        ("CONDA_TOKEN", False), ("LC_SECRET", False), ("JPY_PARENT_PID", False),
        ("PYTHONSTARTUP", False), ("DISPLAY", False), ("MPLBACKEND", False),
        ("SSH_AUTH_SOCK", False), ("DBUS_SESSION_BUS_ADDRESS", False),
    ],
)  # fmt: skip
def test_the_allow_list(name: str, allowed: bool) -> None:
    assert is_allowed(name) is allowed


def test_environment_is_what_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    env = environment()
    assert env["TZ"] == "Asia/Shanghai"
    assert "sk-secret" not in env.values()


def test_a_venvs_scripts_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setenv("VIRTUAL_ENV", "/some/other")
    (tmp_path / "bin").mkdir()
    (tmp_path / "pyvenv.cfg").touch()
    env = kernel_environment(str(tmp_path / "bin" / "python"), tmp_path)
    assert env["PATH"] == f"{tmp_path}/bin{os.pathsep}/usr/bin"
    assert env["VIRTUAL_ENV"] == str(tmp_path)
    env = kernel_environment("/usr/bin/python3", tmp_path)
    assert env["PATH"] == "/usr/bin"
    assert "VIRTUAL_ENV" not in env


def test_a_person_with_matplotlib_settings_keeps_them(tmp_path: Path) -> None:
    config = tmp_path / "config" / "matplotlib"
    config.mkdir(parents=True)
    env = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    assert own_matplotlibrc(env) is None
    (config / "matplotlibrc").touch()
    assert own_matplotlibrc(env) == config / "matplotlibrc"
    caged = caged_environment(env, Path("/home/user"), Path("/tmp"))
    assert caged["MATPLOTLIBRC"] == str(config / "matplotlibrc")
    assert own_matplotlibrc({"MATPLOTLIBRC": "/mine", "HOME": str(tmp_path)}) == Path("/mine")


def test_fonts_that_matplotlib_cannot_find_are_not_named() -> None:
    listing = (
        "0|Regular|Noto Serif CJK JP\n0|Bold|Noto Sans CJK JP\n2|Regular|Noto Sans CJK SC\n"
        "0|Regular|文泉驿正黑,WenQuanYi Zen Hei\n0|Regular|只有中文\n\nnonsense\n"
        "0|Regular|Droid Sans Fallback\n"
    )
    families = ["Droid Sans Fallback", "Noto Sans CJK JP", "WenQuanYi Zen Hei"]
    assert choose_families(listing) == families
    assert matplotlibrc(families) == (
        "font.family: sans-serif, Droid Sans Fallback, Noto Sans CJK JP, WenQuanYi Zen Hei, "
        "DejaVu Sans\n"
    )
    assert choose_families("") == []


def test_a_cage_has_folders_of_its_own_and_knows_no_proxy() -> None:
    env = {
        "HTTPS_PROXY": "http://me:secret@proxy", "no_proxy": "x", "XDG_RUNTIME_DIR": "/run/me",
        "TMPDIR": "/mine", "LANG": "C.UTF-8", "CODE_KERNEL_RUN": "r", "HOME": "/home/me",
    }  # fmt: skip
    assert caged_environment(env, Path("/home/me"), Path("/tmp")) == {
        "LANG": "C.UTF-8", "HOME": "/home/me", "TMPDIR": "/tmp", "IPYTHONDIR": "/tmp/ipython",
        "MPLCONFIGDIR": "/tmp/matplotlib", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
