"""Files over HTTP: in and out as streams, ranges, and nothing that leaves the workspace."""

import io
import os
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from gpt_code_ui.protocol import CellOutput, DisplayDataOutput, StreamOutput
from gpt_code_ui.web.headers import FILE_POLICY, FRAME_POLICY, RUN_POLICY
from tests.fakes_web import DEADLINE, TOKEN, LiveSite, Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveSite]:
    live = LiveSite(tmp_path)
    yield live
    live.close()


@pytest.fixture
def files(site: Site) -> str:
    return f"/api/conversations/{site.begin()}/files"


def test_a_file_goes_in_and_comes_out(site: Site, files: str) -> None:
    content = os.urandom(3_000_000)
    put = site.call("PUT", f"{files}/sub/{quote('数据.csv')}", data=content)
    assert (put.status_code, put.get_json()) == (201, {"path": "sub/数据.csv", "size": 3_000_000})
    [entry] = site.call("GET", files).get_json()["files"]
    assert (entry["path"], entry["size"]) == ("sub/数据.csv", 3_000_000)

    got = site.call("GET", f"{files}/sub/{quote('数据.csv')}")
    assert got.data == content
    assert got.headers["Content-Security-Policy"] == FILE_POLICY
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Disposition"] == (
        "attachment; filename=\"__.csv\"; filename*=UTF-8''%E6%95%B0%E6%8D%AE.csv"
    )
    head = site.call("HEAD", f"{files}/sub/{quote('数据.csv')}")
    assert (head.status_code, head.content_length, head.data) == (200, 3_000_000, b"")


def test_a_taken_name_gets_a_suffix_unless_it_is_replaced(site: Site, files: str) -> None:
    def put(query: str, content: bytes) -> object:
        answer = site.call("PUT", f"{files}/a.txt{query}", data=content)
        assert answer.status_code == 201
        return answer.get_json()

    assert put("", b"one") == {"path": "a.txt", "size": 3}
    assert put("", b"two") == {"path": "a (2).txt", "size": 3, "renamed": True}
    assert put("?replace=true", b"three") == {"path": "a.txt", "size": 5}
    assert site.call("GET", f"{files}/a.txt").data == b"three"
    assert site.call("GET", f"{files}/a (2).txt").data == b"two"


def test_the_log_hears_of_every_change(site: Site, files: str) -> None:
    conversation = files.split("/")[3]
    site.call("PUT", f"{files}/a.txt", data=b"1")
    site.call("PUT", f"{files}/a.txt?replace=true", data=b"2")
    assert site.call("DELETE", f"{files}/a.txt").status_code == 200
    site.begin()
    told = [
        one.event.files.model_dump()
        for one in site.store.events(conversation, 0)
        if one.event.type == "files_changed"
    ]
    nothing: dict[str, list[str]] = {"added": [], "changed": [], "removed": []}
    assert told == [
        nothing | {"added": ["a.txt"]},
        nothing | {"changed": ["a.txt"]},
        nothing | {"removed": ["a.txt"]},
    ]
    assert site.call("GET", f"{files}/a.txt").status_code == 404


@pytest.mark.parametrize(
    ("header", "status", "content", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=0-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=0-1,4-5", 200, b"0123456789", None),
        ("lines=0-1", 200, b"0123456789", None),
        ("bytes=x", 200, b"0123456789", None),
        ("bytes=10-", 416, None, "bytes */10"),
        ("bytes=99-100", 416, None, "bytes */10"),
    ],
)
def test_ranges(
    site: Site, files: str, header: str, status: int, content: bytes | None,
    content_range: str | None,
) -> None:  # fmt: skip
    site.call("PUT", f"{files}/ten", data=b"0123456789")
    answer = site.call("GET", f"{files}/ten", headers={"Range": header})
    assert answer.status_code == status
    assert answer.headers.get("Content-Range") == content_range
    if content is not None:
        assert answer.data == content
        assert answer.headers["Accept-Ranges"] == "bytes"
    else:
        assert answer.get_json()["error"]["code"] == "range"


def test_a_range_of_a_file_that_changed_is_the_whole_file(site: Site, files: str) -> None:
    site.call("PUT", f"{files}/ten", data=b"0123456789")
    etag = site.call("GET", f"{files}/ten").headers["ETag"]
    part = {"Range": "bytes=0-1", "If-Range": etag}
    assert site.call("GET", f"{files}/ten", headers=part).data == b"01"
    part["If-Range"] = '"other"'
    assert site.call("GET", f"{files}/ten", headers=part).data == b"0123456789"


