"""The reader process on files of every kind, whole, broken, huge and hostile."""

import json
import math
import os
import pickle
import random
import sqlite3
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from gpt_code_ui.errors import NotFound
from gpt_code_ui.profiles import Profiles, read
from gpt_code_ui.protocol import Profile, ProfilePart
from gpt_code_ui.workspace import Workspace

DATA = Path(__file__).parent / "data"


def profile(path: Path, timeout: float = 20.0) -> Profile:
    with path.open("rb") as file:
        found = read(file, path.name, timeout)
    assert found is not None
    return found


def written(folder: Path, name: str, content: str | bytes, encoding: str = "utf-8") -> Profile:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return profile(path)


def columns(found: Profile) -> dict[str, str]:
    return {column.name: column.type for column in found.columns}


# --- tables as text


def test_a_chinese_table_with_titles_and_footnotes() -> None:
    found = profile(DATA / "gdp_by_province.csv")
    assert (found.kind, found.rows, found.width) == ("csv", 31, 4)
    assert columns(found) == {
        "地区": "text", "2022年": "number", "2021年": "number", "2020年": "number",
    }  # fmt: skip
    assert found.facts == {"delimiter": "comma", "encoding": "gb18030"}
    assert found.around[0].startswith("数据库") and found.around[-1].startswith("数据来源")
    assert [note.split(";")[0] for note in found.notes] == [
        "the header is row 4 of those that are not blank",
        "2 line(s) below the rows are notes, not data",
    ]


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("gb18030", "gb18030"), ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be"),
    ],
)  # fmt: skip
def test_encodings_of_chinese(tmp_path: Path, encoding: str, told: str) -> None:
    text = "城市;人口\n" + "北京;2189\n上海;2487\n广州;1868\n" * 20
    found = written(tmp_path, "城市 数据.csv", text, encoding)
    assert columns(found) == {"城市": "text", "人口": "integer"}
    assert found.facts == {"delimiter": "semicolon", "encoding": told}


def test_western_european_text(tmp_path: Path) -> None:
    text = "name\tprice €\nMüller\t1.5\nÉclair\t\nnaïve café\t2\n"
    found = written(tmp_path, "a.tsv", text, "cp1252")
    assert columns(found) == {"name": "text", "price €": "number"}
    assert found.facts == {"delimiter": "tab", "encoding": "cp1252"}
    assert found.columns[1].missing == 1


def test_types_missing_values_and_extremes(tmp_path: Path) -> None:
    rows = ["id,when,share,price,code,flag,none"]
    rows += [f'{n},2024-01-{n:02d},{n / 4},"{n},000",00{n},true,' for n in range(1, 29)]
    rows[3] = "x,2024-01-03,NA,,003,false,"
    found = written(tmp_path, "t.csv", "\n".join(rows))
    assert columns(found) == {
        "id": "number", "when": "date", "share": "number", "price": "number written as text",
        "code": "text", "flag": "true/false", "none": "empty",
    }  # fmt: skip
    by_name = {column.name: column for column in found.columns}
    assert (by_name["id"].odd, by_name["share"].missing) == (1, 1)
    assert (by_name["when"].min, by_name["when"].max) == ("2024-01-01", "2024-01-28")
    assert (by_name["share"].min, by_name["share"].max) == ("0.25", "7.0")


def test_a_table_without_a_header_does_not_lose_its_first_row(tmp_path: Path) -> None:
    found = written(tmp_path, "n.csv", "1,2.5,a\n2,3.5,b\n3,4.5,c\n")
    assert (found.rows, list(columns(found))) == (3, ["column 1", "column 2", "column 3"])
    assert found.notes == ["no header row was found; columns are numbered"]


def test_a_quote_that_nothing_closes_does_not_swallow_the_rest(tmp_path: Path) -> None:
    rows = "".join(f"{n},pipe\n" for n in range(50))
    assert written(tmp_path, "q.csv", f'n,"what\n{rows}').rows == 50


@pytest.mark.parametrize("name", ["a.md", "notes.log", "code.py"])
def test_prose_is_no_table(tmp_path: Path, name: str) -> None:
    found = written(tmp_path, name, "One, two.\nThree, four.\nFive, six.\n")
    assert (found.kind, found.facts["lines"]) == ("text", "3")
    assert found.text == "One, two.\nThree, four.\nFive, six."


def test_an_empty_file(tmp_path: Path) -> None:
    assert written(tmp_path, "e.csv", "") == Profile(kind="empty", size=0)


# --- structured files


