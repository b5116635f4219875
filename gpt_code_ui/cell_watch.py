"""One cell followed to its end, for the turn that runs it and has to wait."""

import threading

from gpt_code_ui.protocol import CellFinished, CellPart, ConversationSummary, Published
from gpt_code_ui.transcript import Fold


class CellWatch:
    """The fold of one cell, waited for by the turn that runs it."""

    def __init__(self, conversation_id: str, cell_id: str) -> None:
        self.conversation_id = conversation_id
        self.cell_id = cell_id
        # Of the conversation nothing is asked but this cell.
        self._fold = Fold(
            ConversationSummary(id=conversation_id, title="", created_at="", updated_at="")
        )
        self._done = threading.Event()

    def apply(self, published: Published) -> None:
        """Called by the writer, in order, with every event of the conversation."""
        event = published.event
        if getattr(event, "cell_id", self.cell_id) != self.cell_id:
            return
        if event.type.startswith("cell_"):
            self._fold.apply(published)
        if isinstance(event, CellFinished):
            self._done.set()

    def release(self) -> None:
        """Let the waiter go although the cell has not finished (the process ends)."""
        self._done.set()

    def wait(self) -> CellPart | None:
        """Block until the cell has finished; None if it never got that far."""
        self._done.wait()
        return self._fold.cell(self.cell_id)
