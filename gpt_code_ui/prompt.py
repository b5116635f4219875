"""What the model is told before the conversation: ``system_prompt.md`` with the list of files.

The shape of that list is known only here, to the function that writes it and the one that reads it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources

from gpt_code_ui.languages import shown_language
from gpt_code_ui.protocol import FileEntry, SandboxLevel

MAX_FILES = 200
_CAGED = (
    "- Code runs in a sandbox. It can write to the folder of this conversation and {tmp}, and\n"
    "  beside that only read the system and its packages."
)
_SANDBOX: Mapping[SandboxLevel, str] = {
    "bwrap": _CAGED.format(tmp="`/tmp`"),
    "landlock": _CAGED.format(tmp="the folder that `TMPDIR` names (not `/tmp`)"),
    "none": "- Code runs with the rights of the person, without a sandbox, and has the network.",
}
_INSTALL = "- `%pip install NAME` installs a missing package for this conversation"
_NONE = "- There is no network: download nothing and call no web service."
_NETWORK: Mapping[str, str] = {
    "on": (
        "- There is a network, by a proxy that `requests`, `urllib`, `httpx` and `pip` find by\n"
        "  themselves. HTTP and HTTPS pass, but not to this computer or its private network. The\n"
        "  person sees which servers the code talks to.\n"
        f"{{{{python}}}}{_INSTALL}.{{{{/python}}}}"
    ),
    "off": (
        f"{_NONE} If that is needed, say\n"
        "  that the person can allow the network for this conversation, and go on once they did.\n"
        f"{{{{python}}}}{_INSTALL};\n  the person is asked before it runs.{{{{/python}}}}"
    ),
    "never": (
        f"{_NONE} Install no\n"
        "  packages. If something is missing, find another way, or tell the person what to add."
    ),
    "open": f"{{{{python}}}}{_INSTALL}.{{{{/python}}}}",
}
_PYTHON_ONLY = re.compile(r"\{\{python\}\}(.*?)\{\{/python\}\}", re.DOTALL)
_LINE = re.compile(r'^- ("(?:[^"\\]|\\.)*"), [\d,]+ bytes$', re.MULTILINE)


def system_prompt(
    files: Sequence[FileEntry], level: SandboxLevel = "none", *, network: bool = False,
    language: str = "python",
) -> str:  # fmt: skip
    """The whole text; ``files`` are those of the conversation's folder, at most 200 are named.

    ``level`` is the cage that code runs in, ``network`` whether it may reach the network,
    ``language`` what the kernel runs.
    """
    reach = {"none": "open", "landlock": "never", "bwrap": "on" if network else "off"}[level]
    sandbox = f"{_SANDBOX[level]}\n{_NETWORK[reach]}"
    template = resources.files("gpt_code_ui").joinpath("system_prompt.md").read_text("utf-8")
    told = _in_language(template.replace("{{sandbox}}", sandbox), language)
    return told.replace("{{files}}", _file_list(files))


def _in_language(text: str, language: str) -> str:
    """The text with the language's name, and without what only Python has."""
    kept = r"\1" if language == "python" else ""
    return _PYTHON_ONLY.sub(kept, text).replace("{{language}}", shown_language(language))


def with_rules(system: str, *rules: str | None) -> str:
    """The text with the house rules of this installation and of the conversation."""
    told = [one.strip() for one in rules if one and one.strip()]
    if not told:
        return system
    heading = "# House rules\n\nThe person asks you to follow these in all you do:"
    return "\n\n".join([system.rstrip(), heading, *told])


def files_named_in(system: str) -> list[str]:
    """The paths that a system prompt names, newest first."""
    return [str(json.loads(name)) for name in _LINE.findall(system)]


def _file_list(files: Sequence[FileEntry]) -> str:
    if not files:
        return "The folder is empty now."
    newest = sorted(files, key=lambda file: (-file.modified, file.path))
    # Quoted as JSON: a name may hold anything but must stay one line and one name.
    lines = [
        f"- {json.dumps(file.path, ensure_ascii=False)}, {file.size:,} bytes"
        for file in newest[:MAX_FILES]
    ]
    left_out = len(newest) - len(lines)
    if left_out:
        lines.append(f"- and {left_out} more, not named here")
    return "\n".join(["The folder holds now, newest first:", "", *lines])
