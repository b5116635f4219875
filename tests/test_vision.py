"""Pictures on their way to models, over real HTTP: order, pairing, sizes, refusals, second eyes."""

import base64
import hashlib
import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gpt_code_ui.models import Models
from gpt_code_ui.providers import KeyStore, LocalServers
from gpt_code_ui.settings import Settings
from tests.fakes_kernel import FIGURE
from tests.fakes_web import Site
from tests.scripted_openai import (
    DONE,
    Reply,
    ScriptedOpenAI,
    answer,
    chunk,
    error,
    raw_call_chunks,
    usage,
)

Json = dict[str, Any]
BLIND = error(400, "Model does not support images. Please use a model that does.")


class Room:
    """A product with one endpoint of two models."""

    def __init__(self, folder: Path, server: ScriptedOpenAI, **more: Any) -> None:
        self.server = server

        def models(settings: Settings) -> Models:
            keys = KeyStore(settings.data_dir / "keys.json", vault=lambda: None)
            return Models(settings, keys=keys, local=LocalServers(()))

        choices = json.dumps([{"name": "m"}, {"name": "eyes"}])
        self.site = Site(
            folder,
            models=models,
            base_url=server.url,
            model="m",
            azure_deployments=choices,
            approve="never",
            **more,
        )
        self.conversation = self.site.begin()

    def save(self, name: str, size: tuple[int, int]) -> None:
        target = BytesIO()
        Image.new("RGB", size, "red").save(target, "PNG")
        url = f"/api/conversations/{self.conversation}/files/{name}"
        kind = "application/octet-stream"
        answer = self.site.call("PUT", url, data=target.getvalue(), content_type=kind)
        assert answer.status_code == 201, answer.text

    def ask(
        self, prompt: str, *answers: Any, attach: tuple[str, ...] = (), model: str = "m"
    ) -> str:
        """A turn to its end; its id."""
        self.server.script(*answers)
        asked = self.site.call(
            "POST", f"/api/conversations/{self.conversation}/turns",
            {"prompt": prompt, "model": model, "attachments": [{"path": one} for one in attach]},
        )  # fmt: skip
        assert asked.status_code == 202, asked.text
        turn = str(asked.get_json()["turn_id"])
        self.wait_for(turn)
        return turn

    def wait_for(self, turn: str) -> None:
        subscription = self.site.conversations.subscribe(self.conversation, 0)
        try:
            while (batch := subscription.next(10)) is not None:
                for one in batch:
                    if one.event.type == "turn_finished" and one.event.turn_id == turn:
                        assert one.event.status == "completed", one.event.error
                        return
        finally:
            subscription.close()
        raise AssertionError("the turn did not end")

    def messages(self, number: int) -> list[Json]:
        messages: list[Json] = self.server.requests[number].json["messages"]
        return messages

    def turn(self, id: str) -> Json:
        transcript = self.site.call("GET", f"/api/conversations/{self.conversation}").get_json()
        return next(one for one in transcript["turns"] if one["turn_id"] == id)

    def sent(self, turn: str) -> list[Json]:
        url = f"/api/conversations/{self.conversation}/turns/{turn}/requests"
        rows: list[Json] = self.site.call("GET", url).get_json()["requests"]
        return rows


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with ScriptedOpenAI() as server:
        one = Room(tmp_path, server)
        yield one
        one.site.close()


def pictures(message: Json) -> list[Image.Image]:
    """The pictures that a message shows, as the model gets them."""
    if isinstance(message["content"], str) or message["content"] is None:
        return []
    urls = [part["image_url"]["url"] for part in message["content"] if part["type"] == "image_url"]
    return [Image.open(BytesIO(base64.b64decode(url.partition(";base64,")[2]))) for url in urls]


def text(message: Json) -> str:
    content = message["content"]
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def look(image: str, question: str) -> Reply:
    arguments = json.dumps({"image": image, "question": question})
    steps = raw_call_chunks(arguments, name="look_at_image")
    return Reply([*steps, chunk(finish="tool_calls"), usage(), DONE])


def test_an_attached_picture_goes_with_the_question(room: Room) -> None:
    room.save("photo.png", (3000, 1000))
    turn = room.ask("What is it?", answer("Red."), attach=("photo.png",))
    system, question = room.messages(0)
    assert "You see the newest pictures" in system["content"]
    kinds = [part["type"] for part in question["content"]]
    assert kinds == ["text", "text", "image_url"]
    assert question["content"][0]["text"].startswith("What is it?")
    assert question["content"][1]["text"] == "[picture: photo.png]"
    [picture] = pictures(question)
    assert picture.size == (1568, 523)
    assert room.site.models is not None and room.site.models.known("m").vision is True
    [kept] = room.sent(turn)
    raw = room.server.requests[0].body
    assert kept["body"].encode() == raw
    assert (kept["bytes"], kept["sha256"]) == (len(raw), hashlib.sha256(raw).hexdigest())


