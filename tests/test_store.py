"""The event log on a real disk: order, searching, damage, a full disk, SIGKILL."""

import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpt_code_ui.errors import StoreError, StoreFull
from gpt_code_ui.protocol import (
    CellFinished,
    CellOutput,
    CellStarted,
    CodeDelta,
    ConversationChanged,
    ConversationSummary,
    DisplayDataOutput,
    Event,
    KernelStatus,
    Published,
    ReasoningDelta,
    ReasoningDone,
    StreamOutput,
    TextDelta,
    TextDone,
    TurnFinished,
    TurnStarted,
)
from gpt_code_ui.store import Store
from gpt_code_ui.store.database import APPLICATION_ID, integrity
from gpt_code_ui.transcript import fold

ROOT = Path(__file__).resolve().parent.parent
DEADLINE = 30.0
AT = "2026-03-01T08:00:00.000Z"
LATER = "2026-03-01T09:00:00.000Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "conversations.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    store = Store(path)
    yield store
    store.close()


def out(text: str) -> Event:
    return CellOutput(cell_id="x", output=StreamOutput(name="stdout", text=text))


def started(turn_id: str = "t", prompt: str = "Go", model: str = "m") -> TurnStarted:
    return TurnStarted(turn_id=turn_id, prompt=prompt, model=model)


def add(store: Store, *events: Event, id: str = "c", at: str = AT) -> list[Published]:
    return store.append([(id, at, event) for event in events])


# --- the log


def test_what_is_appended_is_read_back_in_order(store: Store) -> None:
    first = store.append([("a", AT, out("1")), ("b", AT, out("2"))])
    second = store.append([("a", LATER, out("3"))])
    assert [one.seq for one in first + second] == [1, 2, 3]
    assert list(store.events(None, 0)) == first + second
    assert list(store.events("a", 0)) == [first[0], second[0]]
    assert list(store.events("a", 1)) == second
    assert list(store.events(None, 0, 2)) == first
    assert list(store.events(None, 0, limit=1)) == first[:1]
    assert list(store.events("nobody", 0)) == []
    assert store.last_seq() == 3
    assert store.append([]) == []


def test_numbers_go_on_after_a_restart_and_a_purge(path: Path) -> None:
    store = Store(path)
    database_id = store.database_id
    add(store, out("1"), out("2"))
    store.purge_conversation("c")
    store.close()
    again = Store(path)
    assert (again.database_id, again.last_seq()) == (database_id, 2)
    assert [one.seq for one in add(again, out("3"))] == [3]
    again.close()


def test_a_stream_of_events_ends_where_the_log_ended(store: Store) -> None:
    """A reader is not led on by a writer that is as fast as itself."""
    before = add(store, *[out(str(n)) for n in range(700)])
    events = store.events("c", 0)
    seen = [next(events)]
    add(store, out("later"))
    assert seen + list(events) == before


def test_large_events_come_in_small_chunks(store: Store) -> None:
    big = DisplayDataOutput(data={"image/png": "A" * 3_000_000})
    events = add(store, *[CellOutput(cell_id="x", output=big)] * 5)
    assert list(store.events("c", 0)) == events


def test_a_batch_is_stored_whole_or_not_at_all(store: Store) -> None:
    with pytest.raises(ValueError, match="not stored"):
        add(store, out("1"), TextDelta(part_id="p", offset=0, text="x"))
    assert list(store.events(None, 0)) == []


def test_lone_surrogates_are_replaced(store: Store) -> None:
    """Code may print them; neither SQLite nor the wire can carry them."""
    (published,) = add(store, out("a\ud800b"))
    assert published.event == out("a?b")
    assert list(store.events("c", 0)) == [published]


def test_what_json_outputs_hold_survives(store: Store) -> None:
    data = {"application/json": {"none": None, "list": [None, 1.5]}}
    events = add(store, CellOutput(cell_id="x", output=DisplayDataOutput(data=data)))
    assert list(store.events("c", 0)) == events


def test_a_row_that_cannot_be_read_is_left_out(store: Store, path: Path) -> None:
    first, _, third = add(store, out("1"), out("2"), out("3"))
    other = sqlite3.connect(path)
    other.execute('UPDATE events SET body = \'{"type": "of the future"}\' WHERE seq = 2')
    other.commit()
    other.close()
    assert list(store.events("c", 0)) == [first, third]


