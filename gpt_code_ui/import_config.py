"""Takes over the ``config.json`` of a Local-Code-Interpreter as a provider of its own.

What has a place here is taken, everything else is told; the key goes where typed keys go, and into
no line of the report.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gpt_code_ui.errors import GptCodeError, UsageError
from gpt_code_ui.models import Models
from gpt_code_ui.settings import Settings

ID = "imported"
LARGEST = 1 << 20
TAKEN = ("API_TYPE", "API_base", "API_VERSION", "API_KEY", "MODEL", "model_context_window")


def import_config(path: Path, settings: Settings) -> list[str]:
    """Take the file over; the lines tell what was taken and what was not. Raises UsageError."""
    config = _read(path)
    models = Models(settings)
    lines: list[str] = []
    row = _provider(config, lines)
    others = [one for one in models.book.shown() if one["source"] == "page" and one["id"] != ID]
    try:
        models.change([*_as_changes(others), row])
        names = row["models"]
        if names and models.book.default_model is None and settings.model is None:
            models.choose_default(f"{ID}/{names[0]['name']}")
            lines.append(f"took  the model new conversations begin with: {names[0]['name']}")
        where = next(one["key_in"] for one in models.book.shown() if one["id"] == ID)
    except GptCodeError as error:
        raise UsageError(f"{path}: {error.message}", hint=error.hint) from error
    finally:
        models.close()
    if where:
        place = "the system keyring" if where == "keyring" else "a file only you can read"
        lines.append(f"took  API_KEY, kept in {place}")
    else:
        lines.append("left  API_KEY: none is set; type it on the page")
    return [*lines, *_left(config), f"The provider is called {ID!r} in the list of models."]


def _read(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{path} is too large for a config.json")
        config = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is not valid JSON") from error
    if not isinstance(config, dict) or not any(name in config for name in TAKEN):
        raise UsageError(
            f"{path} is no config.json of a Local-Code-Interpreter",
            hint="it has API_KEY, API_base and MODEL",
        )
    return config


def _provider(config: Mapping[str, Any], lines: list[str]) -> dict[str, Any]:
    azure = _text(config, "API_TYPE").lower().startswith("azure")
    base = _text(config, "API_base") or None
    row: dict[str, Any] = {"id": ID, "kind": "azure" if azure else "openai", "base_url": base}
    row["name"] = (
        "Azure" if azure else (urlsplit(base).netloc.rpartition("@")[2] if base else "OpenAI")
    )
    lines.append(f"took  API_TYPE: {row['kind']}")
    if base:
        lines.append("took  API_base")
    version = _text(config, "API_VERSION")
    if version and azure:
        row["api_version"] = version
        lines.append(f"took  API_VERSION: {version}")
    elif version:
        lines.append("left  API_VERSION: only Azure asks for it")
    row["models"] = list(_models(config.get("MODEL"), lines))
    key = _text(config, "API_KEY")
    # An empty field and the word that the file comes with are no key.
    if key and not re.fullmatch(r"<.*>|your.*|sk-x+", key, re.IGNORECASE):
        row["key"] = key
    return row


def _models(table: object, lines: list[str]) -> Iterator[dict[str, str]]:
    for label, one in table.items() if isinstance(table, dict) else ():
        name = one.get("model_name") if isinstance(one, dict) else None
        if not isinstance(name, str) or not name:
            lines.append(f"left  MODEL {label}: it has no model_name")
        elif one.get("available") is False:
            lines.append(f"left  MODEL {label}: it is not available")
        else:
            lines.append(f"took  MODEL {label}: {name}")
            yield {"name": name, "displayName": str(label)}


def _left(config: Mapping[str, Any]) -> Iterator[str]:
    if window := config.get("model_context_window"):
        shown = json.dumps(window)[:200]
        yield f"left  model_context_window: to keep it, set GPTCODE_MODEL_CONTEXT_WINDOW={shown}"
    for name in config:
        if name not in TAKEN:
            yield f"left  {name[:60]!r}: it has no meaning here"


def _text(config: Mapping[str, Any], name: str) -> str:
    value = config.get(name)
    return value.strip() if isinstance(value, str) else ""


def _as_changes(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Providers as they are shown, in the shape that keeps them."""
    return [{k: v for k, v in row.items() if k not in ("source", "key_in")} for row in rows]