def test_without_pictures_a_request_is_as_plain_as_before(room: Room) -> None:
    room.ask("Hi", answer("Hello."))
    system, question = room.messages(0)
    assert question == {"role": "user", "content": "Hi"}
    assert "picture" not in system["content"]
    assert room.site.models is not None and room.site.models.known("m").vision is None


def test_figures_follow_all_results_of_their_answer(room: Room) -> None:
    room.ask("Draw two", answer("", "draw 1", "print", "draw 2"), answer("Look."))
    roles = [one["role"] for one in room.messages(1)]
    assert roles == ["system", "user", "assistant", "tool", "tool", "tool", "user"]
    calls = [one["id"] for one in room.messages(1)[2]["tool_calls"]]
    results = [one["tool_call_id"] for one in room.messages(1)[3:6]]
    assert calls == results
    assert all(isinstance(one["content"], str) for one in room.messages(1)[3:6])
    shown = room.messages(1)[6]
    assert [one.size for one in pictures(shown)] == [(30, 30), (30, 30)]
    assert "what your code drew" in text(shown)

    room.ask("And now?", answer("The same."))
    again = room.messages(2)
    assert sum(len(pictures(one)) for one in again) == 2
    waiting: list[str] = []
    for message in again:
        if message["role"] == "tool":
            assert waiting.pop(0) == message["tool_call_id"]
        else:
            assert waiting == []
            waiting = [call["id"] for call in message.get("tool_calls", [])]
    assert again[-1]["content"].startswith("And now?")


def test_only_the_newest_pictures_are_sent(room: Room) -> None:
    room.ask("Draw", answer("", *(f"draw {n}" for n in range(6))), answer("Done."))
    shown = room.messages(1)[-1]
    assert len(pictures(shown)) == 4
    assert text(shown).count("[picture not sent again: cell:") == 2


def test_a_model_that_does_not_see_is_asked_again_and_remembered(room: Room) -> None:
    room.save("photo.png", (20, 20))
    turn = room.ask("What is it?", BLIND, answer("I cannot see it."), attach=("photo.png",))
    assert len(pictures(room.messages(0)[1])) == 1
    system, question = room.messages(1)
    assert isinstance(question["content"], str)
    assert "[picture photo.png is not shown: you cannot see pictures]" in question["content"]
    assert "Work from numbers" in system["content"]
    assert room.turn(turn)["unseen"] == 1
    rows = room.site.call("GET", "/api/models").get_json()["models"]
    assert {one["id"]: one["vision"] for one in rows} == {"m": False, "eyes": None}

    room.ask("Draw", answer("", "draw"), answer("Done."))
    assert [pictures(one) for one in room.messages(3)] == [[]] * len(room.messages(3))
    assert len(room.server.requests) == 4
    tools = [one["function"]["name"] for one in room.server.requests[3].json["tools"]]
    assert tools == ["execute_code"]


def test_a_picture_that_is_refused_for_itself_does_not_make_a_model_blind(room: Room) -> None:
    room.save("photo.png", (20, 20))
    refusal = error(400, "You uploaded an unsupported image. Please make sure it is valid.")
    turn = room.ask("What is it?", refusal, answer("?"), attach=("photo.png",))
    assert "the endpoint refused it" in text(room.messages(1)[1])
    assert room.site.models is not None and room.site.models.known("m").vision is None
    assert "unseen" not in room.turn(turn)


def test_a_file_that_is_gone_becomes_a_note(room: Room) -> None:
    room.save("photo.png", (20, 20))
    room.ask("What is it?", answer("Red."), attach=("photo.png",))
    room.site.call("DELETE", f"/api/conversations/{room.conversation}/files/photo.png")
    room.ask("And now?", answer("?"))
    assert "[picture photo.png is not shown: the file is gone]" in text(room.messages(1)[1])