def test_an_empty_file(site: Site, files: str) -> None:
    assert site.call("PUT", f"{files}/empty").get_json() == {"path": "empty", "size": 0}
    assert site.call("GET", f"{files}/empty").data == b""
    answer = site.call("GET", f"{files}/empty", headers={"Range": "bytes=0-"})
    assert answer.status_code == 416


@pytest.mark.parametrize(
    "path",
    [
        "../secret", "a/../../secret", "..%2F..%2Fsecret", "..\\secret", ".bashrc", "a/.git/config",
        "nul%00", "rtl%E2%80%AE.txt", "x" * 300, "%0Aline",
    ],
)  # fmt: skip
def test_a_path_that_leaves_or_hides_is_refused(site: Site, files: str, path: str) -> None:
    (site.folder / "secret").write_text("secret")
    for method in ("PUT", "GET", "DELETE"):
        answer = site.call(method, f"{files}/{path}", data=b"x" if method == "PUT" else None)
        assert 400 <= answer.status_code < 500, (method, answer.text)
        assert set(answer.get_json()) == {"error"}
    assert (site.folder / "secret").read_text() == "secret"


def test_links_that_code_planted_are_not_followed(site: Site, files: str) -> None:
    root = site.conversations.workspace(files.split("/")[3]).root
    (site.folder / "secret").write_text("secret")
    (root / "link").symlink_to(site.folder / "secret")
    (root / "folder").symlink_to(site.folder)
    os.mkfifo(root / "pipe")
    for path in ("link", "folder/secret", "pipe"):
        answer = site.call("GET", f"{files}/{path}")
        assert 400 <= answer.status_code < 500, answer.text
    assert site.call("GET", files).get_json() == {"files": [], "complete": True}
    with zipfile.ZipFile(io.BytesIO(site.call("GET", f"{files}?zip").data)) as archive:
        assert archive.namelist() == []


def test_everything_in_one_archive(site: Site, files: str) -> None:
    site.call("PUT", f"{files}/a.txt", data=b"one")
    site.call("PUT", f"{files}/sub/b.txt", data=b"two")
    answer = site.call("GET", f"{files}?zip")
    assert answer.mimetype == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "a.txt": b"one", "sub/b.txt": b"two",
        }  # fmt: skip


def test_types_are_told_for_images_only(site: Site, files: str) -> None:
    for name, kind in (
        ("a.png", "image/png"), ("a.JPG", "image/jpeg"), ("a.svg", "application/octet-stream"),
        ("a.html", "application/octet-stream"), ("png", "image/png"),
    ):  # fmt: skip
        site.call("PUT", f"{files}/{name}", data=b"x")
        assert site.call("GET", f"{files}/{name}").mimetype == kind


# --- over the real server ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b"zz\r\nabc\r\n0\r\n\r\n", b"3\r\nabcdef\r\n0\r\n\r\n", b"3\r\nab"]
)
def test_a_chunked_upload_that_is_broken_is_refused_whole(live: LiveSite, body: bytes) -> None:
    conversation = live.begin()
    head = (
        f"PUT /api/conversations/{conversation}/files/broken.bin HTTP/1.1\r\n"
        f"Host: {live.host}\r\nAuthorization: Bearer {TOKEN}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", live.port), timeout=DEADLINE) as client:
        client.sendall(head.encode() + body)
        client.shutdown(socket.SHUT_WR)
        answer = client.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'{"error":{"code":"malformed","message":"The upload broke off."' in answer
    assert live.call("GET", f"/api/conversations/{conversation}/files").get_json() == {
        "files": [],
        "complete": True,
    }
    assert not list(live.workspace_for(conversation).root.iterdir())


def test_a_chunked_upload(live: LiveSite) -> None:
    path = f"/api/conversations/{live.begin()}/files/chunked.bin"
    connection = live.connect()
    headers = {"Authorization": f"Bearer {TOKEN}", "Transfer-Encoding": "chunked"}
    connection.request("PUT", path, iter([b"a" * 100_000] * 5), headers, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (201, b'{"path":"chunked.bin","size":500000}')
    connection.close()


def test_an_upload_that_breaks_off_leaves_nothing(live: LiveSite) -> None:
    conversation = live.begin()
    root = live.conversations.workspace(conversation).root
    head = (
        f"PUT /api/conversations/{conversation}/files/half.bin HTTP/1.1\r\nHost: {live.host}\r\n"
        f"Authorization: Bearer {TOKEN}\r\nContent-Length: 1000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", live.port), timeout=DEADLINE) as client:
        client.sendall(head.encode() + b"x" * 300_000)
        client.shutdown(socket.SHUT_WR)
        answer = client.makefile("rb").read()
    assert b"400 BAD REQUEST" in answer and b'"malformed"' in answer
    assert list(root.iterdir()) == []


