"""Notices a model that runs into the same error again and again.

Two errors are the same if their kinds and words are, numbers and addresses left aside.
"""

import re

from gpt_code_ui.errors import TurnLimit
from gpt_code_ui.protocol import CellPart, ErrorOutput

CHANGE_COURSE = (
    "[This is the same error again and again, so small changes do not mend it. Change course: look "
    "at the data or the documentation first, take another way, or tell the person what is missing.]"
)
NUMBERS = re.compile(r"0x[0-9a-fA-F]+|\d+")


class Errors:
    """The errors of one turn; ``most`` in a row are the same before the model hears of it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._last: str | None = None
        self._times = 0
        self._told: set[str] = set()

    def again(self, cell: CellPart) -> bool:
        """Whether the model has to be told now. Raises TurnLimit where it has been already."""
        error = _error(cell)
        if error is None:
            if cell.status == "ok":
                self._last, self._times = None, 0
            return False
        key = NUMBERS.sub("#", f"{error.ename}: {error.evalue}")
        self._times = self._times + 1 if key == self._last else 1
        self._last = key
        if self._times < self._most:
            return False
        if key in self._told:
            raise TurnLimit(
                f"The same error came {self._times} times in a row, also after the model was told "
                f"to change course: {error.ename}.",
                hint="Tell the model what to do differently, or choose another model.",
            )
        self._told.add(key)
        return True


def _error(cell: CellPart) -> ErrorOutput | None:
    if cell.status != "error":
        return None
    errors = [one.output for one in cell.outputs if isinstance(one.output, ErrorOutput)]
    return errors[-1] if errors else None
