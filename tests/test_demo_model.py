"""The demo on real files, its code run by a real kernel."""

import io
import itertools
import json
import shutil
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from gpt_code_ui.agent import run_turn
from gpt_code_ui.demo_model import DemoModel
from gpt_code_ui.demo_model.reading import View, error_in, fact, typed_code
from gpt_code_ui.history import model_messages
from gpt_code_ui.ports import Limits, Stop
from gpt_code_ui.prompt import system_prompt
from gpt_code_ui.protocol import (
    Attachment,
    CellPart,
    ChatMessage,
    ErrorOutput,
    FileEntry,
    FinishChunk,
    ModelRequest,
    RequestSent,
    StreamOutput,
    TextChunk,
    TextDone,
    Transcript,
    TranscriptOutput,
    Turn,
    TurnFinished,
    TurnStarted,
    UserMessage,
)

DATA = Path(__file__).parent / "data"
MODEL = DemoModel(pace_s=0)


class RealKernel:
    """The Kernel port on an ipykernel, with every cell it ran."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client
        self.cells: list[CellPart] = []

    def run(
        self, cell_id: str, code: str, turn_id: str, stop: Stop, *, repaired: bool | None = None
    ) -> CellPart:
        shown: list[TranscriptOutput] = []

        def take(message: dict[str, Any]) -> None:
            kind, content = message["msg_type"], message["content"]
            if kind in ("stream", "display_data", "execute_result", "error"):
                content.pop("transient", None)
                append(
                    shown,
                    TranscriptOutput.model_validate({"output": {"output_type": kind, **content}}),
                )

        reply = self._client.execute_interactive(code, output_hook=take, timeout=60)
        cell = CellPart(
            cell_id=cell_id,
            code=code,
            origin="model",
            status=reply["content"]["status"],
            outputs=shown,
        )
        self.cells.append(cell)
        return cell


def append(shown: list[TranscriptOutput], one: TranscriptOutput) -> None:
    """A line may come in two messages: streams of one name append, as in the fold."""
    last, new = shown[-1].output if shown else None, one.output
    if isinstance(last, StreamOutput) and isinstance(new, StreamOutput) and last.name == new.name:
        whole = last.model_copy(update={"text": last.text + new.text})
        shown[-1] = TranscriptOutput(output=whole)
    else:
        shown.append(one)


@pytest.fixture(scope="module")
def client() -> Iterator[BlockingKernelClient]:
    manager, client = start_new_kernel(kernel_name="python3")
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    manager.context.destroy(0)


@pytest.fixture
def kernel(client: BlockingKernelClient, tmp_path: Path) -> RealKernel:
    client.execute_interactive(
        f"%reset -f\nimport os; os.chdir({str(tmp_path)!r})\n"
        "import warnings; warnings.filterwarnings('ignore', message='Glyph')",
        timeout=60,
    )
    return RealKernel(client)


@dataclass
class Shown:
    """What the person saw of a turn."""

    texts: list[str]
    cells: list[CellPart]
    status: str

    @property
    def errors(self) -> list[str]:
        return [
            one.output.ename
            for cell in self.cells
            for one in cell.outputs
            if isinstance(one.output, ErrorOutput)
        ]

    @property
    def figures(self) -> int:
        shown = [one.output for cell in self.cells for one in cell.outputs]
        return sum("image/png" in getattr(output, "data", {}) for output in shown)


def history_of(prompt: str, attached: Sequence[str] = ()) -> list[ChatMessage]:
    turn = Turn(prompt=prompt, turn_id="t", status="running",
                attachments=[Attachment(path=path) for path in attached])  # fmt: skip
    transcript = Transcript(
        id="c", seq=1, title="", created_at="2026-01-01", updated_at="2026-01-01", turns=[turn]
    )
    return model_messages(transcript, output_bytes=8192)


def files_in(folder: Path) -> list[FileEntry]:
    return [
        FileEntry(path=path.name, size=path.stat().st_size, modified=path.stat().st_mtime)
        for path in folder.iterdir()
    ]


def ask(prompt: str, kernel: RealKernel, folder: Path, attached: Sequence[str] = ()) -> Shown:
    ids = itertools.count()
    events = list(
        run_turn(
            TurnStarted(turn_id="t", prompt=prompt, model="demo"),
            history_of(prompt, attached),
            MODEL,
            kernel,
            Limits(),
            Stop(),
            system=system_prompt(files_in(folder)),
            new_id=lambda: str(next(ids)),
            on_request=lambda *request: None,
        )
    )
    finished = events[-1]
    assert isinstance(finished, TurnFinished)
    texts = [event.text for event in events if isinstance(event, TextDone)]
    return Shown(texts, kernel.cells, finished.status)


def test_the_provincial_file(kernel: RealKernel, tmp_path: Path) -> None:
    shutil.copy(DATA / "gdp_by_province.csv", tmp_path)
    prompt = "比较四个直辖市（北京、天津、上海、重庆）的地区生产总值，画图并写出结果"
    shown = ask(prompt, kernel, tmp_path, ["gdp_by_province.csv"])
    assert shown.texts[0].startswith("*我是脚本演示，不是语言模型。*\n")
    assert shown.errors == ["UnicodeDecodeError"]
    assert [cell.status for cell in shown.cells] == ["error", "ok", "ok", "ok", "ok"]
    assert "UnicodeDecodeError" in shown.texts[1]
    assert shown.figures == 1
    lines = (tmp_path / "municipalities.csv").read_text("utf-8-sig").splitlines()
    assert lines == [
        "地区,2022年,2021年,2020年",
        "北京市,41610.9,40269.6,36102.6",
        "天津市,16311.3,15695.0,14083.7",
        "上海市,44652.8,43214.9,38700.6",
        "重庆市,29129.0,27894.0,25002.8",
    ]
    assert shown.texts[-1] == (
        "`gdp_by_province.csv` 有 31 行、4 列。\n\n"
        "起初无法读取：编码是 gb18030，表格上方有 3 行、下方有 2 行说明文字。\n\n"
        "**2022年**：最高 上海市 (44,652.8)，最低 天津市 (16,311.3)。\n\n"
        "可下载的结果：[municipalities.csv](files/municipalities.csv)"
    )
    assert shown.status == "completed"


def test_an_ordinary_file(kernel: RealKernel, tmp_path: Path) -> None:
    (tmp_path / "my sales.csv").write_text(
        'city,id,sold,price\nOslo,1,"1,200",2.5\nParis,2,900,3\nRome,3,1000,\n', encoding="utf-8"
    )
    shown = ask("What is in this file?", kernel, tmp_path)
    assert shown.texts[0].startswith("*I am a scripted demo, not a language model.*\n")
    assert shown.errors == []
    assert shown.figures == 1
    assert (tmp_path / "summary.csv").read_text("utf-8-sig").splitlines() == [
        "city,sold,price",
        "Oslo,1200.0,2.5",
        "Rome,1000.0,",
        "Paris,900.0,3.0",
    ]
    assert shown.texts[-1] == (
        "`my sales.csv` has 3 rows and 4 columns.\n\n"
        "**sold** is highest for Oslo (1,200.0), lowest for Paris (900.0).\n\n"
        "The result to download: [summary.csv](files/summary.csv)"
    )


def test_a_figure_of_the_first_few_does_not_narrow_what_is_said(
    kernel: RealKernel, tmp_path: Path
) -> None:
    rows = "".join(f"town {number},{number}.5\n" for number in range(1, 41))
    (tmp_path / "towns.csv").write_text("town,rain\n" + rows, encoding="utf-8")
    shown = ask("What is in this file?", kernel, tmp_path)
    assert "highest for town 40 (40.5), lowest for town 1 (1.5)" in shown.texts[-1]
    assert len((tmp_path / "summary.csv").read_text("utf-8-sig").splitlines()) == 41


@pytest.mark.parametrize(
    ("prompt", "chinese"),
    [
        ("比较四个直辖市", True),
        ("用 pandas 看看 gdp_by_province.csv", True),
        ("What is in it?", False),
        ("Compare Beijing 北京 and Shanghai 上海, and plot both of them please", False),
    ],
)
def test_the_answer_is_in_the_language_of_the_question(prompt: str, chinese: bool) -> None:
    assert View(prompt, None, ()).chinese is chinese


def xlsx(rows: Sequence[Sequence[str | float]]) -> bytes:
    """A workbook of one sheet, its text inline, as small writers make it."""
    cells = ""
    for number, row in enumerate(rows, 1):
        cells += f'<row r="{number}">'
        for letter, value in zip("ABCDEFG", row, strict=False):
            inside = f"<is><t>{value}</t></is>" if isinstance(value, str) else f"<v>{value}</v>"
            kind = ' t="inlineStr"' if isinstance(value, str) else ""
            cells += f'<c r="{letter}{number}"{kind}>{inside}</c>'
        cells += "</row>"
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as book:
        sheet = f'<worksheet xmlns="{space}"><sheetData>{cells}</sheetData></worksheet>'
        book.writestr("xl/worksheets/sheet1.xml", sheet)
    return file.getvalue()


ROWS = "name;height\r\nMüller;1\r\nSüß;2\r\nKlöß;3\r\n"
MANY = "Report of the year\nall values in t\na,b,c\nx,1,2\ny,3,4\nz,5,6\nSource: us\n"
FILES: list[tuple[str, bytes, int]] = [
    ("semicolons.csv", ROWS.encode("cp1252"), 3),
    ("utf16.csv", ROWS.encode("utf-16"), 3),
    ("titles.csv", MANY.encode(), 3),
    ("titles.tsv", MANY.replace(",", "\t").encode(), 3),
    ("guess.txt", b"a;b\nx;1\ny;2\n", 2),
    ("list.json", json.dumps([{"a": "x", "b": 1}, {"a": "y", "b": 2}]).encode(), 2),
    (
        "nested.json",
        json.dumps({"n": 2, "rows": [{"a": {"b": "x"}}, {"a": {"b": "y"}}]}).encode(),
        2,
    ),
    ("lines.json", b'{"a": "x", "b": 1}\n{"a": "y", "b": 2}\n', 2),
    ("years.csv", b"year,sold\n2020,1\n2021,4\n2022,2\n", 3),
    ("dates.csv", b"day,sold\n2020-01-01,1\n2020-01-02,4\n", 2),
    ("numbers.csv", b"x,y\n0.1,1\n0.2,4\n0.5,3\n", 3),
    ("one.csv", b"x\n1\n4\n3\n", 3),
    ("words.csv", b"a,b\nx,p\ny,q\nx,r\n", 3),
    ("book.xlsx", xlsx([["Title"], ["a", "b"], ["x", 1], ["y", 2.5]]), 2),
]


@pytest.mark.parametrize(("name", "content", "rows"), FILES, ids=[name for name, _, _ in FILES])
def test_files_of_many_kinds(
    kernel: RealKernel, tmp_path: Path, name: str, content: bytes, rows: int
) -> None:
    (tmp_path / name).write_bytes(content)
    shown = ask("Describe it, please", kernel, tmp_path)
    assert shown.status == "completed"
    assert shown.texts[-1].startswith(f"`{name}` has {rows} rows and "), shown.texts
    assert "[summary.csv](files/summary.csv)" in shown.texts[-1]
    assert shown.figures == 1
    assert (tmp_path / "summary.csv").exists()


@pytest.mark.parametrize(
    ("prompt", "error", "encoding"),
    [("Show me an error and how you repair it", "UnicodeDecodeError", "cp1252"),
     ("演示一下报错和修复", "UnicodeDecodeError", "gb18030")],
)  # fmt: skip
def test_the_tour_of_a_repair(
    kernel: RealKernel, tmp_path: Path, prompt: str, error: str, encoding: str
) -> None:
    shown = ask(prompt, kernel, tmp_path)
    assert shown.errors == [error]
    assert encoding in shown.texts[-1]
    assert shown.figures == 1
    assert (tmp_path / "sample.csv").exists()
    assert (tmp_path / "summary.csv").exists()


def test_typed_code_is_run_and_its_result_told(kernel: RealKernel, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("a,b\n1,2\n")
    shown = ask("x = 6\nprint(x * 7)", kernel, tmp_path)
    assert [cell.code for cell in shown.cells] == ["x = 6\nprint(x * 7)"]
    assert shown.texts[-1] == "It ran. The result:\n\n```text\n42\n```"


def test_an_error_of_typed_code_is_told(kernel: RealKernel, tmp_path: Path) -> None:
    shown = ask("```python\n1 / 0\n```", kernel, tmp_path)
    assert shown.texts[-1] == "It ended with `ZeroDivisionError: division by zero`."
    assert shown.status == "completed"


def test_what_cannot_be_repaired_is_said(kernel: RealKernel, tmp_path: Path) -> None:
    (tmp_path / "broken.xlsx").write_bytes(b"no workbook")
    shown = ask("look", kernel, tmp_path)
    assert "my script ends here" in shown.texts[-1]
    assert shown.status == "completed"


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("print(1)", "print(1)"),
        ("2**10", "2**10"),
        ("  x = 1\n  x", "x = 1\nx"),
        ("[n for n in range(3)]", "[n for n in range(3)]"),
        ("Run this:\n```py\nprint('a')\n```\nplease", "print('a')\n"),
        ("import math", "import math"),
        ("Hello", None),
        ("hello world", None),
        ("42", None),
        ("a or b", None),
        ("pass", None),
        ("return", None),
        ("raise hell", None),
        ("Question: why", None),
        ("compare", None),
        ("你好", None),
        ("(" * 5000, None),
        ("\x00", None),
    ],
)
def test_what_is_taken_for_code(prompt: str, expected: str | None) -> None:
    assert typed_code(prompt) == expected


def request(prompt: str) -> ModelRequest:
    return ModelRequest(
        turn_id="t", model="demo", system=system_prompt([]),
        messages=[UserMessage(text=prompt)], tools=[],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("prompt", "says"), [("Who are you?", "Add a CSV"), ("你会什么？", "添加 CSV")]
)
def test_anything_else_is_answered_with_what_it_can(prompt: str, says: str) -> None:
    sent, *chunks = MODEL.stream(request(prompt), Stop())
    assert isinstance(sent, RequestSent)
    assert sent.url == "demo:"
    assert json.loads(sent.body)["messages"][1] == {"role": "user", "content": prompt}
    text = "".join(chunk.text for chunk in chunks if isinstance(chunk, TextChunk))
    assert says in text
    assert chunks[-1] == FinishChunk(reason="stop")


def test_stop_ends_the_typing_at_once() -> None:
    stop = Stop()
    slow = DemoModel(pace_s=20)
    timer = threading.Timer(0.05, stop.request)
    timer.start()
    began = time.monotonic()
    assert [type(chunk) for chunk in slow.stream(request("hi"), stop)] == [RequestSent]
    assert time.monotonic() - began < 5
    timer.join(5)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda: fact('rows: 3\nname: "a"', "name"), "a"),
        (lambda: fact("rows: three", "rows"), None),
        (lambda: fact("", "rows"), None),
        (lambda: error_in("x\na.ParserError: bad\n[files]"), "a.ParserError: bad"),
        (lambda: error_in("Errors: 5"), None),
    ],
)  # fmt: skip
def test_what_is_read_from_reports(read: Callable[[], object], value: object) -> None:
    assert read() == value