def test_an_upload_nobody_may_make_is_refused_before_it_is_read(live: LiveSite) -> None:
    with socket.create_connection(("127.0.0.1", live.port), timeout=DEADLINE) as client:
        client.sendall(
            f"PUT /api/conversations/x/files/big HTTP/1.1\r\nHost: {live.host}\r\n"
            f"Content-Length: {10 << 30}\r\n\r\n".encode()
        )
        answer = client.makefile("rb")
        assert answer.readline() == b"HTTP/1.1 401 UNAUTHORIZED\r\n"


def test_an_upload_larger_than_the_disk_is_refused_before_it_is_written(live: LiveSite) -> None:
    conversation = live.begin()
    with socket.create_connection(("127.0.0.1", live.port), timeout=DEADLINE) as client:
        client.sendall(
            f"PUT /api/conversations/{conversation}/files/big HTTP/1.1\r\nHost: {live.host}\r\n"
            f"Authorization: Bearer {TOKEN}\r\nContent-Length: {1 << 60}\r\n\r\n".encode()
        )
        assert b" 507 " in client.makefile("rb").readline()
    assert list(live.conversations.workspace(conversation).root.iterdir()) == []


# --- what a cell gave --------------------------------------------------------------------------


def test_the_whole_output_of_a_cell(site: Site, files: str) -> None:
    conversation = files.split("/")[3]
    cell = site.conversations.run_cell(conversation, "print")
    site.wait_for(conversation, "cell_finished")
    path = f"/api/conversations/{conversation}/cells/{cell}/output"
    assert site.call("GET", path).data == b""
    (site.folder / "outputs" / conversation).mkdir(parents=True)
    (site.folder / "outputs" / conversation / f"{cell}.txt").write_text("0123456789")
    answer = site.call("GET", f"{path}?offset=7")
    assert (answer.data, answer.content_type) == (b"789", "text/plain; charset=utf-8")
    assert site.call("GET", f"{path}?offset=70").data == b""
    assert site.call("GET", f"{path}?offset=x").status_code == 422
    assert site.call("GET", path.replace(cell, "unknown")).status_code == 404


def test_html_of_a_cell_is_for_a_frame_only(site: Site, files: str) -> None:
    conversation = files.split("/")[3]
    cell = site.conversations.run_cell(conversation, "wait")
    html = DisplayDataOutput(data={"text/html": ["<b>", "bold</b>"]})
    text = StreamOutput(name="stdout", text="<b>text</b>")
    for output in (html, text):
        site.publisher.publish_durably(conversation, CellOutput(cell_id=cell, output=output))
    path = f"/api/conversations/{conversation}/cells/{cell}/frame"
    answer = site.call("GET", f"{path}/0", headers={"Sec-Fetch-Dest": "iframe"})
    assert answer.status_code == 200
    assert answer.headers["Content-Security-Policy"] == FRAME_POLICY
    assert "X-Frame-Options" not in answer.headers
    assert answer.text.endswith("<b>bold</b>") and answer.text.startswith("<!doctype html>")
    assert site.call("GET", f"{path}/0").status_code == 200
    assert site.call("GET", f"{path}/0", headers={"Sec-Fetch-Dest": "document"}).status_code == 403
    for number in ("1", "9"):
        assert site.call("GET", f"{path}/{number}").status_code == 404
    ran = site.call("GET", f"{path}/0?run=1", headers={"Sec-Fetch-Dest": "iframe"})
    assert ran.headers["Content-Security-Policy"] == RUN_POLICY
    assert "X-Frame-Options" not in ran.headers
    assert "frameHeight" in ran.text and ran.text.endswith("<b>bold</b>")
    document = {"Sec-Fetch-Dest": "document"}
    assert site.call("GET", f"{path}/0?run=1", headers=document).status_code == 403


def test_no_frame_has_the_origin_or_the_network_of_the_page() -> None:
    for policy in (FRAME_POLICY, RUN_POLICY):
        assert policy.startswith("sandbox") and "default-src 'none'" in policy
        assert "allow-same-origin" not in policy and "http" not in policy
        assert "connect-src" not in policy and "frame-src" not in policy
    assert "script" not in FRAME_POLICY
