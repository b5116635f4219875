"""The log: no secrets, nothing that steers a terminal."""

import logging
import os
from pathlib import Path

import pytest

from gpt_code_ui.errors import UsageError
from gpt_code_ui.logs import SafeFormatter, start_logging, stop_logging


def test_secrets_and_control_characters_do_not_get_through(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    handler = start_logging(path, "info", ["sk-secret", "x"])
    try:
        logging.getLogger("gpt_code_ui.test").info("key %s \x1b[31m\x07\x9b x", "sk-secret")
        logging.getLogger("gpt_code_ui.test").debug("too much")
        try:
            raise ValueError("with sk-secret and \x1b]52;")
        except ValueError:
            logging.getLogger("gpt_code_ui.test").exception("failed")
    finally:
        stop_logging(handler)
    text = path.read_text()
    assert "INFO gpt_code_ui.test: key ******** \\x1b[31m\\x07\\x9b x\n" in text
    assert "ValueError: with ******** and \\x1b]52;\n" in text
    assert "sk-secret" not in text and "\x1b" not in text and "too much" not in text


def test_a_log_file_is_its_owners(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        stop_logging(start_logging(path := tmp_path / "log.txt", "info", []))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_log_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written") as failure:
        start_logging(tmp_path / "no" / "log.txt", "info", [])
    assert failure.value.hint == "choose another with --log-file"


def test_what_a_message_quotes_cannot_begin_a_line_of_its_own() -> None:
    text = "GET /a\n2026-01-01 00:00:00,000 ERROR gpt_code_ui: forged\tb\rc"
    record = logging.LogRecord("n", logging.INFO, "", 0, "%s", (text,), None)
    line = SafeFormatter([]).format(record)
    assert line.endswith("GET /a\\x0a2026-01-01 00:00:00,000 ERROR gpt_code_ui: forged\tb\\x0dc")
    assert len(line.splitlines()) == 1


def test_a_traceback_keeps_its_lines_and_none_looks_like_an_event() -> None:
    try:
        raise ValueError("one\ntwo")
    except ValueError as error:
        found = (type(error), error, error.__traceback__)
    record = logging.LogRecord("n", logging.ERROR, "", 0, "failed", (), found)
    lines = SafeFormatter([]).format(record).splitlines()
    assert lines[1] == "  Traceback (most recent call last):"
    assert lines[-2:] == ["  ValueError: one", "  two"]


def test_a_key_that_comes_later_is_masked_too(tmp_path: Path) -> None:
    handler = start_logging(tmp_path / "log", "info", [])
    try:
        assert isinstance(handler.formatter, SafeFormatter)
        handler.formatter.conceal("sk-typed-later")
        logging.getLogger("gpt_code_ui.test").info("with sk-typed-later")
    finally:
        stop_logging(handler)
    assert (tmp_path / "log").read_text().endswith("with ********\n")
