"""What a program has to be able to read: an interpreter is asked, any other is looked at.

The answer of an interpreter is untrusted: a list of paths, nothing more. Which of them may be
seen in a cage is decided elsewhere (``places``).
"""

import json
import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ANSWER_MARK = "gptcode-needs:"
PATHS_MAX = 500
LINKS_MAX = 40
# Runs in the interpreter that is asked, which may be older than ours. An editable install is found
# by the finder it brings (setuptools, editables), else by the folder it says it was made from.
QUESTION = """
import json, os, sys, sysconfig
whole = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]
whole += [p for p in sys.path if p]
for name, module in list(sys.modules.items()):
    if "editable" in name:
        maps = [getattr(module, "MAPPING", None)]
        maps += [getattr(getattr(f, "_redirections", None), "copy", dict)() for f in sys.meta_path]
        for one in maps:
            whole += [str(v) for v in one.values()] if isinstance(one, dict) else []
        spaces = getattr(module, "NAMESPACES", None)
        if isinstance(spaces, dict):
            whole += [str(v) for one in spaces.values() for v in one]
found = []
for folder in sys.path:
    try:
        names = os.listdir(folder or ".") if folder else []
    except OSError:
        continue
    for name in names:
        if name.endswith(".dist-info"):
            try:
                with open(os.path.join(folder, name, "direct_url.json")) as file:
                    told = json.load(file)
                if told.get("dir_info", {}).get("editable") and told["url"][:7] == "file://":
                    found.append(told["url"][7:])
            except Exception:
                pass
parts = [v for k, v in sysconfig.get_paths().items() if k not in ("data", "include", "scripts")]
libs = sysconfig.get_config_var("LIBDIR"), sysconfig.get_config_var("LDLIBRARY")
parts += [os.path.join(*libs)] if all(libs) else []
print("\\n%s" + json.dumps({
    "executable": sys.executable, "base": getattr(sys, "_base_executable", sys.executable),
    "venv": sys.prefix != sys.base_prefix, "whole": whole, "parts": parts, "editable": found}))
""".replace("%s", ANSWER_MARK)


@dataclass(frozen=True)
class Needs:
    """Paths a program reads. ``parts`` stand in for one of ``whole`` that holds too much."""

    executable: str
    whole: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


def read_answer(printed: str) -> Needs | None:
    """What the interpreter said to ``QUESTION``; None for what is no answer."""
    line = next((x for x in reversed(printed.splitlines()) if x.startswith(ANSWER_MARK)), None)
    if line is None:
        return None
    try:
        said = json.loads(line.removeprefix(ANSWER_MARK))
        executable = _path(said["executable"])
        base = _path(said["base"])
        whole, parts, editable = (_paths(said[name]) for name in ("whole", "parts", "editable"))
        # A shim or a link elsewhere is passed by; a virtual environment is known by its own path.
        if not said["venv"]:
            executable = os.path.realpath(base)
    except (ValueError, KeyError, TypeError):
        return None
    whole += [folder for folder in editable if not any(is_within(w, folder) for w in whole)]
    return Needs(executable, tuple(dict.fromkeys(whole)), (*parts, executable, base))


def of_this_process(python: str, path: list[str], prefixes: list[str], extra: list[str]) -> Needs:
    """The same for the interpreter that we are, which need not be asked."""
    whole = [*prefixes, *(folder for folder in path if folder), *extra]
    return Needs(python, tuple(dict.fromkeys(map(os.path.abspath, whole))), (python,))


def of_program(argv: list[str], env: Mapping[str, str], folder: str | None = None) -> Needs | None:
    """What a program that is no Python seems to need; None where there is no such program.

    Its own installation (the folder above its ``bin``), the interpreter its first line names, files
    its arguments name with the folders they lie in, and ``folder``, where its kernelspec lies.
    """
    found = shutil.which(argv[0], path=env.get("PATH"))
    if found is None:
        return None
    programs = [found, *_named_in_first_line(found, env)]
    whole = [folder] if folder else []
    for program in programs:
        for hop in (program, os.path.realpath(program)):
            above = os.path.dirname(hop)
            whole.append(os.path.dirname(above) if os.path.basename(above) == "bin" else hop)
    for part in argv[1:]:
        name = part.partition("=")[2] or part
        if os.path.isabs(name) and os.path.isfile(name):
            whole.append(os.path.dirname(name))
    parts = [path for program in programs for path in (program, os.path.realpath(program))]
    return Needs(found, tuple(dict.fromkeys(whole)), tuple(dict.fromkeys(parts)))


def stamp(python: str) -> tuple[object, ...]:
    """Changes when an interpreter or what is installed for it does."""
    scripts = Path(python).parent
    marks: list[object] = [python]
    watched = [Path(python), Path(os.path.realpath(python)), scripts.parent / "pyvenv.cfg"]
    watched += sorted(scripts.parent.glob("lib/python3*/site-packages"))
    for path in watched:
        try:
            marks.append(path.stat().st_mtime_ns)
        except OSError:
            marks.append(None)
    return tuple(marks)


def links(path: str) -> Iterator[tuple[str, str | None]]:
    """``path`` and each path it leads to by links, with where each link points; None at the end."""
    for _ in range(LINKS_MAX):
        try:
            target = os.readlink(path)
        except OSError:
            yield path, None
            return
        yield path, target
        path = os.path.normpath(os.path.join(os.path.dirname(path), target))


def is_within(path: str, folder: str) -> bool:
    """Whether ``path`` is ``folder`` or lies below it, by whole components."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _named_in_first_line(program: str, env: Mapping[str, str]) -> list[str]:
    try:
        if not stat.S_ISREG(os.stat(program).st_mode):
            return []
        with open(program, "rb") as file:
            line = file.readline(256)
    except OSError:
        return []
    if not line.startswith(b"#!"):
        return []
    words = line[2:].decode("utf-8", "replace").split()
    named = [word for word in words[1:] if not word.startswith("-")]
    if words and os.path.basename(words[0]) == "env" and named:
        words = [shutil.which(named[0], path=env.get("PATH")) or words[0]]
    return words[:1]


def _path(value: Any) -> str:
    if not isinstance(value, str) or not os.path.isabs(value) or "\0" in value:
        raise ValueError("not a path")
    return os.path.normpath(value)


def _paths(values: Any) -> list[str]:
    return [_path(v) for v in values[:PATHS_MAX] if isinstance(v, str) and os.path.isabs(v)]
