"""Versions of files as the kernel manager keeps them, without kernels."""

import os
from pathlib import Path

import pytest

from gpt_code_ui.protocol import KeepVersions
from gpt_code_ui.workspace import Keeper, Versions, Workspace, diff


class Folder:
    """A workspace whose files are kept before each cell."""

    def __init__(self, tmp_path: Path, **limits: int) -> None:
        self.files = tmp_path / "files"
        self.files.mkdir()
        self.versions = Versions(tmp_path / "versions")
        values = {"file_bytes": 1000, "total_bytes": 10_000} | limits
        self.limits = KeepVersions(dir=str(self.versions.root), **values)
        self.keeper = Keeper(self.files, self.limits)
        self.workspace = Workspace(self.files)

    def cell(self, name: str, **changes: str | None) -> list[str]:
        """Run a "cell" that writes or removes files; what was not kept of them."""
        before = self.workspace.snapshot()
        self.keeper.before(name, before)
        for file, text in changes.items():
            path = self.files / file
            path.unlink() if text is None else path.write_text(text)
        after = self.workspace.snapshot()
        return self.keeper.after(name, after, diff(before, after))

    def kept(self, name: str) -> dict[str, str | None]:
        """The files as they were before a cell: their text where it is kept."""
        (run,) = [run for run in self.versions.runs() if run.cell_id == name]
        return {
            path: one.sha256 and b"".join(self.versions.objects.chunks(one.sha256)).decode()
            for path, one in self.versions.state(run.before).items()
        }


def test_a_cell_is_preceded_by_the_files_it_finds(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert folder.cell("a", x="1", y="2") == []
    assert folder.cell("b", x="3", y=None) == []
    assert folder.cell("c") == []
    assert folder.kept("a") == {}
    assert folder.kept("b") == {"x": "1", "y": "2"}
    assert folder.kept("c") == {"x": "3"}


def test_nothing_is_read_when_nothing_changed(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.cell("a", x="1")
    folder.cell("b")
    snapshot = folder.workspace.snapshot()
    assert not folder.keeper.is_news(snapshot)
    again = Keeper(folder.files, folder.limits)  # as after a restart of the manager
    again.before("c", snapshot)
    assert not again.is_news(snapshot)
    assert folder.kept("c") == {"x": "1"}


def test_limits_are_met_by_the_largest_and_said(tmp_path: Path) -> None:
    folder = Folder(tmp_path, file_bytes=100, total_bytes=120)
    folder.cell("a", huge="h" * 101, large="l" * 90, small="s" * 50)
    assert folder.cell("b", huge="", large="", small="") == ["huge", "large"]
    assert folder.kept("b") == {"huge": None, "large": None, "small": "s" * 50}


def test_files_there_was_no_time_for_are_kept_before_the_next_cell(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.cell("a", x="1")
    hasty = Keeper(folder.files, folder.limits, seconds=-1.0)
    snapshot = folder.workspace.snapshot()
    hasty.before("b", snapshot)
    assert folder.kept("b") == {"x": None}
    assert hasty.is_news(snapshot)
    patient = Keeper(folder.files, folder.limits)  # it was another manager's, and is tried again
    patient.before("c", snapshot)
    assert folder.kept("c") == {"x": "1"}


def test_links_lead_to_no_version(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    (tmp_path / "secret").write_text("outside")
    (folder.files / "link").symlink_to(tmp_path / "secret")
    os.link(tmp_path / "secret", folder.files / "second-name")
    folder.cell("a")
    assert folder.kept("a") == {"second-name": None}


def test_a_journal_of_nonsense_is_no_harm(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.cell("a", x="1")
    journal = folder.versions.root / "journal.jsonl"
    journal.write_text(
        journal.read_text() + '[]\n7\n{"cell": 1}\n{"cell": "z", "before": "../../x", "at": "?"}\n'
        '{"cell": "y", "before": "../../etc/passwd", "at": 1}\n'
    )
    assert [run.cell_id for run in folder.versions.runs()] == ["a", "y"]
    assert folder.versions.state("../../etc/passwd") == {}
    with pytest.raises(ValueError, match="sha256"):
        folder.versions.objects.path("../../etc/passwd")
