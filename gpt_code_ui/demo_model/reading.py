"""What the messages say: the question, the file it is about, what each script really printed.

Pure functions of a request. Scripts begin with ``# demo: <kind>`` and print what they find as
``name: JSON``, one to a line; that is all the memory the demo has.
"""

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import dedent
from typing import Any

from gpt_code_ui.prompt import files_named_in
from gpt_code_ui.protocol import (
    AssistantMessage,
    ChatMessage,
    ModelRequest,
    ToolMessage,
    UserMessage,
)
from gpt_code_ui.told import asked

DATA_FILES = (".csv", ".tsv", ".txt", ".json", ".xlsx", ".xls")
OWN_FILES = ("summary.csv", "municipalities.csv", "sample.csv")
MUNICIPALITIES = ("北京", "天津", "上海", "重庆", "Beijing", "Tianjin", "Shanghai", "Chongqing")
_ERROR = re.compile(r"^((?:\w+\.)*\w*(?:Error|Exception|Interrupt|Exit))\b(:.*)?$", re.MULTILINE)


@dataclass(frozen=True)
class View:
    """What the messages say: the question, the file it is about, the steps done so far."""

    prompt: str
    file: str | None
    steps: Sequence[tuple[str, str]]

    @property
    def chinese(self) -> bool:
        """Whether more of the question is Chinese; names of files and columns are neither."""
        characters = re.findall(r"[\u4e00-\u9fff]", self.prompt)
        words = re.findall(r"(?<![\w./])[A-Za-z]+(?![\w./])", self.prompt)
        return bool(characters) and len(characters) >= len(words)

    def words(self, english: str, chinese: str) -> str:
        return chinese if self.chinese else english

    def result(self, kind: str) -> str:
        """The report of the last step of this kind, empty if there was none."""
        return next((report for done, report in reversed(self.steps) if done == kind), "")


def read_messages(request: ModelRequest) -> View:
    messages = [
        one for one in request.messages if not (isinstance(one, UserMessage) and one.figures)
    ]
    last = max(i for i, one in enumerate(messages) if isinstance(one, UserMessage))
    question = messages[last]
    assert isinstance(question, UserMessage)
    prompt, attachments = asked(question.text)
    steps = _steps(messages[last + 1 :])
    if any(kind == "sample" for kind, _ in steps):
        return View(prompt, "sample.csv", steps)
    return View(prompt, _file_meant(prompt, attachments, files_named_in(request.system)), steps)


def _steps(messages: Sequence[ChatMessage]) -> list[tuple[str, str]]:
    """The kind and the report of every call since the question; a script begins with its kind."""
    kinds: dict[str, str] = {}
    steps = []
    for message in messages:
        if isinstance(message, AssistantMessage):
            for call in message.tool_calls:
                code = str(json.loads(call.arguments).get("code", ""))
                begun = re.match(r"# demo: (\w+)", code)
                kinds[call.id] = begun.group(1) if begun else "run"
        elif isinstance(message, ToolMessage):
            steps.append((kinds.get(message.tool_call_id, "run"), message.text))
    return steps


def _file_meant(prompt: str, attached: Sequence[str], listed: Sequence[str]) -> str | None:
    usable = [name for name in [*attached, *listed] if name.lower().endswith(DATA_FILES)]
    named = [name for name in usable if name in prompt]
    given = [name for name in usable if name in attached]
    foreign = [name for name in usable if name not in OWN_FILES]
    return next(iter([*given, *named, *foreign, *usable]), None)


def error_in(report: str) -> str | None:
    """The last line of a traceback in a report, if it has one."""
    found = list(_ERROR.finditer(report))
    return found[-1].group().strip() if found else None


def fact(report: str, name: str) -> Any:
    """A value that a script printed as ``name: JSON``; None if it did not."""
    found = re.search(rf"^{name}: (.+)$", report, re.MULTILINE)
    try:
        return json.loads(found.group(1)) if found else None
    except ValueError:
        return None


@dataclass(frozen=True)
class Table:
    """The columns and rows to work with, as printed by the description and meant by the prompt."""

    label: str | None
    numbers: list[str]
    is_time: bool
    wanted: list[str]
    result_file: str


def table_of(view: View) -> Table:
    report = view.result("describe")
    label, labels = fact(report, "label"), fact(report, "labels") or []
    numbers = sorted(fact(report, "numbers") or [], key=_year_first)
    municipalities = re.search(r"municipalit|直辖市", view.prompt, re.IGNORECASE)
    words = MUNICIPALITIES if municipalities else ()
    wanted = [one for one in labels if _is_meant(one, view.prompt, words)]
    wanted = wanted if len(wanted) < len(labels) else []
    four = [one for one in wanted if one.startswith(MUNICIPALITIES)]
    name = "municipalities.csv" if len(four) == 4 == len(wanted) else "summary.csv"
    if name == view.file:
        name = f"result-{name}"
    return Table(label, numbers, bool(fact(report, "time")), wanted, name)


def _year_first(name: str) -> tuple[int, str]:
    """Columns named by years in the order of time, the latest first; others as they are."""
    year = re.match(r"(?:19|20)\d\d", name)
    return (-int(year.group()), "") if year else (1, "")


def _is_meant(label: str, prompt: str, words: Sequence[str]) -> bool:
    """Whether the prompt names the label: 北京市 also as 北京, Latin words whole."""
    if label.startswith(tuple(words) or "\0"):
        return True
    if re.match(r"[\u4e00-\u9fff]{2}", label):
        return label in prompt or label[:2] in prompt or label[:3] in prompt
    return len(label) > 2 and re.search(rf"(?i)\b{re.escape(label)}\b", prompt) is not None


def typed_code(prompt: str) -> str | None:
    """The code in a prompt: what is fenced, or all of it if it is Python and no sentence."""
    fenced = re.findall(r"^```(?:python|py)?[ \t]*\n(.*?)^```", prompt, re.MULTILINE | re.DOTALL)
    if fenced:
        return "\n".join(fenced)
    try:
        body = ast.parse(dedent(prompt).strip()).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return dedent(prompt).strip() if any(map(_is_clearly_code, body)) else None


def _is_clearly_code(statement: ast.stmt) -> bool:
    words = (ast.Pass, ast.Break, ast.Continue, ast.Return, ast.Global, ast.Nonlocal, ast.Raise,
             ast.AnnAssign, ast.Assert)  # fmt: skip
    if not isinstance(statement, ast.Expr):
        return not isinstance(statement, words)
    nodes = list(ast.walk(statement))
    if any(isinstance(node, ast.Call | ast.Subscript | ast.ListComp) for node in nodes):
        return True
    named = any(isinstance(node, ast.Name) for node in nodes)
    return not named and any(isinstance(node, ast.BinOp) for node in nodes)