def test_many_threads_write_and_read(store: Store) -> None:
    failures: list[Exception] = []

    def work(id: str) -> None:
        try:
            for n in range(50):
                add(store, out(str(n)), id=id)
                assert len(list(store.events(id, 0))) == n + 1
        except (StoreError, AssertionError) as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(id,), name=id) for id in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert failures == []
    assert [one.seq for one in store.events(None, 0)] == list(range(1, 201))


def test_ten_thousand_events_fold_from_the_store(store: Store) -> None:
    store.create_conversation("c", AT, "", None)
    start = CellStarted(cell_id="x", code="", origin="person")
    add(store, start, *[out("line\n")] * 10_000)
    summary = store.conversation("c")
    assert summary is not None
    (cell,) = fold(summary, store.events("c", 0)).turns[0].parts
    assert cell.type == "cell"
    (shown,) = cell.outputs
    assert shown.output == StreamOutput(name="stdout", text="line\n" * 10_000)


# --- conversations


def test_the_list_follows_the_events(store: Store) -> None:
    store.create_conversation("c", AT, "", None)
    assert store.conversation("c") == ConversationSummary(
        id="c", title="", created_at=AT, updated_at=AT
    )
    add(store, started(model="m1"), at="2026-03-01T08:30:00.000Z")
    add(store, ConversationChanged(title="GDP", pinned=True), at=LATER)
    add(store, KernelStatus(state="idle"), at=LATER)
    expected = ConversationSummary(
        id="c",
        title="GDP",
        model="m1",
        pinned=True,
        created_at=AT,
        updated_at="2026-03-01T08:30:00.000Z",
    )
    assert store.conversation("c") == expected
    assert store.conversations() == [expected]
    assert store.conversation("nobody") is None


def test_newest_first_without_the_deleted(store: Store) -> None:
    for id in "abc":
        store.create_conversation(id, AT, id, None)
    add(store, started(), id="a", at=LATER)
    add(store, ConversationChanged(deleted=True), id="b")
    assert [one.id for one in store.conversations()] == ["a", "c"]
    assert store.conversation("b") is None
    assert store.conversation("b", deleted=True) is not None
    add(store, ConversationChanged(deleted=False), id="b")
    assert [one.id for one in store.conversations()] == ["a", "c", "b"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "cba"),
        ("北京", "a"),
        ("四个 直辖市", "a"),
        ("gb18030", "a"),
        ("ＧＢ１８０３０", "a"),
        ("MUNICIPALITIES.csv", "a"),
        ("straße", "b"),
        ("STRASSE", "b"),
        ("100%", "b"),
        ("100_", ""),
        ("o'clock", "b"),
        ('"quoted"', "b"),
        ("old name", ""),
        ("new name", "c"),
        ("name secret", ""),
        ("turn_started", ""),
    ],
)
def test_search(store: Store, query: str, found: str) -> None:
    store.create_conversation("a", "2026-03-01T08:00:00.000Z", "比较四个直辖市", None)
    add(store, started(prompt="请比较北京与上海"), id="a")
    answer = "编码是 GB18030。\n见 [municipalities.csv](files/municipalities.csv)"
    add(store, TextDone(part_id="p", turn_id="t", text=answer), id="a")
    store.create_conversation("b", "2026-03-01T08:01:00.000Z", "Straße 5", None)
    add(store, started(prompt='At 9 o\'clock 100% "quoted"'), id="b", at="2026-03-01T08:01:00.000Z")
    store.create_conversation("c", "2026-03-01T08:02:00.000Z", "Old name", None)
    add(
        store,
        ConversationChanged(title="New name"),
        ReasoningDone(part_id="r", turn_id="t", text="secret"),
        id="c",
    )
    assert "".join(one.id for one in store.conversations(query)) == found


def test_a_purge_leaves_nothing(store: Store, path: Path) -> None:
    for id in "ab":
        store.create_conversation(id, AT, id, None)
        add(store, started(turn_id=id, prompt=f"secret of {id}"), id=id)
        store.checkpoint_part(id, f"p{id}", "text_delta", "half")
        store.save_request(id, id, f"q{id}", "http://x", "{}")
    store.purge_conversation("a")
    assert [one.id for one in store.conversations()] == ["b"]
    assert [one.conversation_id for one in store.events(None, 0)] == ["b"]
    assert (store.open_parts("a"), store.requests("a", "a")) == ([], [])
    assert store.conversations("secret of a") == []
    assert store.unfinished() == ["b"]


