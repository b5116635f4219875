"""Fetch what notebooks are tested with: other people's notebooks, and other people's tools.

The notebooks come out of the source packages of well-known projects, the tools (nbconvert,
JupyterLab's server, Jupytext) go into an environment of their own below ``.cache``. Nothing of it
is committed; tests that want it are skipped, with the reason, where it could not be fetched.
``--where`` prints the folder.
"""

import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

CACHE = Path(__file__).resolve().parent.parent / ".cache"
NOTEBOOKS = CACHE / "notebooks"
JUPYTER = CACHE / "jupyter"
READY = "ready-1"
SOURCES = ("nbformat==5.10.4", "nbconvert==7.16.6", "nbclient==0.10.2", "jupytext==1.17.1")
TOOLS = ("nbconvert", "jupyterlab", "jupytext", "ipykernel")
SIZE_LIMIT = 8 * 1024 * 1024


def python() -> Path:
    """The interpreter of the tools."""
    return JUPYTER / "bin" / "python"


def fetch_notebooks() -> int:
    """Unpack every notebook of the source packages; how many there are."""
    with tempfile.TemporaryDirectory() as folder:
        for source in SOURCES:
            command = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps",
                       "--no-binary", ":all:", "--dest", folder, source]  # fmt: skip
            subprocess.run(command, check=True)
        for archive in sorted(Path(folder).glob("*.tar.gz")):
            unpack(archive)
    return len(list(NOTEBOOKS.rglob("*.ipynb")))


def unpack(archive: Path) -> None:
    """The notebooks of one source package, below its name."""
    with tarfile.open(archive) as tar:
        for member in tar:
            parts = Path(member.name).parts
            wanted = member.isfile() and member.name.endswith(".ipynb") and ".." not in parts
            if not wanted or member.size > SIZE_LIMIT:
                continue
            content = tar.extractfile(member)
            assert content is not None
            path = NOTEBOOKS.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.read())


def install_tools() -> None:
    """An environment with the tools, apart from ours."""
    venv.create(JUPYTER, with_pip=True)
    command = [str(python()), "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*command, *TOOLS], check=True)


def prepare(folder: Path, make: "object") -> bool:
    """Have a folder that was made whole, or none."""
    if (folder / READY).exists():
        return True
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    assert callable(make)
    try:
        make()
    except (OSError, subprocess.CalledProcessError, tarfile.TarError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        print(f"setup: {folder.name} could not be fetched: {error}", file=sys.stderr)
        return False
    (folder / READY).touch()
    return True


def main() -> int:
    """Fetch what is missing. Without a registry the tests that want it are skipped."""
    if sys.argv[1:] == ["--where"]:
        print(CACHE)
        return 0
    prepare(NOTEBOOKS, fetch_notebooks)
    prepare(JUPYTER, install_tools)
    return 0


if __name__ == "__main__":
    sys.exit(main())
