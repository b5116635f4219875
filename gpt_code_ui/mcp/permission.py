"""What ``gptcode mcp`` refuses: nobody is there to be asked, so what would be asked does not run.

The rules are those for the code of a model. Files count as the person's unless a cell of the
conversation, or a call of ``write_file``, made them.
"""

from gpt_code_ui.approval import NOBODY, Asking, Desk, Known
from gpt_code_ui.errors import Forbidden
from gpt_code_ui.mcp.remote import Remote
from gpt_code_ui.protocol import CellPart, Reason
from gpt_code_ui.risk import Folder
from gpt_code_ui.setting_types import Approve

NEVER_RAN = ("writing", "waiting", "not_run")
HINT = (
    "Find a way without it, or tell the person: `gptcode mcp --approve never` lets everything run."
)


class Permission:
    """``mode``: what is asked about; None as it is set in the gptcode that is worked with."""

    def __init__(self, mode: Approve | None) -> None:
        self._mode = mode

    def to_run(self, remote: Remote, code: str) -> None:
        """Whether this code may run. Raises Forbidden with the reasons."""
        _require_none(self._asking(remote).about_code(code))

    def to_write(self, remote: Remote, path: str) -> None:
        """Whether this file may be written. Raises Forbidden where it is the person's."""
        theirs = remote.exists(path) and path not in _made(remote.cells()) | remote.written
        what = "deletes or overwrites files that may be yours"
        reasons = [Reason(line=1, text=f"{what}: {path}", kind="files", what=path)]
        _require_none(self._asking(remote).about_tool(reasons if theirs else []))

    def _asking(self, remote: Remote) -> Asking:
        mode: Approve = self._mode or remote.approve()
        language = remote.language()
        return Asking(Desk(), "", lambda: mode, lambda: _known(remote), language=language)


def _known(remote: Remote) -> Known:
    cells = remote.cells()
    files = frozenset(str(row["path"]) for row in remote.files())
    return Known(
        earlier=[cell.code for cell in cells if cell.status not in NEVER_RAN],
        folder=Folder(brought=files - _made(cells) - remote.written, all=files),
        allowed=remote.allowed(),
    )


def _made(cells: list[CellPart]) -> frozenset[str]:
    """The files that cells made, and that are still theirs."""
    made: set[str] = set()
    for cell in cells:
        made |= set(cell.files.added)
        made -= set(cell.files.removed)
    return frozenset(made)


def _require_none(reasons: list[Reason]) -> None:
    if not reasons:
        return
    said = dict.fromkeys(f"{one.text} (line {one.line})" for one in reasons)
    raise Forbidden(NOBODY.format(why="; ".join(said)), hint=HINT)
