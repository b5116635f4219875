"""The append-only event log of every conversation, in one SQLite file.

One number, ``seq``, increases over the whole store and over restarts; what ``append`` returned is
kept through a SIGKILL. Writing is serialised by a lock; readers have connections of their own
and hold no transaction between chunks, so nobody waits for a slow one.
"""

import queue
import secrets
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal, assert_never

from gpt_code_ui.errors import StoreError
from gpt_code_ui.protocol import (
    CodeDelta,
    ConversationSummary,
    Delta,
    Event,
    Published,
    ReasoningDelta,
    TextDelta,
)
from gpt_code_ui.store.database import connect, open_database, translated
from gpt_code_ui.store.encoding import decode, encode, utf8
from gpt_code_ui.store.tables import (
    MIGRATIONS,
    SUMMARY,
    TITLE_ROW,
    follow,
    index,
    plain,
    summary,
)

__all__ = ["DeltaType", "Store", "copied_id"]

DeltaType = Literal["text_delta", "reasoning_delta", "code_delta"]
CHUNK_EVENTS = 500
CHUNK_CHARACTERS = 4 * 1024**2


class Store:
    """The event log. Every method may be called from any thread and raises StoreError.

    ``notice`` says in a sentence what happened to a damaged file; ``database_id`` is random and
    changes with the file, so that a client can tell that its ``seq`` means nothing here.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._readers: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._closed = False
        self._writer, self.notice = open_database(path, MIGRATIONS)
        self.database_id = self._identify()
        with self._read() as reader:
            row = reader.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
        self._last_seq: int = row[0] if row else 0

    def last_seq(self) -> int:
        """The newest number given out, 0 for a new store."""
        return self._last_seq

    def files(self) -> list[Path]:
        """The files that the log lies in; those beside the first need not be there."""
        return [self._path.with_name(self._path.name + end) for end in ("", "-wal", "-shm")]

    def append(self, batch: Sequence[tuple[str, str, Event]]) -> list[Published]:
        """Store ``(conversation_id, at, event)`` in one transaction: all of them or none.

        Raises StoreFull if the disk has no room; nothing of the batch is kept then.
        """
        rows = [(conversation_id, at, *encode(event)) for conversation_id, at, event in batch]
        published = []
        with self._lock:
            with self._write() as writer:
                for conversation_id, at, event, body in rows:
                    seq = writer.execute(
                        "INSERT INTO events (conversation_id, at, body) VALUES (?, ?, ?)",
                        (conversation_id, at, body),
                    ).lastrowid
                    assert seq is not None
                    follow(writer, conversation_id, at, event, seq)
                    published.append(
                        Published(seq=seq, conversation_id=conversation_id, at=at, event=event)
                    )
                    last_seq = seq
            if published:
                self._last_seq = last_seq
        return published

    def events(
        self,
        conversation_id: str | None,
        after: int,
        upto: int | None = None,
        *,
        limit: int | None = None,
    ) -> Iterator[Published]:
        """Events with ``after < seq <= upto`` in order; of all conversations for ``None``.

        ``upto`` defaults to the newest at the time of the call. A row that cannot be read is
        logged and left out.
        """
        upto = self._last_seq if upto is None else upto
        return self._stream(conversation_id, after, upto, limit)

    def _stream(
        self, conversation_id: str | None, after: int, upto: int, limit: int | None
    ) -> Iterator[Published]:
        left = limit
        while left is None or left > 0:
            rows = self._chunk(conversation_id, after, upto, left)
            if not rows:
                return
            for row in rows:
                if published := decode(row):
                    yield published
            after = rows[-1][0]
            left = None if left is None else left - len(rows)

    def _chunk(
        self, conversation_id: str | None, after: int, upto: int, left: int | None
    ) -> list[tuple[int, str, str, str]]:
        """Some rows, few enough to be held in memory whatever they carry."""
        where, values = "seq > ? AND seq <= ?", [after, upto]
        sought = [] if conversation_id is None else [conversation_id]
        where = where if conversation_id is None else f"conversation_id = ? AND {where}"
        count = CHUNK_EVENTS if left is None else min(left, CHUNK_EVENTS)
        rows: list[tuple[int, str, str, str]] = []
        characters = 0
        statement = (
            f"SELECT seq, conversation_id, at, body FROM events WHERE {where}"
            f" ORDER BY seq LIMIT {count}"
        )
        with (
            self._read() as reader,
            closing(reader.execute(statement, (*sought, *values))) as found,
        ):
            for row in found:
                rows.append(row)
                characters += len(row[3])
                if characters > CHUNK_CHARACTERS:
                    break
        return rows

    # --- conversations

    def create_conversation(self, id: str, at: str, title: str, model: str | None) -> None:
        """A new row of the list; events may be appended to it from now on."""
        with self._write() as writer:
            writer.execute(
                "INSERT INTO conversations (id, title, model, created_at, updated_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (id, title, model, at, at),
            )
            index(writer, id, TITLE_ROW, title)

    def conversation(self, id: str, *, deleted: bool = False) -> ConversationSummary | None:
        """One conversation; with ``deleted`` also one that was deleted."""
        with self._read() as reader:
            row = reader.execute(
                f"{SUMMARY} WHERE id = ? AND deleted <= ?", (id, deleted)
            ).fetchone()
        return summary(row) if row else None

    def unfinished(self) -> list[str]:
        """Conversations in which a turn, a cell, a part or a kernel was never ended."""
        with self._read() as reader:
            rows = reader.execute(
                "SELECT conversation_id FROM unfinished"
                " UNION SELECT conversation_id FROM open_parts"
            ).fetchall()
        return [id for (id,) in rows]

    def conversations(
        self, query: str | None = None, *, deleted: bool = False
    ) -> list[ConversationSummary]:
        """Those not deleted, or those that are; newest first.

        Each word of ``query`` has to occur in the title, a prompt or an answer; case and width of
        the letters do not count.
        """
        words = plain(query or "").split()
        where = "".join(
            " AND id IN (SELECT conversation_id FROM words WHERE instr(text, ?))" for _ in words
        )
        order = "ORDER BY updated_at DESC, rowid DESC"
        with self._read() as reader:
            rows = reader.execute(
                f"{SUMMARY} WHERE deleted = ?{where} {order}", (deleted, *words)
            ).fetchall()
        return [summary(row) for row in rows]

    def purge_conversation(self, id: str) -> None:
        """Forget a conversation and everything said in it, for good.

        What it said is overwritten in the file, whose room is used again.
        """
        with self._write() as writer:
            for table in ("events", "words", "open_parts", "requests", "unfinished"):
                writer.execute(f"DELETE FROM {table} WHERE conversation_id = ?", (id,))
            writer.execute("DELETE FROM conversations WHERE id = ?", (id,))
        with self._lock, translated(self._path):
            self._refuse_closed()
            # The side file holds what it said until it is taken into the main one.
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    # --- what is being written, and what was sent

    def checkpoint_part(
        self, conversation_id: str, part_id: str, type: DeltaType, text: str
    ) -> None:
        """Keep what is written of a part or cell, until the event that closes it is appended."""
        with self._write() as writer:
            writer.execute(
                "INSERT INTO open_parts VALUES (?, ?, ?, ?)"
                " ON CONFLICT (part_id) DO UPDATE SET text = excluded.text",
                (part_id, conversation_id, type, utf8(text)),
            )

    def open_parts(self, conversation_id: str) -> list[Delta]:
        """The parts nobody closed, each whole, in the order in which they were begun."""
        with self._read() as reader:
            rows = reader.execute(
                "SELECT type, part_id, text FROM open_parts WHERE conversation_id = ?"
                " ORDER BY rowid",
                (conversation_id,),
            ).fetchall()
        return [_delta(*row) for row in rows]

    def save_request(
        self, conversation_id: str, turn_id: str, request_id: str, url: str, body: str
    ) -> None:
        """Keep what was sent to the model; each request repeats the history, so it is packed."""
        packed = zlib.compress(utf8(body).encode(), 1)
        with self._write() as writer:
            writer.execute(
                "INSERT OR REPLACE INTO requests VALUES (?, ?, ?, ?, ?)",
                (request_id, conversation_id, turn_id, url, packed),
            )

    def requests(self, conversation_id: str, turn_id: str) -> list[dict[str, str]]:
        """``request_id``, ``url`` and ``body`` of a turn's requests, oldest first."""
        with self._read() as reader:
            rows = reader.execute(
                "SELECT request_id, url, body FROM requests"
                " WHERE conversation_id = ? AND turn_id = ? ORDER BY rowid",
                (conversation_id, turn_id),
            ).fetchall()
        return [
            {"request_id": request_id, "url": url, "body": zlib.decompress(body).decode()}
            for request_id, url, body in rows
        ]

    def copy_requests(self, source: str, target: str) -> None:
        """Give another conversation what was sent in this one, each under ``copied_id``."""
        with self._write() as writer:
            writer.execute(
                "INSERT OR IGNORE INTO requests SELECT request_id || ?, ?, turn_id, url, body"
                " FROM requests WHERE conversation_id = ? ORDER BY rowid",
                (copied_id("", target), target, source),
            )

    # --- connections

    def _identify(self) -> str:
        """The random name of this file; nothing is written if it has one, the disk may be full."""
        query = "SELECT value FROM meta WHERE key = 'database_id'"
        with self._read() as reader:
            row = reader.execute(query).fetchone()
        if row:
            return str(row[0])
        name = secrets.token_hex(8)
        with self._write() as writer:
            writer.execute("INSERT INTO meta VALUES ('database_id', ?)", (name,))
        return name

    def close(self) -> None:
        """Write everything into the main file and let go of it. May be called again."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            while not self._readers.empty():
                self._readers.get().close()
            self._writer.close()

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._lock, translated(self._path):
            self._refuse_closed()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        self._refuse_closed()
        with translated(self._path):
            try:
                reader = self._readers.get_nowait()
            except queue.Empty:
                reader = connect(self._path, read_only=True)
            try:
                yield reader
            finally:
                self._readers.put(reader)
                if self._closed:
                    self._drop_readers()

    def _drop_readers(self) -> None:
        while not self._readers.empty():
            self._readers.get().close()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise StoreError("The store is closed.")


def copied_id(request_id: str, target: str) -> str:
    """The name of a request's copy in another conversation."""
    return f"{request_id}-{target}"


def _delta(type: DeltaType, part_id: str, text: str) -> Delta:
    match type:
        case "text_delta":
            return TextDelta(part_id=part_id, offset=0, text=text)
        case "reasoning_delta":
            return ReasoningDelta(part_id=part_id, offset=0, text=text)
        case "code_delta":
            return CodeDelta(cell_id=part_id, offset=0, text=text)
        case _:
            assert_never(type)
