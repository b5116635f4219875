"""The kernelspecs on disk, read here without Jupyter: the folders are its own, in its order."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gpt_code_ui.kernel.sandbox.environment import environment


def kernelspecs(python: Path) -> list[dict[str, Any]]:
    """Rows with ``name``, ``display_name`` and ``language``; beside ``python`` come first."""
    found: dict[str, dict[str, Any]] = {}
    for folder in _folders(python):
        for spec in sorted(folder.glob("*/kernel.json")):
            found.setdefault(spec.parent.name.lower(), _row(spec))
    return [row for row in found.values() if row]


def _folders(python: Path) -> Iterator[Path]:
    environ = environment()
    yield python.parent.parent / "share" / "jupyter" / "kernels"
    for path in environ.get("JUPYTER_PATH", "").split(os.pathsep):
        if path:
            yield Path(path) / "kernels"
    try:
        home = Path.home()
    except RuntimeError:
        home = Path(sys.prefix)
    if data := environ.get("JUPYTER_DATA_DIR"):
        yield Path(data) / "kernels"
    elif sys.platform == "darwin":
        yield home / "Library" / "Jupyter" / "kernels"
    else:
        share = environ.get("XDG_DATA_HOME") or home / ".local" / "share"
        yield Path(share) / "jupyter" / "kernels"
    yield Path(sys.prefix) / "share" / "jupyter" / "kernels"
    yield Path("/usr/local/share/jupyter/kernels")
    yield Path("/usr/share/jupyter/kernels")


def _row(path: Path) -> dict[str, Any]:
    try:
        spec = json.loads(path.read_text("utf-8"))
        return {
            "name": path.parent.name,
            "display_name": str(spec.get("display_name", path.parent.name)),
            "language": str(spec.get("language", "")).lower(),
        }
    except (OSError, ValueError, AttributeError):
        return {}
