"""Models behind the Chat Completions protocol: OpenAI, Azure and all that speak it.

The only user of the ``openai`` package. Requests run as tasks of one event loop on one thread of
its own, because only a task can be cancelled in a millisecond at any moment; what arrives is handed
to the caller's thread. Nothing is retried or redirected here, and no key leaves in an error.
"""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from gpt_code_ui.agent import Stop
from gpt_code_ui.chat_completions import CUT_HINT, AnswerReader, JsonObject, request_body
from gpt_code_ui.errors import (
    AnswerCut,
    GptCodeError,
    ModelBadRequest,
    ModelError,
    ModelRefusedKey,
    ModelTimeout,
    UsageError,
)
from gpt_code_ui.model_errors import quote, redact, root_message, translate
from gpt_code_ui.protocol import ModelChunk, ModelRequest, RequestSent

NO_KEY = "no-key-was-given"
CLOSE_S = 3.0
# What the client tells of this machine unasked.
_FINGERPRINT = tuple(
    f"x-stainless-{name}"
    for name in ("arch", "os", "lang", "package-version", "runtime", "runtime-version", "async")
)
_CARRIES_A_SECRET = re.compile(r"auth|key|token|secret|cookie|password", re.IGNORECASE)

Batch = list[ModelChunk]


@dataclass(frozen=True)
class Endpoint:
    """Where the model is and what opens it. ``api_type``: ``open_ai`` or ``azure``."""

    api_key: str | None = None
    base_url: str | None = None
    api_type: str = "open_ai"
    api_version: str | None = None
    extra_headers: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Deadlines:
    """In seconds. ``idle``: without a piece of the answer, comments do not count; ``total``: for
    one answer; ``grace``: for the token counts, after the answer has ended."""

    connect: float = 5.0
    idle: float = 120.0
    total: float = 30 * 60.0
    grace: float = 2.0


class OpenAIModel:
    """The Model port over HTTP. ``close`` ends its thread and what still runs on it."""

    def __init__(self, endpoint: Endpoint, deadlines: Deadlines = Deadlines()) -> None:
        self._endpoint = endpoint
        self._deadlines = deadlines
        self._secrets = secrets_of(endpoint)
        self._loop = _LoopThread("openai-model")
        self._client: Any = None
        self._refuses_usage: set[str] = set()
        self._on_sent: ContextVar[Callable[[RequestSent], None]] = ContextVar("on_sent")

    def stream(self, request: ModelRequest, stop: Stop) -> Iterator[ModelChunk]:
        """One answer. Ends quietly on a stop; raises ModelError and its kin."""
        inbox: SimpleQueue[Batch | None] = SimpleQueue()
        answer = self._loop.submit(self._answer(request, inbox.put))
        answer.add_done_callback(lambda _: inbox.put(None))
        try:
            with stop.on_request(lambda: _cancel(answer)):
                while (batch := inbox.get()) is not None:
                    if not stop.requested:
                        yield from batch
        finally:
            answer.cancel()
        if stop.requested:
            return
        if answer.cancelled():
            raise AnswerCut("The answer was broken off because GPT-Code UI is ending.")
        if error := answer.exception():
            raise error

    def close(self) -> None:
        """End every answer and the thread; may be called twice."""
        client, self._client = self._client, None
        self._loop.close(None if client is None else client.close)

    async def _answer(self, request: ModelRequest, put: Callable[[Batch], None]) -> None:
        """Ask, and once more without token counts where the endpoint refuses to count."""
        self._on_sent.set(lambda sent: put([sent]))
        with_usage = request.model not in self._refuses_usage
        try:
            await self._attempt(request_body(request, with_usage=with_usage), put)
        except ModelBadRequest as error:
            if not with_usage or "stream_options" not in error.message:
                raise
            self._refuses_usage.add(request.model)
            await self._attempt(request_body(request, with_usage=False), put)

    async def _attempt(self, body: JsonObject, put: Callable[[Batch], None]) -> None:
        reader = AnswerReader(self._secrets)
        try:
            async with self._timed(reader) as moved, self._open(body) as response:
                async for data in response.iter_bytes():
                    batch = reader.feed(data)
                    if batch:
                        put(batch)
                        moved()
                    if reader.done:
                        break
            put(reader.end())
        except GptCodeError:
            raise
        # Whatever the client and the layers below it raise ends here, translated.
        except Exception as error:
            raise self._translated(error, reader) from error

    def _translated(self, error: Exception, reader: AnswerReader) -> ModelError:
        if not reader.spoke:
            return translate(error, self._secrets)
        why = quote(root_message(error), self._secrets)
        return AnswerCut(f"The answer broke off: {why}", hint=CUT_HINT)

    @asynccontextmanager
    async def _timed(self, reader: AnswerReader) -> AsyncIterator[Callable[[], None]]:
        """Hold the block to the deadlines; what it yields is called when the answer moved on."""
        now, limits = asyncio.get_running_loop().time, self._deadlines
        end = now() + limits.total

        def moved() -> None:
            wait = limits.grace if reader.finished else limits.idle
            timer.reschedule(min(now() + wait, end))

        try:
            async with asyncio.timeout(limits.idle) as timer:
                yield moved
        except TimeoutError as error:
            if reader.finished:
                return
            if not timer.expired():
                raise
            raise _timeout(limits, whole=now() >= end) from error

    @asynccontextmanager
    async def _open(self, body: JsonObject) -> AsyncIterator[Any]:
        client = self._client = self._client or self._new_client()
        create = client.chat.completions.with_streaming_response.create
        async with create(**body) as response:
            yield response

    def _new_client(self) -> Any:
        # Imported at the first request: it takes half a second and 40 MB.
        import openai

        endpoint = self._endpoint
        _check(endpoint)
        http = openai.DefaultAsyncHttpxClient(
            follow_redirects=False,
            # Proxies and certificates from the environment; no user's .netrc is read.
            trust_env=True,
            event_hooks={"request": [self._before_sending]},
            timeout=openai.Timeout(None, connect=self._deadlines.connect),
        )
        common: dict[str, Any] = {
            "api_key": endpoint.api_key or NO_KEY,
            "default_headers": dict(endpoint.extra_headers or {}),
            "http_client": http,
            "max_retries": 0,
        }
        if endpoint.api_type == "azure":
            assert endpoint.base_url is not None
            return openai.AsyncAzureOpenAI(
                azure_endpoint=endpoint.base_url, api_version=endpoint.api_version, **common
            )
        base_url = endpoint.base_url or "https://api.openai.com/v1"
        return openai.AsyncOpenAI(base_url=base_url, **common)

    async def _before_sending(self, request: Any) -> None:
        """Take the request as it will leave: what is shown to the person is what was sent."""
        for name in _FINGERPRINT:
            request.headers.pop(name, None)
        if self._endpoint.api_key is None and NO_KEY in request.headers.get("authorization", ""):
            del request.headers["authorization"]
        body = (await request.aread()).decode()
        url = redact(str(request.url.copy_with(userinfo=b"")), self._secrets)
        self._on_sent.get()(RequestSent(url=url, body=redact(body, self._secrets)))


