"""Terminal output made readable: escapes, rewriting, budgets, tracebacks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpt_code_ui.plain_text import cut, plain, short_traceback


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain 北京 😀\n\ttab", "plain 北京 😀\n\ttab"),
        ("\x1b[1;31mred\x1b[0m \x1b[38;2;1;2;3mtrue\x1b[m", "red true"),
        ("\x1b]0;title\x07a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "alink"),
        ("\x1b]52;c;never ended\nnext line", "\nnext line"),
        ("\x1b(B\x1b=\x1bM\x1b", ""),
        ("10%\r50%\r100%\ndone\n", "100%\ndone\n"),
        ("  5%|#    |\r100%|#####| 3s  \r", "100%|#####| 3s"),
        ("long state\rshort", "shortstate"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("abc\b\bX", "aX"),
        ("\b\bx\ry\b\bz", "z"),
        ("a\x00\x07b\x7f", "ab"),
    ],
)
def test_plain(raw: str, shown: str) -> None:
    assert plain(raw) == shown


def test_a_long_progress_bar_is_one_line() -> None:
    bar = "".join(f"\r{n:6}/100000 {'#' * (n // 5000)}" for n in range(0, 100_001, 7))
    assert plain(bar + "\n") == " 99995/100000 ###################\n"


@settings(deadline=None)
@given(st.text("ab\x1b[];m\r\b\n0\x07"))
def test_no_escape_is_left(text: str) -> None:
    assert not set("\x1b\b\r\x07") & set(plain(text))


def test_cut_keeps_head_and_tail() -> None:
    text = "".join(f"line {n}\n" for n in range(1000))
    short = cut(text, 300)
    assert short == (text[:110] + "\n[... 8,670 of 8,890 bytes left out ...]\n" + text[-110:])
    assert cut("short", 5) == "short"


@settings(deadline=None)
@given(st.text("a北😀\n", max_size=400), st.integers(100, 500))
def test_cut_keeps_to_its_limit(text: str, limit: int) -> None:
    """Characters of several bytes are never torn."""
    short = cut(text, limit)
    assert len(short.encode()) <= limit
    assert "\ufffd" not in short
    assert (short == text) == (len(text.encode()) <= limit)


DEEP = [
    "\x1b[31m---------------------------------------------------------------------------\x1b[39m",
    "\x1b[31mKeyError\x1b[39m                                  Traceback (most recent call last)",
    "Cell \x1b[92mIn[1]\x1b[39m, line 4\x1b[39m\n      3 df = load()\n----> 4 df['gdp']",
    "File \x1b[32m/lib/pandas/core/frame.py:1\x1b[39m, in getitem\n-> 1 return a",
    "File /lib/pandas/core/frame.py:2, in b\n-> 2 return b",
    "File /lib/pandas/core/base.py:3, in c\n-> 3 return c",
    "File /lib/pandas/core/base.py:4, in d\n-> 4 raise KeyError(key)",
    "\x1b[31mKeyError\x1b[39m: 'gdp'",
]


def test_a_traceback_keeps_the_frames_that_help() -> None:
    assert short_traceback("KeyError", "'gdp'", DEEP) == (
        "KeyError                                  Traceback (most recent call last)\n"
        "Cell In[1], line 4\n      3 df = load()\n----> 4 df['gdp']\n"
        "[... 2 frames left out ...]\n"
        "File /lib/pandas/core/base.py:3, in c\n-> 3 return c\n"
        "File /lib/pandas/core/base.py:4, in d\n-> 4 raise KeyError(key)\n"
        "KeyError: 'gdp'"
    )


def test_both_exceptions_of_a_chain_are_kept() -> None:
    chain = [*DEEP, "\nDuring handling of the above exception, another occurred:\n", *DEEP[2:]]
    short = short_traceback("KeyError", "'gdp'", chain)
    assert short.count("KeyError: 'gdp'") == 2
    assert short.count("Cell In[1]") == 2
    assert "During handling" in short


def test_a_recursion_keeps_its_first_and_last_cells() -> None:
    frames = [f"Cell In[2], line {n}, in f()\n----> {n} f()" for n in range(1000)]
    short = short_traceback("RecursionError", "deep", [*frames, "RecursionError: deep"])
    assert [line for line in short.splitlines() if line.startswith("Cell")] == [
        f"Cell In[2], line {n}, in f()" for n in (0, 1, 2, 998, 999)
    ]
    assert "[... 995 frames left out ...]" in short


@pytest.mark.parametrize(
    ("evalue", "traceback", "shown"),
    [
        ("why", [], "OSError: why"),
        ("", [""], "OSError"),
        ("", ["  Cell In[1], line 1\n    x = = 1\n        ^\nSyntaxError: no\n"],
         "  Cell In[1], line 1\n    x = = 1\n        ^\nSyntaxError: no"),
    ],
)  # fmt: skip
def test_short_tracebacks(evalue: str, traceback: list[str], shown: str) -> None:
    assert short_traceback("OSError", evalue, traceback) == shown
