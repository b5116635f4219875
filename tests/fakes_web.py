"""A whole site for tests of the web layer: real store, publisher and conversations, no kernel.

The kernel is ``FakeKernelClient``; the page is a small bundle in a temporary folder. ``Site.serve``
puts the real HTTP server in front, everything else talks to Flask's test client.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gpt_code_ui.conversations import Conversations
from gpt_code_ui.models import Models
from gpt_code_ui.ports import Limits, Stop
from gpt_code_ui.protocol import (
    FinishChunk,
    ModelChunk,
    ModelInfo,
    ModelRequest,
    RequestSent,
    StartKernel,
    TextChunk,
)
from gpt_code_ui.publisher import Publisher
from gpt_code_ui.server import HttpServer, listen
from gpt_code_ui.settings import Settings, load
from gpt_code_ui.silent_kernel import Hearers
from gpt_code_ui.store import Store
from gpt_code_ui.subscription import Subscription
from gpt_code_ui.turns import ModelFacts, Ports
from gpt_code_ui.web import create_app
from gpt_code_ui.web.guard import Guard
from gpt_code_ui.web.sessions import Sessions
from gpt_code_ui.workspace import Workspace
from tests.fakes_kernel import FakeKernelClient

TOKEN = "test-token"
SECRET = "test-local-secret"
DEADLINE = 10.0
INDEX = (
    '<!doctype html><meta property="csp-nonce" nonce="__CSP_NONCE__">'
    '<script type="module" src="./assets/index-1a2b.js"></script><div id="root"></div>'
)


class EchoModel:
    """Says the last thing it was told; ``wait`` makes it think until it is stopped."""

    def stream(self, request: ModelRequest, stop: Stop) -> Iterator[ModelChunk]:
        yield RequestSent(url="http://model/v1/chat/completions", body='{"model": "m"}')
        text = request.messages[-1].text
        yield TextChunk(text=text)
        if text.startswith("wait"):
            stop.wait(DEADLINE)
            return
        yield FinishChunk(reason="stop")


class WatchedConversations(Conversations):
    """Remembers who listens."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.listeners: list[Subscription] = []

    def subscribe(self, conversation_id: str | None, after: int | None) -> Subscription:
        subscription = super().subscribe(conversation_id, after)
        self.listeners.append(subscription)
        return subscription


