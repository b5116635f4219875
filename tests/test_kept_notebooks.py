"""Notebooks kept up to date: when they are written, under which name, and never by halves."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import pytest

from gpt_code_ui.errors import UsageError
from gpt_code_ui.kept_notebooks import Place, place_for
from gpt_code_ui.notebook_file import NotebookFile, checked_path, is_ours, stem_from
from gpt_code_ui.protocol import CellFinished, FileChanges
from tests.test_conversations import DEADLINE, Room, runs, says

POLL_S = 0.01


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.close()


def read(path: Path) -> dict[str, Any]:
    """The notebook, which is valid whenever one looks."""
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    nbformat.validate(value)
    return value


def until(path: Path, match: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The notebook, once it is as wanted; another thread writes it and tells nobody."""
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        if path.exists() and match(found := read(path)):
            return found
        threading.Event().wait(POLL_S)
    raise AssertionError(f"{path} did not become what was wanted: {sorted(path.parent.iterdir())}")


def sources(found: dict[str, Any]) -> list[str]:
    return [cell["source"] for cell in found["cells"]]


def test_after_every_cell_and_turn(room: Room, tmp_path: Path) -> None:
    path = tmp_path / "out.ipynb"
    room.all.keep_next(place_for(path))
    conversation = room.all.create().id
    room.all.run_cell(conversation, "first")
    until(path, lambda found: sources(found) == ["first"])
    room.all.run_cell(conversation, "fail here")
    found = until(path, lambda found: len(found["cells"]) == 2)
    assert found["cells"][1]["metadata"]["tags"] == ["raises-exception"]
    room.model.answers = [runs("third"), says("Done.")]
    room.until_finished(conversation, room.all.ask(conversation, "Go"))
    expected = ["first", "fail here", "> Go", "third", "Done."]
    found = until(path, lambda found: sources(found) == expected)
    assert found["metadata"]["gptcode"]["conversation"] == conversation
    assert room.all.transcript(conversation).notebook == str(path)
    other = room.all.create().id
    assert room.all.transcript(other).notebook is None
    assert [one.name for one in tmp_path.glob("*.ipynb")] == ["out.ipynb"]


