"""The event stream over real HTTP: replay, live, resume, heartbeats, and its end."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gpt_code_ui.protocol import FileChanges, Published, TextDelta
from gpt_code_ui.subscription import Closed
from gpt_code_ui.web.stream import HEARTBEAT, EventStream, encode
from tests.fakes_web import DEADLINE, TOKEN, LiveSite, Site, read_event, read_events


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveSite]:
    live = LiveSite(tmp_path)
    yield live
    live.close()


def test_what_is_stored_then_what_happens(live: LiveSite) -> None:
    conversation = live.begin()
    live.conversations.ask(conversation, "one")
    live.wait_for(conversation, "turn_finished")
    with live.get(f"/api/conversations/{conversation}/events") as response:
        assert response.getheader("Content-Type") == "text/event-stream; charset=utf-8"
        stored = read_events(response, "turn_finished")
        live.conversations.ask(conversation, "two")
        fresh = read_events(response, "turn_finished")
    kinds = [one["event"]["type"] for one in stored if "seq" in one]
    assert kinds[0] == "conversation_changed" and "text_done" in kinds
    assert [one["event"]["prompt"] for one in fresh if one["event"]["type"] == "turn_started"] == [
        "two"
    ]
    numbers = [one["seq"] for one in [*stored, *fresh] if "seq" in one]
    assert numbers == sorted(set(numbers))
    assert all(one["conversation_id"] == conversation for one in [*stored, *fresh])


@pytest.mark.parametrize("by_header", [False, True])
def test_a_stream_resumes_after_any_number(live: LiveSite, by_header: bool) -> None:
    conversation = live.begin()
    live.conversations.ask(conversation, "one")
    live.wait_for(conversation, "turn_finished")
    path = f"/api/conversations/{conversation}/events"
    with live.get(path) as response:
        stored = [one for one in read_events(response, "turn_finished") if "seq" in one]
    for at, one in enumerate(stored[:-1]):
        cursor = str(one["seq"])
        query, headers = (f"{path}?after=0", {"Last-Event-ID": cursor}) if by_header else (
            f"{path}?after={cursor}", {},
        )  # fmt: skip
        with live.get(query, **headers) as response:
            assert read_events(response, "turn_finished") == stored[at + 1 :]


def test_all_conversations_in_one_stream_live_only(live: LiveSite) -> None:
    before = live.begin("before")
    with live.get("/api/events") as response:
        assert read_event(response) == {"": "listening"}
        one, two = live.begin("one"), live.begin("two")
        live.conversations.ask(two, "hello")
        heard = read_events(response, "turn_finished")
    assert {event["conversation_id"] for event in heard} == {one, two}
    with live.get("/api/events?after=0") as response:
        assert read_events(response, "turn_finished")[0]["conversation_id"] == before


def test_a_number_of_another_database_starts_over(live: LiveSite) -> None:
    conversation = live.begin()
    with live.get(f"/api/conversations/{conversation}/events?after=999999") as response:
        assert read_event(response) == {"": "listening"}
        reset = read_event(response)
        assert reset["event"] == "reset"
        assert json.loads(reset["data"]) == {"database_id": live.conversations.database_id}
        [first] = read_events(response, "conversation_changed")
        assert first["event"]["title"] == "t"


def test_an_event_leaves_at_once(live: LiveSite) -> None:
    conversation = live.begin()
    with live.get("/api/events") as response:
        read_event(response)
        delays = []
        for _ in range(20):
            sent = time.perf_counter()
            live.conversations.files_changed(conversation, FileChanges())
            read_events(response, "files_changed")
            delays.append(time.perf_counter() - sent)
    # Nagle and a delayed acknowledgement together would make it 40 ms.
    assert sorted(delays)[10] < 0.03


def test_a_silent_stream_has_heartbeats_and_ends_with_its_subscription(tmp_path: Path) -> None:
    site = Site(tmp_path)
    try:
        stream = EventStream(site.conversations.subscribe(None, None), b"hello", 0.01)
        assert next(stream) == b"hello"
        assert next(stream) == HEARTBEAT
        assert next(stream) == HEARTBEAT
        site.begin()
        assert b"conversation_changed" in next(stream)
        stream.close()
        assert list(stream) == []
    finally:
        site.close()


def test_streams_end_when_the_server_stops(tmp_path: Path) -> None:
    live = LiveSite(tmp_path)
    conversation = live.begin()
    with (
        live.get("/api/events") as everything,
        live.get(f"/api/conversations/{conversation}/events") as one,
    ):
        read_event(everything)
        read_event(one)
        started = time.monotonic()
        live.close()
        assert time.monotonic() - started < 2
        everything.read()
        one.read()


def test_a_client_that_goes_away_gives_its_subscription_back(live: LiveSite) -> None:
    conversation = live.begin()
    with live.get("/api/events") as response:
        read_event(response)
        [listener] = live.conversations.listeners
    # The first write after the client went fills a buffer, a later one meets the closed socket.
    deadline = time.monotonic() + DEADLINE
    with pytest.raises(Closed):
        while time.monotonic() < deadline:
            live.conversations.files_changed(conversation, FileChanges())
            listener.next(0.01)


def test_head_and_strangers_get_no_stream(live: LiveSite) -> None:
    connection = live.connect()
    connection.request("HEAD", "/api/events", headers={"Authorization": f"Bearer {TOKEN}"})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"")
    connection.request("GET", "/api/events")
    assert connection.getresponse().status == 401
    connection.close()


def test_a_delta_has_no_number() -> None:
    delta = TextDelta(part_id="p", offset=0, text="é\n")
    text = encode(Published(conversation_id="c", at="t", event=delta)).decode()
    assert text == (
        'data: {"conversation_id":"c","at":"t","event":'
        '{"type":"text_delta","part_id":"p","offset":0,"text":"é\\n"}}\n\n'
    )
    stored = encode(Published(seq=7, conversation_id="c", at="t", event=delta)).decode()
    assert stored.startswith('id: 7\ndata: {"seq":7,')
