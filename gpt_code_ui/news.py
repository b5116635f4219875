"""What happened between two turns without the model: files that came, changed or went by the
person's hand, cells they edited or deleted, variables that are gone with their kernel, and another
environment.

Told with the question that follows, from the log alone, so a history that was told never changes.
"""

from dataclasses import dataclass, field

from gpt_code_ui.protocol import (
    CellDeleted,
    CellFinished,
    CellStarted,
    ConversationChanged,
    FileChanges,
    FilesChanged,
    KernelStatus,
    Published,
    ReplayFinished,
    TurnStarted,
)

LISTED_FILES = 20
LINE_LENGTH = 60
EDITED = (
    "I edited the code of a cell and ran it again, it and its result above are the new ones: {}"
)
DELETED = "I deleted a cell (what it did in the kernel stays): {}"
LOST = "the kernel was {how}, and its variables, imports and functions are gone"
HOW = {"restarting": "restarted", "dead": "lost", "parked": "ended"}


@dataclass
class News:
    """A fold of the log: ``by_turn`` has the words for every turn that there is news for."""

    by_turn: dict[str, str] = field(default_factory=dict)
    _files: dict[str, str] = field(default_factory=dict)
    _codes: dict[str, str] = field(default_factory=dict)
    _edits: dict[str, str] = field(default_factory=dict)
    _lost: str | None = None
    _language: str | None = None
    _has_run: bool = False
    _turns: int = 0

    def apply(self, published: Published) -> None:
        """Take the next event of the log."""
        match published.event:
            case CellFinished(status=status) if status != "not_run":
                self._has_run = True
            case KernelStatus(state="restarting" | "dead" | "parked") as event if self._has_run:
                self._lost, self._has_run = HOW[event.state], False
            case CellStarted() as cell:
                if self._codes.get(cell.cell_id, cell.code) != cell.code:
                    self._edits[cell.cell_id] = EDITED.format(_line(cell.code))
                self._codes[cell.cell_id] = cell.code
            case CellDeleted(cell_id=cell_id) if cell_id in self._codes:
                self._edits[cell_id] = DELETED.format(_line(self._codes[cell_id]))
            case ReplayFinished(purpose="restore" | "branch", status="restored"):
                self._lost, self._has_run = None, True
            case ConversationChanged(language=str(language)) if self._turns:
                self._language = language
            case FilesChanged(files=files):
                self._change(files)
            case TurnStarted() as turn:
                self._tell(turn)
            case _:
                pass

    def _change(self, files: FileChanges) -> None:
        for path in files.added:
            self._files[path] = "changed" if self._files.get(path) == "removed" else "added"
        for path in files.changed:
            self._files.setdefault(path, "changed")
        for path in files.removed:
            if self._files.pop(path, None) != "added":
                self._files[path] = "removed"

    def _tell(self, turn: TurnStarted) -> None:
        attached = {attachment.path for attachment in turn.attachments}
        files, self._files = self._files, {}
        lost, self._lost = self._lost, None
        said = [LOST.format(how=lost)] if lost else []
        said += self._edits.values()
        self._edits = {}
        language, self._language = self._language, None
        if language:
            said.append(f"the person chose another environment, and code runs in {language} now")
        if self._turns:  # before the first, all files are new
            for what in ("added", "changed", "removed"):
                paths = [p for p, how in files.items() if how == what and p not in attached]
                if paths:
                    said.append(f"files {what}: {some(paths)}")
        self._turns += 1
        if said:
            self.by_turn[turn.turn_id] = "; ".join(said)


def _line(code: str) -> str:
    """The first line of some code that says something."""
    line = next((line.strip() for line in code.splitlines() if line.strip()), "")
    return f"`{line if len(line) <= LINE_LENGTH else line[:LINE_LENGTH] + '…'}`"


def some(paths: list[str]) -> str:
    """The first paths, and how many more there are."""
    more = len(paths) - LISTED_FILES
    named = ", ".join(paths[:LISTED_FILES])
    return f"{named} and {more} more" if more > 0 else named
