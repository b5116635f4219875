"""The architecture, as a test: who may import whom, and who may import what is heavy.

Every import statement counts, those inside functions and under TYPE_CHECKING included.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "gpt_code_ui"

# Rank n imports only ranks below n. A name stands for the module and for all modules below it;
# the longest name that fits decides.
RANKS = {
    "protocol": 0,
    # Leaves: text, JSON, words of settings, the operating system.
    "errors": 1, "json_stream": 1, "plain_text": 1, "setting_types": 0,
    "provider_types": 1, "private_file": 1, "mcp.spec": 1, "mcp.keeper": 0,
    "kernel.sandbox": 1, "kernel.warden": 0, "kernel.text": 1, "told": 1, "seeing": 1,
    # Rooms that know the values and not each other.
    "settings": 2, "store": 2, "transcript": 2, "workspace": 2, "bus": 2, "data_folder": 2,
    "instance": 2, "logs": 2, "history": 2, "notebook": 2, "prompt": 2, "model_errors": 2,
    "arguments": 2, "capabilities": 2, "fence": 2, "thinking": 1, "loop_thread": 1,
    "event_lines": 1, "asking": 4, "roles": 1, "call_numbers": 2, "retry_after": 0,
    "languages": 0, "interpreters": 0, "kernel.mending": 0, "kernel.relay": 0, "mends": 2,
    "environments": 4,
    "printed_calls": 1, "tool_names": 0, "digest": 2, "notebook_file": 3,
    "context": 3, "news": 1, "same_errors": 2, "read_output": 4,
    "risk": 2, "approval": 5, "page_choices": 3,
    "reader": 2, "kernel.outputs": 2, "kernel.process": 2, "kernel.startup": 2,
    "kernel.installer": 2, "installs": 2,
    "kernel.watch": 3, "reader_cage": 2, "kernel.network": 2, "kernel.cage": 3, "containment": 3,
    "kernel.inside": 0, "kernel.queries": 4, "disk_use": 0,
    "trusted_dotenv": 3,
    "profiles": 3, "answer": 3, "subscription": 3, "cell_watch": 3, "open_parts": 3,
    "model_list": 3, "providers": 4, "kernelspecs": 3, "imported": 3, "chat_completions": 3,
    "kernel.jupyter": 3, "kernel.client": 3, "kernel.outbox": 3, "kernel.changes": 3,
    "ports": 3, "calls": 4, "agent": 5, "publisher": 4, "kernel.cell": 4, "kernel.starting": 4,
    "mcp.tools": 3, "mcp.connection": 4, "mcp.book": 5, "mcp.servers": 6,
    "openai_model": 5, "demo_model": 5, "supervisor": 5, "kernel.session": 5,
    "pictures": 4, "look_at_image": 5, "turns": 6, "kept_notebooks": 5,
    "models": 6, "kernel.manager": 6,
    # Cells that run again.
    "proof_notes": 1, "noise": 1, "compare": 2, "figures": 4, "file_history": 3, "branches": 3,
    "silent_kernel": 5, "replay": 5, "replays": 6, "reruns": 7, "storage": 7,
    "conversations": 8,
    "web.headers": 8, "web.sessions": 8, "web.body": 8,
    "web.guard": 9, "web.failures": 9, "web.download": 9, "web.page": 9,
    "web.api": 10, "web.settings_api": 10, "web.files": 10, "web.outputs": 10, "web.stream": 10,
    "web.notebooks": 10, "headless": 9, "web.reruns_api": 10, "web.variables": 10,
    "web.storage": 10,
    "web": 11, "server": 11,
    "import_config": 8, "program": 12, "doctor": 12,
    "mcp.service_tools": 6, "mcp.remote": 6, "mcp.permission": 7, "mcp.host": 13, "mcp.service": 14,
    "verify": 13, "cli": 15,
    "__main__": 16,
}  # fmt: skip
# Modules of one name are one room: they may import each other, their own cycles are refused below.
BARE = ("", "kernel", "mcp")
# Who may import a library; everybody else may not.
OWNERS = {
    "openai": ("openai_model",),
    "httpx": ("openai_model",),
    "httpx2": ("openai_model", "mcp.connection"),
    "mcp": ("mcp.connection", "mcp.service"),
    "mcp_types": ("mcp.connection", "mcp.service"),
    "anyio": ("mcp.connection", "mcp.service"),
    "snakemq": ("bus",),
    "jupyter_client": ("kernel.jupyter",),
    "zmq": ("kernel.jupyter",),
    "ipykernel": (),
    "flask": ("web", "server"),
    "flask_cors": ("web", "server"),
    "werkzeug": ("web", "server"),
    "cheroot": ("server",),
    "pandas": (),
    "matplotlib": (),
    "numpy": (),
    "nbformat": ("notebook", "verify"),
    "markdown_it": ("notebook",),
    "pygments": ("notebook",),
    "nh3": ("notebook",),
    "dotenv": ("settings",),
    "openpyxl": ("reader",),
    "pyarrow": ("reader",),
    "pypdf": ("reader",),
    "docx": ("reader",),
    "PIL": ("reader",),
    "xlrd": ("reader",),
    "sqlite3": ("store", "reader"),
    "keyring": ("providers.vault",),
    "secretstorage": ("providers.vault",),
}
# What the kernel side knows of the rest: process 2 has no store, no model and no page.
KERNEL_KNOWS = ("protocol", "errors", "bus", "workspace", "kernel")
# What these import is imported inside the functions that need it: the web process starts without.
LAZY = {
    "openai", "httpx", "httpx2", "nbformat", "keyring", "secretstorage", "mcp", "mcp_types",
    "anyio", "markdown_it", "pygments", "nh3",
}  # fmt: skip
READS_ENVIRONMENT = ("settings", "kernel.sandbox", "kernel.startup", "kernel.installer")
PRINTS = ("cli", "doctor", "kernel.installer")


class Import(NamedTuple):
    """One import statement of our package."""

    importer: str
    target: str
    line: int
    top_level: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.target}"


def modules() -> dict[str, Path]:
    """Every module of the package by its name without the package: '', 'bus', 'kernel.manager'."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


