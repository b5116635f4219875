"""What is in the files, asked of the reader: a process of its own for each asking.

The web process opens a file and hands the descriptor on; it never reads a byte of it. Answers are
kept by path, time of change and size. A reader that takes too long, dies or writes nonsense costs
its file a profile and nothing else; it is dead when a method returns.
"""

import contextlib
import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import IO, BinaryIO

from pydantic import ValidationError

from gpt_code_ui.errors import GptCodeError
from gpt_code_ui.kernel.warden import descendants, kill_all
from gpt_code_ui.protocol import FileEntry, Profile, ToldFile
from gpt_code_ui.reader_cage import HOME, ReaderCage, Start
from gpt_code_ui.told import Share, describe
from gpt_code_ui.workspace import Workspace

log = logging.getLogger(__name__)

MODULE = "gpt_code_ui.reader"
FILE_S = 10.0  # for one file that somebody waits for
TURN_S = 3.0  # for all files of a turn
FAIR_S = 1.5  # a file that had as long as this is not tried again at the next turn
TURN_FILES = 12
TURN_BYTES = 12_000
NEWEST = 24
KEPT = 256
ANSWER_BYTES = 4 << 20
READERS = 2

Key = tuple[str, str, int, int]


class Profiles:
    """Profiles of the files in any workspace. Every method may be called from any thread."""

    def __init__(self, share: Share = "rows", cage: ReaderCage | None = None) -> None:
        self._share = share
        self._cage = cage or ReaderCage()
        self._known: OrderedDict[Key, Profile] = OrderedDict()
        self._lock = threading.Lock()
        self._readers = threading.BoundedSemaphore(READERS)

    def profile(self, workspace: Workspace, path: str, *, timeout: float = FILE_S) -> Profile:
        """A file's profile, within ``timeout`` seconds. Raises what ``Workspace.open`` raises."""
        file, entry = workspace.open(path)
        with file:
            key = _key(workspace, entry.path, file)
            known = self._get(key)
            if known is not None:
                return known
            found = self._ask(file, path, timeout)
        if found is None:
            return unread(entry.size, f"it could not be looked into within {timeout:g} seconds")
        self._keep(key, found)
        return found

    def told(
        self,
        workspace: Workspace,
        attached: Sequence[str],
        before: Mapping[str, ToldFile],
        stopped: Callable[[], bool] = lambda: False,
    ) -> list[ToldFile]:
        """What is new of the files to tell: attached ones first, then the newest.

        ``before`` is what was told last, by path. Takes 3 seconds and 12 KB at most; what does
        not fit is left for the next turn. Raises nothing that a file can cause.
        """
        told: list[ToldFile] = []
        deadline = time.monotonic() + TURN_S
        room = TURN_BYTES
        wanted = [one for one in _wanted(workspace, attached) if _is_news(one, before)]
        if not wanted:
            return []
        for entry in wanted[:TURN_FILES]:
            left = deadline - time.monotonic()
            if left <= 0 or stopped():
                break
            profile = self._for_turn(workspace, entry.path, left)
            if profile is None:
                continue
            text = describe(entry.path, profile, self._share)
            room -= len(text.encode()) + 1
            if room < 0:
                break
            told.append(ToldFile(**entry.model_dump(), text=text))
        return told

    def _for_turn(self, workspace: Workspace, path: str, left: float) -> Profile | None:
        try:
            file, entry = workspace.open(path)
        except GptCodeError:
            return None  # gone, or turned into what is not opened
        with file:
            key = _key(workspace, path, file)
            found = self._get(key)
            if found is None:
                found = self._ask(file, path, left)
                if found is not None:
                    self._keep(key, found)
                elif left >= FAIR_S:
                    found = unread(entry.size, "it could not be looked into in time")
        return found

    def _ask(self, file: BinaryIO, path: str, timeout: float) -> Profile | None:
        """A new profile; None if the time is over or every reader is busy that long."""
        deadline = time.monotonic() + timeout
        if not self._readers.acquire(timeout=timeout):
            return None
        try:
            name = path.rsplit("/", 1)[-1]
            return read(file, name, deadline - time.monotonic(), self._cage)
        except OSError as error:
            log.warning("no reader could be started: %s", error)
            return None
        finally:
            self._readers.release()

    def _get(self, key: Key) -> Profile | None:
        with self._lock:
            return self._known.get(key)

    def _keep(self, key: Key, profile: Profile) -> None:
        with self._lock:
            self._known[key] = profile
            while len(self._known) > KEPT:
                self._known.popitem(last=False)


