"""The audit, with advisory services of ours on loopback: it passes after both answered."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from scripts import audit
from scripts.licences import Licence
from scripts.lock_python import closure, locked

BULK = "/-/npm/v1/security/advisories/bulk"
OSV_FAULT = {
    "id": "GHSA-xxxx", "modified": "2026-01-01T00:00:00Z", "published": "2026-01-01T00:00:00Z",
    "summary": "A fault", "details": "A fault.", "aliases": [],
    "affected": [{
        "package": {"name": "idna", "ecosystem": "PyPI"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}],
    }],
}  # fmt: skip
NPM_FAULT = {
    "id": 1, "url": "https://example.invalid/1", "title": "Prototype pollution",
    "severity": "high", "vulnerable_versions": "<9.0.0", "cwe": [], "cvss": {"score": 7},
}  # fmt: skip


class Services(ThreadingHTTPServer):
    """OSV and an npm registry in one; ``python`` and ``npm`` are the packages with a fault."""

    daemon_threads = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.python: set[str] = set()
        self.npm: set[str] = set()
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Services

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        asked = json.loads(body)
        self.server.asked.append(self.path)
        if self.path == BULK:
            self.answer({name: [NPM_FAULT] for name in asked if name in self.server.npm})
        else:
            faulty = asked["package"]["name"] in self.server.python
            self.answer({"vulns": [OSV_FAULT]} if faulty else {})

    def do_GET(self) -> None:
        version = {"name": "left", "version": "1.0.0", "dist": {"tarball": "", "shasum": ""}}
        self.answer({
            "name": "left", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version},
        })  # fmt: skip

    def answer(self, body: Any) -> None:
        raw = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def services() -> Iterator[Services]:
    server = Services()
    thread = threading.Thread(target=server.serve_forever, name="advisories")
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock of one Python package and one of npm."""
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "lock").write_text("# one\nidna==3.7\n")
    write_lock(tmp_path, {"version": "1.0.0", "license": "MIT"})
    return tmp_path


def write_lock(folder: Path, left: dict[str, str]) -> None:
    root = {"name": "page", "version": "1.0.0", "dependencies": {"left": "1.0.0"}}
    (folder / "package.json").write_text(json.dumps(root))
    packages = {"": root, "node_modules/left": left}
    lock = {"name": "page", "version": "1.0.0", "lockfileVersion": 3, "packages": packages}
    (folder / "package-lock.json").write_text(json.dumps(lock))


def run(project: Path, osv: str, registry: str) -> int:
    return audit.main([
        "--lock", str(project / "lock"), "--page", str(project),
        "--osv-url", f"{osv}/v1/query", "--registry", registry,
    ])  # fmt: skip


def test_it_passes_when_both_services_know_nothing(services: Services, project: Path) -> None:
    assert run(project, services.url, services.url) == 0
    assert set(services.asked) == {"/v1/query", BULK}


def test_faults_are_named(
    services: Services, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    services.python, services.npm = {"idna"}, {"left"}
    assert run(project, services.url, services.url) == 1
    printed = capsys.readouterr().out
    assert "fault: python idna 3.7: GHSA-xxxx (mended in 99.0)" in printed
    assert "fault: npm left: high, Prototype pollution" in printed


@pytest.mark.parametrize("unreachable", ["python", "npm"])
def test_a_service_that_cannot_be_asked_is_no_pass(
    services: Services, project: Path, unreachable: str, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = "http://127.0.0.1:9"
    osv = nobody if unreachable == "python" else services.url
    registry = nobody if unreachable == "npm" else services.url
    assert run(project, osv, registry) == 3
    assert "could not ask its advisory service" in capsys.readouterr().err


def test_a_licence_to_object_to_fails(services: Services, project: Path) -> None:
    write_lock(project, {"version": "1.0.0", "license": "AGPL-3.0-only"})
    assert run(project, services.url, services.url) == 1


@pytest.mark.parametrize(
    ("package", "licence", "allowed"),
    [
        ("a", "MIT", True),
        ("a", "(MPL-2.0 OR Apache-2.0)", True),
        ("a", "GPL-3.0-or-later", False),
        ("a", "MIT AND LGPL-2.1", False),
        ("a", "Mozilla Public License 2.0 (MPL 2.0)", False),
        ("a", "", False),
        ("certifi", "MPL-2.0", True),
        ("lightningcss-linux-x64-gnu", "MPL-2.0", True),
    ],
)
def test_licences(package: str, licence: str, allowed: bool) -> None:
    assert Licence("npm", package, licence).allowed is allowed


def test_the_lock_is_of_all_that_development_needs() -> None:
    needed = closure("gpt-code-ui", ["dev"])
    assert {"flask", "werkzeug", "pytest", "pip-audit", "plotly"} <= needed.keys() & locked().keys()
    assert not {"gpt-code-ui", "pip"} & needed.keys()
