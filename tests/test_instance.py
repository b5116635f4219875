"""One gptcode for each data folder, and how a second start finds it."""

import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpt_code_ui.errors import UsageError
from gpt_code_ui.instance import NOTE, Instance, fresh_address
from tests.fakes_web import SECRET, LiveSite


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    held = Instance.acquire(tmp_path)
    assert held is not None
    yield held
    held.release()


def test_the_folder_is_held_until_it_is_released(tmp_path: Path) -> None:
    first = Instance.acquire(tmp_path)
    assert first is not None
    assert Instance.acquire(tmp_path) is None
    first.release()
    second = Instance.acquire(tmp_path)
    assert second is not None
    second.release()


def test_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, time; from gpt_code_ui.instance import Instance;"
        "held = Instance.acquire(pathlib.Path(sys.argv[1])); held.announce('http://x:1', 's');"
        "print('held', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == b"held\n"
    assert Instance.acquire(tmp_path) is None
    process.kill()
    process.communicate()
    taken = Instance.acquire(tmp_path)
    assert taken is not None
    assert not (tmp_path / NOTE).exists()
    taken.release()


def test_a_second_start_gets_a_fresh_address(tmp_path: Path, instance: Instance) -> None:
    live = LiveSite(tmp_path)
    try:
        instance.announce(f"http://127.0.0.1:{live.port}", SECRET)
        assert stat.S_IMODE((tmp_path / NOTE).stat().st_mode) == 0o600
        addresses = {fresh_address(tmp_path) for _ in range(2)}
        assert len(addresses) == 2
        url, _, code = addresses.pop().partition("/#code=")
        assert url == f"http://127.0.0.1:{live.port}"
        answer = live.client().post("/api/session", json={"code": code}, base_url=url)
        assert answer.status_code == 200
    finally:
        live.close()


def test_one_that_does_not_answer_is_named(tmp_path: Path, instance: Instance) -> None:
    instance.announce("http://127.0.0.1:1", SECRET)
    with pytest.raises(UsageError, match="does not answer"):
        fresh_address(tmp_path)


def test_one_that_says_nothing_is_not_waited_for_long(
    tmp_path: Path, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpt_code_ui.instance.STARTING_S", 0.1)
    (tmp_path / NOTE).write_text("{")
    with pytest.raises(UsageError, match="does not say where it is"):
        fresh_address(tmp_path)
