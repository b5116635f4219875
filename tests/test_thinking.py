"""Thinking between tags at the start of a text, wherever the text is cut."""

from collections.abc import Iterable

import pytest

from gpt_code_ui.protocol import RetypeChunk, TextChunk
from gpt_code_ui.thinking import ThinkSplitter


def split(pieces: Iterable[str], *, opened: bool = False) -> tuple[str, str]:
    """The thinking and the text of an answer."""
    splitter = ThinkSplitter(opened=opened)
    parts = [part for piece in pieces for part in splitter.feed(piece)] + splitter.flush()
    said = {"reasoning": "", "text": ""}
    for part in parts:
        if isinstance(part, RetypeChunk):
            other = "text" if part.kind == "reasoning" else "reasoning"
            said[part.kind], said[other] = said[part.kind] + said[other], ""
        else:
            assert part.text
            said[part.type] += part.text
    return said["reasoning"], said["text"]


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
    ("[THINK]why[/THINK]Answer", ("why", "Answer")),
    ("<|channel|>analysis<|message|>why<|end|><|start|>assistant<|channel|>final<|message|>Answer",
     ("why", "Answer")),
    ("<|channel|>final<|message|>Answer", ("", "Answer")),
    ("why\n</think>\n\nAnswer", ("why", "Answer")),
    ("why</think>\nAnswer", ("why", "Answer")),
    ("only thought\n</think>", ("only thought", "")),
    ("The tag `</think>` ends it", ("", "The tag `</think>` ends it")),
    ("The tag </think> ends it", ("", "The tag </think> ends it")),
    ("```\n</think>\n```\n", ("", "```\n</think>\n```\n")),
    ("a\n</think>\nb\n</think>\nc", ("a", "b\n</think>\nc")),
    ("a\n<think>b</think>\nc", ("", "a\n<think>b</think>\nc")),
    ("", ("", "")),
]  # fmt: skip


@pytest.mark.parametrize(("text", "parts"), CASES)
def test_every_cut_gives_the_same(text: str, parts: tuple[str, str]) -> None:
    whole = split([text])
    assert (whole[0].strip(), whole[1]) == parts
    cuts = [[text[:at], text[at:]] for at in range(len(text))]
    for pieces in [*cuts, list(text)]:
        thought, rest = split(pieces)
        assert (thought.strip(), rest) == (parts[0].strip(), parts[1])


def test_text_is_not_held_back() -> None:
    splitter = ThinkSplitter()
    assert splitter.feed("Hi") == [TextChunk(text="Hi")]
    assert splitter.feed(" <b") == [TextChunk(text=" <b")]


@pytest.mark.parametrize(
    ("text", "parts", "was_open"),
    [
        ("why\n</think>\n\nAnswer", ("why", "Answer"), True),
        ("<think>why</think>Answer", ("why", "Answer"), None),
        ("why </think>Answer", ("why", "Answer"), True),
        ("Answer", ("", "Answer"), False),
        ("", ("", ""), None),
    ],
)
def test_thinking_that_is_expected(
    text: str, parts: tuple[str, str], was_open: bool | None
) -> None:
    for pieces in ([text], list(text)):
        thought, said = split(pieces, opened=True)
        assert (thought.strip(), said) == parts
        splitter = ThinkSplitter(opened=True)
        for piece in pieces:
            splitter.feed(piece)
        splitter.flush()
        assert splitter.was_open is was_open


def test_a_call_ends_a_wrong_belief() -> None:
    splitter = ThinkSplitter(opened=True)
    splitter.feed("I will look.")
    assert splitter.before_call() == [RetypeChunk(kind="text")]
