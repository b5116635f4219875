"""IPython's own lines made into Python that can be read, line for line, with what they mean.

``%`` and ``!`` lines are no Python: code that is Python has none, and is left as it is.
"""

import ast
import re
from dataclasses import dataclass, field

from gpt_code_ui.risk.tables import Kind

FLAGS = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
# What they are given is Python.
TIMED = {"time", "timeit", "capture"}
# These show or set something of the session and reach nothing beyond it.
HARMLESS = {
    "matplotlib", "config", "precision", "pprint", "who", "whos", "who_ls", "pwd", "history",
    "reset_selective", "xdel", "lsmagic", "magic", "quickref", "pinfo", "pinfo2", "pdoc", "pdef",
    "xmode", "colors", "autosave", "psearch", "tb", "page",
}  # fmt: skip
SHOWN = {"html", "HTML", "svg", "SVG", "latex", "markdown"}
INSTALLS = {"pip", "pip3", "conda", "mamba", "micromamba", "uv", "apt", "apt-get", "npm", "brew"}
KINDS: dict[str, Kind] = {
    **dict.fromkeys(INSTALLS, "install"),
    **dict.fromkeys(("env", "set_env", "cd", "pushd", "popd", "dirs", "bookmark"), "outside"),
    **dict.fromkeys(
        ("system", "sx", "sc", "ls", "cat", "rm", "mv", "cp", "mkdir", "rmdir", "man", "less",
         "more", "alias", "rehashx", "killbgscripts", "ed", "edit", "notebook"), "process"),
    **dict.fromkeys(("js", "javascript"), "hidden"),
}  # fmt: skip
LINE = re.compile(r"^(\s*)((?:[\w.,\s\[\]]+=\s*)?)(%%?|!!?|\?\??)(.*)$")
HELP = re.compile(r"^\s*[%\w.*]+\s*\?\??\s*;?\s*$")
# Where IPython may run what is no Python: its marks, the prompts of consoles, an indented cell, and
# ends of lines that only it knows.
ESCAPES = re.compile(
    r"^\s*(?:[%!?,;/]|>>>|\.\.\.|In ?\[)|=\s*[%!]|\?\s*;?\s*$|\A\s*^[ \t]"
    r"|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]",
    re.MULTILINE,
)
# What IPython runs as a magic although it looks like a name or a call.
AUTOMATIC = {"cd", "pushd", "popd", "env", "rehashx", "edit", "ed"}


@dataclass
class Plain:
    """``tree``: None if the code cannot be read. ``found``: line, kind, what, for the magics."""

    tree: ast.Module | None = None
    found: list[tuple[int, Kind, str]] = field(default_factory=list)


def plain(code: str) -> Plain:
    """The code as Python."""
    tree = _parse(code)
    if tree is not None:
        return Plain(tree, _automatic(tree))
    result = Plain()
    lines = code.split("\n")
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    if lines[first].lstrip().startswith("%%"):
        if not _cell_magic(lines, first, result):
            result.tree = ast.Module(body=[], type_ignores=[])
            return result
        code = "\n".join(lines)
        tree = _parse(code)
    if tree is None:
        tree = _parse("\n".join(_line(line, at, result) for at, line in enumerate(lines, 1)))
    result.tree = tree
    return result


def never_runs(code: str) -> bool:
    """Whether a kernel can only refuse it: it is no code by our grammar, nor by IPython's."""
    try:
        compile(code, "cell", "exec", FLAGS)
    except SyntaxError:
        return ESCAPES.search(code) is None
    except (ValueError, RecursionError, MemoryError, OverflowError):
        pass
    return False


def _parse(code: str) -> ast.Module | None:
    try:
        tree = compile(code, "cell", "exec", FLAGS)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return None
    return tree if isinstance(tree, ast.Module) else None


def _automatic(tree: ast.Module) -> list[tuple[int, Kind, str]]:
    return [
        (one.lineno, KINDS.get(one.value.id, "process"), one.value.id)
        for one in tree.body
        if isinstance(one, ast.Expr)
        and isinstance(one.value, ast.Name)
        and one.value.id in AUTOMATIC
    ]


def _cell_magic(lines: list[str], first: int, result: Plain) -> bool:
    """Take a cell magic's line away; whether what follows is Python."""
    words = lines[first].lstrip()[2:].split(maxsplit=1)
    name, rest = (words[0] if words else ""), (words[1] if len(words) > 1 else "")
    if name in TIMED:
        lines[first] = "" if name == "capture" else _statement(rest)
        return True
    if name in SHOWN:
        return False
    if name in ("writefile", "file"):
        lines[:] = [""] * first + [f"open({rest.split()[-1:] or ['']!r}[0], 'w')"]
        return True
    result.found.append((first + 1, KINDS.get(name, "process"), f"%%{name}"))
    return False


def _statement(rest: str) -> str:
    """What follows ``%time`` and its options."""
    return re.sub(r"^(\s*-\w+(\s*\d+)?)+\s*", "", rest) or "pass"


def _line(line: str, at: int, result: Plain) -> str:
    if HELP.match(line):
        return re.match(r"\s*", line)[0] + "pass"  # type: ignore[index]
    found = LINE.match(line)
    if found is None:
        return line
    indent, target, mark, rest = found.groups()
    name = (rest.split(maxsplit=1) or [""])[0]
    if mark.startswith("%") and name in TIMED:
        return f"{indent}{target}{_statement(rest.strip()[len(name) :].strip())}"
    if mark.startswith("?") or (mark == "%" and name in HARMLESS):
        return f"{indent}pass"
    if mark.startswith("!"):
        words = set(re.findall(r"[\w.-]+", rest)) & INSTALLS
        kind: Kind = "install" if words and "install" in rest else "process"
        result.found.append((at, kind, line.strip()[:60]))
    else:
        result.found.append((at, KINDS.get(name, "hidden"), f"%{name}"))
    return f"{indent}{target}None"
