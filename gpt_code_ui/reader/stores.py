"""SQLite and Parquet: their own schema, counted rows, a few rows.

A database is read from memory, never by a name; of a large one only the beginning, for its schema.
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any, BinaryIO

from gpt_code_ui.reader.columns import table
from gpt_code_ui.reader.shape import MOST_PARTS, SAMPLE_ROWS, Look, Part, broken, short

SQLITE_WHOLE_BYTES = 64 << 20
SQLITE_BEGINNING_BYTES = 16 << 20
SQLITE_STEPS = 50_000_000  # of its machine, for all that is asked
PARQUET_ROWS = 1000


def sqlite(file: BinaryIO) -> Look:
    """The tables of a database with their columns and numbers of rows."""
    size = os.fstat(file.fileno()).st_size
    whole = size <= SQLITE_WHOLE_BYTES
    image = bytearray(os.pread(file.fileno(), size if whole else SQLITE_BEGINNING_BYTES, 0))
    page = int.from_bytes(image[16:18], "big")
    page = 65536 if page == 1 else page
    if len(image) < 100 or page < 512:
        return broken("sqlite", "its header is damaged")
    image[18:20] = b"\1\1"  # a write-ahead log lies elsewhere and cannot be had
    if not whole:
        image = image[: len(image) // page * page]
        image[28:32] = (len(image) // page).to_bytes(4, "big")
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.deserialize(bytes(image))
            database.text_factory = lambda raw: raw.decode("utf-8", "replace")
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute("PRAGMA cell_size_check = ON")
            steps = iter(range(SQLITE_STEPS // 100_000))
            database.set_progress_handler(lambda: next(steps, None) is None, 100_000)
            return _tables(database, count=whole)
        except sqlite3.Error as error:
            return broken("sqlite", f"it is damaged ({type(error).__name__})")


def _tables(database: sqlite3.Connection, *, count: bool) -> Look:
    named = database.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%'"
        " ESCAPE '\\' ORDER BY rowid"
    ).fetchall()
    parts: list[Part] = []
    found: Look = {"kind": "sqlite", "facts": {"tables": str(len(named))}, "parts": parts}
    for name, sql in named[:MOST_PARTS]:
        quoted = '"' + str(name).replace('"', '""') + '"'
        info = database.execute(f"PRAGMA table_info({quoted})").fetchall()
        columns = [str(row[1]) for row in info]
        part: Part = {"name": short(name), "columns": [short(one) for one in columns[:50]]}
        parts.append(part)
        if str(sql).upper().lstrip().startswith("CREATE VIRTUAL"):
            continue
        if count and not _count(database, quoted, part):
            found["notes"] = ["some of its rows could not be counted: damaged, or very many"]
        if "columns" not in found and columns:
            found.update(_first_table(database, quoted, info))
    if not count:
        found["notes"] = ["large: its rows were not counted"]
        found["sampled"] = True
    return found


def _count(database: sqlite3.Connection, quoted: str, part: Part) -> bool:
    """False if that table alone is damaged, or has taken too long."""
    try:
        part["rows"] = int(database.execute(f"SELECT count(*) FROM {quoted}").fetchone()[0])
    except sqlite3.Error:
        return False
    return True


def _first_table(database: sqlite3.Connection, quoted: str, info: Sequence[Any]) -> Look:
    try:
        rows = database.execute(f"SELECT * FROM {quoted} LIMIT {SAMPLE_ROWS}").fetchall()
    except sqlite3.Error:
        rows = []
    names = [str(row[1]) for row in info]
    looked = table(names, [[short(cell) for cell in row] for row in rows])
    for column, row in zip(looked["columns"], info, strict=False):
        column["type"] = short(str(row[2]), 40) or column["type"]
        # Of a few rows these would be no facts about the table.
        for name in ("missing", "odd", "min", "max"):
            column.pop(name, None)  # type: ignore[misc]
    return looked


def parquet(file: BinaryIO) -> Look:
    """Schema and counts from the footer; the first rows of the first row group."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        return {"kind": "parquet", "notes": ["pyarrow is not installed beside GPT-Code UI: only "
                                             "code can look into this file"]}  # fmt: skip
    try:
        source = parquet.ParquetFile(file)
        meta, schema = source.metadata, source.schema_arrow
        batch = next(iter(source.iter_batches(batch_size=PARQUET_ROWS, use_threads=False)), None)
    except (ArrowException, OSError, ValueError) as error:
        return broken("parquet", f"it is not a valid Parquet file ({type(error).__name__})")
    rows: list[list[str]] = []
    if batch is not None:
        columns = [column.slice(0, PARQUET_ROWS).to_pylist() for column in batch.columns]
        rows = [[short(cell) for cell in row] for row in zip(*columns, strict=True)]
    names = [str(name) for name in schema.names]
    found: Look = {"kind": "parquet", **table(names, rows, [str(one) for one in schema.types])}
    found["rows"] = int(meta.num_rows)
    if meta.num_rows > len(rows):
        found["sampled"] = True
        _from_statistics(found, meta)
    return found


def _from_statistics(found: Look, meta: Any) -> None:
    """What only all rows can tell comes from the file's own statistics, or is left out."""
    leaves = {meta.schema.column(at).path: at for at in range(meta.num_columns)}
    for column in found["columns"]:
        for name in ("missing", "min", "max"):
            column.pop(name, None)  # type: ignore[misc]
        at = leaves.get(column["name"])
        if at is None:
            continue
        groups = [meta.row_group(n).column(at).statistics for n in range(meta.num_row_groups)]
        if groups and all(one is not None and one.has_null_count for one in groups):
            column["missing"] = sum(int(one.null_count) for one in groups)
        if column["type"].startswith(("int", "uint", "float", "double", "date", "timestamp")) and (
            groups and all(one is not None and one.has_min_max for one in groups)
        ):
            column["min"] = short(min(one.min for one in groups))
            column["max"] = short(max(one.max for one in groups))
