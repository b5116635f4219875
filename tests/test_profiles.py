"""Profiles of a workspace's files: told once, again when changed, within time and bytes."""

import contextlib
import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from gpt_code_ui import profiles
from gpt_code_ui.errors import Forbidden, InvalidValue
from gpt_code_ui.profiles import Profiles
from gpt_code_ui.protocol import ToldFile
from gpt_code_ui.workspace import Workspace


def by_path(told: list[ToldFile]) -> dict[str, ToldFile]:
    return {one.path: one for one in told}


def save(folder: Path, name: str, text: str, at: float) -> None:
    (folder / name).write_text(text)
    os.utime(folder / name, (at, at))


def test_a_file_is_told_once_and_again_when_it_changed(tmp_path: Path) -> None:
    workspace, told = Workspace(tmp_path), Profiles()
    save(tmp_path, "old one.csv", "a,b\n1,2\n", 100)
    save(tmp_path, "新.csv", "c\n3\n", 200)
    first = told.told(workspace, ["old one.csv"], {})
    assert [one.path for one in first] == ["old one.csv", "新.csv"]
    assert '"a" integer, 1 to 1' in first[0].text
    assert told.told(workspace, ["old one.csv"], by_path(first)) == []
    save(tmp_path, "新.csv", "d\n3\n", 300)
    [again] = told.told(workspace, [], by_path(first))
    assert (again.path, again.modified) == ("新.csv", 300) and '"d"' in again.text


def test_the_share_decides_what_leaves(tmp_path: Path) -> None:
    save(tmp_path, "s.csv", "salary\n123456\n", 1)
    texts = {
        share: Profiles(share).told(Workspace(tmp_path), [], {})[0].text  # type: ignore[arg-type]
        for share in ("schema", "summary", "rows")
    }
    assert "salary" in texts["schema"] and "123456" not in texts["schema"]
    assert "123456 to 123456" in texts["summary"] and "first rows" not in texts["summary"]
    assert '["123456"]' in texts["rows"]


def test_a_turn_is_bounded_in_bytes_and_files_and_what_is_left_comes_next(tmp_path: Path) -> None:
    workspace, told = Workspace(tmp_path), Profiles()
    header = ",".join(f"column number {n}" for n in range(60))
    for number in range(14):
        save(tmp_path, f"{number}.csv", f"{header}\n{header}\n", number)
    first = told.told(workspace, [], {})
    assert 0 < len(first) <= profiles.TURN_FILES
    assert sum(len(one.text.encode()) + 1 for one in first) <= profiles.TURN_BYTES
    second = told.told(workspace, [], by_path(first))
    assert second and not by_path(first).keys() & by_path(second).keys()


def test_only_the_newest_files_of_a_full_folder_are_told(tmp_path: Path) -> None:
    for number in range(profiles.NEWEST + 5):
        save(tmp_path, f"{number}.txt", "", number)
    before: dict[str, ToldFile] = {}
    workspace, told = Workspace(tmp_path), Profiles()
    for _ in range(20):
        before |= by_path(told.told(workspace, ["0.txt"], before))
    assert len(before) == profiles.NEWEST + 1 and "0.txt" in before and "1.txt" not in before


def test_a_profile_is_asked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, "a.csv", "a\n1\n", 1)
    known = Profiles()
    first = known.profile(Workspace(tmp_path), "a.csv")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert known.profile(Workspace(tmp_path), "a.csv") == first
    save(tmp_path, "a.csv", "b\n1\n", 2)
    unread = known.profile(Workspace(tmp_path), "a.csv")
    assert unread.broken == "it could not be looked into within 10 seconds"


def test_no_path_leads_out(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (tmp_path / "in" / "link.csv").symlink_to(tmp_path / "secret.csv")
    workspace = Workspace(tmp_path / "in")
    with pytest.raises(Forbidden):
        Profiles().profile(workspace, "link.csv")
    with pytest.raises(InvalidValue):
        Profiles().profile(workspace, "../secret.csv")
    assert Profiles().told(workspace, ["link.csv", "../secret.csv"], {}) == []


def stand_in(folder: Path, body: str) -> str:
    """An interpreter that does something else than the reader; shell, because it has to be one."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_a_reader_that_hangs_is_killed_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, "a.csv", "a\n", 1)
    pids = tmp_path / ".pids"
    hangs = f"setsid sleep 300 & echo $! >> {pids}; sleep 300 & echo $! >> {pids}; wait"
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path, hangs))
    began = time.monotonic()
    found = Profiles().profile(Workspace(tmp_path), "a.csv", timeout=1.0)
    assert found.broken == "it could not be looked into within 1 seconds"
    assert time.monotonic() - began < 5
    for pid in pids.read_text().split():
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(int(pid)).wait(5)


@pytest.mark.parametrize("body", ["exit 3", "echo '{}'", "echo nonsense", "kill -9 $$"])
def test_a_reader_that_dies_makes_a_broken_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    save(tmp_path, "a.csv", "a\n", 1)
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path, body))
    found = Profiles().profile(Workspace(tmp_path), "a.csv")
    assert found.broken == "looking into it took too much time or memory"


def test_the_reader_gets_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, "a.csv", "a\n", 1)
    seen = tmp_path / ".seen"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setattr(sys, "executable", stand_in(tmp_path, f'env > {seen}; echo "$@" >> {seen}'))
    Profiles().profile(Workspace(tmp_path), "a.csv")
    assert "PATH=" in seen.read_text() and "sk-secret" not in seen.read_text()
