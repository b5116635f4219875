"""Terminal output as plain text: what is left to read once colours and rewriting are done.

Also text cut to a budget with its size said, and a traceback cut to the frames that help.
"""

import re
from collections.abc import Sequence

# ECMA-48: CSI and two-character sequences; OSC, DCS and the like up to their
# terminator, or the end of the line, lest an open one swallow everything after it.
ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]?"
)
CONTROLS = re.compile("[\x00-\x07\x0b\x0c\x0e-\x1f\x7f]")
CUT_NOTE_BYTES = 80
LEFT_OUT = " bytes left out ...]"
FRAME = re.compile(r"(File|Cell|Input In|<ipython-input)\b")
CELL_FRAME = re.compile(r"(Cell|Input|<ipython-input)")
LAST_FRAMES = 2
CELL_FRAMES = 3


def plain(text: str) -> str:
    """Text without escape sequences, each line as a terminal would show it at the end."""
    text = ESCAPES.sub("", text)
    if "\r" in text or "\b" in text:
        text = text.replace("\r\n", "\n")
        text = "\n".join(_final_line(line) for line in text.split("\n"))
    return CONTROLS.sub("", text)


def _final_line(line: str) -> str:
    r"""A line after its ``\r`` and ``\b``: a progress bar shows its last state only."""
    if "\b" in line:
        line = _without_backspaces(line)
    shown = ""
    for state in line.split("\r"):
        shown = state + shown[len(state) :]
    return shown.rstrip() if "\r" in line else shown


def _without_backspaces(line: str) -> str:
    kept: list[str] = []
    for character in line:
        if character != "\b":
            kept.append(character)
        elif kept and kept[-1] != "\r":
            kept.pop()
    return "".join(kept)


def cut(text: str, limit: int) -> str:
    """The head and the tail of ``text`` within ``limit`` bytes of UTF-8, with what is missing."""
    whole = text.encode("utf-8", "replace")
    if len(whole) <= limit:
        return text
    room = max(limit - CUT_NOTE_BYTES, 0)
    head = whole[: room - room // 2].decode("utf-8", "ignore")
    tail = whole[len(whole) - room // 2 :].decode("utf-8", "ignore")
    left_out = len(whole) - len(head.encode()) - len(tail.encode())
    return f"{head}\n[... {left_out:,} of {len(whole):,}{LEFT_OUT}\n{tail}"


def short_traceback(ename: str, evalue: str, traceback: Sequence[str]) -> str:
    """The frames in the cells, the last ones of libraries, and the exception itself.

    ``traceback`` is IPython's list: an entry is a frame, or text between frames.
    """
    entries = [plain(entry).strip("\n") for entry in traceback]
    entries = [entry for entry in entries if entry.strip() and set(entry) != {"-"}]
    if not entries:
        return f"{ename}: {evalue}" if evalue else ename
    kept, left_out = [], 0
    helpful = _helpful(entries)
    for index, entry in enumerate(entries):
        if index not in helpful:
            left_out += 1
            continue
        if left_out:
            kept.append(f"[... {left_out} frames left out ...]")
            left_out = 0
        kept.append(entry)
    return "\n".join(kept)


def _helpful(entries: Sequence[str]) -> set[int]:
    """The entries to keep, by index."""
    frames = [index for index, entry in enumerate(entries) if FRAME.match(entry.lstrip())]
    in_cells = [index for index in frames if CELL_FRAME.match(entries[index].lstrip())]
    others = set(range(len(entries))) - set(frames)
    return others | set(frames[-LAST_FRAMES:]) | set(in_cells[:CELL_FRAMES]) | set(in_cells[-1:])
