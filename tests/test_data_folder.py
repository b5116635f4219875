"""What lies where in the data folder, and which folders may be worked in."""

import stat
from pathlib import Path

import pytest

from gpt_code_ui.data_folder import DataFolder, check_folder
from gpt_code_ui.errors import NotFound, UsageError


def test_a_fresh_data_folder_is_private(data_dir: Path) -> None:
    data = DataFolder(data_dir)
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    assert data.output_dir("c1") == data_dir / "outputs" / "c1"
    assert data.workspace("c1", None) == data_dir / "workspaces" / "c1"
    assert data.workspace("c1", None).is_dir()


def test_a_folder_that_others_use_keeps_its_mode(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "of others").touch()
    shared.chmod(0o1777)
    for _ in range(2):
        DataFolder(shared).log.touch()
        assert stat.S_IMODE(shared.stat().st_mode) == 0o1777
    for inside in (shared / "outputs", shared / "workspaces"):
        assert stat.S_IMODE(inside.stat().st_mode) == 0o700


def test_an_empty_folder_becomes_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    DataFolder(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_data_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below", Path("/")):
        with pytest.raises(UsageError):
            DataFolder(path)
    with pytest.raises(UsageError, match="cannot be the data folder"):
        DataFolder(Path.home())


def test_a_conversation_stays_in_the_folder_it_was_begun_in(data_dir: Path, tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    mine.mkdir()
    other.mkdir()
    data = DataFolder(data_dir)
    assert data.workspace("early", None) == data_dir / "workspaces" / "early"
    assert data.workspace("begun", mine) == mine
    for begun_in in (None, other, mine):
        again = DataFolder(data_dir)
        assert again.workspace("begun", begun_in) == mine
        assert again.workspace("early", begun_in) == data_dir / "workspaces" / "early"
    mine.rmdir()
    with pytest.raises(NotFound, match="is gone"):
        data.workspace("begun", None)
    assert list(other.iterdir()) == []


def test_folders_that_may_not_be_worked_in(data_dir: Path, tmp_path: Path) -> None:
    data_dir.mkdir()
    inside = data_dir / "inside"
    inside.mkdir()
    link = tmp_path / "link"
    link.symlink_to("/")
    for folder in (Path("/"), Path.home(), data_dir, inside, tmp_path, link, tmp_path / "gone"):
        with pytest.raises(UsageError):
            check_folder(folder, data_dir)
    mine = tmp_path / "mine"
    mine.mkdir()
    assert check_folder(mine, data_dir) == mine.resolve()
