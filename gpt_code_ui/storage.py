"""What conversations take of the disk, and the end of those that were deleted.

Only what lies in the data folder is counted and removed: of a person's own folder the link goes.
The files go before the log, so that what is cut short shows in the list and can be done again.
"""

import secrets
import shutil
import stat
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from gpt_code_ui.disk_use import KINDS, disk_use
from gpt_code_ui.errors import Conflict, GptCodeError, NotFound
from gpt_code_ui.protocol import ConversationDisk, ConversationSummary, DiskUse
from gpt_code_ui.publisher import Publisher
from gpt_code_ui.store import Store
from gpt_code_ui.subscription import Closed

ENDS_S = 5.0


class Storage:
    """The data folder by conversations. Every method may be called from any thread."""

    def __init__(
        self, store: Store, publisher: Publisher, data: Path, let_go: Callable[[str], None],
        ends_s: float = ENDS_S,
    ) -> None:  # fmt: skip
        """``let_go`` ends what still writes for a conversation, a notebook that is kept say.

        ``ends_s``: how many seconds a kernel has to end that was told to.
        """
        self._store = store
        self._publisher = publisher
        self._data = data
        self._let_go = let_go
        self._ends_s = ends_s
        # Held while one is removed: it cannot be restored meanwhile.
        self.lock = threading.Lock()

    def use(self) -> DiskUse:
        """Every conversation with what it takes, the largest first, and folders of none."""
        used = {one.conversation_id: one for one in disk_use(self._data)}
        rows: dict[str, ConversationDisk] = {}
        for deleted in (False, True):
            for summary in self._store.conversations(deleted=deleted):
                rows[summary.id] = _row(summary, deleted)
        for id, use in used.items():
            row = rows.get(id) or ConversationDisk(id=id)
            rows[id] = row.model_copy(
                update={
                    "bytes": use.total,
                    "parts": {kind: size for kind, size in use.bytes_of.items() if size},
                    "in_place": use.in_place or None,
                }
            )
        listed = sorted(rows.values(), key=lambda row: (-row.bytes, row.id))
        log = sum(_length(path) for path in self._store.files())
        return DiskUse(
            data_dir=str(self._data), total=log + sum(row.bytes for row in listed), log=log,
            free=shutil.disk_usage(self._data).free, conversations=listed,
        )  # fmt: skip

    def remove(self, conversation_id: str) -> None:
        """Remove a deleted conversation for good: files, outputs, versions, packages, its log.

        Raises NotFound, and Conflict for one that is not deleted or has not come to its end.
        """
        self._check(conversation_id)
        self._wait_for_end(conversation_id)
        with self.lock:
            self._check(conversation_id)
            self._let_go(conversation_id)
            for kind in KINDS:
                remove_folder(self._data / kind / conversation_id)
            self._publisher.call(
                lambda: self._store.purge_conversation(conversation_id), timeout=60.0
            )

    def _check(self, conversation_id: str) -> None:
        if self._store.conversation(conversation_id) is not None:
            raise Conflict("This conversation is not deleted.", hint="Delete it first.")
        if self._store.conversation(conversation_id, deleted=True) is None:
            raise NotFound(f"There is no conversation {conversation_id}.")

    def _wait_for_end(self, conversation_id: str) -> None:
        """Its kernel was told to end when it was deleted, and may still write. Raises Conflict."""
        deadline = time.monotonic() + self._ends_s
        subscription = self._publisher.subscribe(conversation_id, self._publisher.seq)
        with closing(subscription), suppress(Closed):
            while conversation_id in self._store.unfinished():
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                subscription.next(left)
            else:
                return
        raise Conflict("Something of this conversation still runs.", hint="Try again in a moment.")


def remove_folder(folder: Path) -> None:
    """Remove a folder whatever code left in it: deep, locked, or full of links, none of which is
    followed. Of a link only the link goes. Raises GptCodeError.
    """
    try:
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        elif folder.is_dir():
            _empty(folder)
            folder.rmdir()
    except OSError as error:
        raise GptCodeError(
            f"{folder} could not be removed whole: {error.strerror}.",
            hint="Look who owns what is in it, and try again.",
        ) from error


def _empty(folder: Path) -> None:
    """Bring every folder inside up to the top before it goes: no path gets long, no call deep."""
    _open_up(folder)
    while entries := list(folder.iterdir()):
        for entry in entries:
            if not _is_folder(entry):
                entry.unlink()
                continue
            _open_up(entry)
            for inner in list(entry.iterdir()):
                if _is_folder(inner):
                    _open_up(inner)
                    inner.rename(folder / secrets.token_hex(16))
                else:
                    inner.unlink()
            entry.rmdir()


def _is_folder(path: Path) -> bool:
    """Itself, and not what a link leads to."""
    return stat.S_ISDIR(path.lstat().st_mode)


def _open_up(folder: Path) -> None:
    """Code may have taken our rights to its folders."""
    with suppress(PermissionError):
        folder.chmod(0o700)


def _row(summary: ConversationSummary, deleted: bool) -> ConversationDisk:
    return ConversationDisk(id=summary.id, title=summary.title, deleted=deleted)


def _length(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0
