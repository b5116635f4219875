"""The documents say what is true, and the Chinese ones say the same."""

import ast
import re
from pathlib import Path

import pytest

from gpt_code_ui.settings import SETTINGS
from scripts import gen_docs

ROOT = Path(__file__).resolve().parent.parent
ENGLISH, CHINESE = "README.md", "README.zh-CN.md"
DOCUMENTS = sorted(path.name for path in ROOT.glob("*.md"))


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def table_after(name: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its two head rows."""
    below = text(name).split(f"\n## {heading}\n", 1)[1]
    rows = re.findall(r"^\|(.*)\|$", below.split("\n## ")[0], re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in rows[2:]]


def required(name: str) -> list[str]:
    """The distribution names of a list of requirements in setup.py."""
    for node in ast.parse(text("setup.py")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            listed: list[str] = ast.literal_eval(node.value)
            return [re.match(r"[\w-]+", one)[0] for one in listed]  # type: ignore[index]
    raise AssertionError(f"setup.py has no {name}")


def headings(name: str) -> list[str]:
    """The levels of the headings, in order: their words are another language's."""
    prose = re.sub(r"```.*?```", "", text(name), flags=re.DOTALL)
    return re.findall(r"^(#+) ", prose, re.MULTILINE)


def commands(name: str) -> list[str]:
    """The lines of the code blocks, in order."""
    blocks = re.findall(r"```\w*\n(.*?)```", text(name), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line]


def test_the_settings_table_is_the_settings() -> None:
    assert text(ENGLISH) == gen_docs.render(text(ENGLISH)), "run 'make types'"


def test_the_chinese_settings_table_has_the_same_rows() -> None:
    rows = table_after(CHINESE, "设置")
    assert [tuple(row[:2]) for row in rows] == [gen_docs.names(row) for row in SETTINGS]
    assert all(row[2] for row in rows)


@pytest.mark.parametrize(("name", "heading"), [(ENGLISH, "Dependencies"), (CHINESE, "依赖")])
def test_every_dependency_has_its_reason(name: str, heading: str) -> None:
    rows = table_after(name, heading)
    assert [row[0] for row in rows] == required("RUNTIME")
    assert all(row[1] for row in rows)


def test_both_readmes_have_the_same_shape() -> None:
    assert headings(CHINESE) == headings(ENGLISH)
    assert commands(CHINESE) == commands(ENGLISH)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_verb_a_document_shows_exists(name: str) -> None:
    verbs = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    shown = {verb for code in re.findall(r"`[^`]+`", text(name)) for verb in in_code(code)}
    shown |= {verb for line in commands(name) for verb in in_code(line)}
    assert shown <= verbs


def in_code(code: str) -> list[str]:
    return re.findall(r"\bmake ([a-z-]+)", code)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_flag_a_document_shows_exists(name: str) -> None:
    known = {row.flag for row in SETTINGS} | {"--version", "--help", "--json"}
    shown = {
        flag
        for code in [*re.findall(r"`([^`\n]+)`", text(name)), *commands(name)]
        if code.startswith(("gptcode", "--"))
        for flag in re.findall(r"(?<!\S)--[a-z][a-z-]*", code)
    }
    assert shown <= known


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_inside_lead_somewhere(name: str) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)\)", text(name))
    assert [one for one in targets if not (ROOT / one).exists()] == []


def test_every_verb_is_explained() -> None:
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)$", text("Makefile"), re.MULTILINE)
    assert phony is not None
    explained = set(re.findall(r"^([a-z-]+):.*## \S", text("Makefile"), re.MULTILINE))
    assert explained == set(phony[1].replace("\\", " ").split())


def test_the_build_server_runs_everything() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "exec make test" in script.read_text(encoding="utf-8")
