"""JSON and JSON lines: the keys, and rows where it is a list of objects."""

import json
from collections.abc import Sequence
from itertools import islice
from typing import Any

from gpt_code_ui.reader.columns import table
from gpt_code_ui.reader.pieces import Text
from gpt_code_ui.reader.shape import Look, broken, short

DEEP = "it is nested too deeply to be looked into"
MOST_KEYS = 200
MOST_ROWS = 50_000


def json_text(text: Text, name: str) -> Look | None:
    """JSON or JSON lines; None if the text is neither and is not named so."""
    lower = name.lower()
    named = lower.endswith((".json", ".geojson", ".ipynb"))
    lines = lower.endswith((".jsonl", ".ndjson"))
    begins = text.pieces[0].lstrip()[:1]
    if not named and not lines and begins not in ("{", "["):
        return None
    try:
        found = _lines(text) if lines else _whole(text)
        if found is None and not lines:
            found = _lines(text)
    except RecursionError:
        return broken("json", DEEP)
    if found is None:
        kind = "jsonl" if lines else "json"
        return broken(kind, "it is not valid JSON") if named or lines else None
    found["facts"] = {"encoding": text.encoding, **found.get("facts", {})}
    return found


def _whole(text: Text) -> Look | None:
    head = text.pieces[0].strip()
    if text.sampled:
        return _beginning(head) if head.startswith("[") else _large(head)
    try:
        value = json.loads(head)
    except ValueError:
        return None
    if isinstance(value, list):
        return {"kind": "json", "rows": len(value), **_listed(value)}
    if isinstance(value, dict):
        return {"kind": "json", **_object(value)}
    return {"kind": "json", "facts": {"holds": type(value).__name__}, "text": short(value)}


def _beginning(head: str) -> Look | None:
    """The items at the beginning of a list too large to load."""
    decoder = json.JSONDecoder()
    items: list[Any] = []
    at = 1
    while at < len(head):
        at += len(head[at : at + 100]) - len(head[at : at + 100].lstrip(", \t\r\n"))
        try:
            item, at = decoder.raw_decode(head, at)
        except ValueError:
            break
        items.append(item)
    return {"kind": "json", **_listed(items)} if items else None


def _large(head: str) -> Look | None:
    if not head.startswith("{"):
        return None
    return {"kind": "json", "facts": {"holds": "an object"}, "notes": ["too large to be parsed"]}


def _lines(text: Text) -> Look | None:
    """One value a line. Lines that are not valid are counted."""
    values: list[Any] = []
    bad = 0
    lines = [line for piece in text.pieces for line in piece.splitlines() if line.strip()]
    for line in lines[:MOST_ROWS]:
        try:
            values.append(json.loads(line))
        except ValueError:
            bad += 1
    if not values or bad > len(values) or (bad and len(values) < 2):
        return None
    found: Look = {"kind": "jsonl", "rows": len(lines), **_listed(values)}
    if text.sampled:
        seen = sum(len(piece.encode(text.encoding, "replace")) for piece in text.pieces)
        found["rows"] = round(len(lines) * text.size / max(seen, 1))
        found["rows_estimated"] = True
    if bad:
        found["notes"] = [f"{bad} line(s) are not valid JSON"]
    return found


def _listed(items: Sequence[Any]) -> Look:
    """A list: of objects, a table; of other things, what they are."""
    objects = [one for one in items[:MOST_ROWS] if isinstance(one, dict)]
    if not objects or len(objects) < len(items[:MOST_ROWS]) * 0.5:
        kinds = sorted({type(one).__name__ for one in items[:1000]})
        return {"facts": {"holds": f"a list of {', '.join(kinds) or 'nothing'}"},
                "sample": [[short(_spelled(one))] for one in items[:20]]}  # fmt: skip
    names: dict[str, None] = {}
    for one in objects:
        if len(names) < MOST_KEYS:
            names.update(dict.fromkeys(islice(one, MOST_KEYS)))
    keys = list(names)
    rows = [[_spelled(one.get(key)) for key in keys] for one in objects]
    return {"facts": {"holds": "a list of objects"}, **table(keys, rows)}


def _object(value: dict[str, Any]) -> Look:
    """An object: its keys, and the first list of objects in it as a table."""
    keys = [f"{short(key, 60)} ({_kind(item)})" for key, item in islice(value.items(), MOST_KEYS)]
    found: Look = {"facts": {"holds": f"an object with {len(value)} keys"}}
    found["parts"] = [{"name": key} for key in keys[:50]]
    for key, item in islice(value.items(), MOST_KEYS):
        if isinstance(item, list) and len(item) > 1 and all(isinstance(x, dict) for x in item[:9]):
            found.update({"rows": len(item), **_listed(item)})
            found["facts"] = {"holds": f"an object; its rows are in {json.dumps(short(key, 60))}"}
            break
    return found


def _kind(value: object) -> str:
    if isinstance(value, list | dict):
        return f"{'list' if isinstance(value, list) else 'object'} of {len(value)}"
    return {str: "text", bool: "true/false", int: "number", float: "number"}.get(
        type(value), "null"
    )


def _spelled(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
