"""Notebooks kept up to date with their conversations, each by a thread of its own.

A keeper listens like any client and folds what it hears, so that nothing waits for it; it writes
after every cell, at the end of a turn, and when a conversation is left in peace for a moment.
Which file a conversation is kept in stands in its log: it is taken up again after a restart.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from gpt_code_ui.errors import GptCodeError, NoRoom, NotFound, StoreError
from gpt_code_ui.notebook import ipynb_text, notebook
from gpt_code_ui.notebook_file import ENDING, NotebookFile, checked_path, is_ours, stem_from
from gpt_code_ui.protocol import (
    CellDeleted,
    CellFinished,
    ConversationChanged,
    Delta,
    Event,
    FileChanges,
    Published,
    ReplayFinished,
    TurnFinished,
    TurnStarted,
)
from gpt_code_ui.publisher import Publisher
from gpt_code_ui.store import Store
from gpt_code_ui.subscription import Closed
from gpt_code_ui.transcript import Fold

log = logging.getLogger(__name__)

QUIET_S = 1.0
FOREVER_S = 3600.0
LAST_WRITE_S = 10.0
AT_ONCE = (
    CellFinished, CellDeleted, TurnFinished, TurnStarted, ConversationChanged, ReplayFinished,
)  # fmt: skip
# What may settle the name of a file that is to be called after its conversation.
NAMING = (CellFinished, TurnFinished)


@dataclass(frozen=True)
class Place:
    """Where a notebook goes: ``folder``, and ``name`` unless the title gives it.

    ``inside``: the folder is the conversation's workspace, where names are told without it.
    """

    folder: Path
    name: str | None = None
    inside: bool = False
    is_new: bool = True

    def shown(self, path: Path) -> str:
        """The path as it stands in the log."""
        return path.name if self.inside else str(path)


def place_for(path: Path) -> Place:
    """Where a path given on the command line leads: a file, or a folder to find a name in.

    Raises UsageError.
    """
    path = checked_path(path)
    return Place(path) if path.is_dir() else Place(path.parent, path.name)


@dataclass(eq=False)
class _Keeper:
    """One conversation's thread, and how to end it."""

    end: Callable[[], None]
    thread: threading.Thread
    own: set[str] = field(default_factory=set)


