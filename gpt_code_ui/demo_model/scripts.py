"""The longer scripts that the demo runs, as text: finding a table in a raw file, describing it.

They print what they find as ``name: JSON``, one to a line, where the demo reads it back. They use
what the conversation's kernel has; nothing in here runs in this process.
"""

ROWS_OF_TEXT = """\
import csv
import io
import re
from collections import Counter
from pathlib import Path

raw = Path(name).read_bytes()
# In Chinese text bytes above 127 come in runs, in Western European text one by one.
runs = re.findall(rb"[\\x80-\\xff]+", raw)
alone = sum(len(run) == 1 for run in runs) > len(runs) / 2
guesses = ["utf-8-sig", "cp1252", "gb18030"] if alone else ["utf-8-sig", "gb18030", "cp1252"]
if raw.startswith((b"\\xff\\xfe", b"\\xfe\\xff")):
    guesses.insert(0, "utf-16")
for encoding in [*guesses, "latin-1"]:
    try:
        text = raw.decode(encoding)
        break
    except UnicodeDecodeError:
        print("not", encoding)

def split(mark):
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))

def alike(mark):
    widths = Counter(len(row) for row in split(mark) if len(row) > 1)
    return max(widths.values(), default=0)

rows = split(max(",;\\t|", key=alike))
"""

ROWS_OF_JSON = """\
import json
from pathlib import Path

encoding = "utf-8-sig"
text = Path(name).read_text(encoding)
try:
    data = json.loads(text)
except ValueError:
    data = [json.loads(line) for line in text.splitlines() if line.strip()]
if isinstance(data, dict):
    data = next((value for value in data.values() if isinstance(value, list)), [data])
table = pd.json_normalize(data)
rows = [list(table.columns), *table.astype(str).values.tolist()]
"""

ROWS_OF_XLSX = """\
import re
import zipfile
from xml.etree import ElementTree

encoding = "Office Open XML"
space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
with zipfile.ZipFile(name) as book:
    parts = {part: book.read(part) for part in book.namelist()}
shared = ElementTree.fromstring(parts.get("xl/sharedStrings.xml", b"<none/>"))
strings = ["".join(text.text or "" for text in item.iter(space + "t")) for item in shared]
sheet = min(part for part in parts if re.match(r"xl/worksheets/sheet\\d+\\.xml", part))
rows = []
for line in ElementTree.fromstring(parts[sheet]).iter(space + "row"):
    row = []
    for cell in line:
        column = 0
        for letter in re.sub(r"\\d", "", cell.get("r", "")):
            column = 26 * column + ord(letter) - 64
        value = "".join(text.text or "" for text in cell.iter() if text.tag[-2:] in ("}v", "}t"))
        row += [""] * (column - 1 - len(row))
        row.append(strings[int(value)] if cell.get("t") == "s" else value)
    rows.append(row)
"""

TABLE_OF_ROWS = """\

from collections import Counter

filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
usual = Counter(count for count in filled if count).most_common(1)[0][0]
needed = min(usual, max(2, usual // 2 + 1))
inside = [row for row, count in zip(rows, filled) if count >= needed]
first = next(at for at, count in enumerate(filled) if count >= needed)
width = max(len(row) for row in inside)
header, *body = [[*row, *[""] * (width - len(row))] for row in inside]
header = [cell.strip() or f"column {at + 1}" for at, cell in enumerate(header)]
df = pd.DataFrame(body, columns=header).replace("", None)
print("encoding:", f'"{encoding}"')
print("lines_above:", first)
print("lines_below:", sum(bool(count) for count in filled[first:]) - len(inside))
df.head()
"""

DESCRIBE = """\
# demo: describe
import json

df.columns = [str(name) for name in df.columns]
if len(df.columns) > 2:
    df = df[df.notna().sum(axis=1) > 1].reset_index(drop=True)
for name in df.columns:
    if not pd.api.types.is_numeric_dtype(df[name]):
        text = df[name].astype(str).str.strip().str.replace(",", "").str.rstrip("%")
        values = pd.to_numeric(text, errors="coerce")
        if values.notna().sum() >= 0.8 * df[name].notna().sum() > 0:
            df[name] = values

numbers = [name for name in df.columns if pd.api.types.is_numeric_dtype(df[name])]
numbers = [name for name in numbers if name.lower() not in ("id", "index", "编号", "序号")]
numbers = [name for name in numbers if df[name].nunique() > 1 and df[name].dtype != bool]
years = [name for name in numbers if df[name].dropna().isin(range(1900, 2101)).all()]
words = [name for name in df.columns if df[name].map(type).eq(str).any() and df[name].nunique() > 1]
label = (words + years + [None])[0]
dates = pd.to_datetime(df[label], errors="coerce", format="mixed") if label in words else None
numbers = [name for name in numbers if name not in years] or [n for n in numbers if n != label]
facts = {
    "rows": len(df),
    "columns": len(df.columns),
    "label": label,
    "numbers": numbers[:3],
    "time": label in years or (dates is not None and bool(dates.notna().all())),
    "labels": [] if label is None else [str(value) for value in df[label].unique()[:100]],
}
for name, value in facts.items():
    print(f"{name}:", json.dumps(value, ensure_ascii=False))
display(df.head())
pd.DataFrame({"type": df.dtypes.astype(str), "missing": df.isna().sum()})
"""
