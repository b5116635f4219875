"""What the demo says and runs next, and the Model port in front of it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import dedent
from typing import Any
from urllib.parse import quote

from gpt_code_ui.answer import EXECUTE_CODE
from gpt_code_ui.chat_completions import request_body
from gpt_code_ui.demo_model.reading import (
    View,
    error_in,
    fact,
    read_messages,
    table_of,
    typed_code,
)
from gpt_code_ui.demo_model.scripts import (
    DESCRIBE,
    ROWS_OF_JSON,
    ROWS_OF_TEXT,
    ROWS_OF_XLSX,
    TABLE_OF_ROWS,
)
from gpt_code_ui.ports import Stop
from gpt_code_ui.protocol import (
    FinishChunk,
    ModelChunk,
    ModelRequest,
    RequestSent,
    TextChunk,
    ToolCallChunk,
)

URL = "demo:"
PIECE = 12
_SMALL_TALK = re.compile(
    r"\W*(hi|hello|hey|thanks?|thank you|help|what can you do"
    r"|你好|您好|谢谢|帮助|你会什么|你能做什么)\W*",
    re.IGNORECASE,
)
_ERROR_TOUR = re.compile(
    r"error|repair|mistake|\bbugs?\b|\bfail|错误|修复|报错|出错", re.IGNORECASE
)


class DemoModel:
    """The Model port. ``pace_s``: seconds between pieces of a few words."""

    def __init__(self, pace_s: float = 0.01) -> None:
        self._pace_s = pace_s

    def stream(self, request: ModelRequest, stop: Stop) -> Iterator[ModelChunk]:
        """One answer, decided from ``request`` alone; ends quietly on a stop."""
        body = json.dumps(request_body(request, with_usage=True), ensure_ascii=False)
        yield RequestSent(url=URL, body=body)
        step = _next_step(read_messages(request))
        for chunk in _chunks(step):
            if stop.requested or (self._pace_s and stop.wait(self._pace_s)):
                return
            yield chunk


@dataclass(frozen=True)
class Answer:
    """What the demo says, and the code it wants to run."""

    text: str
    code: str | None = None


# --- what comes next ---------------------------------------------------------------------------


def _next_step(view: View) -> Answer:
    if not view.steps:
        first = _first_step(view)
        notice = view.words(
            "*I am a scripted demo, not a language model.*", "*我是脚本演示，不是语言模型。*"
        )
        return Answer(f"{notice}\n\n{first.text}", first.code)
    kind, report = view.steps[-1]
    ending = re.search(
        r"^\[(?:interrupted|stopped|the kernel died|this code was).*", report, re.MULTILINE
    )
    error = error_in(report)
    if kind == "run":
        return _closing_of_typed_code(view, report)
    if kind == "read" and not ending and (error or _looks_wrong(view, report)):
        return _repair(view, error)
    if ending or error:
        return _surrender(view, ending.group() if ending else str(error))
    following = {"sample": _read, "read": _describe, "repair": _describe, "describe": _plot}
    return {**following, "plot": _write}.get(kind, _closing)(view)


def _first_step(view: View) -> Answer:
    typed = typed_code(view.prompt)
    if typed is not None:
        return Answer(view.words("I run your code as it is.", "我照原样运行你的代码。"), typed)
    if _SMALL_TALK.fullmatch(view.prompt.strip()):
        return Answer(_abilities(view))
    if view.file is not None:
        return _read(view)
    return _sample(view) if _ERROR_TOUR.search(view.prompt) else Answer(_abilities(view))


def _abilities(view: View) -> str:
    return view.words(
        """\
        Without a model I cannot understand questions. But everything else here is real, and I can
        show it:

        - **Add a CSV, TSV, JSON or Excel file** and ask anything: I read, describe and plot it,
          and write a result file.
        - **Type Python**, for example `print(2**100)`, and I run it.
        - **Ask for an error and its repair**: I make a small file that cannot be read at first.

        To work with a language model, start `gptcode` with an API key or the address of a model
        server.
        """,
        """\
        没有模型，我听不懂问题。但这里其他的一切都是真的，我可以演示：

        - **添加 CSV、TSV、JSON 或 Excel 文件**，随便问：我会读取、描述、画图，并写出结果文件。
        - **输入 Python 代码**，例如 `print(2**100)`，我会运行它。
        - **让我演示报错和修复**：我会先做一个读不出来的小文件。

        要使用语言模型，请用 API 密钥或模型服务器地址启动 `gptcode`。
        """,
    )


def _sample(view: View) -> Answer:
    lines, encoding = (
        view.words(
            "Café Müller: bread sold per day|made up for this demo|city,2023,2024|Zürich,120,135|"
            "Genève,98,101|Malmö,75,83|Note: these numbers are invented",
            "每日面包销量|为演示而编造|城市,2023年,2024年|北京,120,135|上海,98,101|广州,75,83|注:数字均为虚构",
        ).split("|"),
        view.words("cp1252", "gb18030"),
    )
    return Answer(
        view.words(
            "I write a small file as an old program would export it, and then try to read it.",
            "我先像旧软件导出那样写一个小文件，再试着读取它。",
        ),
        f"""\
        # demo: sample
        from pathlib import Path

        lines = {lines!r}
        Path("sample.csv").write_bytes("\\r\\n".join(lines).encode({encoding!r}))
        """,
    )


def _read(view: View) -> Answer:
    name = view.file or ""
    ending = name.lower().rpartition(".")[2]
    call = {
        "tsv": f"read_csv({name!r}, sep='\\t')",
        "txt": f"read_csv({name!r}, sep=None, engine='python')",
        "json": f"read_json({name!r})",
        "xlsx": f"read_excel({name!r})",
        "xls": f"read_excel({name!r})",
    }.get(ending, f"read_csv({name!r})")
    return Answer(
        view.words(f"First I read `{name}`.", f"我先读取 `{name}`。"),
        f"""\
        # demo: read
        import pandas as pd

        df = pd.{call}
        print(f"read {{len(df)}} rows, {{len(df.columns)}} columns")
        df.head()
        """,
    )


def _looks_wrong(view: View, report: str) -> bool:
    """Whether what was read is no table: one column, columns without names, objects in cells."""
    nested = (view.file or "").lower().endswith(".json") and "{'" in report
    one_column = re.search(r"^read \d+ rows, 1 columns$", report, re.MULTILINE) is not None
    return nested or one_column or "Unnamed: " in report


def _repair(view: View, error: str | None) -> Answer:
    name = view.file or ""
    rows = {"json": ROWS_OF_JSON, "xlsx": ROWS_OF_XLSX}.get(
        name.lower().rpartition(".")[2], ROWS_OF_TEXT
    )
    why = f"`{error}`" if error else view.words("the columns look wrong", "列看起来不对")
    return Answer(
        view.words(
            f"That did not work: {why}. I look at the raw file, find out how it is written and "
            "where its table begins and ends, and read it again.",
            f"没有成功：{why}。我查看原始文件，找出它的编码以及表格从哪里开始、到哪里结束，再重新读取。",
        ),
        f"# demo: repair\nname = {name!r}\n{rows}{TABLE_OF_ROWS}",
    )


def _describe(view: View) -> Answer:
    return Answer(view.words("Now I look at what is in it.", "现在看看里面有什么。"), DESCRIBE)


def _plot(view: View) -> Answer:
    table = table_of(view)
    if table.label is None and not table.numbers:
        return _closing(view)
    code = ["# demo: plot", "import matplotlib.pyplot as plt", ""]
    label, numbers = table.label, table.numbers
    if label is None:
        code.append(f"table = df[{numbers!r}].describe()")
        x, y = numbers[0], numbers[-1]
        code.append(
            f"df.plot.scatter(x={x!r}, y={y!r})" if x != y else f"df[{x!r}].plot.hist(title={x!r})"
        )
    else:
        code.append(
            f"table = df.groupby({label!r}, sort=False)[{numbers!r}].mean()"
            if numbers
            else f"table = df[{label!r}].value_counts().to_frame('count')"
        )
        if table.wanted:
            code.append(f"table = table.loc[{table.wanted!r}]")
        elif table.is_time:
            code.append("table = table.sort_index()")
        else:
            code.append("table = table.sort_values(table.columns[0], ascending=False)")
        # The figure shows what fits; the facts of the closing text are of the whole table.
        fits = "" if table.is_time else ".head(15)"
        code.append(f"shown = table{fits}")
        kind = "line" if table.is_time else "bar"
        code.append("turned = 0 if len(shown) < 7 else 45")
        code.append(f"shown.plot.{kind}(figsize=(9, 4.5), rot=turned, title={view.file!r})")
    code += ["plt.tight_layout()", "plt.show()"]
    chosen = view.words(", ", "、").join(table.wanted)
    of = view.words(f" of {chosen}", f"（{chosen}）") if chosen else ""
    return Answer(view.words(f"A figure{of}:", f"画一张图{of}："), "\n".join(code))


def _write(view: View) -> Answer:
    table = table_of(view)
    name = table.result_file
    column = f"df[{table.numbers[0]!r}]" if table.label is None else "table[table.columns[0]]"
    return Answer(
        view.words(f"I write the result to `{name}`.", f"把结果写入 `{name}`。"),
        f"""\
        # demo: write
        table.to_csv({name!r}, encoding="utf-8-sig")
        column = {column}
        print("column:", json.dumps(str(column.name), ensure_ascii=False))
        for what, where in ("highest", column.idxmax()), ("lowest", column.idxmin()):
            print(f"{{what}}:", json.dumps([str(where), float(column[where])], ensure_ascii=False))
        table
        """,
    )


def _closing(view: View) -> Answer:
    described, repaired, written = map(view.result, ("describe", "repair", "write"))
    rows, columns = fact(described, "rows"), fact(described, "columns")
    lines = [view.words(f"`{view.file}` has {rows} rows and {columns} columns.",
                        f"`{view.file}` 有 {rows} 行、{columns} 列。")]  # fmt: skip
    if repaired:
        how = fact(repaired, "encoding")
        above, below = fact(repaired, "lines_above"), fact(repaired, "lines_below")
        lines.append(
            view.words(
                f"It could not be read at first; it is written in {how}, with {above} lines above "
                f"the table and {below} below it.",
                f"起初无法读取：编码是 {how}，表格上方有 {above} 行、下方有 {below} 行说明文字。",
            )
        )
    if written:
        column, highest, lowest = (fact(written, key) for key in ("column", "highest", "lowest"))
        lines.append(
            view.words(
                f"**{column}** is highest for {_pair(highest)}, lowest for {_pair(lowest)}.",
                f"**{column}**：最高 {_pair(highest)}，最低 {_pair(lowest)}。",
            )
        )
        link = f"[{table_of(view).result_file}](files/{quote(table_of(view).result_file)})"
        lines.append(view.words(f"The result to download: {link}", f"可下载的结果：{link}"))
    return Answer("\n\n".join(lines))


def _pair(value: Any) -> str:
    return f"{value[0]} ({round(value[1], 4):,})"


def _closing_of_typed_code(view: View, report: str) -> Answer:
    error = error_in(report)
    if error:
        return Answer(view.words(f"It ended with `{error}`.", f"它以 `{error}` 结束。"))
    fence = "`" * (max([2, *(len(run) for run in re.findall("`+", report))]) + 1)
    said = view.words("It ran. The result:", "运行完毕。结果：")
    return Answer(f"{said}\n\n{fence}text\n{report[:1500]}\n{fence}")


def _surrender(view: View, problem: str) -> Answer:
    return Answer(
        view.words(
            f"This step ended with `{problem}`. A language model would now try something else; "
            "my script ends here.",
            f"这一步以 `{problem}` 结束。语言模型会换一种办法；我的脚本到此为止。",
        )
    )


# --- pieces ------------------------------------------------------------------------------------


def _chunks(answer: Answer) -> Iterator[ModelChunk]:
    for piece in _pieces(dedent(answer.text).strip()):
        yield TextChunk(text=piece)
    if answer.code is None:
        yield FinishChunk(reason="stop")
        return
    code = dedent(answer.code).strip()
    yield ToolCallChunk(index=0, name=EXECUTE_CODE.name)
    for piece in _pieces(json.dumps({"code": code}, ensure_ascii=False)):
        yield ToolCallChunk(index=0, arguments=piece)
    yield FinishChunk(reason="tool_calls")


def _pieces(text: str) -> Iterator[str]:
    for at in range(0, len(text), PIECE):
        yield text[at : at + PIECE]
