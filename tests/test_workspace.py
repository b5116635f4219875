"""A conversation's folder: names, links and other traps, whole files or none, the ZIP."""

import io
import os
import resource
import socket
import threading
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from gpt_code_ui.errors import BadRequest, Forbidden, GptCodeError, InvalidValue, NoRoom, NotFound
from gpt_code_ui.protocol import FileChanges
from gpt_code_ui.workspace import Snapshot, Workspace, diff
from gpt_code_ui.workspace.folder import MAX_ENTRIES

SECRET = b"secret of the host"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    root.mkdir()
    return root


@pytest.fixture
def workspace(root: Path) -> Workspace:
    return Workspace(root)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A file beside the workspace, in a folder whose name begins like it."""
    folder = tmp_path / "workspace-secret"
    folder.mkdir()
    (folder / "secret.txt").write_bytes(SECRET)
    return folder


def everything_in(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def content(workspace: Workspace, path: str) -> bytes:
    file, entry = workspace.open(path)
    with file:
        data = file.read()
    assert len(data) == entry.size
    return data


# --- saving


def test_a_file_is_saved_and_read_back(workspace: Workspace, root: Path) -> None:
    entry = workspace.save("data/2024/销售.csv", [b"a,b\n", b"1,2\n"], size=8)
    assert (entry.path, entry.size) == ("data/2024/销售.csv", 8)
    assert content(workspace, entry.path) == b"a,b\n1,2\n"
    assert workspace.list() == [entry]
    assert everything_in(root) == ["data", "data/2024", "data/2024/销售.csv"]


def test_a_taken_name_gets_a_suffix(workspace: Workspace) -> None:
    """Names that differ in case only are one name on other systems."""
    wanted = [
        "日本語.csv",
        "日本語.csv",
        "a.tar.gz",
        "A.tar.gz",
        "README",
        "readme",
        "a (2).tar.gz",
    ]
    saved = [workspace.save(name, [name.encode()]).path for name in wanted]
    assert saved == [
        "日本語.csv", "日本語 (2).csv", "a.tar.gz", "A (2).tar.gz", "README", "readme (2)",
        "a (2) (2).tar.gz",
    ]  # fmt: skip
    assert [content(workspace, path).decode() for path in saved] == wanted


def test_two_forms_of_one_name_are_one(workspace: Workspace) -> None:
    decomposed, composed = "re\u0301sume\u0301.txt", "r\u00e9sum\u00e9.txt"
    assert workspace.save(decomposed, [b"1"]).path == composed
    assert workspace.save(composed, [b"2"]).path == "r\u00e9sum\u00e9 (2).txt"


def test_replace_replaces(workspace: Workspace, root: Path) -> None:
    workspace.save("a.txt", [b"old"])
    assert workspace.save("a.txt", [b"new"], replace=True).path == "a.txt"
    assert (everything_in(root), content(workspace, "a.txt")) == (["a.txt"], b"new")


def test_many_uploads_of_one_name_at_once(workspace: Workspace) -> None:
    saved: list[str] = []

    def save(number: int) -> None:
        saved.append(workspace.save("a.txt", [str(number).encode()]).path)

    threads = [threading.Thread(target=save, args=(n,), name=f"save-{n}") for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(saved) == sorted(["a.txt", *(f"a ({n}).txt" for n in range(2, 9))])
    assert sorted(content(workspace, path) for path in saved) == [b"%d" % n for n in range(8)]


@pytest.mark.parametrize(
    "path",
    [
        "", ".", "..", "/", "/etc/passwd", "../x", "a/../x", "..\\x", "a\\..\\..\\x", "a//b", "a/",
        "C:\\..\\x", ".bashrc", "a/.git/config", "a\0b", "a\nb", "a\x1b]0;x\x07b", "a\u202egpj.exe",
        "a\u2066b", "a\ud800b", "x" * 201, "数" * 67, "...", " ", "a/ /b", "/".join("a" * 33),
    ],
)  # fmt: skip
def test_a_name_that_is_refused(workspace: Workspace, root: Path, path: str) -> None:
    with pytest.raises(InvalidValue):
        workspace.save(path, [b"x"])
    assert everything_in(root) == []
    assert everything_in(root.parent) == ["workspace"]


@pytest.mark.parametrize(
    ("path", "saved"),
    [
        ("CON", "CON_"),
        ("nul.txt", "nul_.txt"),
        ("com1 .tar.gz", "com1_.tar.gz"),
        ("console.txt", "console.txt"),
        ("report. . ", "report"),
        ("a\\b.csv", "a/b.csv"),
        ("x" * 200, "x" * 200),
        ("-rf", "-rf"),
        ("it's 100% “fine” 😀.csv", "it's 100% “fine” 😀.csv"),
    ],
)
def test_a_name_that_is_mended(workspace: Workspace, path: str, saved: str) -> None:
    assert workspace.save(path, [b"x"]).path == saved
    assert content(workspace, saved) == b"x"


class Cut(Exception):
    """The connection of an upload broke."""


def broken_upload() -> Iterator[bytes]:
    yield b"x" * 100_000
    raise Cut


def lost_connection() -> Iterator[bytes]:
    yield b"x"
    raise ConnectionResetError


@pytest.mark.parametrize(
    ("upload", "size", "error"),
    [
        (broken_upload, None, Cut),
        (lost_connection, None, ConnectionResetError),
        (lambda: [b"abc"], 4, BadRequest),
        (lambda: [b"abc"], 2, BadRequest),
        (lambda: [b"abc"], 10**18, NoRoom),
    ],
)
def test_an_upload_that_fails_leaves_nothing(
    workspace: Workspace,
    root: Path,
    upload: Callable[[], Iterable[bytes]],
    size: int | None,
    error: type[Exception],
) -> None:
    workspace.save("kept/a.txt", [b"kept"])
    for path in ("new/deep/a.txt", "kept/a.txt", "b.txt"):
        for replace in (False, True):
            with pytest.raises(error):
                workspace.save(path, upload(), size=size, replace=replace)
    assert everything_in(root) == ["kept", "kept/a.txt"]
    assert content(workspace, "kept/a.txt") == b"kept"


@pytest.mark.parametrize("chunk_bytes", [1000, 2**21])
def test_a_disk_that_fills_up_during_an_upload(
    workspace: Workspace, root: Path, chunk_bytes: int
) -> None:
    """A limit on the size of files stops writing as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, before[1]))
    try:
        with pytest.raises(NoRoom):
            workspace.save("new/a.bin", (bytes(chunk_bytes) for _ in range(2000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert everything_in(root) == []


def test_a_file_appears_when_it_is_whole(workspace: Workspace, root: Path) -> None:
    """Until then it has a hidden name, which is not listed and cannot be asked for."""
    during: list[list[str]] = []

    def upload() -> Iterator[bytes]:
        yield b"half"
        during.append(everything_in(root))
        assert workspace.list() == []
        assert workspace.snapshot() == Snapshot({}, True)
        with pytest.raises(InvalidValue):
            workspace.open(during[0][0])
        yield b"whole"

    workspace.save("a.txt", upload())
    (hidden,) = during[0]
    assert hidden.startswith(".a.txt.") and hidden.endswith(".part")
    assert everything_in(root) == ["a.txt"]


def test_what_a_killed_upload_left_is_swept(
    workspace: Workspace, root: Path, outside: Path
) -> None:
    workspace.save("a/b.part", [b"kept"])
    for name in (".b.csv.0123456789ab.part", "a/.c.csv.0123456789ab.part"):
        (root / name).write_bytes(b"half")
    (root / ".git").mkdir()
    for kept in (".env", ".git/.x.0123456789ab.part", "d.0123456789ab.part"):
        (root / kept).touch()
    (outside / ".x.0123456789ab.part").touch()
    (root / "link").symlink_to(outside)
    workspace.sweep()
    assert everything_in(root) == [
        ".env", ".git", ".git/.x.0123456789ab.part", "a", "a/b.part", "d.0123456789ab.part", "link",
    ]  # fmt: skip
    assert everything_in(outside) == [".x.0123456789ab.part", "secret.txt"]


def test_a_folder_or_file_in_the_way(workspace: Workspace, root: Path) -> None:
    workspace.save("folder/a.txt", [b""])
    with pytest.raises(InvalidValue, match="is a folder"):
        workspace.save("folder", [b""], replace=True)
    assert workspace.save("folder", [b""]).path == "folder (2)"
    with pytest.raises(InvalidValue, match="is a file"):
        workspace.save("folder/a.txt/b.txt", [b""])
    assert everything_in(root) == ["folder", "folder (2)", "folder/a.txt"]


# --- traps that code lays


def plant(root: Path, outside: Path) -> None:
    """Everything that a kernel can put in the way."""
    (root / "to_file").symlink_to(outside / "secret.txt")
    (root / "to_folder").symlink_to(outside)
    (root / "to_parent").symlink_to("..")
    (root / "to_nowhere").symlink_to(outside / "made_by_upload")
    (root / "hard").hardlink_to(outside / "secret.txt")
    os.mkfifo(root / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.open(root, os.O_RDONLY)
        try:
            server.bind(f"/proc/self/fd/{here}/socket")
        finally:
            os.close(here)


TRAPS = {
    "to_file": Forbidden,
    "to_folder": Forbidden,
    "to_folder/secret.txt": Forbidden,
    "to_parent/workspace-secret/secret.txt": Forbidden,
    "to_nowhere": Forbidden,
    "hard": Forbidden,
    "fifo": NotFound,
    "socket": NotFound,
    "fifo/x": NotFound,
    "../workspace-secret/secret.txt": InvalidValue,
    "..": InvalidValue,
    "/etc/passwd": InvalidValue,
    "a/../../workspace-secret/secret.txt": InvalidValue,
    "..\\workspace-secret\\secret.txt": InvalidValue,
    ".hidden": InvalidValue,
    "nul\0": InvalidValue,
    "nothing": NotFound,
    "nothing/below": NotFound,
}


@pytest.mark.parametrize(("path", "error"), TRAPS.items())
def test_a_trap_is_not_opened(
    workspace: Workspace, root: Path, outside: Path, path: str, error: type[GptCodeError]
) -> None:
    plant(root, outside)
    (root / ".hidden").write_bytes(b"hidden")
    with pytest.raises(error):
        workspace.open(path)


def test_traps_are_neither_listed_nor_zipped(
    workspace: Workspace, root: Path, outside: Path
) -> None:
    plant(root, outside)
    (root / ".hidden").mkdir()
    (root / ".hidden" / "x").touch()
    (root / "__pycache__").mkdir()
    (root / "__pycache__" / "x.pyc").touch()
    (root / os.fsdecode(b"\xff.txt")).touch()
    # Where a backslash parts folders, these would be unpacked somewhere else.
    (root / "a\\..\\..\\outside.txt").touch()
    (root / "a\\.profile").touch()
    workspace.save("a.txt", [b"a"])
    assert [entry.path for entry in workspace.list()] == ["a.txt"]
    assert unzip(workspace) == {"a.txt": b"a"}


@pytest.mark.parametrize("name", ["to_file", "to_nowhere", "hard", "fifo", "socket"])
def test_an_upload_over_a_trap_leaves_its_target_alone(
    workspace: Workspace, root: Path, outside: Path, name: str
) -> None:
    plant(root, outside)
    assert workspace.save(name, [b"new"]).path == f"{name} (2)"
    assert workspace.save(name, [b"new"], replace=True).path == name
    assert content(workspace, name) == b"new"
    assert everything_in(outside) == ["secret.txt"]
    assert (outside / "secret.txt").read_bytes() == SECRET


def test_a_workspace_whose_folder_was_taken_away(workspace: Workspace, root: Path) -> None:
    root.rmdir()
    with pytest.raises(NotFound, match="is not there"):
        workspace.list()
    root.write_text("code put a file in its place")
    for act in (workspace.list, workspace.snapshot, lambda: workspace.open("a.txt")):
        with pytest.raises(NotFound, match="is not there"):
            act()


def test_an_upload_below_a_link_is_refused(workspace: Workspace, root: Path, outside: Path) -> None:
    plant(root, outside)
    for path in ("to_folder/x.txt", "to_folder/new/x.txt", "to_parent/x.txt"):
        with pytest.raises(Forbidden):
            workspace.save(path, [b"x"])
    assert everything_in(outside) == ["secret.txt"]


def test_a_hard_link_of_the_person_is_served(root: Path, outside: Path) -> None:
    (root / "hard").hardlink_to(outside / "secret.txt")
    workspace = Workspace(root, in_place=True)
    assert content(workspace, "hard") == SECRET
    assert [entry.path for entry in workspace.list()] == ["hard"]


def test_a_link_swapped_in_a_loop_never_shows_the_outside(
    workspace: Workspace, root: Path, outside: Path
) -> None:
    """A folder that is sometimes a link to one outside: its own file, or a refusal."""
    (root / "real").mkdir()
    (root / "real" / "secret.txt").write_bytes(b"inside")
    (root / "link").symlink_to(outside)
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            for name in ("real", "link"):
                (root / name).rename(root / "folder")
                (root / "folder").rename(root / name)

    swapping = threading.Thread(target=swap, name="swap")
    swapping.start()
    seen = set()
    try:
        for _ in range(1000):
            try:
                seen.add(content(workspace, "folder/secret.txt"))
            except (NotFound, Forbidden):
                pass
            seen.update(unzip(workspace).values())
    finally:
        stop.set()
        swapping.join(10)
    assert seen == {b"inside"}


def test_code_may_give_a_file_any_name(workspace: Workspace, root: Path) -> None:
    for name in ("back\\slash", "line\nbreak", "CON", "x" * 255):
        (root / name).write_bytes(name.encode())
        assert content(workspace, name) == name.encode()


# --- removing


def test_a_file_is_removed_and_a_link_but_not_its_target(
    workspace: Workspace, root: Path, outside: Path
) -> None:
    workspace.save("a/b.txt", [b"x"])
    workspace.delete("a/b.txt")
    (root / "link").symlink_to(outside / "secret.txt")
    workspace.delete("link")
    assert everything_in(root) == ["a"]
    assert everything_in(outside) == ["secret.txt"]


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("nothing", NotFound),
        ("a", InvalidValue),
        ("../workspace-secret/secret.txt", InvalidValue),
        (".hidden", InvalidValue),
        ("to_folder/secret.txt", Forbidden),
    ],
)
def test_what_cannot_be_removed(
    workspace: Workspace, root: Path, outside: Path, path: str, error: type[GptCodeError]
) -> None:
    (root / "a").mkdir()
    (root / ".hidden").touch()
    (root / "to_folder").symlink_to(outside)
    with pytest.raises(error):
        workspace.delete(path)
    assert everything_in(outside) == ["secret.txt"]
    assert (root / ".hidden").exists()


# --- the ZIP


def unzip(workspace: Workspace) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(b"".join(workspace.zip_stream()))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_zip_has_every_file(workspace: Workspace, root: Path) -> None:
    files = {"a/b/深.csv": b"1" * 600_000, "empty.txt": b"", "z.bin": os.urandom(300_000)}
    for path, data in files.items():
        workspace.save(path, [data])
    os.utime(root / "empty.txt", (0, 0))  # before the format's first year
    assert unzip(workspace) == files
    assert unzip(Workspace(root / "a")) == {"b/深.csv": b"1" * 600_000}


def test_a_zip_is_not_held_in_memory(workspace: Workspace, root: Path) -> None:
    with (root / "big.bin").open("wb") as file:
        for _ in range(32):
            file.write(os.urandom(2**20))
    tracemalloc.start()
    try:
        total = sum(len(chunk) for chunk in workspace.zip_stream())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total > 32 * 2**20
    assert peak < 4 * 2**20


def grow(root: Path) -> None:
    with (root / "b.txt").open("ab") as file:
        file.write(b"more" * 1000)


def vanish(root: Path) -> None:
    (root / "b.txt").unlink()


@pytest.mark.parametrize(("change", "left"), [(grow, 4003), (vanish, None)])
def test_files_that_change_while_they_are_zipped(
    workspace: Workspace, root: Path, change: Callable[[Path], None], left: int | None
) -> None:
    workspace.save("a.txt", [os.urandom(300_000)])
    workspace.save("b.txt", [b"abc"])
    stream = workspace.zip_stream()
    chunks = [next(stream)]
    change(root)
    with zipfile.ZipFile(io.BytesIO(b"".join([*chunks, *stream]))) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    assert sizes == {"a.txt": 300_000, **({} if left is None else {"b.txt": left})}


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_download_that_is_given_up_closes_its_files(workspace: Workspace) -> None:
    workspace.save("a/b/c.txt", [os.urandom(2**20)])
    before = open_files()
    stream = workspace.zip_stream()
    next(stream)
    assert open_files() > before
    stream.close()  # type: ignore[attr-defined]
    assert open_files() == before


# --- what happened to the files


def test_what_happened_between_two_snapshots(workspace: Workspace, root: Path) -> None:
    for name in ("same", "changed", "removed", "replaced", "touched"):
        (root / name).write_bytes(b"old")
    before = workspace.snapshot()
    (root / "changed").write_bytes(b"longer")
    (root / "removed").unlink()
    (root / "new").write_bytes(b"old")
    (root / "new").rename(root / "replaced")
    os.utime(root / "touched", (1, 1))
    (root / "folder").mkdir()
    (root / "folder" / "added").touch()
    (root / ".hidden").touch()
    (root / "link").symlink_to("same")
    assert diff(before, workspace.snapshot()) == FileChanges(
        added=["folder/added"], changed=["changed", "replaced", "touched"], removed=["removed"]
    )


def test_a_folder_with_too_many_files_says_so(workspace: Workspace, root: Path) -> None:
    before = workspace.snapshot()
    for number in range(MAX_ENTRIES + 1):
        (root / f"{number}").touch()
    after = workspace.snapshot()
    assert (before.complete, after.complete, len(after.files)) == (True, False, MAX_ENTRIES)
    assert diff(before, after) == FileChanges()
    assert len(workspace.list()) == MAX_ENTRIES


def test_a_workspace_that_is_gone(workspace: Workspace, root: Path) -> None:
    root.rmdir()
    for ask in (
        workspace.list,
        workspace.snapshot,
        lambda: workspace.open("a"),
        lambda: list(workspace.zip_stream()),
    ):
        with pytest.raises(NotFound):
            ask()
    with pytest.raises(NotFound):
        workspace.save("a", [b""])
