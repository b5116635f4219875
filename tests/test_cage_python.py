"""Every kind of Python a person may have starts in the cage, as it is, and sees what it needs."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpt_code_ui.kernel.sandbox import needs, places
from gpt_code_ui.kernel.sandbox.needs import Needs
from gpt_code_ui.kernel.sandbox.places import Place
from gpt_code_ui.protocol import CageOptions, SandboxLevel
from gpt_code_ui.supervisor import LaunchOptions
from tests.cage_fixtures import need
from tests.kernel_fixtures import Rig, running_rig

LEVELS: tuple[SandboxLevel, ...] = ("bwrap", "landlock")
pytestmark = pytest.mark.keeps("one manager serves the module")
SITE = next(Path(p) for p in sys.path if p.endswith("site-packages"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pythons")


@pytest.fixture(scope="module")
def rig(place: Path) -> Iterator[Rig]:
    (place / "data").mkdir()
    (folder := place / "folder").mkdir()
    (folder / ".env").write_text("OPENAI_API_KEY=sk-of-the-person")
    hidden = [str(place / "data"), str(folder / ".env")]
    log: list[str] = []
    options = LaunchOptions(cage=CageOptions(hidden=hidden), log=log.append)
    with running_rig(options) as rig:
        yield rig


def make_venv(folder: Path) -> Path:
    """A virtual environment with the packages that these tests run on."""
    venv.create(folder, symlinks=True, with_pip=False)
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "shared.pth").write_text(f"{SITE}\n")
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def environment(place: Path) -> Path:
    """One with a plain and an editable install that lie elsewhere."""
    python = make_venv(place / "venv")
    site = next((place / "venv").glob("lib/python*/site-packages"))
    for name in ("by_path", "by_finder"):
        package = place / "projects" / name / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(f"NAME = {name!r}\n")
    (site / "by_path.pth").write_text(f"{place / 'projects' / 'by_path'}\n")
    finder = (
        f"MAPPING = {{'by_finder': {str(place / 'projects' / 'by_finder' / 'by_finder')!r}}}\n"
        "import importlib.util, sys\n"
        "class Finder:\n"
        "    @staticmethod\n"
        "    def find_spec(name, path=None, target=None):\n"
        "        if name in MAPPING:\n"
        "            return importlib.util.spec_from_file_location(\n"
        "                name, MAPPING[name] + '/__init__.py')\n"
        "def install():\n    sys.meta_path.append(Finder)\n"
    )
    (site / "__editable___by_finder_finder.py").write_text(finder)
    (site / "by_finder.pth").write_text(
        "import __editable___by_finder_finder; __editable___by_finder_finder.install()\n"
    )
    return python


@pytest.mark.parametrize("level", LEVELS)
def test_a_virtual_environment_with_editable_installs(
    rig: Rig, level: SandboxLevel, environment: Path
) -> None:
    need(level)
    talk = rig.conversation(sandbox=level, python=str(environment))
    code = "import sys, numpy, by_path, by_finder\nprint(by_path.NAME, by_finder.NAME, sys.prefix)"
    ran = talk.run(code)
    assert (ran.text, ran.error) == (f"by_path by_finder {environment.parent.parent}\n", None)


@pytest.mark.parametrize("level", LEVELS)
def test_a_python_behind_links_and_a_shim(
    rig: Rig, level: SandboxLevel, place: Path, environment: Path
) -> None:
    """As uv makes them (links through linked folders), and as pyenv does (a script)."""
    need(level)
    links = place / f"links-{level}"
    links.mkdir()
    (links / "current").symlink_to(environment.parent.parent)
    (links / "python3").symlink_to(links / "current" / "bin" / "python")
    shim = links / "shim"
    shim.write_text(f'#!/bin/sh\nexec {links}/current/bin/python "$@"\n')
    shim.chmod(0o755)
    for python in (links / "current" / "bin" / "python", shim):
        talk = rig.conversation(sandbox=level, python=str(python))
        assert talk.run("import by_path; print(1, end='')").text == "1", python


def test_a_copied_installation_like_condas(rig: Rig, place: Path) -> None:
    """A whole prefix somewhere, with its own library beside it."""
    need("bwrap")
    base = Path(sys.base_prefix)
    prefix = place / "miniconda3"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (prefix / "bin").mkdir(parents=True)
    shutil.copy2(Path(sys.executable).resolve(), prefix / "bin" / "python")
    (prefix / "lib").mkdir()
    for path in base.glob("lib/libpython*"):
        (prefix / "lib" / path.name).symlink_to(path)
    (prefix / "lib" / version).symlink_to(base / "lib" / version)
    (prefix / "conda-meta").mkdir()
    env = prefix / "envs" / "work"
    subprocess.run([prefix / "bin" / "python", "-m", "venv", "--without-pip", env], check=True)
    (env / "lib" / version / "site-packages" / "shared.pth").write_text(f"{SITE}\n")
    talk = rig.conversation(sandbox="bwrap", python=str(env / "bin" / "python"))
    assert talk.run("import numpy; print(1, end='')").text == "1"


def test_the_systems_python(rig: Rig) -> None:
    need("bwrap")
    has = subprocess.run(
        ["/usr/bin/python3", "-c", "import ipykernel"], capture_output=True, check=False
    )
    if has.returncode != 0:
        pytest.skip("the system's Python has no ipykernel")
    talk = rig.conversation(sandbox="bwrap", python="/usr/bin/python3")
    assert talk.run("import sys; print(sys.prefix, end='')").text == "/usr"


# --- kernelspecs -------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
def test_a_kernel_that_knows_interrupts_as_signals_and_is_no_python(
    level: SandboxLevel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program of its own, in an installation of its own; the signal reaches it, not its cage."""
    need(level)
    program = tmp_path / "language" / "bin" / "start"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m ipykernel_launcher "$@"\n')
    program.chmod(0o755)
    folder = tmp_path / "kernels" / "language"
    folder.mkdir(parents=True)
    spec = {"argv": [str(program), "-f", "{connection_file}"], "display_name": "L", "language": "l"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    allowed = [sys.prefix, sys.base_prefix]
    with running_rig(LaunchOptions(cage=CageOptions(allow_read=allowed))) as rig:
        talk = rig.conversation(sandbox=level, kernel_name="language")
        talk.run("kept = 1")
        for _ in range(2):
            cell = talk.post("import time; print('go', flush=True); time.sleep(60)")
            talk.printed(cell, "go")
            rig.client.interrupt(talk.id)
            assert talk.finished(cell).status == "interrupted"
        assert talk.run("kept").value == "1"


def test_what_a_program_that_is_no_python_needs(tmp_path: Path) -> None:
    binary = tmp_path / "deno" / "bin" / "deno"
    binary.parent.mkdir(parents=True)
    binary.touch(mode=0o755)
    (script := tmp_path / "tool").write_text("#!/usr/bin/env -S deno run\n")
    script.chmod(0o755)
    (tmp_path / "conf").mkdir()
    (conf := tmp_path / "conf" / "kernel.json").touch()
    env = {"PATH": f"{tmp_path}:{binary.parent}"}
    found = needs.of_program(["tool", f"--conf={conf}"], env, "/spec")
    assert found == Needs(
        str(script),
        ("/spec", str(script), str(tmp_path / "deno"), str(tmp_path / "conf")),
        (str(script), str(binary)),
    )
    assert needs.of_program(["none"], env) is None


# --- what an interpreter says is not believed ---------------------------------------------------


def test_nobody_gets_the_home_folder_by_saying_that_it_is_needed(tmp_path: Path) -> None:
    home, data = tmp_path / "home", tmp_path / "home" / "data"
    for path in (".ssh", ".local/lib/python3", "data/workspaces/a", "project", "own"):
        (home / path).mkdir(parents=True)
    place = Place(str(data / "workspaces" / "a"), "/run/k1", str(home), (str(data),))
    wanted = [home, tmp_path, home / ".ssh", data, data / "workspaces", home / "project", "/gone"]
    needed = Needs(
        str(home / "own" / "python"), tuple(map(str, wanted)),
        (str(home / ".local/lib/python3"), str(home / ".ssh"), str(home)),
    )  # fmt: skip
    shown = places.readable(needed, place)
    assert shown.paths == (str(home / ".local/lib/python3"), str(home / "project"))
    assert shown.refused == tuple(map(str, wanted[:5]))


@pytest.mark.parametrize(
    "printed",
    ["", "no answer", needs.ANSWER_MARK + "{", needs.ANSWER_MARK + '{"executable": "python"}',
     needs.ANSWER_MARK + '{"executable": 1, "base": "/b", "venv": true}'],
)  # fmt: skip
def test_an_answer_that_is_none(printed: str) -> None:
    assert needs.read_answer(printed) is None


# --- a folder of the person's ------------------------------------------------------------------


def test_a_folder_with_its_environment_its_git_and_its_keys(rig: Rig, place: Path) -> None:
    need("bwrap")
    folder = place / "folder"
    python = make_venv(folder / ".venv")
    (folder / ".git" / "hooks").mkdir(parents=True)
    (folder / "data.csv").write_text("a\n1\n")
    talk = rig.conversation(sandbox="bwrap", python=str(python), workspace=str(folder))
    code = (
        "def tried(f):\n"
        "    try:\n        return f()\n"
        "    except OSError as error:\n        return error.strerror\n"
        "print(open('data.csv').read().split(), repr(open('.env').read()))\n"
        "hook = '.git/hooks/pre-commit'\n"
        "print(tried(lambda: open('.env', 'w')), tried(lambda: open(hook, 'w')), sep=', ')\n"
        "import os\n"
        "print(tried(lambda: os.rename('.git', 'git')))\nprint(tried(lambda: os.remove('.env')))\n"
        "print(tried(lambda: open('.venv/bin/evil', 'w')))\n"
        "open('result.txt', 'w').write('x')"
    )
    ran = talk.run(code)
    read_only = "Read-only file system"
    assert ran.text.splitlines() == [
        "['a', '1'] ''", f"{read_only}, {read_only}",
        "Device or resource busy", "Device or resource busy", read_only,
    ]  # fmt: skip
    assert ran.end.files.added == ["result.txt"]
    assert (folder / ".env").read_text() == "OPENAI_API_KEY=sk-of-the-person"


def test_landlock_refuses_a_folder_whose_keys_it_cannot_hide(rig: Rig, place: Path) -> None:
    need("landlock")
    talk = rig.conversation(sandbox="landlock", workspace=str(place / "folder"))
    ran = talk.run("1")
    assert ran.status == "not_run"
    assert ran.end.reason is not None
    assert f"The working folder holds {place / 'folder' / '.env'}" in ran.end.reason
    assert talk.state("dead").hint is not None


def test_without_consent_no_kernel_starts(rig: Rig) -> None:
    talk = rig.conversation(sandbox="ask")
    ran = talk.run("1")
    assert ran.status == "not_run"
    assert ran.end.reason is not None
    assert ran.end.reason.startswith("Code does not run here yet: no sandbox works")
    assert talk.state("dead").hint == (
        "Agree on the page to run code without one, or start with --sandbox none."
    )


# --- an ordinary user --------------------------------------------------------------------------

AS_NOBODY = """
import sys
from gpt_code_ui.protocol import CageOptions
from gpt_code_ui.supervisor import LaunchOptions
from tests.kernel_fixtures import running_rig
bomb = '''
import os, time
n = 0
try:
    while n < 500:
        if os.fork() == 0:
            time.sleep(3); os._exit(0)
        n += 1
except OSError as error:
    print("stopped", n < 60)
'''
with running_rig(LaunchOptions(cage=CageOptions(processes=60))) as rig:
    talk = rig.conversation(sandbox=sys.argv[1], python=sys.executable)
    print(talk.run("import os; open('f', 'w'); print(os.getuid(), os.listdir())").text, end="")
    print(talk.run(bomb).text, end="")
"""


def for_everybody(path: Path, into: Path) -> Path:
    """The folder where others can read it: itself, or a copy."""
    if all(parent.stat().st_mode & 0o005 == 0o005 for parent in (path, *path.parents)):
        return path
    shutil.copytree(path, into, symlinks=True)
    return into


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_as_an_ordinary_user(level: SandboxLevel) -> None:
    need(level)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    python = f"/usr/bin/python{version}"
    if not Path(python).exists():
        pytest.skip(f"there is no {python} that everybody may run")
    root = Path(__file__).resolve().parent.parent
    with tempfile.TemporaryDirectory(prefix="gptcode-user-", dir="/tmp") as folder:
        base = Path(folder)
        base.chmod(0o755)
        source, site = for_everybody(root, base / "src"), for_everybody(SITE, base / "site")
        (home := base / "home").mkdir()
        os.chown(home, 65534, 65534)
        done = subprocess.run(
            ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
             python, "-c", AS_NOBODY, level],
            env={"PATH": "/usr/bin:/bin", "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1",
                 "PYTHONPATH": f"{source}:{site}"},
            cwd=source, capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
        assert done.stdout.splitlines() == ["65534 ['f']", "stopped True"], done.stderr
