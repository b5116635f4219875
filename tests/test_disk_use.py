"""How much of the disk conversations take."""

from pathlib import Path

import pytest

from gpt_code_ui.disk_use import disk_use, said


def fill(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)


def test_each_conversation_by_what_it_is_kept_for_the_largest_first(tmp_path: Path) -> None:
    fill(tmp_path / "workspaces" / "one" / "a" / "b.bin", 100_000)
    fill(tmp_path / "outputs" / "two" / "c.txt", 300_000)
    fill(tmp_path / "versions" / "one" / "v", 10_000)
    fill(tmp_path / "elsewhere.db", 10_000_000)
    two, one = disk_use(tmp_path)
    assert (two.conversation_id, set(two.bytes_of)) == ("two", {"outputs"})
    assert 300_000 <= two.total < 400_000
    assert set(one.bytes_of) == {"workspaces", "versions"}
    assert 110_000 <= one.total < 200_000


def test_links_and_what_they_lead_to_do_not_count(tmp_path: Path) -> None:
    own = tmp_path / "own"
    fill(own / "large.bin", 5_000_000)
    (tmp_path / "data" / "workspaces" / "two").mkdir(parents=True)
    (tmp_path / "data" / "workspaces" / "one").symlink_to(own)
    (tmp_path / "data" / "workspaces" / "two" / "inside").symlink_to(own)
    uses = {use.conversation_id: use for use in disk_use(tmp_path / "data")}
    assert (uses["one"].total, uses["one"].in_place) == (0, True)
    assert uses["two"].total < 100_000
    assert not uses["two"].in_place


def test_a_sparse_file_takes_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "workspaces" / "one").mkdir(parents=True)
    with (tmp_path / "workspaces" / "one" / "sparse").open("wb") as file:
        file.truncate(100 * 1024**3)
    assert disk_use(tmp_path)[0].total < 1_000_000


def test_nothing_there_is_nothing(tmp_path: Path) -> None:
    assert disk_use(tmp_path / "none") == []


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1500, "1.5 KB"), (250_000_000, "250 MB"),
     (7 * 10**15, "7000 TB")],
)  # fmt: skip
def test_sizes_are_said(size: int, text: str) -> None:
    assert said(size) == text