def secrets_of(endpoint: Endpoint) -> list[str]:
    """All that must not show: the key, headers that carry one, a password in the URL."""
    headers = (endpoint.extra_headers or {}).items()
    carried = [value for name, value in headers if _CARRIES_A_SECRET.search(name)]
    bare = [value.rpartition(" ")[2] for value in carried]
    user_and_password = (endpoint.base_url or "").rpartition("@")[0].rpartition("/")[2]
    return [endpoint.api_key or "", *carried, *bare, *user_and_password.split(":")]


def _check(endpoint: Endpoint) -> None:
    url, key = endpoint.base_url, endpoint.api_key or ""
    if url is not None and not url.startswith(("http://", "https://")):
        raise UsageError(f"The base URL {url!r} does not begin with http:// or https://.")
    if url is None and endpoint.api_type == "azure":
        raise UsageError("Azure needs the address of the endpoint.", hint="Set OPENAI_BASE_URL.")
    if not key.isascii() or not key.isprintable():
        raise ModelRefusedKey(
            "The API key holds characters that no key has.", hint="Copy the key once more."
        )


def _timeout(limits: Deadlines, *, whole: bool) -> ModelTimeout:
    hint = "Ask again, or choose another model."
    if whole:
        return ModelTimeout(f"The answer did not end within {limits.total:.0f} s.", hint=hint)
    return ModelTimeout(f"The endpoint sent nothing for {limits.idle:.0f} s.", hint=hint)


def _cancel(answer: "Future[None]") -> None:
    answer.cancel()


class _LoopThread:
    """An event loop on a thread of its own, which starts with the first task."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def submit(self, work: Coroutine[Any, Any, None]) -> "Future[None]":
        """Run ``work`` on the loop; cancelling the future cancels it there."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._run, args=(self._loop,), name=self._name, daemon=True
                )
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self, last: Callable[[], Coroutine[Any, Any, None]] | None) -> None:
        """Cancel all tasks, run ``last``, end the thread. A later task starts a new one."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._wind_up(last), loop)
        thread.join(CLOSE_S)

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.run_forever()
        finally:
            loop.close()

    @staticmethod
    async def _wind_up(last: Callable[[], Coroutine[Any, Any, None]] | None) -> None:
        loop = asyncio.get_running_loop()
        try:
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if last is not None:
                await asyncio.wait_for(last(), CLOSE_S)
        finally:
            loop.stop()
