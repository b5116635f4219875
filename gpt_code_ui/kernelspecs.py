"""Which kernels could be chosen: the interpreter of the settings, and the kernelspecs on disk."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gpt_code_ui.notebook import PYTHON_SPEC
from gpt_code_ui.settings import Settings


def kernels(settings: Settings) -> list[dict[str, Any]]:
    """Rows with ``name``, ``display_name``, ``language``, ``python``? and ``default``."""
    own = {
        "name": None,
        "display_name": f"Python ({settings.python})",
        "language": "python",
        "python": str(settings.python),
        "default": settings.kernel is None,
    }
    found: dict[str, dict[str, Any]] = {}
    for folder in _folders(settings.python):
        for spec in sorted(folder.glob("*/kernel.json")):
            found.setdefault(spec.parent.name, _row(spec, settings.kernel))
    return [own, *(row for row in found.values() if row)]


def kernelspec(settings: Settings) -> dict[str, str]:
    """The one that conversations run in, as a notebook names it."""
    chosen = next((row for row in kernels(settings) if row["default"]), None)
    if chosen is None or chosen["name"] is None:
        return dict(PYTHON_SPEC)
    return {name: str(chosen[name]) for name in ("name", "display_name", "language")}


def _folders(python: Path) -> Iterator[Path]:
    yield python.parent.parent / "share" / "jupyter" / "kernels"
    yield Path(sys.prefix) / "share" / "jupyter" / "kernels"
    try:
        home = Path.home()
    except RuntimeError:
        home = Path(sys.prefix)
    if sys.platform == "darwin":
        yield home / "Library" / "Jupyter" / "kernels"
    yield home / ".local" / "share" / "jupyter" / "kernels"
    yield Path("/usr/local/share/jupyter/kernels")
    yield Path("/usr/share/jupyter/kernels")


def _row(path: Path, chosen: str | None) -> dict[str, Any]:
    try:
        spec = json.loads(path.read_text("utf-8"))
        return {
            "name": path.parent.name,
            "display_name": str(spec.get("display_name", path.parent.name)),
            "language": str(spec.get("language", "")),
            "default": path.parent.name == chosen,
        }
    except (OSError, ValueError, AttributeError):
        return {}
