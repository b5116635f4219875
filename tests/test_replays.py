"""Proofs, variables brought back, and branches, on real kernels and real folders."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpt_code_ui.errors import Conflict, NotFound
from gpt_code_ui.protocol import ReplayFinished, ReplayProgress, TextPart
from tests.rerun_fixtures import Lab, printed, running_lab

pytestmark = pytest.mark.keeps("one manager serves the module")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with running_lab() as lab:
        yield lab


# Everything that differs from run to run and means nothing.
NOISE = """
import datetime, os, sys, tempfile, time, uuid
print(datetime.datetime.now(), datetime.date.today(), time.time(), time.time_ns())
print(object(), id, lambda: 0)
print(uuid.uuid4(), os.getcwd(), tempfile.mkdtemp())
started = time.perf_counter()
print(f'took {time.perf_counter() - started:.4f} s, done in {(time.time() % 7) * 1000:.1f} ms')
print(time.strftime('%H:%M:%S'))
for step in range(3): print(f'\\r{step}/3 [{time.time() % 60:.2f}s]', end='', file=sys.stderr)
0.1 + 0.2 + time.time() * 0
"""
FIGURE = """
import matplotlib.pyplot as plt
plt.plot([1, 2, {last}]); plt.show()
"""
TABLE = """
import pandas as pd
pd.DataFrame({'a': [1.5, 2.25], 'b': ['x', 'y']})
"""


# --- proofs ------------------------------------------------------------------------------------


def test_a_conversation_with_noise_reproduces(lab: Lab) -> None:
    id = lab.begin()
    lab.file(id, "data.csv").write_text("1\n2\n")
    for code in (NOISE, "%time sum(range(10))", FIGURE.format(last=4), TABLE, "1 / 0"):
        lab.run(id, code)
    lab.run(id, "import pathlib; print(pathlib.Path('data.csv').read_text())")
    found = lab.prove(id)
    assert (found.status, found.difference) == ("reproduces", None)
    assert (found.cells, found.skipped, found.purpose) == (6, None, "proof")
    assert found.packages is not None
    assert "pandas" in found.packages and "matplotlib" in found.packages
    (given,) = found.inputs or []
    assert (given.path, given.sha256) == ("data.csv", hashlib.sha256(b"1\n2\n").hexdigest())
    proof = lab.transcript(id).proof
    assert proof is not None and proof.result == found and not proof.stale
    lab.run(id, "1")
    proof = lab.transcript(id).proof
    assert proof is not None and proof.stale


def state_file(code: str) -> str:
    """Code that does something else the second time: it looks for a trace outside the copy."""
    return f"import os\nseen = os.path.exists(TRACE); open(TRACE, 'w').close()\n{code}"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("print('total', 42.5 if seen else 41)", "number"),
        ("print('red' if seen else 'green')", "text"),
        ("import matplotlib.pyplot as plt; plt.plot([1, 2, 9 if seen else 4]); plt.show()",
         "figure"),
        ("if seen: raise ValueError('no')", "exception"),
        ("if not seen: raise ValueError('no')", "exception"),
        ("raise ValueError('one' if seen else 'two')", "exception"),
        ("if not seen: print('something')", "missing_output"),
        ("if not seen: display({'a': 1})", "missing_output"),
        ("if seen: print('something')", "extra_output"),
        ("import pandas as pd; pd.DataFrame({'a': [1, 2.5 if seen else 2.6]})", "number"),
    ],
)  # fmt: skip
def test_each_kind_of_difference_is_found(lab: Lab, tmp_path: Path, code: str, kind: str) -> None:
    id = lab.begin()
    lab.run(id, "print('the same')")
    cell = lab.run(id, f"TRACE = {str(tmp_path / 'trace')!r}\n" + state_file(code))
    found = lab.prove(id)
    assert found.status == "differs", found
    assert found.difference is not None
    assert (found.difference.kind, found.difference.cell) == (kind, 2)
    assert found.difference.cell_id == cell.cell_id


def test_an_input_that_is_not_what_it_was_is_told(lab: Lab) -> None:
    lab.file_bytes = 10
    try:
        id = lab.begin()
        lab.file(id, "big.csv").write_text("1\n" * 100)
        lab.run(id, "print(len(open('big.csv').read()))")
        lab.file(id, "big.csv").write_text("2\n" * 50)
        found = lab.prove(id)
        assert found.difference is not None
        assert (found.status, found.difference.kind) == ("differs", "changed_input")
        assert "big.csv" in found.difference.expected
    finally:
        lab.file_bytes = 1 << 28


def test_inputs_are_given_as_they_were_at_their_time(lab: Lab) -> None:
    id = lab.begin()
    lab.file(id, "in.csv").write_text("first")
    lab.run(id, "print(open('in.csv').read()); open('in.csv', 'w').write('by the cell')")
    lab.run(id, "print(open('in.csv').read())")
    lab.file(id, "in.csv").write_text("second")
    lab.file(id, "more.csv").write_text("more")
    lab.run(id, "print(open('in.csv').read(), open('more.csv').read())")
    lab.file(id, "in.csv").write_text("third")
    assert lab.prove(id).status == "reproduces"
    assert lab.file(id, "in.csv").read_text() == "third"


def test_a_proof_leaves_the_kernel_and_the_files_alone(lab: Lab) -> None:
    id = lab.begin()
    lab.run(id, "x = 1; open('made.txt', 'w').write('made')")
    lab.file(id, "made.txt").write_text("mine")
    before = lab.transcript(id)
    assert lab.prove(id).status == "reproduces"
    assert lab.transcript(id).turns == before.turns
    assert lab.file(id, "made.txt").read_text() == "mine"
    assert printed(lab.run(id, "print(x)")) == "1\n"
    assert list((lab.data.path / "replays").iterdir()) == []


def test_a_deleted_cell_is_not_run_again(lab: Lab) -> None:
    id = lab.begin()
    needed = lab.run(id, "x = 1")
    lab.run(id, "print(x)")
    lab.reruns.delete(id, needed.cell_id)
    found = lab.prove(id)
    assert found.difference is not None
    assert (found.difference.kind, found.difference.cell) == ("exception", 1)


def test_a_proof_can_be_stopped(lab: Lab) -> None:
    id = lab.begin()
    lab.run(id, "print('one')")
    lab.run(id, "import time; time.sleep(0.01 if 'fast' in globals() else 0)")
    slow = lab.run(id, "TRACE = '/tmp/none'; import os, time; time.sleep(0)")
    lab.edit(id, slow.cell_id, "import os, time\nwhile 'replays' in os.getcwd(): time.sleep(0.01)")
    last = lab.all.last_seq()
    lab.reruns.prove(id)
    with pytest.raises(Conflict):
        lab.reruns.prove(id)
    lab.wait(id, lambda e: isinstance(e, ReplayProgress) and e.done == 2, last)
    lab.reruns.stop(id)
    assert lab.replayed(id, last).status == "stopped"


def test_code_that_asks_cannot_be_replayed(lab: Lab) -> None:
    id = lab.begin()
    cell_id = lab.all.run_cell(id, "input('name? ')")
    lab.wait(id, lambda e: e.type == "input_requested")
    last = lab.all.last_seq()
    lab.all.reply_input(id, cell_id, "Ann")
    lab.finished(id, cell_id, last)
    found = lab.prove(id)
    assert found.status == "failed"
    assert "input" in (found.reason or "")


def test_nothing_to_prove_is_said(lab: Lab) -> None:
    with pytest.raises(Conflict):
        lab.reruns.prove(lab.begin())


# --- variables ---------------------------------------------------------------------------------


def test_variables_come_back_and_nothing_else_changes(lab: Lab) -> None:
    id = lab.begin()
    lab.file(id, "in.txt").write_text("given")
    lab.run(id, "x = open('in.txt').read(); open('in.txt', 'w').write('changed')")
    lab.run(id, "import os; y = x * 2; os.remove('in.txt'); open('log', 'a').write('ran')")
    lab.restart(id)
    assert lab.transcript(id).kernel.used is False
    before = lab.transcript(id).turns
    found = lab.restore(id)
    assert (found.status, found.cells) == ("restored", 2)
    assert lab.transcript(id).turns == before
    assert not lab.file(id, "in.txt").exists()
    assert lab.file(id, "log").read_text() == "ran"
    assert printed(lab.run(id, "print(x, y)")) == "given givengiven\n"
    assert lab.prove(id).status == "reproduces"  # the files that were put back count for nothing


def test_bringing_back_can_be_stopped_and_holds_others_off(lab: Lab, tmp_path: Path) -> None:
    id = lab.begin()
    hold = tmp_path / "hold"
    lab.run(id, "first = 1")
    lab.run(id, f"import os, time\nwhile os.path.exists({str(hold)!r}): time.sleep(0.01)")
    lab.run(id, "last = 3")
    lab.restart(id)
    hold.touch()
    last = lab.all.last_seq()
    lab.all.kernel(id, "restore")
    lab.wait(id, lambda e: isinstance(e, ReplayProgress) and e.done == 1, last)
    with pytest.raises(Conflict):
        lab.all.run_cell(id, "1")
    lab.all.stop(id)
    found = lab.replayed(id, last)
    assert (found.status, found.cells) == ("stopped", 1)
    cell = lab.run(id, "print(first, 'last' in globals())")
    assert (cell.status, printed(cell)) == ("ok", "1 False\n"), cell


def test_a_crash_in_the_middle_leaves_the_files_as_they_were(lab: Lab) -> None:
    id = lab.begin()
    lab.file(id, "in.txt").write_text("given")
    lab.run(id, "open('in.txt', 'w').write('changed')")
    history = lab.reruns._history(id)
    history.keep_current("replay-cut", 1 << 20)
    lab.file(id, "in.txt").write_text("given")
    cut = ReplayProgress(replay_id="replay-cut", purpose="restore", done=0, total=1)
    lab.publisher.publish_durably(id, cut)
    lab.all._recover()
    assert lab.file(id, "in.txt").read_text() == "changed"
    assert lab.transcript(id).replay is None


# --- branches ----------------------------------------------------------------------------------


def test_a_branch_has_the_files_and_variables_of_its_time(lab: Lab) -> None:
    id = lab.begin()
    lab.file(id, "data.txt").write_text("one")
    lab.ask(id, "first")
    lab.run(id, "x = open('data.txt').read(); open('data.txt', 'w').write('two')")
    turn = lab.ask(id, "second")
    lab.run(id, "x = 'later'; open('data.txt', 'w').write('three')")
    last = lab.all.last_seq()
    made = lab.reruns.fork(id, turn)
    assert made.parent is not None
    assert (made.parent.conversation_id, made.parent.before_turn) == (id, turn)
    assert lab.replayed(made.id, last).status == "restored"
    assert [t.prompt for t in lab.transcript(made.id).turns] == ["first", ""]
    assert lab.file(made.id, "data.txt").read_text() == "two"
    assert lab.file(id, "data.txt").read_text() == "three"
    assert printed(lab.run(made.id, "print(x)")) == "one\n"
    lab.ask(made.id, "another second")
    last_part = lab.transcript(made.id).turns[-1].parts[-1]
    assert isinstance(last_part, TextPart)
    assert printed(lab.run(id, "print(x)")) == "later\n"
    assert lab.prove(made.id).status == "reproduces"
    (row,) = [one for one in lab.all.list() if one.id == made.id]
    assert row.parent == made.parent
    with pytest.raises(NotFound):
        lab.reruns.fork(id, "never")


def test_a_question_to_a_branch_waits_for_its_kernel(lab: Lab) -> None:
    id = lab.begin()
    lab.run(id, "import time; time.sleep(0.3); x = 1")
    turn = lab.ask(id, "first")
    last = lab.all.last_seq()
    made = lab.reruns.fork(id, turn)
    lab.ask(made.id, "at once")
    kinds = [one.event.type for one in lab.store.events(made.id, last)]
    assert kinds.index("replay_finished") < kinds.index("text_done")


# --- a person's own folder ---------------------------------------------------------------------


def test_a_folder_of_the_person_is_never_rearranged(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "data.txt").write_text("one")
    with running_lab(folder) as lab:
        id = lab.begin()
        lab.run(id, "x = open('data.txt').read(); open('out.txt', 'a').write(x)")
        turn = lab.ask(id, "first")
        (folder / "data.txt").write_text("two")
        assert lab.prove(id).status == "reproduces"
        with pytest.raises(Conflict, match="may write"):
            lab.all.kernel(id, "restore")
        assert (folder / "out.txt").read_text() == "one"

        last = lab.all.last_seq()
        made = lab.reruns.fork(id, turn)
        assert isinstance(lab.replayed(made.id, last), ReplayFinished)
        assert lab.file(made.id, "data.txt").is_relative_to(lab.data.path)
        lab.run(made.id, "open('data.txt', 'w').write('of the branch')")
        assert (folder / "data.txt").read_text() == "two"
        assert sorted(path.name for path in folder.iterdir()) == ["data.txt", "out.txt"]

        lab.all.delete(made.id)
        lab.all.delete(id)
        assert sorted(path.name for path in folder.iterdir()) == ["data.txt", "out.txt"]
        assert (folder / "data.txt").read_text() == "two"
