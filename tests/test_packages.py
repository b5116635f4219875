"""Installing for a conversation: real pip in real cages, from an index on this machine."""

import base64
import hashlib
import http.server
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gpt_code_ui.errors import InvalidValue
from gpt_code_ui.installs import install_code, installs_packages
from gpt_code_ui.kernel import installer
from gpt_code_ui.protocol import NetworkOptions
from gpt_code_ui.supervisor import LaunchOptions
from tests.cage_fixtures import need
from tests.kernel_fixtures import Rig, Talk, running_rig

pytestmark = pytest.mark.keeps("one manager serves the module")
PIP_S = 120.0


def wheel(folder: Path, name: str, version: str, *requires: str) -> Path:
    """A package of one module that says its version."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + "".join(f"Requires-Dist: {one}\n" for one in requires),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
    }
    record = []
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            digest = hashlib.sha256(text.encode()).digest()
            coded = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            record.append(f"{file},sha256={coded},{len(text)}")
            archive.writestr(file, text)
        archive.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,"]))
    return path


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def index(folder: Path) -> Iterator[str]:
    """A package index on loopback over ``folder/simple``; its address."""
    handler = partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="index")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/simple/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index: alpha 1 and 2 need beta, which needs what the environment has."""
    folder = tmp_path_factory.mktemp("index")
    for name, version, requires in (
        ("gptcodealpha", "1.0", ["gptcodebeta"]), ("gptcodealpha", "2.0", ["gptcodebeta"]),
        ("gptcodebeta", "1.0", ["numpy"]),
    ):  # fmt: skip
        (place := folder / "simple" / name).mkdir(parents=True, exist_ok=True)
        wheel(place, name, version, *requires)
    return folder


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    need("bwrap")
    options = NetworkOptions(also=["127.0.0.0/8"], packages=["127.0.0.1"])
    log: list[str] = []
    with running_rig(LaunchOptions(network=options, log=log.append)) as rig:
        yield rig


def talk_in(rig: Rig, **start: Any) -> Talk:
    number = len(list(rig.folder.iterdir()))
    folder = str(rig.folder / f"packages{number}")
    return rig.conversation(packages=folder, **{"sandbox": "bwrap", **start})


def run(talk: Talk, code: str) -> str:
    ran = talk.run(code, timeout=PIP_S)
    assert ran.error is None, ran.error
    return ran.text


def installing(talk: Talk, url: str, names: str, *, how: str = "%pip install") -> str:
    """Run an installing cell that was allowed to."""
    code = f"{how} --proxy $PIP_PROXY -i {url} {names}"
    cell = talk.post(code, installs=True)
    ran = talk.finished(cell, timeout=PIP_S)
    return ran.text


def test_it_is_installed_for_the_conversation_and_stays(rig: Rig, packages: Path) -> None:
    talk = talk_in(rig)
    with index(packages) as url:
        said = installing(talk, url, "gptcodealpha==1.0")
        assert "Installed for this conversation:" in said, said
        assert "numpy" not in said.partition("Installed")[2]  # the environment has it
        assert run(talk, "import gptcodealpha as a; print(a.version, a.__file__, end='')") == (
            "1.0 /packages/gptcodealpha.py"
        )
        assert "already" in installing(talk, url, "gptcodealpha")
        assert "gptcodealpha-2.0" in installing(talk, url, "-U gptcodealpha")
    talk.client.restart(talk.id)
    seen = (
        "import gptcodealpha as a, gptcodebeta, importlib.metadata as m, subprocess, sys\n"
        "print(a.version, m.version('gptcodealpha'), end=' ')\n"
        "print(subprocess.run([sys.executable, '-c', 'import gptcodebeta as b; print(b.version)'],"
        "capture_output=True, text=True).stdout, end='')"
    )
    assert run(talk, seen) == "2.0 2.0 1.0\n"
    other = talk_in(rig)
    assert other.run("import gptcodealpha").error is not None


@pytest.mark.parametrize("how", ["!pip install", "!python -m pip install"])
def test_other_ways_to_call_pip_go_there_too(rig: Rig, packages: Path, how: str) -> None:
    talk = talk_in(rig)
    with index(packages) as url:
        installing(talk, url, "--no-deps gptcodebeta", how=how)
    assert run(talk, "import gptcodebeta as b; print(b.__file__, end='')") == (
        "/packages/gptcodebeta.py"
    )


def test_without_being_allowed_nothing_is_installed(rig: Rig, packages: Path) -> None:
    talk = talk_in(rig)
    with index(packages) as url:
        ran = talk.run(
            f"%pip install --retries 0 --proxy $PIP_PROXY -i {url} gptcodebeta", timeout=PIP_S
        )
    assert ran.end.refused_hosts == ["127.0.0.1"]
    assert talk.run("import gptcodebeta").error is not None