def unread(size: int, reason: str) -> Profile:
    """The profile of a file that could not be looked into."""
    return Profile(kind="unknown", size=size, broken=reason)


def _key(workspace: Workspace, path: str, file: BinaryIO) -> Key:
    status = os.fstat(file.fileno())
    return str(workspace.root), path, status.st_mtime_ns, status.st_size


def _wanted(workspace: Workspace, attached: Sequence[str]) -> list[FileEntry]:
    """The files that a turn may be told of, those that matter most first."""
    try:
        entries = workspace.list()
    except GptCodeError:
        return []
    newest = sorted(entries, key=lambda one: (-one.modified, one.path))
    first = [one for one in newest if one.path in attached]
    return [*first, *(one for one in newest if one.path not in attached)][: len(first) + NEWEST]


def _is_news(entry: FileEntry, before: Mapping[str, ToldFile]) -> bool:
    told = before.get(entry.path)
    return told is None or (told.size, told.modified) != (entry.size, entry.modified)


def read(
    file: BinaryIO, name: str, timeout: float, cage: ReaderCage | None = None
) -> Profile | None:
    """Ask a reader process about an open file; None if the time is over.

    A reader that dies or answers nonsense makes the file a broken one. Raises OSError when none
    can be started.
    """
    size = os.fstat(file.fileno()).st_size
    answer = ask(file, {"name": name}, timeout, cage)
    if answer is None:
        log.info("the reader took too long over a file of %d bytes", size)
        return None
    try:
        return Profile.model_validate_json(answer)
    except ValidationError:
        log.info("the reader died over a file of %d bytes", size)
        return unread(size, "looking into it took too much time or memory")


def ask(
    file: IO[bytes],
    question: Mapping[str, object],
    timeout: float,
    cage: ReaderCage | None = None,
) -> bytes | None:
    """What a reader of its own answers about an open file; None if the time is over.

    Raises OSError when none can be started.
    """
    deadline = time.monotonic() + timeout
    with (cage or ReaderCage()).start(_reader()) as how:
        process = _start(how, file.fileno())
    try:
        return _talk(process, {"fd": file.fileno(), **question, **how.told}, deadline)
    finally:
        _end(process)


def _reader() -> list[str]:
    installed = HOME.name in ("site-packages", "dist-packages")
    safe_path = ["-P"] if installed else []
    return [sys.executable, *safe_path, "-B", "-m", MODULE]


def _start(how: Start, descriptor: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        how.argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=HOME,
        env=how.env,
        pass_fds=(descriptor, *how.handles),
        start_new_session=True,
        bufsize=0,
    )


def _talk(
    process: subprocess.Popen[bytes], question: Mapping[str, object], deadline: float
) -> bytes | None:
    """Ask, and hear the answer to its end; None when the deadline comes first."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
        pipe.write(json.dumps(question).encode() + b"\n")
    answer = bytearray()
    ready = select.poll()  # and not select(), which knows descriptors below 1024 only
    ready.register(process.stdout, select.POLLIN)
    while len(answer) <= ANSWER_BYTES:
        left = deadline - time.monotonic()
        if left <= 0 or not ready.poll(left * 1000):
            return None
        data = os.read(process.stdout.fileno(), 1 << 16)
        if not data:
            break
        answer += data
    return bytes(answer)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Nothing of the reader is left, whatever it started."""
    assert process.stdout is not None
    if process.poll() is None:
        kill_all([*descendants(process.pid), process.pid])
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
