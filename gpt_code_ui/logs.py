"""The log: one line an event, without secrets and without what could steer a terminal.

What a message quotes may come from anywhere, so it cannot begin a line: only tracebacks have more
than one, and theirs are indented.
"""

import logging
import os
from collections.abc import Iterable
from pathlib import Path
from textwrap import indent
from typing import Any

from gpt_code_ui.errors import UsageError

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_CONTROL = {
    code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if code not in (9, 10)
}


class SafeFormatter(logging.Formatter):
    """Masks ``secrets`` and spells out control characters, also in tracebacks."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__(FORMAT)
        self._secrets = [secret for secret in secrets if len(secret) >= 4]

    def conceal(self, secret: str) -> None:
        """Mask one more from now on."""
        if len(secret) >= 4 and secret not in self._secrets:
            self._secrets.append(secret)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return super().formatMessage(record).replace("\n", "\\x0a")

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return indent(super().formatException(ei), "  ")

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record).translate(_CONTROL)
        for secret in tuple(self._secrets):
            text = text.replace(secret, "********")
        return text


def start_logging(path: Path | None, level: str, secrets: Iterable[str]) -> logging.Handler:
    """Log to ``path``, or warnings to stderr. Raises UsageError. Undone by ``stop_logging``."""
    handler: logging.Handler
    if path is None:
        handler, threshold = logging.StreamHandler(), logging.WARNING
    else:
        try:
            # Read by its owner only; one that is there keeps the rights it has.
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
            handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise UsageError(
                f"the log file {path} cannot be written: {error.strerror}",
                hint="choose another with --log-file",
            ) from error
        threshold = logging.getLevelNamesMapping()[level.upper()]
    handler.setFormatter(SafeFormatter(secrets))
    handler.setLevel(threshold)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(threshold)
    return handler


def stop_logging(handler: logging.Handler) -> None:
    """Take the handler away again."""
    logging.getLogger().removeHandler(handler)
    handler.close()
