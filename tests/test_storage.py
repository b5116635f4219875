"""What conversations take of the disk, and their removal for good."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpt_code_ui.errors import Conflict, GptCodeError, NotFound
from gpt_code_ui.kept_notebooks import Place
from gpt_code_ui.protocol import KernelStatus
from gpt_code_ui.storage import Storage, remove_folder
from tests.fakes_web import Site
from tests.rerun_fixtures import Lab, printed, running_lab


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path / "data")
    yield site
    site.close()


@pytest.fixture
def lab() -> Iterator[Lab]:
    with running_lab() as lab:
        yield lab


def fill(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def deleted(site: Site, title: str = "t") -> str:
    """A conversation in the bin, with something of each kind."""
    id = site.begin(title)
    for kind in ("workspaces", "outputs", "versions", "packages"):
        fill(site.folder / kind / id / "sub" / "file", "x" * 9000)
    assert site.call("DELETE", f"/api/conversations/{id}").status_code == 200
    return id


def forever(site: Site, id: str) -> int:
    return site.call("DELETE", f"/api/conversations/{id}/forever").status_code


# --- what is there


def test_every_conversation_is_listed_with_its_bytes_the_largest_first(site: Site) -> None:
    kept, gone = site.begin("kept"), deleted(site, "gone")
    fill(site.folder / "outputs" / "0123456789abcdef" / "a.txt", "y")
    use = site.call("GET", "/api/disk").get_json()
    assert use["data_dir"] == str(site.folder)
    rows = {row["id"]: row for row in use["conversations"]}
    assert use["conversations"][0]["id"] == gone
    assert (rows[gone]["title"], rows[gone]["deleted"]) == ("gone", True)
    assert set(rows[gone]["parts"]) == {"workspaces", "outputs", "versions", "packages"}
    assert rows[gone]["bytes"] == sum(rows[gone]["parts"].values()) >= 36_000
    assert rows[kept] == {"id": kept, "title": "kept", "deleted": False, "bytes": 0, "parts": {}}
    assert "title" not in rows["0123456789abcdef"]
    assert use["total"] == use["log"] + sum(row["bytes"] for row in rows.values())
    assert use["log"] > 0 and use["free"] > 0


# --- what goes, and what does not


def test_a_deleted_conversation_goes_with_all_it_had(site: Site) -> None:
    other, gone = deleted(site), deleted(site)
    assert forever(site, gone) == 200
    assert [path for path in site.folder.rglob("*") if gone in path.name] == []
    assert len([path for path in site.folder.rglob("*") if other in path.name]) == 4
    assert [row["id"] for row in site.call("GET", "/api/disk").get_json()["conversations"]] == [
        other
    ]
    assert list(site.store.events(gone, 0)) == []
    assert forever(site, gone) == 404
    assert site.call("POST", f"/api/conversations/{gone}/restore").status_code == 404


def test_what_was_said_is_not_in_the_file_any_more(site: Site) -> None:
    id = site.begin()
    secret = "a-rather-secret-word " * 400
    turn = site.call("POST", f"/api/conversations/{id}/turns", {"prompt": secret}).get_json()
    site.wait_for_turn(id, turn["turn_id"])
    site.call("DELETE", f"/api/conversations/{id}")
    assert any(b"secret-word" in path.read_bytes() for path in site.store.files() if path.exists())
    assert forever(site, id) == 200
    for path in site.store.files():
        assert not path.exists() or b"secret-word" not in path.read_bytes()


def test_what_is_not_deleted_or_not_there_is_refused(site: Site) -> None:
    id = site.begin()
    fill(site.folder / "workspaces" / id / "a.csv", "1")
    answer = site.call("DELETE", f"/api/conversations/{id}/forever")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "busy")
    assert (site.folder / "workspaces" / id / "a.csv").exists()
    assert forever(site, "0123456789abcdef") == 404
    assert forever(site, "..") == 404
    assert site.call("GET", f"/api/conversations/{id}").status_code == 200


def test_the_persons_own_folder_stays_as_it_is(site: Site, tmp_path: Path) -> None:
    mine = fill(tmp_path / "mine" / "deep" / "thesis.md", "years of work").parent.parent
    id = site.begin()
    link = site.folder / "workspaces" / id
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(mine)
    site.call("DELETE", f"/api/conversations/{id}")
    [row] = site.call("GET", "/api/disk").get_json()["conversations"]
    assert (row["in_place"], row["bytes"]) == (True, 0)
    assert forever(site, id) == 200
    assert not link.is_symlink()
    assert (mine / "deep" / "thesis.md").read_text() == "years of work"


def test_no_link_that_code_left_is_followed(tmp_path: Path) -> None:
    mine = fill(tmp_path / "mine" / "a", "mine").parent
    mine.chmod(0o750)
    folder = tmp_path / "w"
    (folder / "x" / "y").mkdir(parents=True)
    for place in (folder, folder / "x", folder / "x" / "y"):
        (place / "folder").symlink_to(mine)
        (place / "file").symlink_to(mine / "a")
        (place / "up").symlink_to("..")
    remove_folder(folder)
    assert not folder.exists()
    assert (mine / "a").read_text() == "mine"
    assert mine.stat().st_mode & 0o777 == 0o750


def test_folders_deeper_than_a_path_may_be_long_and_locked_ones_go(tmp_path: Path) -> None:
    folder = tmp_path / "w"
    folder.mkdir()
    handle = os.open(folder, os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("deep", dir_fd=handle)
        below = os.open("deep", os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = below
    os.close(handle)
    fill(folder / "locked" / "inside" / "a", "1")
    (folder / "locked" / "inside").chmod(0)
    (folder / "locked").chmod(0)
    remove_folder(folder)
    assert not folder.exists()
    remove_folder(folder)


def test_what_cannot_be_removed_is_said(tmp_path: Path) -> None:
    with pytest.raises(GptCodeError, match="could not be removed whole"):
        remove_folder(Path("/proc/self/fdinfo"))


def test_one_whose_kernel_has_not_ended_is_refused(site: Site) -> None:
    id = deleted(site)
    site.publisher.publish_durably(id, KernelStatus(state="busy"))
    storage = Storage(site.store, site.publisher, site.folder, lambda _: None, ends_s=0.05)
    with pytest.raises(Conflict, match="still runs"):
        storage.remove(id)
    assert (site.folder / "workspaces" / id / "sub" / "file").exists()
    site.publisher.publish_durably(id, KernelStatus(state="parked"))
    assert forever(site, id) == 200


# --- with kernels


def test_one_that_ran_goes_as_soon_as_its_kernel_has_ended(lab: Lab) -> None:
    id = lab.begin()
    lab.run(id, "open('made.txt', 'w').write('x' * 5000)")
    folder = lab.file(id, "")
    with pytest.raises(Conflict, match="not deleted"):
        lab.all.storage.remove(id)
    lab.all.delete(id)
    lab.all.storage.remove(id)
    assert not folder.exists()
    with pytest.raises(NotFound):
        lab.all.restore(id)


def test_a_branch_goes_on_without_its_origin(lab: Lab) -> None:
    id = lab.begin()
    lab.run(id, "open('data.txt', 'w').write('first')")
    kept = lab.run(id, "open('data.txt', 'w').write('second')")
    lab.ask(id, "hello")
    turn = next(t for t in lab.transcript(id).turns if t.prompt == "hello")
    assert turn.turn_id is not None
    branch = lab.reruns.fork(id, turn.turn_id).id
    lab.replayed(branch)
    lab.all.delete(id)
    lab.all.storage.remove(id)
    assert lab.transcript(branch).parent is not None
    assert printed(lab.run(branch, "print(open('data.txt').read())")) == "second\n"
    # The version it goes back to was kept for the origin.
    lab.reruns.revert(branch, kept.cell_id, force=True)
    assert lab.file(branch, "data.txt").read_text() == "first"


def test_a_notebook_that_was_kept_stays_where_it_is(lab: Lab, tmp_path: Path) -> None:
    id = lab.begin()
    lab.run(id, "1 + 1")
    lab.all.keep_notebook(id, Place(tmp_path, "kept.ipynb"))
    lab.all.delete(id)
    lab.all.storage.remove(id)
    assert "1 + 1" in (tmp_path / "kept.ipynb").read_text()
    assert not any((lab.data.path / kind / id).exists() for kind in ("workspaces", "outputs"))
