"""Reads code before it runs and says why a person may want to be asked about it.

Advice, not a wall: whoever wants to can write code whose meaning no reading finds. What holds is
the cage around the kernel; this is there so that a person sees beforehand what code is about to do
to their files, and what it reaches for. It errs towards asking: what cannot be read, followed or
known is a reason of its own. Nothing here runs or imports anything of what it reads.
"""

import re
from collections.abc import Sequence

from gpt_code_ui.protocol import Reason
from gpt_code_ui.risk.magics import never_runs, plain
from gpt_code_ui.risk.reading import TEXTS, Folder, Reading, opens_database_of
from gpt_code_ui.risk.values import Names

__all__ = ["Folder", "reasons_for"]

MOST_REASONS = 20
MOST_CHARACTERS = 200_000


def reasons_for(
    code: str, folder: Folder | None = None, earlier: Sequence[str] = (), *,
    our_grammar: bool = False,
) -> list[Reason]:  # fmt: skip
    """Why to ask about a cell; ``earlier`` are the cells that ran in the same kernel before it.

    ``our_grammar``: the kernel's Python is no newer than ours, so what is no code here is none
    there. It does nothing but fail, and the model mends it without a question.
    """
    folder = folder or Folder()
    try:
        return _reasons(code, folder, earlier, our_grammar)
    except (RecursionError, MemoryError):
        return [_unreadable("the code is nested too deeply to be read")]


def _reasons(code: str, folder: Folder, earlier: Sequence[str], our_grammar: bool) -> list[Reason]:
    if len(code) > MOST_CHARACTERS:
        return [_unreadable("the code is too long to be read")]
    read = plain(code)
    found = [
        Reason(line=line, text=f"{TEXTS[kind]}: {what}", kind=kind, what=what)
        for line, kind, what in read.found
    ]
    if read.tree is None:
        # A cell that got at IPython may have changed what it takes for code.
        changed = any(re.search("ipython", one, re.IGNORECASE) for one in earlier)
        if our_grammar and not found and not changed and never_runs(code):
            return []
        return [*found, _unreadable("the code cannot be read")]
    before = [tree for one in earlier if (tree := plain(one).tree)]
    trees = [*before, read.tree]
    names = Names(trees)
    reading = Reading(names, folder, their_database=opens_database_of(names, trees, folder))
    reading.read(read.tree)
    every = sorted({*found, *reading.found}, key=lambda one: (one.line, one.text))
    return every[:MOST_REASONS]


def _unreadable(text: str) -> Reason:
    return Reason(line=1, text=text, kind="hidden")
