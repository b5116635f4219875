"""One error shape, whatever goes wrong and wherever."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from gpt_code_ui.errors import GptCodeError
from tests.fakes_web import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


def error_of(answer: TestResponse) -> dict[str, Any]:
    """The error, held to its shape."""
    assert answer.mimetype == "application/json", answer.text
    assert list(answer.get_json()) == ["error"]
    error: dict[str, Any] = answer.get_json()["error"]
    assert set(error) - {"hint"} == {"code", "message", "retryable"}
    assert isinstance(error["code"], str) and isinstance(error["message"], str)
    assert isinstance(error["retryable"], bool)
    assert "Traceback" not in answer.text
    return error


BODIES: dict[str, object] = {
    "/turns": {"prompt": "x"},
    "/cells": {"code": "x"},
    "/cells/x/input": {"text": "x"},
    "/cells/x/approval": {"run": True},
    "/kernel": {"action": "restart"},
    "/notebook": {"keep": True},
    "/fork": {"before_turn": "x"},
    "/packages": {"packages": ["x"]},
}


def test_an_unknown_conversation_is_404_on_every_route(site: Site) -> None:
    prefix = "/api/conversations/<conversation_id>"
    seen = 0
    for rule in site.app.url_map.iter_rules():
        if not rule.rule.startswith(prefix):
            continue
        below = rule.rule.removeprefix(prefix).replace("<int:number>", "0")
        for part in ("<cell_id>", "<turn_id>", "<path:path>"):
            below = below.replace(part, "x")
        for method in sorted((rule.methods or set()) - {"HEAD"}):
            body = BODIES.get(below) if method == "POST" else None
            body = {"title": "x"} if method == "PATCH" else body
            body = {"code": "x"} if (method, below) == ("PUT", "/cells/x") else body
            answer = site.call(method, f"/api/conversations/0123456789abcdef{below}", body)
            assert answer.status_code == 404, (method, rule.rule, answer.text)
            assert error_of(answer)["code"] == "not_found"
            seen += 1
    assert seen >= 25


def test_an_unknown_address_and_an_unknown_method(site: Site) -> None:
    assert error_of(site.call("GET", "/api/nothing"))["code"] == "not_found"
    answer = site.call("PUT", "/api/models")
    assert answer.status_code == 405
    assert error_of(answer)["code"] == "method_not_allowed"
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    ("raw", "status", "code"),
    [
        (b"", 400, "malformed"),
        (b"{", 400, "malformed"),
        (b"{} x", 400, "malformed"),
        (b'{"prompt": "\xff"}', 400, "malformed"),
        (b"\xff\xfe{\x00}\x00", 400, "malformed"),
        (b'{"prompt": NaN}', 400, "malformed"),
        (b"1" * 5000, 400, "malformed"),
        (b"[]", 422, "invalid"),
        (b"null", 422, "invalid"),
        (b'{"prompt": "\\ud800"}', 422, "invalid"),
        (b"[" * 500_000, 422, "invalid"),
        (b'{"prompt": ' + b"[" * 65 + b"]" * 65 + b"}", 422, "invalid"),
    ],
)
def test_a_body_that_cannot_be_used(site: Site, raw: bytes, status: int, code: str) -> None:
    path = f"/api/conversations/{site.begin()}/turns"
    answer = site.call("POST", path, data=raw, content_type="application/json")
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/turns", {}, "prompt"),
        ("/turns", {"prompt": 1}, "prompt"),
        ("/turns", {"prompt": "x", "model": 1}, "model"),
        ("/turns", {"prompt": "x", "attachments": {}}, "attachments"),
        ("/turns", {"prompt": "x", "attachments": [{"path": 1}]}, "attachments.0.path"),
        ("/turns", {"prompt": "x", "attachments": [{"name": "x"}]}, "attachments.0.path"),
        ("/turns", {"prompt": "x", "temperature": 1}, "temperature"),
        ("/cells", {"code": None}, "code"),
        ("/cells/x/input", {"text": ["x"]}, "text"),
        ("/kernel", {"action": "burn"}, "action"),
    ],
)
def test_a_wrong_value_is_named(site: Site, path: str, body: object, field: str) -> None:
    answer = site.call("POST", f"/api/conversations/{site.begin()}{path}", body)
    assert answer.status_code == 422
    error = error_of(answer)
    assert (error["code"], error["message"].partition(":")[0]) == ("invalid", field)


def test_an_empty_prompt_and_an_attachment_that_is_not_there(site: Site) -> None:
    path = f"/api/conversations/{site.begin()}/turns"
    assert error_of(site.call("POST", path, {"prompt": " "}))["code"] == "invalid"
    missing = site.call("POST", path, {"prompt": "x", "attachments": [{"path": "no.csv"}]})
    assert (missing.status_code, error_of(missing)["code"]) == (404, "not_found")


@pytest.mark.parametrize("query", ["after=x", "after=-1", "after=1e3", "after=" + "9" * 40])
def test_a_wrong_number_in_the_query_is_named(site: Site, query: str) -> None:
    answer = site.call("GET", f"/api/events?{query}")
    assert answer.status_code == 422
    assert error_of(answer)["message"] == "after: has to be a number, 0 or more."


def test_what_nobody_foresaw_tells_nothing(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    def explode() -> str:
        raise RuntimeError("secret detail")

    site.app.add_url_rule("/api/explode", "explode", explode)
    site.app.config["PROPAGATE_EXCEPTIONS"] = False
    with caplog.at_level(logging.ERROR):
        answer = site.call("GET", "/api/explode")
    assert answer.status_code == 500
    assert error_of(answer) == {
        "code": "internal", "message": "Something went wrong inside.",
        "hint": "The log has the details.", "retryable": False,
    }  # fmt: skip
    assert "secret detail" in caplog.text


def test_every_error_of_ours_has_its_status_and_code(site: Site) -> None:
    def leaves(kind: type[GptCodeError]) -> Iterator[type[GptCodeError]]:
        yield kind
        for child in kind.__subclasses__():
            yield from leaves(child)

    kinds = {kind.__name__: kind for kind in leaves(GptCodeError)}

    def fail(name: str) -> str:
        raise kinds[name]("It happened.", hint="Do this.")

    site.app.add_url_rule("/api/fail/<name>", "fail", fail)
    for name, kind in kinds.items():
        answer = site.call("GET", f"/api/fail/{name}")
        assert answer.status_code == kind.status
        assert json.loads(answer.text)["error"] == {
            "code": kind.code, "message": "It happened.", "hint": "Do this.",
            "retryable": kind.retryable,
        }  # fmt: skip
