"""How long an endpoint asks to wait, wherever it says so: in a header, or in its error's words."""

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

_IN_WORDS = (
    re.compile(
        r"(?:try again|retry)(?: again)? (?:in|after) "
        r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d[\d.]*) ?(ms|s)(?:ec\w*)?)?\b",
        re.IGNORECASE,
    ),
    re.compile(r'"?retry_?(?:delay|after)\\*"?[: ]+\\*"?()()(\d[\d.]*) ?(s)?\b', re.IGNORECASE),
)


def asked_to_wait(headers: Mapping[str, str], said: str = "") -> float | None:
    """Seconds from now; None where nothing is said of it. Names of headers in lower case."""
    exact = _number(headers.get("retry-after-ms"))
    if exact is not None:
        return exact / 1000
    header = headers.get("retry-after")
    wait = _number(header)
    if wait is None and header:
        wait = _until(header)
    return _in_words(said) if wait is None else wait


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return max(0.0, number) if number is not None and number < 1e9 else None


def _until(date: str) -> float | None:
    """An HTTP date as seconds from now."""
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _in_words(said: str) -> float | None:
    for pattern in _IN_WORDS:
        found = pattern.search(said)
        if found and any(found.groups()[:3]):
            hours, minutes, amount, unit = found.groups()
            rest = _number(amount) or 0.0
            return (
                int(hours or 0) * 3600
                + int(minutes or 0) * 60
                + rest / (1000 if unit == "ms" else 1)
            )
    return None


def wait_in_words(seconds: float) -> str:
    """A wait as a person says it."""
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} minutes" if seconds < 7200 else f"{round(seconds / 3600)} hours"
