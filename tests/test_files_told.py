"""From a file in the folder to the model's view, the page's preview and the record of what left."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.fakes_web import DEADLINE, Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


def answers(site: Site, conversation: str) -> list[str]:
    """What the model was last told in each turn: the test's model says it again."""
    turns = site.call("GET", f"/api/conversations/{conversation}").get_json()["turns"]
    return [turn["parts"][0]["text"] for turn in turns]


def ask(site: Site, conversation: str, prompt: str, *attached: str) -> str:
    one = f"/api/conversations/{conversation}"
    body = {"prompt": prompt, "attachments": [{"path": path} for path in attached]}
    turn = str(site.call("POST", f"{one}/turns", body).get_json()["turn_id"])
    subscription = site.conversations.subscribe(conversation, 0)
    try:
        while (chunk := subscription.next(DEADLINE)) is not None:
            for published in chunk:
                event = published.event
                if event.type == "turn_finished" and event.turn_id == turn:
                    return turn
    finally:
        subscription.close()
    raise AssertionError("the turn did not finish")


def test_the_model_is_told_of_a_file_once(site: Site) -> None:
    conversation = site.begin()
    files = f"/api/conversations/{conversation}/files"
    site.call(
        "PUT", f"{files}/{quote('数据 1.csv')}", data="城市,人口\n北京,2189\n".encode("gb18030")
    )
    ask(site, conversation, "One", "数据 1.csv")
    ask(site, conversation, "Two")
    first, second = answers(site, conversation)
    assert first.startswith("One\n\nAttached files, in the working folder:\n- 数据 1.csv\n\n[")
    assert '\n"数据 1.csv": csv; ' in first and '["北京", "2189"]' in first
    assert second == "Two"
    site.call("PUT", f"{files}/{quote('数据 1.csv')}?replace=true", data=b"x\n1\n2\n")
    ask(site, conversation, "Three")
    assert answers(site, conversation)[:2] == [first, second]
    assert "2 rows x 1 columns" in answers(site, conversation)[2]


def test_a_preview_is_the_profile(site: Site) -> None:
    files = f"/api/conversations/{site.begin()}/files"
    site.call("PUT", f"{files}/a%20b.csv", data=b"n,word\n1,x\n2,\n")
    assert site.call("GET", f"{files}/a%20b.csv?preview").get_json() == {
        "kind": "csv", "size": 14, "rows": 2, "rows_estimated": False, "width": 2,
        "columns": [
            {"name": "n", "type": "integer", "missing": 0, "examples": ["1", "2"],
             "min": "1", "max": "2"},
            {"name": "word", "type": "text", "missing": 1, "examples": ["x"]},
        ],
        "sample": [["1", "x"], ["2", ""]],
        "facts": {"delimiter": "comma", "encoding": "utf-8"},
        "parts": [], "around": [], "notes": [], "sampled": False,
    }  # fmt: skip
    assert site.call("GET", f"{files}/none.csv?preview").status_code == 404


def test_a_request_is_kept_with_when_and_how_much(site: Site) -> None:
    conversation = site.begin()
    turn = ask(site, conversation, "Hello")
    one = f"/api/conversations/{conversation}/turns/{turn}/requests"
    [request] = site.call("GET", one).get_json()["requests"]
    body = request["body"].encode()
    assert json.loads(body) == {"model": "m"}
    assert (request["bytes"], request["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
    assert request["url"] == "http://model/v1/chat/completions" and request["at"] > "2"