class KeptNotebooks:
    """All notebooks that are kept. Every method may be called from any thread."""

    def __init__(
        self, store: Store, publisher: Publisher, workspace: Callable[[str], Path],
        spec: Callable[[str], Mapping[str, str]],
    ) -> None:  # fmt: skip
        """``workspace`` is a conversation's folder, ``spec`` the kernelspec that is written."""
        self._store = store
        self._publisher = publisher
        self._workspace = workspace
        self._spec = spec
        self._lock = threading.Lock()
        self._keepers: dict[str, _Keeper] = {}
        self._known: set[str] = set()
        self._closed = False

    # --- what may be asked ---------------------------------------------------------------------

    def keep(self, conversation_id: str, place: Place) -> None:
        """Keep the conversation there from now on, and no longer where it was kept before."""
        self.drop(conversation_id)
        with self._lock:
            self._known.add(conversation_id)
        self._begin(conversation_id, place)

    def keep_inside(self, conversation_id: str, title: str) -> str:
        """Keep it in its workspace and return the file's name. Raises NoRoom."""
        folder = self._workspace(conversation_id).resolve()
        path = folder / f"{stem_from(title)}{ENDING}"
        file = NotebookFile(path, is_new=not is_ours(path, conversation_id))
        try:
            file.write(self._text(self._folded(conversation_id)))
        except OSError as error:
            raise NoRoom(f"{path.name} cannot be written: {error.strerror}.") from error
        change = ConversationChanged(notebook=file.path.name)
        self._publisher.publish_durably(conversation_id, change)
        self.keep(conversation_id, Place(folder, file.path.name, inside=True, is_new=False))
        return file.path.name

    def drop(self, conversation_id: str) -> None:
        """Keep it no longer; the file stays as it is."""
        with self._lock:
            keeper = self._keepers.pop(conversation_id, None)
        if keeper is not None:
            keeper.end()
            keeper.thread.join(LAST_WRITE_S)

    def forget(self, conversation_id: str) -> None:
        """The conversation goes for good: nothing of it is kept up to date any more."""
        self.drop(conversation_id)
        with self._lock:
            self._known.discard(conversation_id)

    def resume(self, conversation_id: str) -> None:
        """Something happens in a conversation: go on keeping it if it was kept before."""
        with self._lock:
            if conversation_id in self._known or self._closed:
                return
            self._known.add(conversation_id)
        self._begin(conversation_id, None)

    def publish(self, conversation_id: str, event: Event) -> None:
        """Publish what a kernel says, without our own file among those that a cell changed."""
        keeper = self._keepers.get(conversation_id)
        if isinstance(event, CellFinished) and keeper is not None and keeper.own:
            event = event.model_copy(update={"files": _without(event.files, keeper.own)})
        self._publisher.publish(conversation_id, event)

    def close(self, timeout: float = 3.0) -> None:
        """Write what is left and end every thread; call it when the publisher is closed."""
        with self._lock:
            self._closed = True
            keepers, self._keepers = list(self._keepers.values()), {}
        for keeper in keepers:
            keeper.end()
        for keeper in keepers:
            keeper.thread.join(timeout)

    # --- a keeper's thread ---------------------------------------------------------------------

    def _begin(self, conversation_id: str, place: Place | None) -> None:
        """Listen from here on, so that nothing is missed, and go on in a thread."""
        subscription = self._publisher.subscribe(conversation_id, self._publisher.seq)

        def run() -> None:
            try:
                self._follow(conversation_id, place, subscription.next)
            except Exception:
                log.exception("a notebook is not kept any more")
            finally:
                subscription.close()

        thread = threading.Thread(target=run, name=f"notebook-{conversation_id}", daemon=True)
        with self._lock:
            if self._closed:
                subscription.close()
                return
            self._keepers[conversation_id] = _Keeper(subscription.close, thread)
        thread.start()

    def _follow(
        self, conversation_id: str, place: Place | None,
        hear: Callable[[float], list[Published] | None],
    ) -> None:  # fmt: skip
        fold = self._folded(conversation_id)
        if place is None:
            place = self._place_before(conversation_id, fold)
            if place is None:
                self._forget(conversation_id)
                return
        writer = _Writer(
            place, fold, self._text, lambda path: self._tell(conversation_id, place, path, fold)
        )
        if place.name is not None:
            writer.write()
        with suppress(Closed):
            while True:
                writer.take(hear(QUIET_S if writer.is_behind else FOREVER_S))
        # The last words were stored before the stream was closed.
        with suppress(StoreError):
            writer.take(list(self._store.events(conversation_id, fold.seq)))
        writer.finish()

    def _folded(self, conversation_id: str) -> Fold:
        summary = self._store.conversation(conversation_id, deleted=True)
        if summary is None:
            raise NotFound(f"There is no conversation {conversation_id}.")
        fold = Fold(summary)
        for published in self._store.events(conversation_id, 0):
            fold.apply(published)
        return fold

    def _place_before(self, conversation_id: str, fold: Fold) -> Place | None:
        """Where it was kept when the product last ran."""
        if not fold.notebook:
            return None
        path = Path(fold.notebook)
        inside = not path.is_absolute()
        folder = self._workspace(conversation_id).resolve() if inside else path.parent
        return Place(folder, path.name, inside=inside, is_new=False)

    def _tell(self, conversation_id: str, place: Place, path: Path, fold: Fold) -> None:
        """The file is about to be written there: know it again among what cells change."""
        keeper = self._keepers.get(conversation_id)
        with suppress(GptCodeError, OSError):
            folder = self._workspace(conversation_id).resolve()
            whole = path.parent.resolve() / path.name
            if keeper is not None and whole.is_relative_to(folder):
                keeper.own = {whole.relative_to(folder).as_posix()}
        shown = place.shown(path)
        if shown != fold.notebook:
            self._publisher.publish(conversation_id, ConversationChanged(notebook=shown))

    def _forget(self, conversation_id: str) -> None:
        with self._lock:
            self._keepers.pop(conversation_id, None)

    def _text(self, fold: Fold) -> str:
        transcript = fold.transcript()
        return ipynb_text(notebook(transcript, self._spec(transcript.id)))


class _Writer:
    """Decides when to write, and under which name at first. Belongs to one thread."""

    def __init__(
        self, place: Place, fold: Fold, text: Callable[[Fold], str], tell: Callable[[Path], None]
    ) -> None:
        self._place = place
        self._fold = fold
        self._text = text
        self._tell = tell
        self._file: NotebookFile | None = None
        self._told: Path | None = None
        self.is_behind = False

    def take(self, heard: list[Published] | None) -> None:
        """Take what happened; None: nothing did for a while."""
        at_once = heard is None
        for published in heard or ():
            if isinstance(published.event, Delta) or (published.seq or 0) <= self._fold.seq:
                continue
            self._fold.apply(published)
            self.is_behind = True
            is_named = self._place.name is not None or self._told is not None
            kinds = AT_ONCE if is_named or self._fold.title else NAMING
            at_once = at_once or isinstance(published.event, kinds)
        if at_once and self.is_behind:
            self.write()

    def finish(self) -> None:
        """Write what is not written, if the conversation ever began."""
        if self.is_behind and (self._told is not None or not self._fold.is_empty):
            self.write()

    def write(self) -> None:
        """Write the file; one that cannot be written is tried again the next time."""
        if self._file is None:
            name = self._place.name or f"{stem_from(self._fold.title)}{ENDING}"
            self._file = NotebookFile(self._place.folder / name, is_new=self._place.is_new)
            self._tell_path()
        try:
            self._file.write(self._text(self._fold))
        except OSError as error:
            log.warning("the notebook %s cannot be written: %s", self._file.path, error)
            return
        self.is_behind = False
        self._tell_path()

    def _tell_path(self) -> None:
        """Where it is written, when that is first known and when the name was taken."""
        assert self._file is not None
        if self._file.path != self._told:
            self._told = self._file.path
            self._tell(self._file.path)


def _without(files: FileChanges, own: set[str]) -> FileChanges:
    return FileChanges(
        added=[path for path in files.added if path not in own],
        changed=[path for path in files.changed if path not in own],
        removed=files.removed,
    )
