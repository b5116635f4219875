"""What a setting may look like: parsers from text (flag, environment) or TOML to a typed value.

Each takes whatever a source holds and raises ValueError with words that complete the sentence
"<name> ...". An empty text never gets here: it counts as not set.
"""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

Approve = Literal["never", "risky", "always"]
AMOUNT = re.compile(r"(?P<number>\d+(\.\d+)?)\s*(?P<unit>%|[kmgt]i?b?|b)?", re.IGNORECASE)
LEAST_MEMORY = 128 << 20
OnOff = Literal["off", "on"]
LEVELS = ("debug", "info", "warning", "error", "critical")


@dataclass(frozen=True)
class ModelChoice:
    """A model the person named: what the endpoint calls it, and what the page shows."""

    name: str
    display_name: str


@dataclass(frozen=True)
class Price:
    """What a model costs, in dollars for a million tokens."""

    model: str
    input: float
    output: float

    def of(self, input_tokens: int, output_tokens: int) -> float:
        """Dollars."""
        return (input_tokens * self.input + output_tokens * self.output) / 1_000_000


@dataclass(frozen=True)
class Amount:
    """So many bytes, or such a share of what there is."""

    bytes: int | None = None
    percent: float | None = None

    def of(self, total: int) -> int:
        """Bytes."""
        return self.bytes if self.bytes is not None else int(total * (self.percent or 100) / 100)

    def __str__(self) -> str:
        return f"{self.bytes}" if self.bytes is not None else f"{self.percent:g}%"


def a_text(value: object) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise ValueError("has to be text")
    return value


def a_token(value: object) -> str:
    """A secret that fits in an HTTP header."""
    text = a_text(value)
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("may hold printable ASCII characters only, and no spaces")
    return text


def a_switch(value: object) -> bool:
    """On or off."""
    if isinstance(value, bool):
        return value
    match value.lower() if isinstance(value, str) else None:
        case "1" | "true" | "yes" | "on":
            return True
        case "0" | "false" | "no" | "off":
            return False
    raise ValueError("has to be true or false")


def a_fraction(least: float, most: float) -> Callable[[object], float]:
    """A number within bounds, both included."""

    def parse(value: object) -> float:
        try:
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise ValueError
            number = float(value)
        except ValueError:
            raise ValueError(f"has to be a number, not {value!r}") from None
        if not least <= number <= most:
            raise ValueError(f"has to be from {least:g} to {most:g}, not {number:g}")
        return number

    return parse


def a_number(least: int, most: int) -> Callable[[object], int]:
    """A whole number within bounds, both included."""

    def parse(value: object) -> int:
        try:
            if isinstance(value, bool) or not isinstance(value, str | int):
                raise ValueError
            number = int(value)
        except ValueError:
            raise ValueError(f"has to be a number, not {value!r}") from None
        if not least <= number <= most:
            raise ValueError(f"has to be from {least} to {most}, not {number}")
        return number

    return parse


def an_amount(value: object) -> Amount:
    """``75%``, ``4 GB``, ``800MB``, or a number of bytes."""
    match = AMOUNT.fullmatch(str(value).strip()) if not isinstance(value, bool) else None
    if match is None:
        raise ValueError(f"has to be like 75% or 4GB, not {value!r}")
    number, unit = float(match["number"]), (match["unit"] or "").lower()
    if unit == "%":
        if not 1 <= number <= 100:
            raise ValueError(f"has to be from 1% to 100%, not {value!r}")
        return Amount(percent=number)
    amount = int(number * 1024 ** max(0, "bkmgt".find(unit[:1] or "b")))
    if amount < LEAST_MEMORY:
        raise ValueError(f"has to be {LEAST_MEMORY >> 20} MB or more, not {value!r}")
    return Amount(bytes=amount)


def a_choice(*names: str) -> Callable[[object], str]:
    """One of ``names``, in any case."""

    def parse(value: object) -> str:
        text = a_text(value).lower()
        if text not in names:
            raise ValueError(f"has to be one of {', '.join(names)}, not {value!r}")
        return text

    return parse


def an_api_type(value: object) -> str:
    """``open_ai`` or ``azure``; ``openai`` means the former."""
    text = a_text(value).lower()
    return a_choice("open_ai", "azure")("open_ai" if text == "openai" else text)


def a_path(value: object) -> Path:
    """An absolute path; ``~`` is the home folder."""
    text = a_text(value)
    if "\0" in text:
        raise ValueError("is not a path")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError("needs a home folder, and there is none") from None


