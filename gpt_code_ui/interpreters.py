"""The Python interpreters that lie where tools put them: found by listing known folders.

Nothing is started, and nothing is searched: not the home folder, not the disk. A virtual
environment is known by the path of its interpreter, so links are not followed for the name; one
interpreter is told once, by the first place that has it.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Origin = Literal["active", "folder", "venv", "conda", "pyenv", "uv", "system"]
CONDA_FOLDERS = ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba", ".conda")
MOST = 200


@dataclass(frozen=True)
class Interpreter:
    """``path`` is what a kernel is started with."""

    path: str
    origin: Origin


def interpreter_in(path: Path) -> Path | None:
    """The interpreter that ``path`` is, or that the environment there has."""
    if path.is_file():
        return path if os.access(path, os.X_OK) else None
    inside = (path / "bin" / "python", path / "bin" / "python3", path / "Scripts" / "python.exe",
              path / "python.exe")  # fmt: skip
    return next((one for one in inside if one.is_file()), None)


def version_of(python: str) -> tuple[int, int] | None:
    """Major and minor version, where the files around an interpreter tell; it is not started."""
    if os.path.realpath(python) == os.path.realpath(sys.executable):
        return sys.version_info[:2]
    root = Path(python).parent.parent
    try:
        text = (root / "pyvenv.cfg").read_text("utf-8")
        found = re.search(r"^version(?:_info)?\s*=\s*(\d+)\.(\d+)", text, re.MULTILINE)
        names = [found[0].rpartition("=")[2].strip()] if found else []
    except (OSError, ValueError):
        real = Path(os.path.realpath(python))
        names = [real.name.removeprefix("python")]
    parts = [re.match(r"(\d+)\.(\d+)", name) for name in names]
    return next(((int(one[1]), int(one[2])) for one in parts if one), None)


def find(environ: Mapping[str, str], folders: tuple[Path, ...] = ()) -> list[Interpreter]:
    """Those that can be chosen; ``folders`` may have environments of their own (``.venv``)."""
    found: dict[str, Interpreter] = {}
    for origin, path in _places(environ, folders):
        try:
            python = interpreter_in(path)
        except OSError:
            continue
        if python is not None and not _is_python2(python) and len(found) < MOST:
            key = str(python) if _is_venv(python) else os.path.realpath(python)
            found.setdefault(key, Interpreter(str(python), origin))
    return list(found.values())


def _places(environ: Mapping[str, str], folders: tuple[Path, ...]) -> Iterator[tuple[Origin, Path]]:
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if active := environ.get(name):
            yield "active", Path(active)
    for folder in folders:
        for name in (".venv", "venv", "env"):
            yield "folder", folder / name
    home = _home(environ)
    if home is not None:
        yield from _of_home(environ, home)
    for name in ("python3", "python"):
        if path := shutil.which(name, path=environ.get("PATH")):
            yield "system", Path(path)
    for path in ("/usr/local/bin/python3", "/usr/bin/python3", "/opt/homebrew/bin/python3"):
        yield "system", Path(path)


def _of_home(environ: Mapping[str, str], home: Path) -> Iterator[tuple[Origin, Path]]:
    workon = environ.get("WORKON_HOME")
    for folder in (
        Path(workon) if workon else home / ".virtualenvs",
        home / ".local" / "share" / "virtualenvs",
        home / ".cache" / "pypoetry" / "virtualenvs",
    ):
        for path in _inside(folder):
            yield "venv", path
    yield from (("conda", path) for path in _of_conda(environ, home))
    pyenv = Path(environ.get("PYENV_ROOT") or home / ".pyenv")
    for path in _inside(pyenv / "versions"):
        yield "pyenv", path
    uv = environ.get("UV_PYTHON_INSTALL_DIR")
    for path in _inside(Path(uv) if uv else home / ".local" / "share" / "uv" / "python"):
        yield "uv", path


def _of_conda(environ: Mapping[str, str], home: Path) -> Iterator[Path]:
    """The environments that conda noted, and those in its usual folders."""
    try:
        noted = (home / ".conda" / "environments.txt").read_text("utf-8").splitlines()
    except (OSError, ValueError):
        noted = []
    yield from (Path(line) for line in noted if Path(line).is_absolute())
    roots = [home / name for name in CONDA_FOLDERS]
    if executable := environ.get("CONDA_EXE"):
        roots.insert(0, Path(executable).parent.parent)
    for root in roots:
        if (root / "conda-meta").is_dir():
            yield root
        yield from _inside(root / "envs")


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir())
    except OSError:
        return []


def _is_python2(python: Path) -> bool:
    """Whether that is all that is there: no kernel runs on it any more."""
    libraries = python.parent.parent / "lib"
    return any(libraries.glob("python2.*")) and not any(libraries.glob("python3*"))


def _is_venv(python: Path) -> bool:
    return (python.parent.parent / "pyvenv.cfg").is_file()


def _home(environ: Mapping[str, str]) -> Path | None:
    named = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(named) if named else None
