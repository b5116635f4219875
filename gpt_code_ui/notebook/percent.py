"""A notebook as a script in the percent format, which Jupytext, VS Code, Spyder and PyCharm read.

Text and whatever is no plain code of the language (magics, shell commands) stand in comments, so
that the script runs as it is. The format is Jupytext's, "The percent format" in its documentation.
"""

import ast
import json
import re
from typing import Any

from gpt_code_ui.notebook.parts import language_of, text_of

Json = dict[str, Any]
SLASHES = {"javascript", "typescript", "java", "c", "c++", "cpp", "go", "rust", "scala", "kotlin"}
DASHES = {"sql", "haskell", "lua"}
ENDINGS = {
    "python": ".py", "r": ".r", "julia": ".jl", "bash": ".sh", "javascript": ".js",
    "typescript": ".ts", "c++": ".cpp", "sql": ".sql",
}  # fmt: skip
CELL_MAGIC = re.compile(r"\s*%%[A-Za-z]")
# Line magics, shell commands, help, and a magic or command whose value is kept.
MAGIC = re.compile(
    r"\s*(%[A-Za-z]|[!?]|[\w.]+\?+\s*$|[\w, ]+=\s*(%[A-Za-z]|!))|.*[\w\])]\?{1,2}\s*$"
)


def script_ending(notebook: Json) -> str:
    """The ending of the script's name."""
    info = notebook["metadata"].get("language_info") or {}
    known = ENDINGS.get(language_of(notebook))
    return known or str(info.get("file_extension") or ".txt")


def percent_script(notebook: Json) -> str:
    """The whole script."""
    language = language_of(notebook)
    comment = "//" if language in SLASHES else "--" if language in DASHES else "#"
    cells = [_cell(cell, comment, language) for cell in notebook["cells"]]
    return "\n".join([_header(notebook, comment), *cells])


def _header(notebook: Json, comment: str) -> str:
    """How Jupytext finds the kernel again."""
    spec = notebook["metadata"].get("kernelspec") or {}
    lines = ["---", "jupyter:", "  jupytext:", "    text_representation:",
             f"      extension: {script_ending(notebook)}", "      format_name: percent",
             "      format_version: '1.3'"]  # fmt: skip
    if spec:
        lines.append("  kernelspec:")
        lines += [f"    {name}: {json.dumps(str(value))}" for name, value in sorted(spec.items())]
    return _commented("\n".join([*lines, "---"]), comment) + "\n"


def _cell(cell: Json, comment: str, language: str) -> str:
    source = text_of(cell["source"])
    tags = cell.get("metadata", {}).get("tags")
    options = f" tags={json.dumps(tags)}" if tags else ""
    if cell["cell_type"] == "markdown":
        return f"{comment} %% [markdown]{options}\n{_commented(source, comment)}\n"
    if cell["cell_type"] == "raw":
        return f"{comment} %% [raw]{options}\n{_commented(source, comment)}\n"
    code = _code(source, comment) if language == "python" else source
    return f"{comment} %%{options}\n{_escaped(code, comment)}\n"


def _commented(text: str, comment: str) -> str:
    return "\n".join(f"{comment} {line}" if line else comment for line in text.split("\n"))


def _code(source: str, comment: str) -> str:
    """Python as it is; the lines that only IPython understands as comments."""
    if _is_plain_python(source):
        return source
    first, *_ = source.lstrip().split("\n")
    if CELL_MAGIC.match(first):
        rest = source.lstrip().partition("\n")[2]
        if _is_plain_python(rest) and first.startswith(("%%time", "%%capture", "%%prun")):
            return f"{_commented(first, comment)}\n{rest}" if rest else _commented(first, comment)
        return _commented(source, comment)
    return "\n".join(
        f"{comment} {line}" if MAGIC.match(line) else line for line in source.split("\n")
    )


def _is_plain_python(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _escaped(code: str, comment: str) -> str:
    """Code that looks like the head of a cell would begin one."""
    head = re.compile(rf"^({re.escape(comment)} )?{re.escape(comment)} ?%%", re.MULTILINE)
    return head.sub(lambda found: f"{comment} {found[0]}", code)
