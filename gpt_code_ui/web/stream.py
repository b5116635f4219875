"""The events as Server-Sent Events: what is stored, then live, numbered so that it can resume.

A gone client is noticed at the next write, so there is one at least every ``HEARTBEAT_S``.
"""

from collections.abc import Iterator

from flask import Blueprint, Response, request

from gpt_code_ui.conversations import Conversations
from gpt_code_ui.protocol import Published
from gpt_code_ui.subscription import Closed, Subscription
from gpt_code_ui.web.body import query_number

HEARTBEAT_S = 15.0
# The first byte sends the headers, so that the client knows it is heard.
HELLO = b": listening\n\n"
HEARTBEAT = b": still here\n\n"


class EventStream:
    """The body of one stream: an iterator of chunks that gives its subscription back."""

    def __init__(self, subscription: Subscription, hello: bytes, heartbeat_s: float) -> None:
        self._subscription = subscription
        self._hello: bytes | None = hello
        self._heartbeat_s = heartbeat_s

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._hello is not None:
            hello, self._hello = self._hello, None
            return hello
        try:
            batch = self._subscription.next(self._heartbeat_s)
        except Closed:
            raise StopIteration from None
        return HEARTBEAT if batch is None else b"".join(map(encode, batch))

    def close(self) -> None:
        """Called by the server when the response is over, however it ended."""
        self._subscription.close()


def encode(published: Published) -> bytes:
    """One event; a delta has no number and so no ``id``."""
    data = published.model_dump_json(exclude_none=True)
    head = "" if published.seq is None else f"id: {published.seq}\n"
    return f"{head}data: {data}\n\n".encode()


class Streams:
    """The two stream endpoints."""

    def __init__(self, conversations: Conversations, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._all = conversations
        self._heartbeat_s = heartbeat_s

    def blueprint(self) -> Blueprint:
        """Every route of this module."""
        blueprint = Blueprint("stream", __name__, url_prefix="/api")
        rule = "/conversations/<conversation_id>/events"
        blueprint.add_url_rule("/events", "everything", self.everything, methods=["GET"])
        blueprint.add_url_rule(rule, "one", self.one, methods=["GET"])
        return blueprint

    def everything(self) -> Response:
        """All conversations: live, or from ``after`` on."""
        return self._stream(None)

    def one(self, conversation_id: str) -> Response:
        """One conversation: all that is stored, or from ``after`` on, then live."""
        return self._stream(conversation_id)

    def _stream(self, conversation_id: str | None) -> Response:
        after, hello = self._cursor(), HELLO
        if after is not None and after > self._all.last_seq():
            # The number is from another database: the client has to start over.
            reset = f'event: reset\ndata: {{"database_id":"{self._all.database_id}"}}\n\n'
            after, hello = None, HELLO + reset.encode()
        subscription = self._all.subscribe(conversation_id, after)
        body = EventStream(subscription, hello, self._heartbeat_s)
        if request.method == "HEAD":
            body.close()
        response = Response(body, mimetype="text/event-stream")
        response.headers["X-Accel-Buffering"] = "no"
        return response

    def _cursor(self) -> int | None:
        """A reconnecting EventSource repeats its address, and its header is newer."""
        last = request.headers.get("Last-Event-ID")
        if last:
            return query_number("Last-Event-ID", last)
        return query_number("after", request.args.get("after"))
