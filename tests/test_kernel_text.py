"""Text that is cleaned, cut and collapsed."""

import pytest

from gpt_code_ui.kernel.text import (
    TAIL_BYTES,
    Tail,
    clean,
    clean_values,
    collapse_returns,
    cut_head,
    cut_tail,
    shorten,
)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("plain", "plain"),
        ("北京 😀", "北京 😀"),
        ("a\ud800b", "a\ufffdb"),
        ("\udc80", "\ufffd"),
        ("\ud83d\ude00", "😀"),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


def test_clean_goes_into_values() -> None:
    assert clean_values({"a\ud800": ["\udc80", 1, None, {"b": "\ud800"}]}) == {
        "a\ufffd": ["\ufffd", 1, None, {"b": "\ufffd"}]
    }


@pytest.mark.parametrize(
    ("size", "head", "tail"),
    [(0, "", ""), (2, "a", "b"), (4, "a北", "京b"), (99, "a北京b", "a北京b")],
)
def test_cuts_keep_whole_code_points(size: int, head: str, tail: str) -> None:
    assert cut_head("a北京b", size) == head
    assert cut_tail("a北京b", size) == tail


def test_shorten_says_what_is_missing() -> None:
    assert shorten("short", 10) == "short"
    assert shorten("x" * 1000, 100) == f"{'x' * 75}\n… 900 bytes left out …\n{'x' * 25}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no returns\n", "no returns\n"),
        ("10%\r20%\r30%", "10%\r30%"),
        ("a\nb\r10%\r20%\nc", "a\nb\r20%\nc"),
        ("\r10%\r20%\r", "\r20%\r"),
        ("windows\r\nlines\r\n", "windows\r\nlines\r\n"),
        ("x\rlonger\rab", "x\rlonger\rab"),
    ],
)
def test_collapse_returns(text: str, shown: str) -> None:
    assert collapse_returns(text) == shown


def test_a_tail_keeps_the_end_and_counts_the_rest() -> None:
    tail = Tail()
    tail.add("stdout", "first\n")
    tail.add("stderr", "e" * TAIL_BYTES + "\n")
    tail.add("stdout", "last\n")
    pieces = tail.pieces()
    assert [name for name, _ in pieces] == ["stderr", "stdout"]
    assert pieces[-1] == ("stdout", "last\n")
    assert sum(len(text) for _, text in pieces) == TAIL_BYTES
    assert tail.left_out() == (6 + 1 + 5, 1)
