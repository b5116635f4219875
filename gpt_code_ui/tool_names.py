"""Which of the tools that were offered a model means by the name it gave."""

import re
from collections.abc import Collection

EXECUTE_CODE = "execute_code"
# Names that models give the tool for code; compared without case and punctuation.
OTHER_NAMES = frozenset({
    "python", "python3", "py", "ipython", "jupyter", "interpreter", "execute", "exec", "run",
    "executecode", "executecodetool", "functionsexecutecode", "toolsexecutecode", "runcode",
    "coderunner", "codeinterpreter", "codeexecution", "codeexecutor", "functionspython",
    "executepython", "executepythoncode", "execpython", "runpython", "runpythoncode",
    "pythonexec", "pythonexecute", "pythoninterpreter", "pythonrepl",
})  # fmt: skip
_PREFIX = re.compile(r"^(functions?|tools?|default_api|api|mcp)[._:/]+", re.IGNORECASE)


def means(name: str, tool: str) -> bool:
    """Whether ``name`` is the tool's, or obviously meant to be."""
    bare = _bare(name)
    return name == tool or not bare or bare in OTHER_NAMES


def meant(name: str, offered: Collection[str]) -> str | None:
    """The offered name: the same, the same but for case and signs, or another word for code."""
    if name in offered:
        return name
    bare = _bare(_PREFIX.sub("", name))
    close = [one for one in dict.fromkeys(offered) if bare and _bare(one) == bare]
    if len(close) == 1:
        return close[0]
    is_code = EXECUTE_CODE in offered and means(name, EXECUTE_CODE)
    return EXECUTE_CODE if is_code else None


def unknown_tool(name: str, offered: Collection[str]) -> str:
    """What a model is told that called a tool which is not there."""
    names = [repr(one) for one in offered]
    if len(names) == 1:
        return f"There is no tool {name!r}. The only tool is {names[0]}."
    return f"There is no tool {name!r}. The tools are {', '.join(names[:-1])} and {names[-1]}."


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
