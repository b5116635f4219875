"""Workbooks: their sheets, and the first that holds something as a table.

Whatever a damaged workbook makes of the libraries means that it cannot be read, no more.
"""

import re
import zipfile
from collections.abc import Sequence
from html import unescape
from itertools import islice
from typing import BinaryIO

from gpt_code_ui.reader.delimited import sheet_table
from gpt_code_ui.reader.shape import MOST_PARTS, Look, Part, broken, short

UNPACKED_BYTES = 400 << 20
OLD_BYTES = 64 << 20
MOST_ROWS = 20_000


def excel(file: BinaryIO, inner: Sequence[zipfile.ZipInfo]) -> Look:
    """The sheets of a workbook, and the first one that holds something as a table."""
    if sum(one.file_size for one in inner) > UNPACKED_BYTES:
        return broken("excel", "unpacked it would be too large to be looked into")
    try:
        import openpyxl
    except ImportError:
        return {"kind": "excel", "facts": {"sheets": ", ".join(_sheet_names(file)) or "?"},
                "notes": ["openpyxl is not installed beside GPT-Code UI: only the names of the "
                          "sheets are known"]}  # fmt: skip
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        found: Look = {"kind": "excel", "facts": {"sheets": str(len(book.sheetnames))}}
        parts: list[Part] = []
        for sheet in book.worksheets[:MOST_PARTS]:
            part: Part = {"name": short(sheet.title)}
            if sheet.max_row and sheet.max_column:
                part["rows"], part["width"] = sheet.max_row, sheet.max_column
            parts.append(part)
            if "columns" not in found:
                cells = islice(sheet.iter_rows(values_only=True, max_col=200), MOST_ROWS + 1)
                rows = [[short(cell) for cell in row] for row in cells]
                found.update(sheet_table(rows, total=sheet.max_row))
                if "columns" in found:
                    found["facts"]["first sheet"] = short(sheet.title)
        found["parts"] = parts
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a damaged workbook makes of the library
        return broken("excel", f"it is not a valid workbook ({type(error).__name__})")
    return found


def _sheet_names(file: BinaryIO) -> list[str]:
    """The names of the sheets from the workbook's own list."""
    file.seek(0)
    with zipfile.ZipFile(file) as archive, archive.open("xl/workbook.xml") as book:
        listed = book.read(1 << 20).decode("utf-8", "replace")
    return [
        short(unescape(name), 60) for name in re.findall(r'<sheet\b[^>]*?name="([^"]*)"', listed)
    ]


def old_excel(file: BinaryIO) -> Look:
    """A workbook of before 2007."""
    try:
        import xlrd
    except ImportError:
        return {"kind": "excel", "notes": ["an old .xls workbook; xlrd is not installed beside "
                                           "GPT-Code UI"]}  # fmt: skip
    try:
        book = xlrd.open_workbook(file_contents=file.read(OLD_BYTES), on_demand=True)
        found: Look = {"kind": "excel", "facts": {"sheets": str(book.nsheets)}}
        parts: list[Part] = []
        for at, name in enumerate(book.sheet_names()[:MOST_PARTS]):
            sheet = book.sheet_by_index(at)
            parts.append({"name": short(name), "rows": sheet.nrows, "width": sheet.ncols})
            if "columns" not in found:
                rows = [[short(cell) for cell in sheet.row_values(n)]
                        for n in range(min(sheet.nrows, MOST_ROWS))]  # fmt: skip
                found.update(sheet_table(rows, total=sheet.nrows))
        found["parts"] = parts
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a damaged workbook makes of the library
        return broken("excel", f"it is not a valid workbook ({type(error).__name__})")
    return found