def test_a_second_model_looks_for_one_that_cannot(room: Room) -> None:
    changed = room.site.call("PATCH", "/api/settings", {"vision_model": "eyes"})
    assert changed.get_json()["vision_model"] == "eyes"
    room.save("photo.png", (20, 20))
    turn = room.ask(
        "What is it?", BLIND, look("photo.png", "Which colour?"), answer("It is red."),
        answer("", "draw"), look("cell:9", "?"), answer("Red, they say."), attach=("photo.png",),
    )  # fmt: skip
    first, second, third, *_ = (one.json for one in room.server.requests)
    names = [[tool["function"]["name"] for tool in one["tools"]] for one in (first, second)]
    assert names == [["execute_code"], ["execute_code", "look_at_image"]]
    assert "for_blind" not in room.server.requests[1].body.decode()
    assert "ask about it with look_at_image" in text(second["messages"][1])
    assert third["model"] == "eyes" and "tools" not in third
    assert text(third["messages"][1]).startswith("Which colour?")
    assert [one.size for one in pictures(third["messages"][1])] == [(20, 20)]
    assert room.messages(3)[-1]["content"] == "It is red."
    assert "There is no cell:9." in room.messages(5)[-1]["content"]
    told = room.turn(turn)
    seen = [part["content"] for part in told["parts"] if part["type"] == "tool"]
    assert seen[0] == "It is red."
    assert told["usage"]["input_tokens"] == 50  # five answers, the second model's among them
    bodies = [one["body"].encode() for one in room.sent(turn)]
    assert bodies == [one.body for one in room.server.requests]


def test_a_figure_can_be_asked_about(room: Room) -> None:
    room.site.call("PATCH", "/api/settings", {"vision_model": "eyes"})
    room.ask("Draw", answer("", "draw"), BLIND, answer("Done."))
    parts = room.turn(room.ask("Hi", answer("Hello.")))
    assert parts["status"] == "completed"
    transcript = room.site.call("GET", f"/api/conversations/{room.conversation}").get_json()
    cell = transcript["turns"][0]["parts"][0]["cell_id"]
    room.ask("Look", look(f"cell:{cell}", "Which colour?"), answer("Blue."), answer("Blue."))
    asked = room.messages(5)
    assert room.server.requests[5].json["model"] == "eyes"
    assert asked[1]["content"][-1]["image_url"]["url"].endswith(FIGURE)


def test_second_eyes_that_cannot_see_are_told_of(room: Room) -> None:
    room.site.call("PATCH", "/api/settings", {"vision_model": "eyes"})
    room.save("photo.png", (20, 20))
    room.ask(
        "What?", BLIND, look("photo.png", "?"), BLIND, answer("dropped"), answer("Sorry."),
        attach=("photo.png",),
    )  # fmt: skip
    assert "cannot see pictures" in room.messages(4)[-1]["content"]


def test_the_second_model_is_kept(room: Room, tmp_path: Path) -> None:
    room.site.call("PATCH", "/api/settings", {"vision_model": "eyes"})
    assert room.site.models is not None
    again = Models(room.site.settings)
    assert again.vision_model() == "eyes"
    again.close()
    room.site.call("PATCH", "/api/settings", {"vision_model": None})
    assert room.site.models.vision_model() is None


def test_the_test_of_a_model_tells_whether_it_sees(room: Room) -> None:
    room.server.script(answer("OK"))
    told = room.site.call("POST", "/api/models/test", {"model": "m"}).get_json()
    assert told["learnt"]["vision"] is True
    assert [one.size for one in pictures(room.messages(0)[1])] == [(64, 64)]
    room.server.script(BLIND, answer("OK"))
    told = room.site.call("POST", "/api/models/test", {"model": "m"}).get_json()
    assert told["learnt"]["vision"] is False


NO_TOOLS = error(400, "m does not support tools")


@pytest.mark.parametrize("first", ["tools", "pictures"])
def test_a_model_without_tools_looks_through_a_block(room: Room, first: str) -> None:
    room.site.call("PATCH", "/api/settings", {"vision_model": "eyes"})
    room.save("photo.png", (20, 20))
    block = f"I ask.\n```look_at_image\n{json.dumps({'image': 'photo.png', 'question': '?'})}\n```"
    refusals = [NO_TOOLS, BLIND] if first == "tools" else [BLIND, NO_TOOLS]
    turn = room.ask(
        "What is it?", *refusals, answer(block), answer("Red."), answer("It is red."),
        attach=("photo.png",),
    )  # fmt: skip
    told = room.server.requests[2].json
    assert "tools" not in told and pictures(told["messages"][1]) == []
    assert "```look_at_image" in told["messages"][0]["content"]
    assert "ask about it with look_at_image" in text(told["messages"][1])
    asked = room.server.requests[3].json
    assert asked["model"] == "eyes" and len(pictures(asked["messages"][1])) == 1
    *_, said, came = room.messages(4)
    assert said["role"] == "assistant" and "```look_at_image" in said["content"]
    assert came == {"role": "user", "content": "[What came of look_at_image]\nRed."}
    assert [one["body"].encode() for one in room.sent(turn)] == [
        one.body for one in room.server.requests
    ]
    parts = room.turn(turn)["parts"]
    assert [one.get("text") or one.get("content") for one in parts] == [
        "I ask.\n", "Red.", "It is red.",
    ]  # fmt: skip
