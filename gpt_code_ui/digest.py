"""What is kept of turns that no longer fit: a line for each, made without asking a model.

A line has the question's first line, the last sentences of the answer and the files that were made,
quoted so that it stays one line. The newest lines stay where all of them are too many.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gpt_code_ui.protocol import AssistantMessage, ChatMessage, UserMessage
from gpt_code_ui.told import asked

QUESTION_LENGTH = 120
ANSWER_LENGTH = 240
MOST_FILES = 8
_BLOCK = re.compile(r"^[ \t]*(`{3,}|~{3,}).*?(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_SENTENCES = re.compile(r".+?(?:[.!?](?=\s|\Z)|[。！？]|\n|\Z)", re.DOTALL)
_FILES = re.compile(r"^\[files (.*)\]$", re.MULTILINE)
_MADE = re.compile(r"(?:added|changed): ([^;]*)")


@dataclass
class _Turn:
    question: str
    answer: str = ""
    files: dict[str, None] = field(default_factory=dict)

    def line(self) -> str:
        words = [f"- asked: {_quoted(self.question)}"]
        if self.answer:
            words.append(f"answered: {_quoted(self.answer)}")
        if self.files:
            names = list(self.files)[:MOST_FILES]
            words.append(f"files: {', '.join(names)}")
        return "; ".join(words)


def digest(messages: Iterable[ChatMessage], limit: int) -> str:
    """The lines of the turns in ``messages``, oldest first, within ``limit`` bytes of UTF-8."""
    lines = [turn.line() for turn in _turns(messages)]
    kept: list[str] = []
    for line in reversed(lines):
        limit -= len(line.encode("utf-8", "replace")) + 1
        if limit < 0:
            break
        kept.insert(0, line)
    return "\n".join(kept)


def _turns(messages: Iterable[ChatMessage]) -> Iterator[_Turn]:
    turn: _Turn | None = None
    for message in messages:
        if isinstance(message, UserMessage):
            if turn is not None:
                yield turn
            turn = _Turn(_first_line(asked(message.text)[0]))
        elif turn is None:
            continue
        elif isinstance(message, AssistantMessage):
            turn.answer = _last_sentences(message.text) or turn.answer
        else:
            for found in _FILES.findall(message.text):
                for names in _MADE.findall(found):
                    turn.files.update(dict.fromkeys(names.split(", ")))
    if turn is not None:
        yield turn


def _first_line(text: str) -> str:
    line = next((one.strip() for one in text.splitlines() if one.strip()), "")
    return line if len(line) <= QUESTION_LENGTH else f"{line[: QUESTION_LENGTH - 1]}…"


def _last_sentences(text: str) -> str:
    """As many of the last sentences as have room; of a single long one its end."""
    sentences = [one.strip() for one in _SENTENCES.findall(_BLOCK.sub("", text)) if one.strip()]
    kept = ""
    for sentence in reversed(sentences):
        joined = f"{sentence} {kept}".strip()
        if len(joined) > ANSWER_LENGTH:
            return kept or f"…{sentence[1 - ANSWER_LENGTH :]}"
        kept = joined
    return kept


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
