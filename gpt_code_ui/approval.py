"""Asking before something runs: what a conversation asks about, and the desk that gets the answer.

A question is open from ``expect`` until it is answered once, or the turn stops; a thread that waits
does nothing. What the person allowed for a conversation is in its log, by kinds of reasons, so
it holds after a restart and can be taken back.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gpt_code_ui.errors import Conflict
from gpt_code_ui.ports import Approver, Decision, Stop
from gpt_code_ui.protocol import CellFinished, FilesChanged, Published, Reason
from gpt_code_ui.risk import Folder, reasons_for
from gpt_code_ui.setting_types import Approve

NOBODY = "Nobody is here to allow this, so it was refused: {why}."
EVERY = Reason(line=1, text="every run is asked about", kind="every")


@dataclass(frozen=True)
class Known:
    """What is known of a conversation when something is to run in it."""

    earlier: Sequence[str] = ()
    folder: Folder = field(default_factory=Folder)
    allowed: Sequence[str] = ()


class Desk:
    """The open questions of all conversations. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], queue.SimpleQueue[Decision | None]] = {}
        self._answered: dict[tuple[str, str], queue.SimpleQueue[Decision | None]] = {}

    def expect(self, conversation_id: str, cell_id: str) -> None:
        """From now on there is an answer to be given."""
        with self._lock:
            self._open[conversation_id, cell_id] = queue.SimpleQueue()

    def answer(self, conversation_id: str, cell_id: str, decision: Decision) -> None:
        """Answer, once. Raises Conflict when nothing waits."""
        key = (conversation_id, cell_id)
        with self._lock:
            box = self._open.pop(key, None)
            if box is None:
                raise Conflict("Nothing waits for an answer here.")
            self._answered[key] = box
            box.put(decision)

    def wait(self, conversation_id: str, cell_id: str, stop: Stop) -> Decision | None:
        """The answer; None as soon as a stop is requested."""
        key = (conversation_id, cell_id)
        with self._lock:
            box = self._open.get(key) or self._answered.get(key)
        if box is None:
            return None
        with stop.on_request(lambda: box.put(None)):
            decision = box.get()
        with self._lock:
            self._open.pop(key, None)
            self._answered.pop(key, None)
        return decision

    def forget(self, conversation_id: str) -> None:
        """Nothing waits in the conversation any more."""
        with self._lock:
            for boxes in (self._open, self._answered):
                for key in [one for one in boxes if one[0] == conversation_id]:
                    del boxes[key]

    def waiting(self, conversation_id: str) -> bool:
        """Whether somebody has to answer there."""
        with self._lock:
            return any(owner == conversation_id for owner, _ in self._open)


class Asking:
    """The approver of one conversation: classifies, leaves out what is allowed, asks at the desk.

    ``mode`` and ``known`` are looked at anew for everything that is to run.
    """

    def __init__(
        self, desk: Desk, conversation_id: str, mode: Callable[[], Approve],
        known: Callable[[], Known], *, language: str = "python", our_grammar: bool = False,
    ) -> None:  # fmt: skip
        self._desk = desk
        self._id = conversation_id
        self._mode = mode
        self._known = known
        self._language = language
        self._our_grammar = our_grammar

    def about_code(self, code: str) -> list[Reason]:
        """Why this code is asked about."""
        mode = self._mode()
        if mode == "never":
            return []
        known = self._known()
        if self._language == "python":
            found = reasons_for(code, known.folder, known.earlier, our_grammar=self._our_grammar)
        else:
            found = [_unread(self._language)]
        left = _left(found, known)
        return left or (_left([EVERY], known) if mode == "always" else [])

    def about_tool(self, reasons: Sequence[Reason]) -> list[Reason]:
        """Which of a call's reasons it is asked about for."""
        mode = self._mode()
        if mode == "never":
            return []
        known = self._known()
        left = _left(list(reasons), known)
        return left or (_left([EVERY], known) if mode == "always" else [])

    def expect(self, cell_id: str) -> None:
        """From now on the question can be answered."""
        self._desk.expect(self._id, cell_id)

    def wait(self, cell_id: str, stop: Stop) -> Decision | None:
        """The answer, however long it takes."""
        return self._desk.wait(self._id, cell_id, stop)


class WithoutPerson:
    """The same questions where nobody can be asked: each is refused, and the model hears why."""

    def __init__(self, approver: Approver) -> None:
        self._approver = approver
        self._why: dict[str, str] = {}
        self._last = ""

    def about_code(self, code: str) -> list[Reason]:
        """Why this code is refused."""
        return self._remember(self._approver.about_code(code))

    def about_tool(self, reasons: Sequence[Reason]) -> list[Reason]:
        """Why this call is refused."""
        return self._remember(self._approver.about_tool(reasons))

    def expect(self, cell_id: str) -> None:
        """The answer is known."""
        self._why[cell_id] = self._last

    def wait(self, cell_id: str, stop: Stop) -> Decision | None:
        """No."""
        return Decision(run=False, why=NOBODY.format(why=self._why.pop(cell_id, "")))

    def _remember(self, reasons: list[Reason]) -> list[Reason]:
        self._last = "; ".join(dict.fromkeys(one.text for one in reasons))
        return reasons


class CreatedFiles:
    """A fold of the log: the workspace's files that cells made. All others the person brought."""

    def __init__(self) -> None:
        self.paths: set[str] = set()

    def apply(self, published: Published) -> None:
        """Take the next event of the log."""
        match published.event:
            case CellFinished(files=files):
                self.paths |= set(files.added)
                self.paths -= set(files.removed)
            case FilesChanged(files=files):
                self.paths -= {*files.added, *files.changed, *files.removed}
            case _:
                pass


def _left(found: list[Reason], known: Known) -> list[Reason]:
    return [one for one in found if one.kind not in known.allowed]


def _unread(language: str) -> Reason:
    return Reason(line=1, text=f"is {language} code, which is not read here", kind="hidden")
