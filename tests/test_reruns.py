"""Cells edited, deleted and reverted, on real kernels and a real folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gpt_code_ui.errors import ChangedLater, Conflict, NotFound, NotKept
from gpt_code_ui.protocol import CellStarted, FileChanges, FilesChanged
from gpt_code_ui.workspace import Versions
from tests.rerun_fixtures import Lab, printed, running_lab

pytestmark = pytest.mark.keeps("one manager serves the module")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with running_lab() as lab:
        yield lab


# --- editing -----------------------------------------------------------------------------------


def test_an_edited_cell_runs_again_in_its_place(lab: Lab) -> None:
    id = lab.begin()
    first = lab.run(id, "x = 1; print('x is', x)")
    second = lab.run(id, "print('again', x)")
    edited = lab.edit(id, first.cell_id, "x = 5; print('x is', x)")
    assert [cell.cell_id for cell in lab.cells(id)] == [first.cell_id, second.cell_id]
    assert (printed(edited), edited.edited, edited.origin) == ("x is 5\n", True, "person")
    whole = lab.all.output_file(id, first.cell_id)
    assert whole is not None
    assert whole.read_text() == "x is 5\n"  # and not that of the first run
    assert printed(lab.run(id, "print(x)")) == "5\n"


def test_the_same_code_again_is_no_edit(lab: Lab) -> None:
    id = lab.begin()
    first = lab.run(id, "print(1)")
    assert lab.edit(id, first.cell_id, "print(1)").edited is None


def test_a_running_cell_is_left_alone(lab: Lab) -> None:
    id = lab.begin()
    cell_id = lab.all.run_cell(id, "import time\nwhile True: time.sleep(0.01)")
    lab.wait(id, lambda e: isinstance(e, CellStarted))
    with pytest.raises(Conflict):
        lab.reruns.edit(id, cell_id, "1")
    with pytest.raises(Conflict):
        lab.reruns.delete(id, cell_id)
    last = lab.all.last_seq()
    lab.all.stop(id)
    lab.finished(id, cell_id, last)
    lab.reruns.delete(id, cell_id)
    assert lab.cells(id) == []
    with pytest.raises(NotFound):
        lab.reruns.edit(id, cell_id, "1")


def test_the_model_learns_of_edits_and_deletions(lab: Lab) -> None:
    id = lab.begin()
    lab.ask(id, "hello")
    kept, gone = lab.run(id, "a = 1"), lab.run(id, "b = 2")
    lab.ask(id, "and now?")
    lab.edit(id, kept.cell_id, "a = 3")
    lab.reruns.delete(id, gone.cell_id)
    lab.ask(id, "what changed?")
    answer = lab.transcript(id).turns[-1].parts[0]
    assert "edited" in answer.text and "deleted" in answer.text  # type: ignore[union-attr]


# --- reverting ---------------------------------------------------------------------------------


def put(lab: Lab, id: str, path: str, text: str) -> None:
    lab.file(id, path).write_text(text)


CHANGES = """
import os
open('new.txt', 'w').write('new')
open('data.csv', 'a').write('2\\n')
os.remove('old.txt')
"""


def test_a_click_reverts_what_a_cell_did(lab: Lab) -> None:
    id = lab.begin()
    put(lab, id, "data.csv", "1\n")
    put(lab, id, "old.txt", "old")
    cell = lab.run(id, CHANGES)
    assert cell.files == FileChanges(added=["new.txt"], changed=["data.csv"], removed=["old.txt"])
    assert cell.not_kept is None
    last = lab.all.last_seq()
    done = lab.reruns.revert(id, cell.cell_id)
    assert done.files == FileChanges(added=["old.txt"], changed=["data.csv"], removed=["new.txt"])
    assert lab.file(id, "data.csv").read_text() == "1\n"
    assert lab.file(id, "old.txt").read_text() == "old"
    assert not lab.file(id, "new.txt").exists()
    assert lab.wait(id, lambda e: isinstance(e, FilesChanged), last) == FilesChanged(
        files=done.files
    )
    again = lab.reruns.revert(id, done.revert_id)  # what a revert replaced is kept too
    assert again.files.added == ["new.txt"]
    assert lab.file(id, "data.csv").read_text() == "1\n2\n"
    assert not lab.file(id, "old.txt").exists()


def test_a_later_change_is_told_and_kept(lab: Lab) -> None:
    id = lab.begin()
    put(lab, id, "data.csv", "1\n")
    cell = lab.run(id, "open('data.csv', 'a').write('2\\n')")
    put(lab, id, "data.csv", "mine\n")
    with pytest.raises(ChangedLater) as told:
        lab.reruns.revert(id, cell.cell_id)
    assert "data.csv" in told.value.message
    assert lab.file(id, "data.csv").read_text() == "mine\n"
    done = lab.reruns.revert(id, cell.cell_id, force=True)
    assert lab.file(id, "data.csv").read_text() == "1\n"
    lab.reruns.revert(id, done.revert_id)
    assert lab.file(id, "data.csv").read_text() == "mine\n"


def test_what_is_not_kept_is_said(lab: Lab) -> None:
    lab.file_bytes = 1000
    try:
        id = lab.begin()
        put(lab, id, "big.csv", "1\n" * 1000)
        put(lab, id, "small.csv", "1\n")
        cell = lab.run(id, "for n in ('big', 'small'): open(n + '.csv', 'a').write('2')")
        assert cell.not_kept == ["big.csv"]
        with pytest.raises(NotKept, match=r"big\.csv"):
            lab.reruns.revert(id, cell.cell_id)
        assert lab.reruns.revert(id, cell.cell_id, force=True).left == ["big.csv"]
        assert lab.file(id, "small.csv").read_text() == "1\n"
        assert lab.file(id, "big.csv").read_text().endswith("2")
    finally:
        lab.file_bytes = 1 << 28


def test_a_cell_that_changed_nothing_cannot_be_reverted(lab: Lab) -> None:
    id = lab.begin()
    cell = lab.run(id, "1")
    with pytest.raises(NotFound):
        lab.reruns.revert(id, cell.cell_id)


def test_one_copy_is_kept_of_each_content(lab: Lab) -> None:
    id = lab.begin()
    put(lab, id, "a.csv", "same")
    put(lab, id, "b.csv", "same")
    lab.run(id, "1")
    lab.run(id, "open('a.csv', 'w').write('other')")
    lab.run(id, "open('a.csv', 'w').write('same')")
    lab.run(id, "1")
    objects = list((lab.data.version_dir(id) / "objects").glob("??/*"))
    assert sorted(one.read_text() for one in objects) == ["other", "same"]
    assert all(one.stat().st_nlink == 1 for one in objects)


def test_a_journal_that_was_cut_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    versions = Versions(tmp_path)
    versions.begin("a", versions.save_state({}))
    with (tmp_path / "journal.jsonl").open("a") as journal:
        journal.write('\n{"cell": "b", "bef')
    versions.begin("c", versions.save_state({}))
    assert [run.cell_id for run in versions.runs()] == ["a", "c"]
