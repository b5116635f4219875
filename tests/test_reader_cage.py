"""The reader's cage: it reads what it was handed, and nothing else; at both levels."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gpt_code_ui.profiles import read
from gpt_code_ui.protocol import SandboxLevel
from gpt_code_ui.reader_cage import HOME, ReaderCage
from tests.cage_fixtures import SECRET, need

LEVELS: tuple[SandboxLevel, ...] = ("bwrap", "landlock")
# Confines itself as the reader does, then tries what a hostile file could make it do.
ATTACK = """
import json, os, socket, sys
asked = json.loads(sys.stdin.readline())
from gpt_code_ui.reader.limits import confine
confine(asked.get("bounds"))
def tried(f):
    try:
        f()
        return "done"
    except OSError as error:
        return type(error).__name__
print(json.dumps([
    os.fdopen(asked["fd"]).read(),
    tried(lambda: open(asked["secret"])), tried(lambda: os.listdir(asked["folder"])),
    tried(lambda: open(asked["secret"] + "x", "w")), tried(lambda: os.mkdir("/usr/x")),
    tried(lambda: socket.create_connection(("127.0.0.1", 9), 1)),
    tried(lambda: socket.socket(socket.AF_UNIX).connect("/x")),
]))
"""


@pytest.mark.parametrize("level", LEVELS)
def test_a_file_that_takes_the_reader_over_gets_nothing(
    level: SandboxLevel, tmp_path: Path
) -> None:
    need(level)
    (file := tmp_path / "a.csv").write_text("a,b")
    (secret := tmp_path / "secret").write_text(SECRET)
    with (
        file.open("rb") as handed,
        ReaderCage(level, [str(tmp_path)]).start([sys.executable, "-B", "-c", ATTACK]) as how,
    ):
        question = {
            "fd": handed.fileno(),
            "secret": str(secret),
            "folder": str(tmp_path),
            **how.told,
        }
        done = subprocess.run(
            how.argv, env=how.env, cwd=HOME, input=json.dumps(question) + "\n", text=True,
            capture_output=True, pass_fds=(handed.fileno(), *how.handles), timeout=30, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    content, *tries = json.loads(done.stdout)
    assert content == "a,b"
    refused = {"FileNotFoundError", "PermissionError", "OSError"}
    assert set(tries) <= refused, tries


@pytest.mark.parametrize("level", LEVELS)
def test_a_profile_is_the_same_in_the_cage(level: SandboxLevel, tmp_path: Path) -> None:
    need(level)
    (file := tmp_path / "a.csv").write_text("a,b\n1,2\n3,4\n")
    cage = ReaderCage(level)
    with file.open("rb") as plain, file.open("rb") as caged:
        assert read(caged, "a.csv", 10, cage) == read(plain, "a.csv", 10)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with file.open("rb") as caged:
        read(caged, "a.csv", 10, cage)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
