"""Variables over HTTP: what is asked, what is passed on, and what a kernel of ill will may say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gpt_code_ui.protocol import ErrorBody, QueryAnswered
from tests.fakes_web import Site

ROWS: dict[str, Any] = {
    "total": 3, "matching": 2, "offset": 1, "columns_total": 1, "column": 0,
    "columns": [{"name": "a", "type": "int64", "kind": "number"}],
    "index": ["7"], "rows": [[None]],
}  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


def says(site: Site, content: dict[str, Any] | None = None, **error: Any) -> None:
    """What the kernel answers from now on."""
    site.kernels.answer = QueryAnswered(
        query_id="", content=content, error=ErrorBody(**error) if error else None
    )


def get(site: Site, path: str) -> tuple[int, Any]:
    conversation = site.conversations.list()
    id = conversation[0].id if conversation else site.begin()
    answer = site.call("GET", f"/api/conversations/{id}/variables{path}")
    return answer.status_code, answer.get_json()


def test_the_list(site: Site) -> None:
    row = {"name": "x", "type": "int", "first": "1", "memory": 28, "table": False}
    says(site, {"state": "idle", "variables": [row], "total": 1})
    assert get(site, "") == (200, {"state": "idle", "variables": [row], "total": 1})


def test_without_a_kernel_the_list_is_empty(site: Site) -> None:
    assert get(site, "") == (200, {"state": "parked", "variables": [], "total": 0})
    says(site, {"state": "unsupported"})
    assert get(site, "")[1]["state"] == "unsupported"


def test_rows_are_asked_for_as_they_are_wanted(site: Site) -> None:
    says(site, {"state": "idle", **ROWS})
    status, body = get(site, "/数据/rows?offset=1&limit=5000&column=2&sort=-a&filter=a%20%3E%201")
    assert (status, body["rows"], body["name"]) == (200, [[None]], "数据")
    asked = site.kernels.asked[0]
    assert (asked.what, asked.name, asked.offset, asked.limit, asked.column) == (
        "rows", "数据", 1, 1000, 2,
    )  # fmt: skip
    assert (asked.sort, asked.filter) == ("-a", "a > 1")


@pytest.mark.parametrize(
    ("query", "status"),
    [("offset=-1", 422), ("limit=x", 422), ("column=1.5", 422), ("filter=" + "x" * 2001, 422)],
)
def test_what_is_no_number_is_refused(site: Site, query: str, status: int) -> None:
    assert get(site, f"/a/rows?{query}")[0] == status
    assert site.kernels.asked == []


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        ("busy", 409, "busy"), ("not_found", 404, "not_found"), ("invalid", 422, "invalid"),
        ("kernel_error", 503, "kernel_error"), ("unauthenticated", 503, "kernel_error"),
    ],
)  # fmt: skip
def test_what_the_kernel_refuses(site: Site, code: str, status: int, told: str) -> None:
    says(site, code=code, message="so", hint="do")
    for path in ("", "/a/rows"):
        answer = get(site, path)
        assert (answer[0], answer[1]["error"]["code"], answer[1]["error"]["hint"]) == (
            status, told, "do",
        )  # fmt: skip


@pytest.mark.parametrize("content", [{"state": "idle", "variables": [{}]}, {"state": 7}, {}])
def test_an_answer_that_was_made_up_is_an_error(site: Site, content: dict[str, Any]) -> None:
    says(site, content)
    assert get(site, "")[0] == 503
    says(site, {"state": "idle", **ROWS, "rows": [{"a": 1}]})
    assert get(site, "/a/rows")[0] == 503


def test_rows_without_a_kernel_and_of_nobody(site: Site) -> None:
    assert get(site, "/a/rows")[0] == 404
    assert site.call("GET", "/api/conversations/none/variables").status_code == 404