def test_what_was_installed_cannot_keep_the_kernel_from_starting(rig: Rig) -> None:
    talk = talk_in(rig)
    run(talk, "open('/packages/traitlets.py', 'w').write('1/0'); "
              "open('/packages/json.py', 'w').write('1/0')")  # fmt: skip
    talk.client.restart(talk.id)
    assert run(talk, "print(1, end='')") == "1"


@pytest.mark.parametrize("kind", ["venv", "without pip"])
def test_every_kind_of_python(rig: Rig, packages: Path, tmp_path: Path, kind: str) -> None:
    """Virtual environments, and those that have no pip."""
    python = environment(tmp_path / "venv", kind)
    talk = talk_in(rig, python=str(python))
    with index(packages) as url:
        said = installing(talk, url, "gptcodebeta")
    if kind == "without pip":
        assert f"{python} -m ensurepip" in said
        return
    assert "gptcodebeta-1.0" in said, said
    assert run(talk, "import gptcodebeta as b; print(b.version, end='')") == "1.0"


def environment(folder: Path, kind: str) -> Path:
    """A virtual environment that finds the packages of this one."""
    pip = ["--without-pip"] if kind == "without pip" else []
    subprocess.run([sys.executable, "-m", "venv", *pip, str(folder)], check=True)
    python = folder / "bin" / "python"
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.check_output([python, "-c", asked], text=True).strip()
    own = subprocess.check_output([sys.executable, "-c", asked], text=True).strip()
    if kind == "without pip":
        only = folder / "packages"
        only.mkdir()
        for one in Path(own).iterdir():
            if not one.name.startswith("pip"):
                (only / one.name).symlink_to(one)
        own = str(only)
    (Path(site) / "more.pth").write_text(own + "\n")
    return python


SYSTEM = Path("/usr/bin/python3")


@pytest.mark.skipif(
    not list(Path("/usr/lib").glob("python3*/EXTERNALLY-MANAGED"))
    or not list(Path("/usr/lib").glob("python3*/dist-packages/pip")),
    reason="no Python that the system manages, with pip",
)
def test_a_python_that_the_system_manages(packages: Path, tmp_path: Path) -> None:
    """PEP 668: pip alone refuses there."""
    wheels = packages / "simple" / "gptcodebeta"
    more = ["--no-index", "--find-links", str(wheels), "--no-deps"]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    pip = [SYSTEM, "-m", "pip", "install", *more, "gptcodebeta"]
    alone = subprocess.run(pip, env=env, capture_output=True, text=True, check=False)
    assert "externally-managed-environment" in alone.stderr
    env["PIP_TARGET"] = str(tmp_path)
    ours = [SYSTEM, installer.__file__, *more, "gptcodebeta"]
    done = subprocess.run(ours, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, "gptcodebeta-1.0" in done.stdout) == (0, True), done.stderr
    assert sorted(one.name for one in tmp_path.iterdir() if one.name.startswith("g")) == [
        "gptcodebeta-1.0.dist-info", "gptcodebeta.py",
    ]  # fmt: skip


def test_without_a_cage_it_goes_into_the_folder_as_well(rig: Rig, packages: Path) -> None:
    talk = talk_in(rig, sandbox="none")
    with index(packages) as url:
        code = f"%pip install --no-deps -i {url} gptcodebeta"
        assert "gptcodebeta-1.0" in run(talk, code)
    where = run(talk, "import gptcodebeta as b; print(b.__file__, end='')")
    assert Path(where).parent.name.startswith("packages")


# --- what is an installation -------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        "%pip install x",
        "!pip install x",
        "  !pip3 install -q x\nimport x",
        "! python -m pip install x",
        "subprocess.run([sys.executable, '-m', 'pip', 'install', 'x'])",
        "import a\n%pip  install b",
    ],
)
def test_installs(code: str) -> None:
    assert installs_packages(code)


@pytest.mark.parametrize("code", ["import pip", "# pip install x", "%pip list", "print('pip')"])
def test_installs_not(code: str) -> None:
    assert not installs_packages(code)


def test_the_code_that_installs() -> None:
    assert install_code(["pandas", " a-b[c, d]", "numpy>=2,<3"]) == (
        '%pip install pandas "a-b[c, d]" "numpy>=2,<3"'
    )


@pytest.mark.parametrize(
    "name",
    [
        "",
        "-r x",
        "--index-url=http://x",
        "http://x/y.whl",
        "./x",
        "x; ls",
        "x y",
        "$(x)",
        "a@b",
        "x\ny",
    ],
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue):
        install_code([name])
