"""Code that takes too much: it is stopped, the reason is told, and the next cell runs."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpt_code_ui.kernel.watch import Disk, Excess, Watch, in_words, measure, usage
from gpt_code_ui.protocol import CageOptions, SandboxLevel
from tests.cage_fixtures import PRELUDE, Scene, caged

LEVELS: tuple[SandboxLevel, ...] = ("bwrap", "landlock")
BOUNDS = {
    "processes": 100, "memory_bytes": 400 << 20, "workspace_bytes": 40 << 20,
    "workspace_files": 500, "file_bytes": 1 << 30, "tmp_bytes": 32 << 20,
}  # fmt: skip


@pytest.fixture(scope="module", params=LEVELS)
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    with caged(request.param, **BOUNDS) as scene:
        yield scene


def lives(scene: Scene) -> bool:
    return scene.talk.run("print('lives', end='')").text == "lives"


@pytest.mark.keeps("one caged kernel serves the module at each level")
class TestReal:
    def test_much_memory_ends_the_kernel(self, scene: Scene) -> None:
        ran = scene.talk.run("import time\nhog = bytearray(500 << 20)\ntime.sleep(60)")
        reason = (
            "The code used more than 400 MB of memory; it was ended and its variables are lost."
        )
        assert (ran.status, ran.end.reason) == ("died", reason)
        assert lives(scene)

    def test_memory_of_children_counts_and_what_they_share_counts_once(self, scene: Scene) -> None:
        code = (
            "import os, time\nshared = bytearray(150 << 20)\npids = []\n"
            "for _ in range(4):\n"
            "    pid = os.fork()\n"
            "    if pid == 0:\n        time.sleep(2); os._exit(0)\n"
            "    pids.append(pid)\n"
            "[os.waitpid(pid, 0) for pid in pids]; print('well', end='')"
        )
        assert scene.talk.run(code).text == "well"
        ran = scene.talk.run(
            "import subprocess, sys\n"
            "hog = 'import time; b = bytearray(150 << 20); time.sleep(60)'\n"
            "many = [subprocess.Popen([sys.executable, '-c', hog]) for _ in range(3)]\n"
            "many[0].wait()"
        )
        assert (ran.status, ran.end.reason and ran.end.reason[:34]) == (
            "died", "The code used more than 400 MB of ",
        )  # fmt: skip
        assert lives(scene)

    def test_a_fork_bomb_is_stopped(self, scene: Scene) -> None:
        if scene.level == "landlock" and os.geteuid() == 0:
            pytest.skip("under Landlock nothing holds root to a number of processes")
        code = (
            "import os, time\n"
            "def bomb():\n"
            "    while True:\n"
            "        try:\n"
            "            if os.fork() == 0:\n                continue\n"
            "        except BlockingIOError:\n            time.sleep(0.05)\n"
            "bomb()"
        )
        cell = scene.talk.post(code)
        scene.talk.started(cell)
        if os.geteuid() != 0:
            scene.talk.client.interrupt(scene.talk.id)  # it is held to its number and goes on
        ran = scene.talk.finished(cell, timeout=30)
        assert ran.status in ("died", "interrupted")
        if os.geteuid() == 0:
            assert ran.end.reason is not None
            assert ran.end.reason.startswith("The code ran more than 100 processes; it was ended")
        assert lives(scene)

    def test_a_folder_that_fills_interrupts_the_cell(self, scene: Scene) -> None:
        code = (
            "import os, time\n"
            "kept = 1\n"
            "with open('fills', 'wb') as file:\n"
            "    for _ in range(200):\n"
            "        file.write(os.urandom(1 << 20)); file.flush(); time.sleep(0.02)\n"
            "time.sleep(30)"
        )
        ran = scene.talk.run(code)
        reason = "The working folder grew by more than 40 MB; it was interrupted."
        assert (ran.status, ran.end.reason) == ("interrupted", reason)
        ran = scene.talk.run("os.remove('fills'); time.sleep(1.2); print(kept, end='')")
        assert (ran.status, ran.text) == ("ok", "1")

    def test_many_files_interrupt_the_cell(self, scene: Scene) -> None:
        code = (
            "import itertools, os, time\nos.mkdir('many')\n"
            "for n in itertools.count():\n"
            "    open(f'many/{n}', 'w').close(); time.sleep(0.0005)"
        )
        ran = scene.talk.run(code)
        reason = "The code made more than 500 files; it was interrupted."
        assert (ran.status, ran.end.reason) == ("interrupted", reason)
        scene.talk.run("import shutil; shutil.rmtree('many')")

    def test_memory_folders_have_a_size(self, scene: Scene) -> None:
        if scene.level == "landlock":
            pytest.skip("there its /tmp is a folder on the disk, which is watched")
        scene.talk.run(PRELUDE)
        for folder in ("/tmp", "/dev/shm"):
            assert scene.value(f"open('{folder}/x', 'wb').write(bytes(33 << 20))") == "ENOSPC"
            scene.value(f"os.remove('{folder}/x')")
        for place in ("/x", "/dev/x", "/etc/x"):
            assert scene.value(f"open({place!r}, 'w')") in ("EROFS", "EACCES")


# --- the watch itself --------------------------------------------------------------------------


def test_what_folders_hold(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(bytes(100_000))
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "hole").open("wb").truncate(1 << 30)
    held = measure([str(tmp_path), str(tmp_path / "gone")])
    assert held.files == 4
    assert 100_000 <= held.bytes < 300_000


def test_a_disk_that_was_full_before_is_nobodys_fault(tmp_path: Path) -> None:
    watch = Watch(CageOptions(free_bytes=1 << 60), 1 << 30, [str(tmp_path)])
    assert watch.look() is None
    (tmp_path / "small").write_bytes(bytes(1000))
    watch = Watch(CageOptions(free_bytes=1 << 60), 1 << 30, [str(tmp_path)])
    watch.look()
    (tmp_path / "large").write_bytes(os.urandom(20 << 20))
    watch._next_disk = 0.0
    reason = "Less than 1.07e+09 GB of the disk is free"
    assert watch.look() == Excess("cell", reason)
    watch._next_disk = 0.0
    assert watch.look() is None


def test_sizes_in_words() -> None:
    assert [in_words(n) for n in (3 << 30, 512 << 20, 1500)] == ["3 GB", "512 MB", "1,500 bytes"]
    assert Disk() == Disk(0, 0)


def test_a_process_that_is_gone_uses_nothing() -> None:
    assert usage(1 << 30) == (0, 0)
    resident, threads = usage(os.getpid())
    assert resident > 1 << 20
    assert threads >= 1
