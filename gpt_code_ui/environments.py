"""What conversations can run in: kernelspecs and interpreters, the default among them.

A conversation keeps the name of a kernelspec or the path of an interpreter; with neither it runs
in what the settings say. Looking costs a few folders' lists and is done when it is asked for.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpt_code_ui.errors import InvalidValue
from gpt_code_ui.interpreters import find, interpreter_in, version_of
from gpt_code_ui.kernel import mending
from gpt_code_ui.kernel.sandbox.environment import outside_environment
from gpt_code_ui.kernelspecs import kernelspecs
from gpt_code_ui.languages import plain_language
from gpt_code_ui.notebook import PYTHON_SPEC
from gpt_code_ui.protocol import ConversationSummary

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Environment:
    """Where code runs: ``kernel_name`` is a kernelspec's, without it the interpreter is used."""

    python: str
    kernel_name: str | None = None
    language: str = "python"
    display_name: str = ""

    @property
    def foreign(self) -> str | None:
        """The language, where it is not Python."""
        return None if self.language == "python" else self.language

    @property
    def our_grammar(self) -> bool:
        """Whether its Python is known to be no newer than ours: what is no code here is none."""
        version = None if self.kernel_name or self.foreign else version_of(self.python)
        return version is not None and version <= sys.version_info[:2]

    @property
    def spec(self) -> dict[str, str]:
        """As a notebook names it."""
        if self.kernel_name is None:
            return dict(PYTHON_SPEC)
        return {
            "name": self.kernel_name, "display_name": self.display_name, "language": self.language,
        }  # fmt: skip


class Environments:
    """Stateless but for the settings it was made with; any thread may ask."""

    def __init__(
        self, python: str = sys.executable, kernel_name: str | None = None,
        folders: tuple[Path, ...] = (), environ: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """The default's interpreter and kernelspec; ``folders`` may hold a ``.venv``."""
        self._python = python
        self._kernel_name = kernel_name
        self._folders = folders
        self._environ = outside_environment() if environ is None else environ

    def rows(self) -> Rows:
        """For the page: ``name`` or ``python``, ``display_name``, ``language`` and ``default``.

        Interpreters also say their ``origin``, and whether they are ``ready`` (None where that
        cannot be seen).
        """
        given = [one for one in find(self._environ, self._folders) if one.path != self._python]
        given.sort(key=lambda one: mending.has(one.path, mending.PACKAGE) is False)
        pythons = [("default", self._python), *((one.origin, one.path) for one in given)]
        rows: Rows = [
            {
                "name": None, "display_name": f"Python ({path})", "language": "python",
                "python": path, "origin": origin, "ready": mending.has(path, mending.PACKAGE),
                "default": origin == "default" and self._kernel_name is None,
            }
            for origin, path in pythons
        ]  # fmt: skip
        return rows + [
            {**row, "default": row["name"] == self._kernel_name}
            for row in kernelspecs(Path(self._python))
        ]

    def of(self, kernel_name: str | None, python: str | None) -> Environment:
        """What a conversation that chose this runs in; a kernelspec may be gone meanwhile."""
        if not kernel_name and python:
            return Environment(python, display_name=f"Python ({python})")
        name = kernel_name or self._kernel_name
        if name is None:
            return Environment(self._python, display_name=f"Python ({self._python})")
        row = next((row for row in kernelspecs(Path(self._python)) if row["name"] == name), None)
        if row is None:
            return Environment(self._python, name, "unknown", name)
        return Environment(self._python, name, plain_language(row["language"]), row["display_name"])

    def of_row(self, row: ConversationSummary | None) -> Environment:
        """The same, as the list of conversations has it."""
        return self.of(row.kernel_name, row.python) if row else self.of(None, None)

    def chosen(self, kernel_name: str, python: str) -> Environment:
        """The same for what the person asks for; the path is made whole. Raises InvalidValue."""
        if kernel_name and python:
            raise InvalidValue("kernel, python: one of them at most.")
        if kernel_name:
            names = [row["name"] for row in kernelspecs(Path(self._python))]
            if kernel_name not in names:
                known = ", ".join(names) or "none is installed"
                raise InvalidValue(
                    f"kernel: there is none named {kernel_name!r}.", hint=f"There are: {known}."
                )
        if python:
            python = str(_checked(python))
        return self.of(kernel_name, python)


def _checked(path: str) -> Path:
    wanted = Path(path).expanduser()
    found = None
    try:
        found = interpreter_in(wanted) if wanted.is_absolute() else None
    except OSError:
        pass
    if found is None:
        raise InvalidValue(
            f"python: {path} is no Python interpreter and no environment.",
            hint="Give the whole path of a file like .venv/bin/python, or of the folder .venv.",
        )
    return found