def test_json_in_its_shapes(tmp_path: Path) -> None:
    rows = [{"a": 1, "b": "x"}, {"a": 2, "c": None}]
    listed = written(tmp_path, "l.json", json.dumps(rows))
    assert (listed.kind, listed.rows) == ("json", 2)
    assert columns(listed) == {"a": "integer", "b": "text", "c": "empty"}
    inside = written(tmp_path, "o.json", json.dumps({"meta": {}, "rows": rows}))
    assert [part.name for part in inside.parts] == ["meta (object of 0)", "rows (list of 2)"]
    assert (inside.rows, inside.facts["holds"]) == (2, 'an object; its rows are in "rows"')
    lines = written(tmp_path, "x.jsonl", "\n".join(map(json.dumps, rows)))
    assert (lines.kind, lines.rows) == ("jsonl", 2)
    assert written(tmp_path, "b.json", '{"a": 1').broken == "it is not valid JSON"


def test_sqlite(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "d.sqlite") as database:
        database.execute("PRAGMA journal_mode = wal")
        database.execute('CREATE TABLE "客户" (id INTEGER, name TEXT)')
        database.executemany('INSERT INTO "客户" VALUES (?, ?)', [(1, "李"), (2, None)])
        database.execute("CREATE TABLE other (x)")
    database.close()
    found = profile(tmp_path / "d.sqlite")
    assert found.parts == [
        ProfilePart(name="客户", rows=2, columns=["id", "name"]),
        ProfilePart(name="other", rows=0, columns=["x"]),
    ]
    assert (columns(found), found.sample) == (
        {"id": "INTEGER", "name": "TEXT"}, [["1", "李"], ["2", ""]],
    )  # fmt: skip
    raw = (tmp_path / "d.sqlite").read_bytes()
    in_part = written(tmp_path, "part.sqlite", raw[:5000] + b"x" * 9000)
    assert in_part.notes == ["some of its rows could not be counted: damaged, or very many"]
    assert written(tmp_path, "b.sqlite", raw[:50]).broken == "its header is damaged"
    assert written(tmp_path, "c.sqlite", raw[:100] + b"x" * 9000).broken


