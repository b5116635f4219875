"""Which cage is used, what the person has to agree to, and that root has to be meant."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gpt_code_ui.containment import (
    Containment,
    cage_options,
    check_readable,
    check_root,
    contain,
    refuse_to_ask,
)
from gpt_code_ui.errors import UsageError
from gpt_code_ui.kernel.sandbox import ladder
from gpt_code_ui.kernel.sandbox.ladder import Choice, Rung, choose
from gpt_code_ui.settings import load
from tests.cage_fixtures import need

NO_BWRAP = Rung("bwrap", "bubblewrap is not installed.", ladder.INSTALL)
NO_LANDLOCK = Rung("landlock", "This system has no Landlock.", "run Linux 6.7")


def choice(wanted: ladder.Wanted, *, bwrap: bool = False, landlock: bool = False) -> Choice:
    return choose(
        wanted,
        {
            "bwrap": lambda: None if bwrap else NO_BWRAP,
            "landlock": lambda: None if landlock else NO_LANDLOCK,
        },
    )


def test_the_best_level_that_works_is_taken() -> None:
    assert choice("auto", bwrap=True).level == "bwrap"
    second = choice("auto", landlock=True)
    assert (second.level, second.missed, second.mend) == ("landlock", (NO_BWRAP,), ladder.INSTALL)
    last = choice("auto")
    assert (last.level, last.asks, last.missed) == ("none", True, (NO_BWRAP, NO_LANDLOCK))
    assert choice("none", bwrap=True) == Choice("none", "none")


def test_a_level_that_was_named_is_never_replaced(data_dir: Path) -> None:
    settings = load({"data_dir": str(data_dir), "sandbox": "bwrap"}, {}, data_dir)
    with pytest.raises(UsageError) as raised:
        contain(settings, lambda wanted: choice(wanted, landlock=True))
    assert raised.value.message == (
        "--sandbox bwrap does not work here. bubblewrap is not installed."
    )
    assert raised.value.hint == ladder.INSTALL


def test_without_a_cage_nothing_runs_before_the_person_agreed(tmp_path: Path) -> None:
    file = tmp_path / "consent.json"
    containment = Containment(choice("auto"), file)
    assert (containment.level, containment.shown()["asks"]) == ("ask", True)
    containment.agree(True)
    assert (containment.level, containment.shown()["agreed"]) == ("none", True)
    assert file.stat().st_mode & 0o777 == 0o600
    assert Containment(choice("auto"), file).level == "none", "it is remembered"
    assert Containment(choice("auto", bwrap=True), file).level == "bwrap", "a cage is better"
    Containment(choice("auto"), file).agree(False)
    assert Containment(choice("auto"), file).level == "ask"
    file.write_text("{")
    assert Containment(choice("auto"), file).level == "ask"


def test_naming_none_is_consent(tmp_path: Path) -> None:
    assert Containment(choice("none"), tmp_path / "consent.json").level == "none"
    refuse_to_ask(choice("none"))
    refuse_to_ask(choice("auto", landlock=True))
    with pytest.raises(UsageError, match="no sandbox works here"):
        refuse_to_ask(choice("auto"))


def test_a_bubblewrap_that_does_not_run_is_told_with_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bwrap"
    program.write_text(
        '#!/bin/sh\n[ "$1" = --help ] && { echo --disable-userns --size; exit; }\n'
        "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(ladder.bwrap, "USUAL", str(program))
    rung = ladder.try_bwrap()
    assert rung is not None
    assert rung.why == "bubblewrap does not run: setting up uid map: Permission denied."


def test_user_namespaces_that_are_forbidden_leave_the_next_level() -> None:
    """In a namespace of its own, whose own limit can be set to none."""
    need("bwrap")
    script = (
        "from pathlib import Path; Path('/proc/sys/user/max_user_namespaces').write_text('0')\n"
        "from gpt_code_ui.kernel.sandbox.ladder import choose\n"
        "c = choose('auto'); print(c.level, c.why, c.mend, sep='|')"
    )
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", sys.executable, "-c", script],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    if "unshare" in done.stderr:
        pytest.skip(done.stderr)
    level, why, mend = done.stdout.strip().split("|")
    assert level in ("landlock", "none")
    assert "bubblewrap does not run" in why
    assert mend == "sudo sysctl -w user.max_user_namespaces=15000"


def test_folders_that_would_show_too_much_cannot_be_read(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "workspaces").mkdir(parents=True)
    (other := tmp_path / "other").mkdir()
    assert check_readable(other, data) == other
    (tmp_path / "link").symlink_to(data)
    for path in (
        Path.home(), Path("/"), data, tmp_path, data / "workspaces", tmp_path / "link",
        tmp_path / "gone",
    ):  # fmt: skip
        with pytest.raises(UsageError):
            check_readable(path, data)


def test_what_kernels_may_use_comes_from_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    flags = {
        "data_dir": str(tmp_path / "data"), "kernel_memory": "50%", "log_file": str(tmp_path / "l"),
        "allow_read": [str(tmp_path / "more")],
    }  # fmt: skip
    (tmp_path / "more").mkdir()
    options = cage_options(load(flags, {}, tmp_path), memory=8 << 30)
    assert options.memory_bytes == 4 << 30
    assert options.hidden == [str(tmp_path / name) for name in ("data", ".env", "l")]
    assert options.allow_read == [str(tmp_path / "more")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can see that root is refused")
def test_root_has_to_be_meant(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = {"data_dir": str(data_dir)}
    check_root(load(flags | {"allow_root": True}, {}, data_dir))
    with pytest.raises(UsageError) as raised:
        check_root(load(flags, {}, data_dir))
    assert "--allow-root" in (raised.value.hint or "")
    from gpt_code_ui.cli import main

    monkeypatch.delenv("GPTCODE_ALLOW_ROOT")
    assert main(["--data-dir", str(data_dir)]) == 2
    assert not data_dir.exists()
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert main(["doctor", "--data-dir", str(data_dir)]) in (0, 1)
