"""One SQLite file of ours: made private, brought up to date, and told apart from damage.

A file that cannot be read is moved aside, never overwritten; one that a newer version wrote is left
alone. Every ``sqlite3`` error leaves here as one of ours.
"""

import logging
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from gpt_code_ui.errors import StoreError, StoreFull

log = logging.getLogger(__name__)

APPLICATION_ID = 0x67707463  # "gptc", in the file's header
LOCK_WAIT_SECONDS = 15.0
SMALL_ENOUGH_TO_CHECK = 32 * 1024**2
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class DamagedFile(StoreError):
    """The file is no database, or parts of it are gone."""


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Raise our own errors for those of SQLite: StoreFull, DamagedFile, else StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        raise _ours(error, path) from error


def _ours(error: sqlite3.Error, path: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without the extended part
    if code == sqlite3.SQLITE_FULL:
        return StoreFull("The disk is full.", hint=f"Free some space on the disk of {path.parent}.")
    if code in DAMAGE:
        return DamagedFile(f"{path} is damaged: {error}")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError(f"{path} is in use by another program.", hint="End it and try again.")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        hint = "Make the data folder writable, or choose another one with --data-dir."
        return StoreError(f"{path} cannot be written: {error}", hint=hint)
    return StoreError(f"{path}: {error}")


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode that may wander between threads, one at a time."""
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
    connection = sqlite3.connect(
        uri, uri=True, timeout=LOCK_WAIT_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


def open_database(path: Path, migrations: Sequence[str]) -> tuple[sqlite3.Connection, str | None]:
    """The writer's connection, and what the person should know (a damaged file moved aside).

    Raises StoreError if the file is not ours, is newer than ``migrations`` or cannot be used.
    """
    try:
        return _open(path, migrations), None
    except DamagedFile as error:
        aside = _move_aside(path)
        notice = (
            f"The saved conversations could not be read and a new file was begun. "
            f"The old one is kept as {aside}."
        )
        log.error("%s (%s)", notice, error)
        return _open(path, migrations), notice


def _open(path: Path, migrations: Sequence[str]) -> sqlite3.Connection:
    _create_private(path)
    with translated(path):
        connection = connect(path)
        try:
            _refuse_foreign(connection, path, len(migrations))
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA journal_size_limit=67108864")
            # What is purged is overwritten, not only forgotten.
            connection.execute("PRAGMA secure_delete=ON")
            _migrate(connection, migrations)
            _look_for_damage(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _create_private(path: Path) -> None:
    """Nobody else reads conversations; SQLite gives its side files the mode of the main one."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        hint = "Make the data folder writable, or choose another one with --data-dir."
        raise StoreError(f"{path} cannot be written: {error.strerror}", hint=hint) from error


def _refuse_foreign(connection: sqlite3.Connection, path: Path, newest: int) -> None:
    tables = _number(connection, "SELECT count(*) FROM sqlite_master")
    if tables and _number(connection, "PRAGMA application_id") != APPLICATION_ID:
        hint = "Choose another data folder with --data-dir."
        raise StoreError(f"{path} is a database of another program.", hint=hint)
    version = _number(connection, "PRAGMA user_version")
    if version > newest:
        hint = "Update gpt-code-ui, or choose another data folder with --data-dir."
        raise StoreError(
            f"{path} was written by a newer version (format {version}, known: {newest}).", hint=hint
        )


def _migrate(connection: sqlite3.Connection, migrations: Sequence[str]) -> None:
    done = _number(connection, "PRAGMA user_version")
    for version, script in enumerate(migrations[done:], start=done + 1):
        try:
            connection.executescript(
                f"BEGIN IMMEDIATE; {script}; PRAGMA application_id={APPLICATION_ID};"
                f"PRAGMA user_version={version}; COMMIT;"
            )
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _look_for_damage(connection: sqlite3.Connection, path: Path) -> None:
    """Opening reads one page only; a file cut short or scribbled over has to be looked for."""
    one_file = _is_one_file(connection)
    size = path.stat().st_size
    if one_file:
        pages = _number(connection, "PRAGMA page_count")
        if size < pages * _number(connection, "PRAGMA page_size"):
            raise DamagedFile(f"{path} is shorter than it says")
    if size <= SMALL_ENOUGH_TO_CHECK:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise DamagedFile(f"{path}: {verdict}")


def _is_one_file(connection: sqlite3.Connection) -> bool:
    """Take the side file into the main one; on a full disk it has to stay apart."""
    try:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL:
            raise
        return False
    return not busy


def _number(connection: sqlite3.Connection, statement: str) -> int:
    (value,) = connection.execute(statement).fetchone()
    return int(value)


def _move_aside(path: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    count = 1
    while aside.exists():
        count += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{count}")
    for ending in ("-wal", "-shm", ""):
        side = path.with_name(path.name + ending)
        if side.exists():
            side.rename(aside.with_name(aside.name + ending))
    return aside


def integrity(path: Path) -> str:
    """SQLite's own full check: ``ok``, or what is wrong."""
    with translated(path), closing(connect(path, read_only=True)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])