class Site:
    """One data folder behind one door on port 8080, as far as its Host header goes."""

    def __init__(
        self, folder: Path, *, port: int = 8080,
        models: Callable[[Settings], Models] | None = None, **flags: object,
    ) -> None:  # fmt: skip
        """``models`` makes real ones of the settings, in place of one that echoes."""
        self.folder = folder
        self.port = port
        self.settings = load({"data_dir": str(folder), "port": str(port), **flags}, {}, folder)
        self.models = models and models(self.settings)
        self.store = Store(folder / "log.db")
        self.publisher = Publisher(self.store)
        hearers = Hearers(self.publisher.publish)
        self.kernels = FakeKernelClient(hearers.publish)
        self.conversations = WatchedConversations(
            self.store, self.kernels, self.publisher, self._ports(), Limits(), folder / "outputs",
            None, hearers,
        )  # fmt: skip
        self.guard = Guard(
            token=TOKEN, local_secret=SECRET, sessions=Sessions(folder / "sessions.json"),
            port=port, hosts=self.settings.allow_host, dev_origin=self.settings.dev_origin,
        )  # fmt: skip
        self.static = folder / "static"
        self._build_page()
        self.app = create_app(
            self.conversations, self.settings, self.guard, lambda: "ready",
            models=self.models, static=self.static,
        )  # fmt: skip
        self.host = f"127.0.0.1:{port}"

    def close(self) -> None:
        self.conversations.close()
        if self.models is not None:
            self.models.close()
        self.store.close()

    def _ports(self) -> Ports:
        model = EchoModel()
        return Ports(
            model_for=self.models.model_for if self.models else lambda name: (name or "m", model),
            models=self.models.rows
            if self.models
            else lambda: ([ModelInfo(id="m", name="M", provider="test")], "m"),
            workspace_for=self.workspace_for,
            kernel_start=lambda _: StartKernel(workspace="/w", python="/p", output_dir="/o"),
            system_prompt=lambda workspace, network, language: "",
            facts=self._facts,
            vision_model=self.models.vision_model if self.models else lambda: None,
            approve=lambda: self.settings.approve or "risky",
        )

    def _facts(self, model: str) -> ModelFacts:
        return ModelFacts(vision=self.models.known(model).vision) if self.models else ModelFacts()

    def workspace_for(self, conversation_id: str) -> Workspace:
        """The conversation's folder, made on first use."""
        root = self.folder / "workspaces" / conversation_id
        root.mkdir(parents=True, exist_ok=True)
        return Workspace(root)

    def _build_page(self) -> None:
        (self.static / "assets").mkdir(parents=True)
        (self.static / "index.html").write_text(INDEX)
        (self.static / "theme.js").write_text("// theme")
        (self.static / "assets" / "index-1a2b.js").write_text("// code")

    def client(self) -> FlaskClient:
        """A client nobody knows."""
        return self.app.test_client()

    def call(self, method: str, path: str, body: object = None, **kwargs: Any) -> TestResponse:
        """A request with the token; ``body`` goes as JSON."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Host": self.host}
        headers |= kwargs.pop("headers", {})
        if body is not None:
            kwargs |= {"data": json.dumps(body), "content_type": "application/json"}
        return self.client().open(path, method=method, headers=headers, **kwargs)

    def begin(self, title: str = "t") -> str:
        """A new conversation's id."""
        answer = self.call("POST", "/api/conversations", {"title": title})
        assert answer.status_code == 201, answer.text
        return str(answer.get_json()["id"])

    def wait_for(self, conversation_id: str, kind: str) -> None:
        """Until an event of that type has happened."""
        subscription = self.conversations.subscribe(conversation_id, None)
        try:
            while (chunk := subscription.next(DEADLINE)) is not None:
                if any(one.event.type == kind for one in chunk):
                    return
            raise AssertionError(f"no {kind} came")
        finally:
            subscription.close()

    def wait_for_turn(self, conversation_id: str, turn_id: str) -> None:
        """Until that turn is over."""
        subscription = self.conversations.subscribe(conversation_id, None)
        try:
            while (chunk := subscription.next(DEADLINE)) is not None:
                ends = (one.event for one in chunk if one.event.type == "turn_finished")
                if any(end.turn_id == turn_id for end in ends):
                    return
            raise AssertionError("the turn never ended")
        finally:
            subscription.close()


class LiveSite(Site):
    """The same behind the real HTTP server."""

    def __init__(self, folder: Path, **flags: object) -> None:
        sock = listen("127.0.0.1", 0)
        super().__init__(folder, port=sock.getsockname()[1], models=None, **flags)
        self.server = HttpServer(sock, self.app)
        self.server.start()

    def close(self) -> None:
        self.conversations.close()
        self.server.stop()
        self.store.close()

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)

    @contextmanager
    def get(self, path: str, **headers: str) -> Iterator[HTTPResponse]:
        """A streamed response to a request with the token."""
        connection = self.connect()
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"} | headers)
            yield connection.getresponse()
        finally:
            connection.close()


def read_event(response: HTTPResponse) -> dict[str, str]:
    """The next event of a stream, by field; a comment has the field ''."""
    fields: dict[str, str] = {}
    while line := response.readline().decode().rstrip("\n"):
        name, _, value = line.partition(": ")
        fields[name] = value
    return fields


def read_events(response: HTTPResponse, last: str) -> list[dict[str, Any]]:
    """Published values until the event of type ``last``."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["event"]["type"] != last:
        fields = read_event(response)
        assert fields, "the stream ended"
        if "data" in fields and "event" not in fields:
            found.append(json.loads(fields["data"]))
    return found
