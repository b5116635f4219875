"""Thinking between tags at the start of a text, wherever the text is cut."""

from collections.abc import Iterable

import pytest

from gpt_code_ui.protocol import ReasoningChunk
from gpt_code_ui.thinking import ThinkSplitter


def split(pieces: Iterable[str]) -> tuple[str, str]:
    """The thinking and the text of an answer."""
    splitter = ThinkSplitter()
    parts = [part for piece in pieces for part in splitter.feed(piece)] + splitter.flush()
    assert all(part.text for part in parts)
    thought = "".join(part.text for part in parts if isinstance(part, ReasoningChunk))
    return thought, "".join(p.text for p in parts if not isinstance(p, ReasoningChunk))


CASES = [
    ("plain text", ("", "plain text")),
    ("<think>a < b</think>\n\nAnswer", ("a < b", "Answer")),
    (" \n<think>\nwhy\n</think>Answer", ("why", "Answer")),
    ("<thinking>why</thinking> Answer", ("why", "Answer")),
    ("<think></think>\n\nAnswer", ("", "Answer")),
    ("<think>never closed </thin", ("never closed </thin", "")),
    ("<think>only thought</think>\n", ("only thought", "")),
    ("<thin air", ("", "<thin air")),
    ("<think", ("", "<think")),
    ("  two spaces", ("", "  two spaces")),
    ("Use <think>x</think> here", ("", "Use <think>x</think> here")),
    ("<think>a</think>b<think>c</think>", ("a", "b<think>c</think>")),
    ("", ("", "")),
]


@pytest.mark.parametrize(("text", "parts"), CASES)
def test_every_cut_gives_the_same(text: str, parts: tuple[str, str]) -> None:
    assert split([text]) == parts
    cuts = [[text[:at], text[at:]] for at in range(len(text))]
    for pieces in [*cuts, list(text)]:
        thought, rest = split(pieces)
        assert (thought.strip(), rest) == (parts[0].strip(), parts[1])


def test_text_is_not_held_back() -> None:
    splitter = ThinkSplitter()
    assert [part.text for part in splitter.feed("Hi")] == ["Hi"]
    assert [part.text for part in splitter.feed(" <")] == [" <"]
