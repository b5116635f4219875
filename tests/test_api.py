"""The JSON endpoints, on real conversations."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpt_code_ui import __version__
from tests.fakes_web import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.close()


def test_health_models_kernels(site: Site) -> None:
    assert site.call("GET", "/api/health").get_json() == {
        "status": "ok", "version": __version__, "kernel_manager": "ready",
    }  # fmt: skip
    model = {
        "id": "m", "name": "M", "provider": "test",
        "tools": None, "vision": None, "context_window": None,
    }  # fmt: skip
    assert site.call("GET", "/api/models").get_json() == {"models": [model], "default": "m"}
    kernels = site.call("GET", "/api/kernels").get_json()["kernels"]
    assert kernels[0] == {
        "name": None, "display_name": f"Python ({sys.executable})", "language": "python",
        "python": sys.executable, "origin": "default", "ready": True, "default": True,
    }  # fmt: skip


def test_settings_are_shown_without_secrets(tmp_path: Path) -> None:
    site = Site(tmp_path, token="very-secret", api_key="sk-very-secret")
    try:
        answer = site.call("GET", "/api/settings")
        rows = {row["name"]: row for row in answer.get_json()["settings"]}
        assert "very-secret" not in answer.text
        assert rows["token"]["value"] == "********"
        assert rows["port"] == {
            "name": "port", "value": 8080, "secret": False, "flag": "--port",
            "help": "the port to listen on; 0 takes any free one",
            "env": ["GPTCODE_PORT", "WEB_PORT"],
        }  # fmt: skip
    finally:
        site.close()


def test_a_conversation_from_begin_to_restore(site: Site) -> None:
    made = site.call("POST", "/api/conversations", {"title": "One", "model": "m"})
    assert made.status_code == 201
    transcript = made.get_json()
    one = f"/api/conversations/{transcript['id']}"
    assert (transcript["title"], transcript["model"], transcript["turns"]) == ("One", "m", [])
    assert site.call("GET", one).get_json() == transcript

    changed = site.call("PATCH", one, {"title": "Two", "pinned": True}).get_json()
    assert (changed["title"], changed["pinned"], changed["model"]) == ("Two", True, "m")
    listed = site.call("GET", "/api/conversations?q=two").get_json()["conversations"]
    assert [row["id"] for row in listed] == [transcript["id"]]
    assert site.call("GET", "/api/conversations?q=nothing").get_json() == {"conversations": []}

    assert site.call("DELETE", one).status_code == 200
    assert site.call("GET", one).status_code == 404
    assert site.call("POST", f"{one}/restore").get_json()["title"] == "Two"
    assert site.call("GET", one).status_code == 200


def test_a_turn_its_requests_and_its_repetition(site: Site) -> None:
    conversation = site.begin()
    one = f"/api/conversations/{conversation}"
    asked = site.call("POST", f"{one}/turns", {"prompt": "hello"})
    assert asked.status_code == 202
    turn = asked.get_json()["turn_id"]
    site.wait_for(conversation, "turn_finished")

    [only] = site.call("GET", one).get_json()["turns"]
    assert (only["turn_id"], only["prompt"], only["status"]) == (turn, "hello", "completed")
    assert [part["text"] for part in only["parts"]] == ["hello"]
    [sent] = site.call("GET", f"{one}/turns/{turn}/requests").get_json()["requests"]
    assert sent["url"] == "http://model/v1/chat/completions"

    again = site.call("POST", f"{one}/turns/{turn}/retry")
    assert again.status_code == 202
    assert again.get_json()["turn_id"] != turn


def test_one_turn_at_a_time_until_it_is_stopped(site: Site) -> None:
    conversation = site.begin()
    one = f"/api/conversations/{conversation}"
    site.call("POST", f"{one}/turns", {"prompt": "wait"})
    busy = site.call("POST", f"{one}/turns", {"prompt": "me too"})
    assert (busy.status_code, busy.get_json()["error"]["code"]) == (409, "busy")
    assert site.call("POST", f"{one}/stop").status_code == 202
    site.wait_for(conversation, "turn_finished")
    assert site.call("GET", one).get_json()["turns"][0]["status"] == "stopped"


def test_a_cell_input_and_the_kernel(site: Site) -> None:
    conversation = site.begin()
    one = f"/api/conversations/{conversation}"
    ran = site.call("POST", f"{one}/cells", {"code": "ask"})
    assert ran.status_code == 202
    cell = ran.get_json()["cell_id"]
    site.wait_for(conversation, "input_requested")
    assert site.call("POST", f"{one}/cells/{cell}/input", {"text": "Ann"}).status_code == 202
    assert site.call("POST", f"{one}/kernel", {"action": "restart"}).status_code == 202
    wrong = site.call("POST", f"{one}/kernel", {"action": "explode"})
    assert (wrong.status_code, wrong.get_json()["error"]["code"]) == (422, "invalid")
    assert wrong.get_json()["error"]["message"].startswith("action: ")


def test_the_notebook_is_a_file_to_keep(site: Site) -> None:
    conversation = site.begin("Größe / 大小")
    answer = site.call("GET", f"/api/conversations/{conversation}/notebook?format=ipynb")
    assert answer.status_code == 200
    assert answer.get_json(force=True)["nbformat"] == 4
    assert "filename*=UTF-8''Gr%C3%B6%C3%9Fe" in answer.headers["Content-Disposition"]
    other = site.call("GET", f"/api/conversations/{conversation}/notebook?format=docx")
    assert other.get_json()["error"]["message"] == "format: 'docx' is not known."


def test_cells_are_edited_deleted_and_proved(site: Site) -> None:
    conversation = site.begin()
    one = f"/api/conversations/{conversation}"
    cell = site.call("POST", f"{one}/cells", {"code": "first"}).get_json()["cell_id"]
    site.wait_for(conversation, "cell_finished")
    assert site.call("PUT", f"{one}/cells/{cell}", {"code": "second"}).status_code == 202
    assert site.call("POST", f"{one}/replay").status_code == 202
    site.wait_for(conversation, "replay_finished")
    transcript = site.call("GET", one).get_json()
    assert transcript["turns"][0]["parts"][0]["code"] == "second"
    assert transcript["proof"]["result"]["status"] == "reproduces"
    nothing = site.call("POST", f"{one}/cells/{cell}/revert")
    assert (nothing.status_code, nothing.get_json()["error"]["code"]) == (404, "not_found")
    assert site.call("DELETE", f"{one}/cells/{cell}").status_code == 200
    assert site.call("GET", one).get_json()["turns"] == []
    nothing = site.call("POST", f"{one}/replay")
    assert (nothing.status_code, nothing.get_json()["error"]["code"]) == (409, "busy")
    assert site.call("DELETE", f"{one}/replay").status_code == 202


def test_a_branch_names_its_parent(site: Site) -> None:
    conversation = site.begin()
    one = f"/api/conversations/{conversation}"
    turn = site.call("POST", f"{one}/turns", {"prompt": "hello"}).get_json()["turn_id"]
    site.wait_for(conversation, "turn_finished")
    made = site.call("POST", f"{one}/fork", {"before_turn": turn})
    assert made.status_code == 201
    parent = {"conversation_id": conversation, "before_turn": turn, "turns": 0}
    assert (made.get_json()["parent"], made.get_json()["turns"]) == (parent, [])
    branch = f"/api/conversations/{made.get_json()['id']}"
    again = site.call("POST", f"{branch}/turns", {"prompt": "other"}).get_json()["turn_id"]
    site.wait_for(made.get_json()["id"], "turn_finished")
    # Taken before the same question, so it stands beside the first branch.
    kept = site.call("POST", f"{branch}/turns", {"prompt": "more"}).get_json()["turn_id"]
    site.wait_for_turn(made.get_json()["id"], kept)
    copy = site.call("POST", f"{branch}/fork", {"before_turn": kept}).get_json()
    sent = f"turns/{again}/requests"
    copied = site.call("GET", f"/api/conversations/{copy['id']}/{sent}").get_json()["requests"]
    first = site.call("GET", f"{branch}/{sent}").get_json()["requests"]
    assert [(one["body"], one["sha256"]) for one in copied] == [
        (one["body"], one["sha256"]) for one in first
    ]
    third = site.call("POST", f"{branch}/fork", {"before_turn": again}).get_json()
    assert third["parent"] == parent
    rows = site.call("GET", "/api/conversations").get_json()["conversations"]
    assert sum(row.get("parent") == parent for row in rows) == 2


def test_the_network_is_switched_and_packages_are_installed(site: Site) -> None:
    made = site.call("POST", "/api/conversations", {"network": True}).get_json()
    assert (made["network"], made["kernel"]["network"]) == (True, True)
    one = f"/api/conversations/{made['id']}"
    assert site.call("PATCH", one, {"network": False}).get_json()["network"] is False
    told = site.call("GET", one).get_json()
    assert (told["network"], told["kernel"]["network"]) == (False, False)
    assert site.call("PATCH", one, {"network": "on"}).status_code == 422
    answer = site.call("POST", f"{one}/packages", {"packages": ["seaborn"]})
    assert (answer.status_code, list(answer.get_json())) == (202, ["cell_id"])
    assert site.call("POST", f"{one}/packages", {"packages": ["-r x"]}).status_code == 422