# --- what is open, and what was sent


def test_open_parts_are_kept_until_they_are_closed(store: Store) -> None:
    store.checkpoint_part("c", "p", "text_delta", "Hal")
    store.checkpoint_part("c", "r", "reasoning_delta", "Hm")
    store.checkpoint_part("c", "x", "code_delta", "impo\ud800")
    store.checkpoint_part("c", "p", "text_delta", "Half an 😀")
    assert store.open_parts("c") == [
        TextDelta(part_id="p", offset=0, text="Half an 😀"),
        ReasoningDelta(part_id="r", offset=0, text="Hm"),
        CodeDelta(cell_id="x", offset=0, text="impo?"),
    ]
    add(store, TextDone(part_id="p", turn_id="t", text="Half an 😀!"))
    add(store, CellStarted(cell_id="x", turn_id="t", code="import os", origin="model"))
    assert store.open_parts("c") == [ReasoningDelta(part_id="r", offset=0, text="Hm")]
    add(store, ReasoningDone(part_id="r", turn_id="t", text="Hm"))
    assert store.open_parts("c") == []


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (started(), TurnFinished(turn_id="t", status="completed")),
        (
            CellStarted(cell_id="x", code="", origin="person"),
            CellFinished(cell_id="x", status="ok"),
        ),
        (KernelStatus(state="busy"), KernelStatus(state="parked")),
        (KernelStatus(state="starting"), KernelStatus(state="dead")),
    ],
)
def test_unfinished_conversations(store: Store, begins: Event, ends: Event) -> None:
    add(store, begins)
    add(store, begins, id="other")
    assert store.unfinished() == ["c", "other"]
    add(store, ends)
    assert store.unfinished() == ["other"]


def test_requests_are_kept_by_turn(store: Store) -> None:
    body = '{"messages": ["你好"]}' * 1000
    store.save_request("c", "t", "q1", "http://x/v1", body)
    store.save_request("c", "t", "q2", "http://x/v1", "{}")
    store.save_request("c", "other", "q3", "http://x/v1", "{}")
    assert store.requests("c", "t") == [
        {"request_id": "q1", "url": "http://x/v1", "body": body},
        {"request_id": "q2", "url": "http://x/v1", "body": "{}"},
    ]
    assert store.requests("c", "none") == []


# --- the file


def test_nobody_else_may_read_it(store: Store, path: Path) -> None:
    add(store, out("1"))
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {
        "conversations.db": 0o600,
        "conversations.db-wal": 0o600,
        "conversations.db-shm": 0o600,
    }


def test_closing_leaves_one_file_and_refuses_more(path: Path) -> None:
    store = Store(path)
    add(store, out("1"))
    list(store.events(None, 0))
    store.close()
    store.close()
    assert [file.name for file in path.parent.iterdir()] == ["conversations.db"]
    with pytest.raises(StoreError, match="closed"):
        add(store, out("2"))
    with pytest.raises(StoreError, match="closed"):
        list(store.events(None, 0))


def damage_nothing_of_sqlite(path: Path) -> None:
    path.write_bytes(b"this is no database, and long enough to be looked at as one " * 20)


def damage_cut_short(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def damage_scribbled_over(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 8192))


@pytest.mark.parametrize(
    "damage", [damage_nothing_of_sqlite, damage_cut_short, damage_scribbled_over]
)
def test_a_damaged_file_is_moved_aside(path: Path, damage: object) -> None:
    store = Store(path)
    assert store.notice is None
    add(store, *[out("x" * 1000)] * 200)
    database_id = store.database_id
    store.close()
    assert callable(damage)
    damage(path)
    content = path.read_bytes()
    again = Store(path)
    assert again.database_id != database_id
    assert list(again.events(None, 0)) == []
    (aside,) = path.parent.glob("conversations.db.damaged-*[0-9]")
    assert aside.read_bytes() == content
    assert again.notice is not None and str(aside) in again.notice
    add(again, out("works"))
    again.close()


def test_an_empty_file_is_a_new_store(path: Path) -> None:
    path.parent.mkdir()
    path.touch(mode=0o644)
    store = Store(path)
    assert store.notice is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store.close()


