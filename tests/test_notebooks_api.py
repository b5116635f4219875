"""Notebooks through the door: out in every format, in from anyone, kept or not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from gpt_code_ui.imported import GONE
from gpt_code_ui.protocol import TurnFinished
from tests.fakes_web import DEADLINE, LiveSite, Site

IMPORT = "/api/conversations/import"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


def a_notebook(**metadata: Any) -> dict[str, Any]:
    output = {"output_type": "stream", "name": "stdout", "text": "6\n"}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": metadata,
        "cells": [
            {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "# Six"},
            {"cell_type": "code", "id": "c-1", "metadata": {}, "source": "print(6)",
             "execution_count": 3, "outputs": [output]},
        ],
    }  # fmt: skip


def finished(site: Site, conversation: str, prompt: str = "hello") -> None:
    path = f"/api/conversations/{conversation}/turns"
    turn_id = site.call("POST", path, {"prompt": prompt}).get_json()["turn_id"]
    subscription = site.conversations.subscribe(conversation, None)
    try:
        while chunk := subscription.next(DEADLINE):
            ends = [one.event for one in chunk if isinstance(one.event, TurnFinished)]
            if any(end.turn_id == turn_id for end in ends):
                return
        raise AssertionError("the turn did not finish")
    finally:
        subscription.close()


@pytest.mark.parametrize(
    ("format", "name", "kind", "beginning"),
    [
        ("ipynb", "Six times", "application/x-ipynb+json", "{\n"),
        ("py", "Six times", "text/x-python", "# ---\n"),
        ("md", "Six times", "text/markdown", "# Six/times\n"),
        ("html", "Six times", "text/html", "<!doctype html>"),
    ],
)
def test_every_format_is_a_file_to_keep(
    site: Site, format: str, name: str, kind: str, beginning: str
) -> None:
    conversation = site.begin("Six/times")
    finished(site, conversation)
    answer = site.call("GET", f"/api/conversations/{conversation}/notebook?format={format}")
    assert (answer.status_code, answer.mimetype) == (200, kind)
    assert f'attachment; filename="{name}.{format}"' in answer.headers["Content-Disposition"]
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.text.startswith(beginning) and "hello" in answer.text


def test_another_format_is_refused(site: Site) -> None:
    answer = site.call("GET", f"/api/conversations/{site.begin()}/notebook?format=docx")
    assert answer.status_code == 422
    assert "html" in answer.get_json()["error"]["hint"]


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_notebook_comes_in_as_it_is_or_under_its_name(site: Site, wrapped: bool) -> None:
    body = {"notebook": a_notebook(), "title": "Mine"} if wrapped else a_notebook()
    answer = site.call("POST", f"{IMPORT}?name=six.ipynb", body)
    assert answer.status_code == 201, answer.text
    made = answer.get_json()
    assert made["title"] == ("Mine" if wrapped else "six")
    assert made["kernel"] == {
        "state": "parked", "reason": GONE, "sandbox": "none", "network": True,
    }  # fmt: skip
    text, cell = made["turns"][0]["parts"]
    assert text["text"] == "# Six"
    assert (cell["cell_id"], cell["execution_count"], cell["status"]) == ("c-1", 3, "ok")
    rows = site.call("GET", "/api/conversations").get_json()["conversations"]
    assert rows[0]["id"] == made["id"] and not rows[0]["running"]
    assert site.call("GET", f"/api/conversations/{made['id']}").get_json() == made
    out = site.call("GET", f"/api/conversations/{made['id']}/notebook").get_json(force=True)
    nbformat.validate(out)
    assert [cell["source"] for cell in out["cells"]] == ["# Six", "print(6)"]
    second = site.call("POST", IMPORT, out).get_json()
    again = site.call("GET", f"/api/conversations/{second['id']}/notebook").get_json(force=True)
    for one in (out, again):
        one["metadata"]["gptcode"].pop("conversation")
    assert again == out if not wrapped else again["metadata"]["gptcode"]["title"] == "Mine"


def test_it_goes_on_and_the_model_hears_what_it_is(site: Site) -> None:
    made = site.call("POST", f"{IMPORT}?name=six.ipynb", a_notebook()).get_json()
    finished(site, made["id"], "and now?")
    turns = site.call("GET", f"/api/conversations/{made['id']}").get_json()["turns"]
    assert len(turns) == 2 and turns[1]["parts"][0]["text"].startswith("and now?")
    assert "its variables" in turns[1]["parts"][0]["text"]
    assert site.call("GET", "/api/conversations?q=six").get_json()["conversations"]


def test_who_resumes_the_stream_hears_of_it_whole(site: Site) -> None:
    site.begin()
    before = site.conversations.last_seq()
    made = site.call("POST", IMPORT, a_notebook()).get_json()
    assert made["seq"] == site.conversations.last_seq()
    stored = list(site.store.events(made["id"], before))
    assert [one.seq for one in stored] == list(range(before + 1, made["seq"] + 1))


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"", 400), (b"no json", 422), (b"[]", 422), (b"{}", 422), (b'{"nbformat": 4}', 422),
        (b"\xff\xfe", 422), (b'{"notebook": 5}', 422), (b'{"notebook": {}, "title": 5}', 422),
        (b'{"a":' * 100 + b"1" + b"}" * 100, 422), (b"[" * 100_000, 422),
    ],
)  # fmt: skip
def test_what_is_no_notebook_is_refused_in_the_one_shape(
    site: Site, raw: bytes, status: int
) -> None:
    answer = site.call("POST", IMPORT, data=raw, content_type="application/json")
    assert answer.status_code == status, answer.text
    assert answer.get_json()["error"]["message"]
    assert site.call("GET", "/api/conversations").get_json()["conversations"] == []


def test_python_writes_nan_into_notebooks(site: Site) -> None:
    value = a_notebook()
    data = {"application/json": {"x": float("nan")}, "text/plain": "x"}
    output = {"output_type": "display_data", "data": data, "metadata": {}}
    value["cells"][1]["outputs"] = [output]
    made = site.call("POST", IMPORT, value).get_json()
    shown = made["turns"][0]["parts"][1]["outputs"][0]["output"]
    assert shown["data"]["application/json"] == {"x": None}


def test_only_json_and_only_who_may(site: Site) -> None:
    body = json.dumps(a_notebook())
    for kind, status in (("text/plain", 415), ("application/x-ipynb+json", 201)):
        assert site.call("POST", IMPORT, data=body, content_type=kind).status_code == status
    answer = site.client().post(
        IMPORT, data=body, content_type="application/json", headers={"Host": site.host}
    )
    assert answer.status_code == 401


def test_a_large_one_comes_in_and_a_huge_one_does_not(tmp_path: Path) -> None:
    site = LiveSite(tmp_path)
    try:
        value = a_notebook()
        value["cells"][1]["outputs"][0]["text"] = "x" * 20_000_000
        connection = site.connect()
        headers = {"Authorization": "Bearer test-token", "Content-Type": "application/json"}
        connection.request("POST", IMPORT, json.dumps(value), headers)
        answer = connection.getresponse()
        assert answer.status == 201
        assert len(answer.read()) > 20_000_000
        connection.putrequest("POST", IMPORT)
        for name, text in (headers | {"Content-Length": str(300 * 1024**2)}).items():
            connection.putheader(name, text)
        connection.endheaders()
        assert connection.getresponse().status == 413
        connection.close()
    finally:
        site.close()


def test_keeping_it_in_the_workspace(site: Site) -> None:
    conversation = site.begin("Six")
    path = f"/api/conversations/{conversation}/notebook"
    assert site.call("POST", path, {"keep": True}).get_json() == {"notebook": "Six.ipynb"}
    assert site.call("GET", f"/api/conversations/{conversation}").get_json()["notebook"] == (
        "Six.ipynb"
    )
    files = site.call("GET", f"/api/conversations/{conversation}/files").get_json()["files"]
    assert [file["path"] for file in files] == ["Six.ipynb"]
    assert site.call("POST", path, {"keep": False}).get_json() == {"notebook": ""}
    assert site.call("POST", path, {}).status_code == 422
