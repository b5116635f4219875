"""The tables of the store, and how those beside the log follow it.

The log alone is the truth: the list of conversations, the words that are searched and the parts
still open are kept in step with it, event by event, in the transaction that stores the event.
"""

import sqlite3
import unicodedata

from gpt_code_ui.protocol import (
    ACTIVITY_TYPES,
    ApprovalRequested,
    CellFinished,
    CellStarted,
    ConversationChanged,
    ConversationSummary,
    Event,
    KernelStatus,
    ParentLink,
    ReasoningDone,
    ReplayFinished,
    ReplayProgress,
    TextDone,
    TurnFinished,
    TurnStarted,
)
from gpt_code_ui.store.encoding import utf8

MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE conversations (
        id TEXT PRIMARY KEY, title TEXT NOT NULL, model TEXT, created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL, pinned INTEGER NOT NULL DEFAULT 0,
        deleted INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE events (
        seq INTEGER PRIMARY KEY AUTOINCREMENT, conversation_id TEXT NOT NULL, at TEXT NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX events_of_conversation ON events (conversation_id, seq);
    CREATE TABLE words (
        conversation_id TEXT NOT NULL, seq INTEGER NOT NULL, text TEXT NOT NULL,
        PRIMARY KEY (conversation_id, seq)
    );
    CREATE TABLE open_parts (
        part_id TEXT PRIMARY KEY, conversation_id TEXT NOT NULL, type TEXT NOT NULL,
        text TEXT NOT NULL
    );
    CREATE TABLE unfinished (
        conversation_id TEXT NOT NULL, what TEXT NOT NULL, PRIMARY KEY (conversation_id, what)
    ) WITHOUT ROWID;
    CREATE TABLE requests (
        request_id TEXT PRIMARY KEY, conversation_id TEXT NOT NULL, turn_id TEXT NOT NULL,
        url TEXT NOT NULL, body BLOB NOT NULL
    );
    CREATE INDEX requests_of_turn ON requests (conversation_id, turn_id);
    """,
    "ALTER TABLE conversations ADD COLUMN parent TEXT;",
    "ALTER TABLE conversations ADD COLUMN network INTEGER;",
    """
    ALTER TABLE conversations ADD COLUMN kernel_name TEXT;
    ALTER TABLE conversations ADD COLUMN python TEXT;
    """,
)
TITLE_ROW = 0  # in ``words``, where prompts and answers have their event's seq
SUMMARY = (
    "SELECT id, title, model, pinned, created_at, updated_at, parent, network, kernel_name, python"
    " FROM conversations"
)


def follow(
    writer: sqlite3.Connection, conversation_id: str, at: str, event: Event, seq: int
) -> None:
    """Keep the tables beside the log in step with an event."""
    if event.type in ACTIVITY_TYPES:
        writer.execute(
            "UPDATE conversations SET updated_at = ? WHERE id = ?", (at, conversation_id)
        )
    match event:
        case TurnStarted():
            writer.execute(
                "UPDATE conversations SET model = coalesce(nullif(?, ''), model) WHERE id = ?",
                (event.model, conversation_id),
            )
            index(writer, conversation_id, seq, event.prompt)
            _begin(writer, conversation_id, event.turn_id)
        case TurnFinished():
            _end(writer, conversation_id, event.turn_id)
            writer.execute("DELETE FROM open_parts WHERE conversation_id = ?", (conversation_id,))
        case TextDone():
            index(writer, conversation_id, seq, event.text)
            writer.execute("DELETE FROM open_parts WHERE part_id = ?", (event.part_id,))
        case ReasoningDone():
            writer.execute("DELETE FROM open_parts WHERE part_id = ?", (event.part_id,))
        case CellStarted():
            writer.execute("DELETE FROM open_parts WHERE part_id = ?", (event.cell_id,))
            _begin(writer, conversation_id, event.cell_id)
        case ApprovalRequested():
            writer.execute("DELETE FROM open_parts WHERE part_id = ?", (event.cell_id,))
        case CellFinished():
            _end(writer, conversation_id, event.cell_id)
        case KernelStatus(state="parked" | "dead"):
            _end(writer, conversation_id, "kernel")
        case KernelStatus():
            _begin(writer, conversation_id, "kernel")
        case ReplayProgress():
            _begin(writer, conversation_id, event.replay_id)
        case ReplayFinished():
            _end(writer, conversation_id, event.replay_id)
        case ConversationChanged():
            _change(writer, conversation_id, event)
        case _:
            pass


def _begin(writer: sqlite3.Connection, conversation_id: str, what: str) -> None:
    writer.execute("INSERT OR IGNORE INTO unfinished VALUES (?, ?)", (conversation_id, what))


def _end(writer: sqlite3.Connection, conversation_id: str, what: str) -> None:
    writer.execute(
        "DELETE FROM unfinished WHERE conversation_id = ? AND what = ?", (conversation_id, what)
    )


def _change(writer: sqlite3.Connection, conversation_id: str, event: ConversationChanged) -> None:
    writer.execute(
        "UPDATE conversations SET title = coalesce(?, title), model = coalesce(?, model),"
        " pinned = coalesce(?, pinned), deleted = coalesce(?, deleted),"
        " parent = coalesce(?, parent), network = coalesce(?, network),"
        " kernel_name = coalesce(?, kernel_name), python = coalesce(?, python) WHERE id = ?",
        (
            event.title, event.model, event.pinned, event.deleted,
            event.parent and event.parent.model_dump_json(), event.network, event.kernel_name,
            event.python,
            conversation_id,
        ),
    )  # fmt: skip
    if event.title is not None:
        index(writer, conversation_id, TITLE_ROW, event.title)


def index(writer: sqlite3.Connection, conversation_id: str, seq: int, text: str) -> None:
    writer.execute(
        "INSERT OR REPLACE INTO words VALUES (?, ?, ?)", (conversation_id, seq, plain(text))
    )


def plain(text: str) -> str:
    """Text as it is compared in a search."""
    return unicodedata.normalize("NFKC", utf8(text)).casefold()


def summary(
    row: tuple[str, str, str | None, int, str, str, str | None, int | None, str | None, str | None],
) -> ConversationSummary:
    """A row of the list as a value."""
    id, title, model, pinned, created_at, updated_at, parent, network, kernel_name, python = row
    return ConversationSummary(
        id=id,
        title=title,
        model=model,
        pinned=bool(pinned),
        created_at=created_at,
        updated_at=updated_at,
        parent=ParentLink.model_validate_json(parent) if parent else None,
        network=None if network is None else bool(network),
        kernel_name=kernel_name or None,
        python=python or None,
    )