def test_the_name_comes_from_the_title(room: Room, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    room.all.keep_next(place_for(folder))
    conversation = room.all.create().id
    room.model.answers = [says("42")]
    room.until_finished(conversation, room.all.ask(conversation, "What is a/b: 6*7?"))
    found = until(folder / "What is a b 6 7.ipynb", lambda found: sources(found)[1:] == ["42"])
    assert found["metadata"]["title"] == "What is a/b: 6*7?"


def test_what_is_there_is_never_replaced(room: Room, tmp_path: Path) -> None:
    (tmp_path / "out.ipynb").write_text("precious")
    room.all.keep_next(place_for(tmp_path / "out"))
    conversation = room.all.create().id
    room.all.run_cell(conversation, "one")
    until(tmp_path / "out (2).ipynb", lambda found: sources(found) == ["one"])
    assert (tmp_path / "out.ipynb").read_text() == "precious"
    room.wait_for(conversation, lambda one: getattr(one.event, "notebook", "") is not None)
    assert room.all.transcript(conversation).notebook == str(tmp_path / "out (2).ipynb")


def test_in_the_workspace_on_and_off_and_on(room: Room) -> None:
    conversation = room.all.create(title="My work").id
    root = room.workspace_for(conversation).root
    room.all.run_cell(conversation, "one")
    assert room.all.keep_notebook(conversation) == "My work.ipynb"
    until(root / "My work.ipynb", lambda found: sources(found) == ["one"])
    assert room.all.keep_notebook(conversation) == "My work.ipynb"
    room.all.run_cell(conversation, "two")
    until(root / "My work.ipynb", lambda found: len(found["cells"]) == 2)
    room.all.drop_notebook(conversation)
    assert room.all.transcript(conversation).notebook == ""
    room.all.run_cell(conversation, "three")
    assert len(read(root / "My work.ipynb")["cells"]) == 2
    assert room.all.keep_notebook(conversation) == "My work.ipynb"
    until(root / "My work.ipynb", lambda found: len(found["cells"]) == 3)
    room.all.drop_notebook(conversation)
    (root / "My work.ipynb").write_text("mine now")
    assert room.all.keep_notebook(conversation) == "My work (2).ipynb"
    assert (root / "My work.ipynb").read_text() == "mine now"


def test_it_goes_on_after_a_restart_and_the_last_words_are_in_it(room: Room) -> None:
    conversation = room.all.create(title="T").id
    path = room.workspace_for(conversation).root / "T.ipynb"
    room.all.keep_notebook(conversation)
    room.all.run_cell(conversation, "one")
    room.close()
    assert sources(read(path)) == ["one"]
    room.open()
    room.all.run_cell(conversation, "two")
    until(path, lambda found: sources(found) == ["one", "two"])
    assert [one.name for one in path.parent.iterdir()] == ["T.ipynb"]


def test_a_running_cell_is_there_as_one_that_may_fail(room: Room) -> None:
    conversation = room.all.create(title="T").id
    path = room.workspace_for(conversation).root / "T.ipynb"
    room.all.keep_notebook(conversation)
    room.all.run_cell(conversation, "wait for it")
    found = until(path, lambda found: sources(found) == ["wait for it"])
    assert found["cells"][0]["metadata"]["tags"] == ["raises-exception"]
    room.all.stop(conversation)


def test_our_own_file_is_not_among_what_a_cell_changed(room: Room) -> None:
    conversation = room.all.create(title="T").id
    name = room.all.keep_notebook(conversation)
    room.all.run_cell(conversation, "one")
    until(room.workspace_for(conversation).root / name, lambda found: len(found["cells"]) == 1)
    changes = FileChanges(added=["a.csv"], changed=[name, "b.csv"])
    event = CellFinished(cell_id="x", status="ok", files=changes)
    room.notebooks.publish(conversation, event)
    heard = []
    room.wait_for(
        conversation,
        lambda one: (
            isinstance(one.event, CellFinished)
            and one.event.cell_id == "x"
            and (heard.append(one.event.files) or True)
        ),
    )
    assert heard == [FileChanges(added=["a.csv"], changed=["b.csv"])]


def test_a_folder_that_cannot_be_written_stops_nothing(room: Room, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    conversation = room.all.create().id
    room.all.keep_notebook(conversation, Place(gone, "n.ipynb"))
    gone_path = gone / "n.ipynb"
    until(gone_path, lambda found: True)
    gone.rename(tmp_path / "elsewhere")  # at once: it may be about to be written again
    room.all.run_cell(conversation, "one")
    room.wait_for(conversation, lambda one: isinstance(one.event, CellFinished))
    gone.mkdir()
    room.all.run_cell(conversation, "two")
    until(gone_path, lambda found: sources(found) == ["one", "two"])


# --- the file ----------------------------------------------------------------------------------


def test_paths_of_the_command_line(tmp_path: Path) -> None:
    assert checked_path(tmp_path / "a") == tmp_path / "a.ipynb"
    assert checked_path(tmp_path / "a.ipynb") == tmp_path / "a.ipynb"
    assert checked_path(tmp_path / "v1.2") == tmp_path / "v1.2.ipynb"
    assert checked_path(tmp_path) == tmp_path
    with pytest.raises(UsageError, match="there is no folder"):
        checked_path(tmp_path / "no" / "a.ipynb")


def test_names_from_titles() -> None:
    assert stem_from('a/b\\c:d*e?"f<g>h|i') == "a b c d e f g h i"
    assert stem_from("..") == stem_from("") != ""
    assert len(stem_from("长" * 500)) == 80
    assert stem_from("a" * 79 + " b") == "a" * 79


def test_a_file_keeps_its_rights_and_a_link_is_replaced(tmp_path: Path) -> None:
    path, target = tmp_path / "n.ipynb", tmp_path / "target"
    NotebookFile(path).write("{}")
    path.chmod(0o600)
    NotebookFile(path, is_new=False).write("{ }")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("{ }", 0o600)
    target.write_text("mine")
    path.unlink()
    path.symlink_to(target)
    NotebookFile(path, is_new=False).write("{}")
    assert (target.read_text(), path.is_symlink()) == ("mine", False)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["n.ipynb", "target"]


def test_whose_a_notebook_is(tmp_path: Path) -> None:
    path = tmp_path / "n.ipynb"
    for text, ours in (
        ('{"metadata": {"gptcode": {"format": 1}}}', True), ('{"metadata": {}}', False),
        ("[]", False), ("", False), ('{"metadata": {"gptcode": 5}}', False),
    ):  # fmt: skip
        path.write_text(text)
        assert is_ours(path) is ours
    assert not is_ours(tmp_path / "none")
    path.unlink()
    os.mkfifo(path)
    assert not is_ours(path)


def test_code_that_swaps_files_under_us_changes_nothing_elsewhere(tmp_path: Path) -> None:
    workspace, theirs = tmp_path / "workspace", tmp_path / "theirs"
    workspace.mkdir()
    theirs.write_text("secret")
    theirs.chmod(0o600)
    path, over = workspace / "n.ipynb", threading.Event()
    NotebookFile(path).write("{}")

    def swap() -> None:
        while not over.is_set():
            for one in workspace.iterdir():
                with suppress(OSError):
                    if one.name.endswith(".part"):
                        one.unlink()
                        one.symlink_to(theirs)

    thread = threading.Thread(target=swap, name="code")
    thread.start()
    try:
        for _ in range(100):
            with suppress(OSError):
                path.unlink()
            path.touch()
            path.chmod(0o777)
            with suppress(OSError):
                NotebookFile(path, is_new=False).write("{}")
    finally:
        over.set()
        thread.join()
    assert (theirs.read_text(), theirs.stat().st_mode & 0o777) == ("secret", 0o600)


def test_a_folder_that_became_a_link_is_not_followed(tmp_path: Path) -> None:
    workspace, theirs = tmp_path / "workspace", tmp_path / "theirs"
    (workspace / "sub").mkdir(parents=True)
    theirs.mkdir()
    place = place_for(workspace / "sub" / "n.ipynb")
    (workspace / "sub").rename(workspace / "old")
    (workspace / "sub").symlink_to(theirs)
    with pytest.raises(OSError, match="link"):
        NotebookFile(place.folder / "n.ipynb").write("{}")
    assert list(theirs.iterdir()) == []