def path_list(value: object) -> tuple[Path, ...]:
    """Several paths: a list, or one text with the system's separator between them."""
    items = value.split(os.pathsep) if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise ValueError("has to be a list of paths")
    return tuple(a_path(item) for item in items if item != "")


def a_url(value: object) -> str:
    """An http or https address without a trailing slash."""
    text = a_text(value).strip()
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("has to be an http or https address")
    return text.rstrip("/")


def ollama_port(value: object) -> int | None:
    """The port in Ollama's own setting; None where it says nothing of this computer.

    It is another program's, so nothing in it is an error: ``HOST``, ``HOST:PORT``, ``:PORT`` or a
    whole URL, as Ollama reads it.
    """
    text = str(value).strip().strip("\"'")
    try:
        place = urlsplit(text if "://" in text else f"http://{text}")
        port = place.port
    except ValueError:
        return None
    is_here = place.hostname in (None, "", "localhost", "127.0.0.1", "0.0.0.0", "::1", "::")
    return port if is_here and port else None


def who_in(url: str) -> str:
    """The user and password in an address, as ``user:password``; empty if there are none."""
    return urlsplit(url).netloc.rpartition("@")[0]


def origin_of(url: str) -> str:
    """Scheme, host and port of an address, in one spelling. Raises ValueError."""
    parts = urlsplit(url)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    host = (parts.hostname or "").rstrip(".")
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def an_origin(value: object) -> str:
    """A scheme, host and port, as browsers send it."""
    text = a_url(value).lower()
    if urlsplit(text).path or urlsplit(text).query:
        raise ValueError("has to be like http://localhost:5173, without a path")
    return text


def a_list(value: object) -> tuple[str, ...]:
    """Several texts: a list, or one text with commas."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise ValueError("has to be a list")
    return tuple(text for item in items if (text := a_text(item).strip()))


def header_table(value: object) -> tuple[tuple[str, str], ...]:
    """Header names and values: a table, or a JSON object."""
    table = from_json(value)
    if not isinstance(table, dict):
        raise ValueError('has to be a JSON object like {"X-Team": "blue"}')
    return tuple((a_text(name), a_text(text)) for name, text in table.items())


def model_choices(value: object) -> tuple[ModelChoice, ...]:
    """gpt-code-ui's list of models: JSON objects with ``name`` and ``displayName``."""
    rows = from_json(value)
    example = '[{"displayName": "GPT-4o", "name": "gpt-4o"}]'
    if not isinstance(rows, list):
        raise ValueError(f"has to be a JSON list like {example}")
    return tuple(_model_choice(row, example) for row in rows)


def _model_choice(row: object, example: str) -> ModelChoice:
    if isinstance(row, str) and row:
        return ModelChoice(name=row, display_name=row)
    name = row.get("name") if isinstance(row, dict) else None
    if not isinstance(row, dict) or not isinstance(name, str) or not name:
        raise ValueError(f"has an entry without a name; it has to be like {example}")
    return ModelChoice(name=name, display_name=a_text(row.get("displayName", name)))


def context_windows(value: object) -> tuple[tuple[str, int], ...]:
    """Tokens for every model, as a number, or by the model's name with ``*`` for the others."""
    table = value
    if isinstance(value, str) and not value.strip().isdigit():
        table = from_json(value)
    rows = table if isinstance(table, dict) else {"*": table}
    return tuple((name, a_number(512, 100_000_000)(size)) for name, size in rows.items())


def price_table(value: object) -> tuple[Price, ...]:
    """Prices by model: ``{"gpt-4o": {"input": 2.5, "output": 10}}``."""
    table = from_json(value)
    if not isinstance(table, dict):
        raise ValueError('has to be like {"gpt-4o": {"input": 2.5, "output": 10}}')
    return tuple(_price(model, row) for model, row in table.items())


def _price(model: str, row: object) -> Price:
    names = {"input", "output"}
    if not isinstance(row, dict) or set(row) != names:
        raise ValueError(f"needs input and output for {model}")
    for amount in row.values():
        if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 <= amount < 1e9:
            raise ValueError(f"has a price of {model} that is no amount of dollars")
    return Price(model, float(row["input"]), float(row["output"]))


def from_json(value: object) -> object:
    """The value a text stands for; what is no text stays. Raises ValueError."""
    if not isinstance(value, str):
        return value
    try:
        parsed: object = json.loads(value)
    except (ValueError, RecursionError):
        raise ValueError("is not valid JSON") from None
    return parsed