def test_a_picture(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    image.new("RGBA", (30, 20)).save(tmp_path / "图.png")
    found = profile(tmp_path / "图.png")
    assert found.facts == {"format": "PNG", "pixels": "30 x 20", "mode": "RGBA"}
    cut = written(tmp_path, "cut.png", (tmp_path / "图.png").read_bytes()[:20])
    assert cut.kind == "image" and cut.broken


def test_archives(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("数据/一.csv", "a,b\n")
    found = profile(tmp_path / "a.zip")
    assert (found.kind, found.parts) == ("archive", [ProfilePart(name="数据/一.csv")])
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as packed:
        packed.add(DATA / "advertising.csv", "in/advertising.csv")
    found = profile(tmp_path / "b.tar.gz")
    assert found.facts == {"format": "tar, gzip", "members": "1"}
    assert found.parts == [ProfilePart(name="in/advertising.csv")]


def test_optional_libraries_or_a_word_about_their_absence(tmp_path: Path) -> None:
    """Without openpyxl the names of the sheets are told, and that it is missing."""
    with zipfile.ZipFile(tmp_path / "s.xlsx", "w") as book:
        book.writestr("xl/workbook.xml", '<workbook><sheets><sheet name="一 &amp; two"/></sheets>')
    found = profile(tmp_path / "s.xlsx")
    if found.broken is None:
        assert found.facts == {"sheets": "一 & two"}
        assert found.notes[0].startswith("openpyxl is not installed")
    assert found.kind == "excel"


def test_a_workbook(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "销售"
    for row in (
        ["Report 2024"],
        ["region", "total", "n"],
        ["北", 1.5, 1],
        ["南", 2, 2],
        ["Source: us"],
    ):
        book.active.append(row)
    book.create_sheet("empty")
    book.save(tmp_path / "b.xlsx")
    found = profile(tmp_path / "b.xlsx")
    assert (found.kind, found.rows, columns(found)) == (
        "excel", 2, {"region": "text", "total": "number", "n": "integer"},
    )  # fmt: skip
    assert [part.name for part in found.parts] == ["销售", "empty"]
    assert found.around == ["Report 2024", "Source: us"]


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pyarrow.table({"n": [1, 2, None] * 1000, "城": ["a", None, "c"] * 1000})
    parquet.write_table(table, tmp_path / "p.parquet")
    found = profile(tmp_path / "p.parquet")
    assert (found.kind, found.rows, columns(found)) == (
        "parquet", 3000, {"n": "int64", "城": "string"},
    )  # fmt: skip
    assert (found.columns[0].missing, found.columns[0].min, found.columns[0].max) == (
        1000, "1", "2",
    )  # fmt: skip
    raw = (tmp_path / "p.parquet").read_bytes()
    assert written(tmp_path, "cut.parquet", raw[: len(raw) // 2]).broken


def test_pdf_and_word(tmp_path: Path) -> None:
    pypdf = pytest.importorskip("pypdf")
    docx = pytest.importorskip("docx")
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    writer.write(tmp_path / "a.pdf")
    found = profile(tmp_path / "a.pdf")
    assert (found.kind, found.facts) == ("pdf", {"pages": "1"})
    document = docx.Document()
    document.add_paragraph("你好, world")
    document.save(str(tmp_path / "a.docx"))
    assert profile(tmp_path / "a.docx").text == "你好, world"
    assert written(tmp_path, "b.pdf", b"%PDF-1.7\nnothing").broken


# --- broken, huge, hostile


@pytest.mark.parametrize("name", ["a.xlsx", "a.parquet", "a.pdf", "a.png", "a.sqlite", "a.zip"])
def test_a_file_that_is_not_what_its_name_says(tmp_path: Path, name: str) -> None:
    for content in (b"hello\n", bytes(range(256)) * 8):
        assert "it is not what its name says" in str(written(tmp_path, name, content).broken)


def test_a_pickle_named_csv_is_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(mark),)

    found = written(tmp_path, "data.csv", pickle.dumps(Bomb()))
    assert found.notes == ["it looks like a Python pickle, which is never opened"]
    written(tmp_path, "old.csv", pickle.dumps(Bomb(), protocol=0))
    assert not mark.exists()


def test_json_nested_without_end(tmp_path: Path) -> None:
    found = written(tmp_path, "deep.json", "[" * 1_000_000 + "]" * 1_000_000)
    assert found.broken is not None and "nested too deeply" in found.broken


def test_a_zip_bomb_is_only_listed(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("zeros", b"\0" * (300 << 20))
    assert profile(tmp_path / "bomb.zip").facts["unpacked"] == f"{300 << 20:,} bytes"
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("xl/workbook.xml", "<workbook/>")
        bomb.writestr("xl/sharedStrings.xml", b"\0" * (450 << 20))
    found = profile(tmp_path / "bomb.xlsx")
    assert (found.kind, found.broken) == (
        "excel", "unpacked it would be too large to be looked into",
    )  # fmt: skip


def test_two_sparse_gigabytes_take_little_time_and_memory(tmp_path: Path) -> None:
    path = tmp_path / "huge.csv"
    rows = "".join(f"{n},{math.sqrt(n):.3f},word{n}\n" for n in range(100_000))
    with path.open("w") as file:
        file.write("id,root,word\n" + rows)
        file.truncate(2 << 30)
    began = time.monotonic()
    found = profile(path)
    assert time.monotonic() - began < 10
    assert (found.kind, found.sampled, found.rows_estimated) == ("csv", True, True)
    assert columns(found) == {"id": "integer", "root": "number", "word": "text"}
    assert "parts of it hold nothing but zero bytes" in found.notes


def test_a_large_table_is_estimated_from_head_middle_and_tail(tmp_path: Path) -> None:
    rows = 400_000
    with (tmp_path / "large.csv").open("w") as file:
        file.write("id,value\n")
        file.writelines(f"{n:07d}x,{n % 10}\n" for n in range(rows))
    found = profile(tmp_path / "large.csv")
    assert found.sampled and found.rows is not None
    assert abs(found.rows - rows) < rows * 0.02


@pytest.mark.parametrize("seed", range(6))
def test_noise_in_any_disguise_gets_an_answer(tmp_path: Path, seed: int) -> None:
    noise = random.Random(seed)
    beginnings = (b"PAR1", b"SQLite format 3\0", b"%PDF-1.4", b"\x89PNG\r\n\x1a\n", b"\x1f\x8b",
                  b"PK\3\4")  # fmt: skip
    found = written(tmp_path, "x.csv", beginnings[seed] + noise.randbytes(20_000))
    assert found.kind != "csv" and (found.broken or found.notes)


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(NotFound):
        Profiles().profile(Workspace(tmp_path), "pipe.csv")


def test_the_reader_is_confined_and_knows_no_secret(tmp_path: Path) -> None:
    code = (
        "import json, os, resource, sys\n"
        "from gpt_code_ui.reader.limits import confine\n"
        "confine()\n"
        "try:\n"
        f"    open({str(tmp_path / 'w')!r}, 'w').write('x')\n"
        "    wrote = os.path.getsize(sys.argv[1])\n"
        "except OSError:\n"
        "    wrote = 0\n"
        "print(json.dumps([wrote, *(resource.getrlimit(n)[0] for n in (resource.RLIMIT_CPU,"
        " resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE))]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "w")], capture_output=True, check=True,
        timeout=30,
    )  # fmt: skip
    wrote, cpu, memory, size, core = json.loads(done.stdout)
    assert (wrote, cpu, memory, size, core) == (0, 20, 2 << 30, 0, 0)