def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    Store(path).close()
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 99")
    other.close()
    content = path.read_bytes()
    with pytest.raises(StoreError, match="newer version") as caught:
        Store(path)
    assert caught.value.hint is not None and "Update" in caught.value.hint
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()
    with pytest.raises(StoreError, match="another program"):
        Store(path)
    other = sqlite3.connect(path)
    assert other.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,)
    other.close()


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written") as caught:
        Store(tmp_path / "file" / "conversations.db")
    assert caught.value.hint is not None and "--data-dir" in caught.value.hint


def test_a_lock_of_another_program_is_waited_for(store: Store, path: Path) -> None:
    other = sqlite3.connect(path, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    timer = threading.Timer(0.3, other.rollback)
    timer.start()
    try:
        assert len(add(store, out("1"))) == 1
    finally:
        timer.join(DEADLINE)
        other.close()


# --- no room


def test_a_full_disk_loses_nothing_that_was_stored(store: Store, path: Path) -> None:
    """The limit on pages gives the very error that a full disk does."""
    events = add(store, out("before"))
    (pages,) = store._writer.execute("PRAGMA page_count").fetchone()
    store._writer.execute(f"PRAGMA max_page_count = {pages + 4}")
    with pytest.raises(StoreFull) as caught:
        add(store, out("small"), out("x" * 1_000_000))
    assert caught.value.hint is not None and str(path.parent) in caught.value.hint
    assert list(store.events(None, 0)) == events
    store._writer.execute("PRAGMA max_page_count = 1000000")
    events += add(store, out("after"))
    assert list(store.events(None, 0)) == events
    assert integrity(path) == "ok"


FILL = """
import sys
from pathlib import Path
from gpt_code_ui.errors import StoreFull
from gpt_code_ui.protocol import CellOutput, StreamOutput
from gpt_code_ui.store import Store
from gpt_code_ui.store.database import integrity

path = Path(sys.argv[1])
event = CellOutput(cell_id="x", output=StreamOutput(name="stdout", text="x" * 50_000))
filler = path.with_name("filler")
filler.write_bytes(bytes(1_000_000))
store = Store(path)
stored = 0
try:
    while True:
        stored += len(store.append([("c", "t", event)]))
except StoreFull as error:
    print(error.message)
assert len(list(store.events("c", 0))) == stored > 0
filler.unlink()
stored += len(store.append([("c", "t", event)]))
store.close()
assert integrity(path) == "ok"
again = Store(path)
assert (again.notice, len(list(again.events("c", 0)))) == (None, stored)
again.close()
"""


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """4 MB of memory as a disk, in a namespace of its own."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        pytest.skip("no bwrap to make a small disk with")
    disk = tmp_path / "disk"
    disk.mkdir()
    cage = [bwrap, "--dev-bind", "/", "/", "--size", "4194304", "--tmpfs", str(disk), "--"]
    probe = subprocess.run([*cage, "true"], check=False, capture_output=True, timeout=DEADLINE)
    if probe.returncode:
        pytest.skip("bwrap may not make namespaces here")
    done = subprocess.run(
        [*cage, sys.executable, "-c", FILL, str(disk / "conversations.db")],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert (done.returncode, done.stdout) == (0, "The disk is full.\n"), done.stderr


# --- SIGKILL

APPEND = """
import sys
from pathlib import Path
from gpt_code_ui.protocol import CellOutput, StreamOutput
from gpt_code_ui.store import Store

store = Store(Path(sys.argv[1]))
while True:
    output = StreamOutput(name="stdout", text=f"{store.last_seq() + 1}")
    batch = [("c", "t", CellOutput(cell_id="x", output=output))] * 3
    print(store.append(batch)[-1].seq, flush=True)
"""


def test_what_was_acknowledged_survives_sigkill(path: Path) -> None:
    acknowledged = 0
    for round in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", APPEND, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            for _ in range(20 + 31 * round):
                acknowledged = int(writer.stdout.readline())
            writer.kill()
            for line in writer.stdout:
                acknowledged = int(line) if line.endswith("\n") else acknowledged
    store = Store(path)
    assert store.notice is None
    seen = [one.seq for one in store.events("c", 0)]
    assert seen[:acknowledged] == list(range(1, acknowledged + 1))
    assert len(seen) % 3 == 0
    store.close()
    assert integrity(path) == "ok"