MODULES = modules()
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}


def imports_of(name: str) -> Iterator[Import]:
    """All imports of one module, with full targets."""
    tree = TREES[name]
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = absolute(name, node)
            targets = [resolved(base, alias.name) for alias in node.names]
        else:
            continue
        for target in dict.fromkeys(targets):
            yield Import(name, target, node.lineno, id(node) in top)


def absolute(name: str, node: ast.ImportFrom) -> str:
    """The module a ``from`` statement names, relative ones made absolute."""
    if not node.level:
        return node.module or ""
    inside = [PACKAGE, *name.split(".")] if name else [PACKAGE]
    is_package = MODULES[name].name == "__init__.py"
    base = inside[: len(inside) - node.level + is_package]
    return ".".join([*base, node.module] if node.module else base)


def resolved(base: str, attribute: str) -> str:
    """``from gpt_code_ui import bus`` names a module; ``from flask import Flask`` does not."""
    inner = base.removeprefix(PACKAGE).lstrip(".")
    candidate = f"{inner}.{attribute}".lstrip(".")
    if base.split(".")[0] == PACKAGE and candidate in MODULES:
        return f"{PACKAGE}.{candidate}"
    return base


def ours(target: str) -> str | None:
    """The name of one of our modules without the package, or None for a foreign one."""
    if target.split(".")[0] != PACKAGE:
        return None
    return target.removeprefix(PACKAGE).lstrip(".")


def key_of(name: str) -> str | None:
    """The entry of RANKS that decides about a module."""
    parts = name.split(".")
    candidates = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((c for c in candidates if c in RANKS), None)


def below(name: str, owners: tuple[str, ...]) -> bool:
    """Whether a module is one of the owners or lies inside one."""
    return any(name == owner or name.startswith(owner + ".") for owner in owners)


ALL_IMPORTS = [one for name in MODULES for one in imports_of(name)]


def test_every_module_has_a_rank() -> None:
    homeless = [name for name in MODULES if name not in BARE and key_of(name) is None]
    assert homeless == []


def test_imports_go_down_only() -> None:
    offenders = []
    for one in ALL_IMPORTS:
        target = ours(one.target)
        if target is None or target in BARE:
            continue
        here, there = key_of(one.importer), key_of(target)
        assert there is not None, f"{one}: no such module"
        if here is None or (here != there and RANKS[here] <= RANKS[there]):
            offenders.append(str(one))
    assert offenders == []


def test_there_is_no_cycle() -> None:
    graph: dict[str, set[str]] = {name: set() for name in MODULES}
    for one in ALL_IMPORTS:
        target = ours(one.target)
        if target is not None and target != one.importer:
            graph[one.importer].add(target)
    while leaves := [name for name, targets in graph.items() if not targets & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert sorted(graph) == [], "these import each other, round"


def test_the_bare_packages_import_nothing() -> None:
    assert [str(one) for one in ALL_IMPORTS if one.importer in BARE] == []


def test_the_warden_imports_nothing_of_ours() -> None:
    found = [str(o) for o in ALL_IMPORTS if o.importer == "kernel.warden" and ours(o.target)]
    assert found == []


def test_the_kernel_side_knows_little() -> None:
    offenders = [
        str(one)
        for one in ALL_IMPORTS
        if one.importer.startswith("kernel.")
        and (target := ours(one.target))
        and not below(target, KERNEL_KNOWS)
    ]
    assert offenders == []


@pytest.mark.parametrize("library", sorted(OWNERS))
def test_a_library_has_one_owner(library: str) -> None:
    offenders = [
        str(one)
        for one in ALL_IMPORTS
        if one.target.split(".")[0] == library and not below(one.importer, OWNERS[library])
    ]
    assert offenders == []


def test_heavy_libraries_are_imported_late() -> None:
    early = [str(o) for o in ALL_IMPORTS if o.top_level and o.target.split(".")[0] in LAZY]
    assert early == []


def test_only_settings_and_sandbox_read_the_environment() -> None:
    offenders = [
        f"{name}:{node.lineno}"
        for name, tree in TREES.items()
        if not below(name, READS_ENVIRONMENT)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "putenv")
    ]
    assert offenders == []


def test_only_the_command_line_prints() -> None:
    offenders = [
        f"{name}:{node.lineno}"
        for name, tree in TREES.items()
        if not below(name, PRINTS)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert offenders == []


def test_no_module_has_a_global_to_rebind() -> None:
    offenders = [
        f"{name}:{node.lineno}"
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Global)
    ]
    assert offenders == []


def test_functions_are_short() -> None:
    """None over 60 lines."""
    offenders = [
        f"{name}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= 60
    ]
    assert offenders == []


def test_every_module_opens_with_what_it_hides() -> None:
    assert [name for name, tree in TREES.items() if not ast.get_docstring(tree)] == []
