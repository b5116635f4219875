"""The door: hosts, origins, identities, bodies and headers."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from gpt_code_ui.web.guard import OPEN
from gpt_code_ui.web.headers import page_policy
from gpt_code_ui.web.sessions import CAPACITY, LIFETIME_S, Sessions
from tests.fakes_web import SECRET, TOKEN, Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


def error_of(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["error"]["code"]


# --- who ---------------------------------------------------------------------------------------


def test_every_route_asks_who_is_there(site: Site) -> None:
    closed = []
    for rule in site.app.url_map.iter_rules():
        path = rule.rule.replace("<int:number>", "0")
        for part in ("conversation_id", "cell_id", "turn_id", "path:path", "path:rest"):
            path = path.replace(f"<{part}>", "x")
        for method in sorted((rule.methods or set()) - {"HEAD"}):
            if rule.endpoint in OPEN:
                continue
            answer = site.client().open(path, method=method, headers={"Host": site.host})
            assert error_of(answer) == (401, "unauthenticated"), (method, path)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            closed.append(rule.endpoint)
    assert len(closed) >= 25


def test_what_is_open_is_named(site: Site) -> None:
    endpoints = {rule.endpoint for rule in site.app.url_map.iter_rules()}
    assert endpoints >= OPEN
    for path in ("/", "/theme.js", "/assets/index-1a2b.js", "/api/health"):
        assert site.client().get(path, headers={"Host": site.host}).status_code == 200
    for path in ("/nothing", "/api/nothing", "/index.html", "//"):
        assert site.client().get(path, headers={"Host": site.host}).status_code == 401
    outside = site.client().get("/assets/../index.html", headers={"Host": site.host})
    assert error_of(outside) == (404, "not_found")


@pytest.mark.parametrize(
    "credentials",
    ["Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer tökén"],
)
def test_only_the_token_opens(site: Site, credentials: str) -> None:
    answer = site.call("GET", "/api/models", headers={"Authorization": credentials})
    assert error_of(answer) == (401, "unauthenticated")


def test_a_code_is_good_once_and_gives_a_cookie_without_the_token(site: Site) -> None:
    browser, code = site.client(), site.guard.new_code()
    base = f"http://{site.host}"
    answer = browser.post("/api/session", json={"code": code}, base_url=base)
    assert answer.status_code == 200
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("gptcode_8080=")
    for part in ("HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={LIFETIME_S}"):
        assert part in cookie
    assert TOKEN not in cookie
    assert browser.get("/api/models", base_url=base).status_code == 200

    second = site.client().post("/api/session", json={"code": code}, base_url=base)
    assert error_of(second) == (401, "unauthenticated")
    assert "Set-Cookie" not in second.headers
    guessed = site.client().post("/api/session", json={"code": ""}, base_url=base)
    assert error_of(guessed) == (401, "unauthenticated")


def test_the_secret_of_the_data_folder_gives_a_code_and_nothing_else(site: Site) -> None:
    local = {"Authorization": f"Bearer {SECRET}"}
    code = site.call("POST", "/api/session/code", headers=local).get_json()["code"]
    answer = site.client().post("/api/session", json={"code": code}, base_url=f"http://{site.host}")
    assert answer.status_code == 200
    assert error_of(site.call("GET", "/api/models", headers=local))[0] == 401


def test_sessions_outlive_the_server_but_not_seven_days(tmp_path: Path) -> None:
    path = tmp_path / "sessions.json"
    time = [1000.0]
    session = Sessions(path, clock=lambda: time[0]).begin()
    assert session not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    again = Sessions(path, clock=lambda: time[0])
    assert again.knows(session)
    assert not again.knows(session + "x")
    time[0] += LIFETIME_S
    assert not again.knows(session)

    fresh = again.begin()
    again.drop_all()
    assert not Sessions(path, clock=lambda: time[0]).knows(fresh)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": "b"}', '{"a": null}'])
def test_a_broken_file_of_sessions_counts_as_empty(tmp_path: Path, content: str) -> None:
    path = tmp_path / "sessions.json"
    path.write_text(content)
    sessions = Sessions(path)
    assert sessions.knows(sessions.begin())


def test_sessions_do_not_pile_up(tmp_path: Path) -> None:
    time = [0.0]

    def tick() -> float:
        time[0] += 1
        return time[0]

    sessions = Sessions(tmp_path / "sessions.json", clock=tick)
    first, *_, last = [sessions.begin() for _ in range(CAPACITY + 1)]
    assert (sessions.knows(first), sessions.knows(last)) == (False, True)
    assert len(json.loads((tmp_path / "sessions.json").read_text())) == CAPACITY


# --- from where --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "evil.com", "evil.com:8080", "127.0.0.1.nip.io:8080", "localhost.:8080", "0.0.0.0:8080",
        "", "127.0.0.1:8081", "127.0.0.1", "localhost", "127.1:8080", "127.0.0.1:8080, evil.com",
        "127.0.0.1:8080@evil.com", "::1:8080",
    ],
)  # fmt: skip
def test_another_host_is_refused_everywhere(site: Site, host: str) -> None:
    for path in ("/", "/api/health", "/api/models", "/nothing"):
        answer = site.call("GET", path, headers={"Host": host})
        assert error_of(answer) == (403, "forbidden")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8080", "localhost:8080", "LOCALHOST:8080", "[::1]:8080"]
)
def test_our_hosts_are_answered(site: Site, host: str) -> None:
    assert site.call("GET", "/api/models", headers={"Host": host}).status_code == 200


def test_a_forwarded_host_can_be_allowed(tmp_path: Path) -> None:
    site = Site(tmp_path, allow_host=["box.example", "lab:9000"])
    try:
        for host, origin in (
            ("box.example", "https://box.example"),
            ("box.example:8080", "http://box.example:8080"),
            ("lab:9000", "https://lab:9000"),
        ):
            headers = {"Host": host, "Origin": origin}
            assert site.call("GET", "/api/models", headers=headers).status_code == 200
        for host in ("lab", "lab:8080", "x.box.example"):
            assert site.call("GET", "/api/models", headers={"Host": host}).status_code == 403
    finally:
        site.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "https://127.0.0.1:8080"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
def test_other_origins_are_refused_even_with_the_token(site: Site, headers: dict[str, str]) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = site.call(method, "/api/conversations", headers=headers)
        assert error_of(answer) == (403, "forbidden")
        assert not [name for name in dict(answer.headers) if name.startswith("Access-Control")]


def test_the_page_itself_can_be_linked_to(site: Site) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert site.call("GET", "/", headers=link | {"Sec-Fetch-Dest": "document"}).status_code == 200
    assert site.call("GET", "/", headers=link | {"Sec-Fetch-Dest": "iframe"}).status_code == 403
    script = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert site.call("GET", "/theme.js", headers=script).status_code == 403
    own = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors"}
    assert site.call("GET", "/theme.js", headers=own).status_code == 200


def test_only_a_development_origin_gets_cors(tmp_path: Path) -> None:
    site = Site(tmp_path, dev_origin="http://localhost:5173")
    try:
        dev = {"Origin": "http://localhost:5173", "Sec-Fetch-Site": "same-site"}
        answer = site.call("GET", "/api/models", headers=dev)
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
        asked = dev | {"Access-Control-Request-Method": "PATCH", "Authorization": ""}
        preflight = site.call("OPTIONS", "/api/models", headers=asked)
        assert preflight.status_code == 200
        assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
        evil = {"Origin": "http://localhost:5174"}
        assert site.call("GET", "/api/models", headers=evil).status_code == 403
    finally:
        site.close()


# --- with what ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "", "text/json"]
)
def test_only_json_is_read(site: Site, kind: str) -> None:
    answer = site.call("POST", "/api/conversations", data=b"{}", content_type=kind)
    assert error_of(answer) == (415, "not_json")


def test_a_body_over_the_limit_is_refused_unread(site: Site) -> None:
    huge = {"CONTENT_LENGTH": str(10 << 30), "CONTENT_TYPE": "application/json"}
    for path in ("/api/conversations", "/api/session"):
        answer = site.call("POST", path, environ_overrides=huge)
        assert error_of(answer) == (413, "too_large")


# --- what every answer says --------------------------------------------------------------------


def test_every_answer_has_the_security_headers(site: Site) -> None:
    for path, headers in (
        ("/", {}), ("/theme.js", {}), ("/api/health", {}), ("/api/nothing", {}),
        ("/api/models", {"Authorization": ""}), ("/api/models", {"Host": "evil.com"}),
    ):  # fmt: skip
        answer = site.call("GET", path, headers=headers)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_shell_has_a_fresh_nonce_and_is_not_kept(site: Site) -> None:
    nonces = set()
    for _ in range(2):
        answer = site.client().get("/", headers={"Host": site.host})
        nonce = answer.text.partition('nonce="')[2].partition('"')[0]
        assert answer.headers["Content-Security-Policy"] == page_policy(nonce)
        assert answer.headers["Cache-Control"] == "no-store"
        nonces.add(nonce)
    assert len(nonces) == 2 and "__CSP_NONCE__" not in nonces


def test_hashed_assets_are_kept_for_ever(site: Site) -> None:
    hashed = site.client().get("/assets/index-1a2b.js", headers={"Host": site.host})
    assert hashed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    plain = site.client().get("/theme.js", headers={"Host": site.host})
    assert plain.headers["Cache-Control"] == "no-cache"
