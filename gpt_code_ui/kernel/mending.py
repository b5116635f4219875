"""What an interpreter lacks to be a kernel, and the one command that mends it.

Looks at folders; no interpreter is started.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "ipykernel"
# The system's own interpreter looks in more folders than lie beside it.
SYSTEM = ("/usr", "/usr/local")
INHERITS = "include-system-site-packages = true"


def has(python: str, module: str) -> bool | None:
    """Whether a module is installed for the interpreter; None where that cannot be seen."""
    prefix = Path(python).parent.parent
    folders = [folder for folder in _site_folders(prefix) if folder.is_dir()]
    if any((folder / module).is_dir() for folder in folders):
        return True
    seen = folders and str(prefix) not in SYSTEM and not _inherits(prefix)
    return False if seen else None


def command(python: str) -> list[str]:
    """The command that installs ipykernel: its own pip, or another that does it from outside."""
    if has(python, "pip") is not False:
        return [python, "-m", "pip", "install", PACKAGE]
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "pip", "install", "--python", python, PACKAGE]
    return [sys.executable, "-m", "pip", "--python", python, "install", PACKAGE]


def _site_folders(prefix: Path) -> Iterator[Path]:
    for name in ("site-packages", "dist-packages"):
        yield from prefix.glob(f"lib/python3*/{name}")
    yield prefix / "Lib" / "site-packages"


def _inherits(prefix: Path) -> bool:
    try:
        return INHERITS in (prefix / "pyvenv.cfg").read_text("utf-8")
    except (OSError, ValueError):
        return False
