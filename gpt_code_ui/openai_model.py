"""Models behind the Chat Completions protocol: OpenAI, Azure and all that speak it.

The only user of the ``openai`` package. Requests run as tasks of one event loop on one thread of
its own, because only a task can be cancelled in a millisecond at any moment; what arrives is handed
to the caller's thread. Nothing is retried or redirected here, and no key leaves in an error.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from gpt_code_ui.asking import Asked, Options
from gpt_code_ui.capabilities import CapabilityStore, adapted, is_about_a_picture, window_in
from gpt_code_ui.chat_completions import CHECK_URL, CUT_HINT, AnswerReader, JsonObject
from gpt_code_ui.errors import (
    AnswerCut,
    ContextOverflow,
    GptCodeError,
    ModelBadRequest,
    ModelError,
    ModelRefusedKey,
    ModelTimeout,
    NotAnAnswer,
    UsageError,
)
from gpt_code_ui.loop_thread import LoopThread
from gpt_code_ui.model_errors import quote, redact, root_message, translate
from gpt_code_ui.ports import Stop
from gpt_code_ui.protocol import ModelChunk, ModelRequest, RequestSent
from gpt_code_ui.providers.local import model_names

OPENAI_URL = "https://api.openai.com/v1"
MAX_TRIES = 6
# So many answers in a row with broken calls, and the model is asked for blocks instead.
MOST_BROKEN = 2
NO_KEY = "no-key-was-given"
LIST_BYTES = 4 << 20
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
    options: Options = field(default_factory=Options)

    @property
    def url(self) -> str:
        """The address that is asked."""
        return self.base_url or OPENAI_URL

    @property
    def is_openai(self) -> bool:
        """Whether OpenAI's newest names of parameters are understood for certain."""
        return self.api_type == "azure" or self.url.startswith(OPENAI_URL)


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

    def __init__(
        self,
        endpoint: Endpoint,
        deadlines: Deadlines = Deadlines(),
        capabilities: CapabilityStore | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._capabilities = capabilities or CapabilityStore()
        self._broken: dict[str, int] = {}
        self._deadlines = deadlines
        self._secrets = secrets_of(endpoint)
        self._loop = LoopThread("openai-model")
        self._client: Any = None
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

    def list_models(self, timeout: float) -> list[str]:
        """The names the endpoint lists, asked within ``timeout`` seconds. Raises ModelError."""
        names: list[str] = []
        asked = self._loop.submit(self._list(names, timeout))
        wait([asked], timeout + 1.0)
        if not asked.done() or asked.cancelled():
            asked.cancel()
            raise ModelTimeout(f"The endpoint did not list its models within {timeout:.0f} s.")
        if error := asked.exception():
            raise error
        return names

    async def _list(self, names: list[str], seconds: float) -> None:
        self._on_sent.set(lambda _: None)
        data = b""
        try:
            client = self._client = self._client or self._new_client()
            async with asyncio.timeout(seconds):
                async with client.models.with_streaming_response.list() as response:
                    async for piece in response.iter_bytes():
                        data += piece
                        if len(data) > LIST_BYTES:
                            raise NotAnAnswer("The endpoint's list of models has no end.")
            found = model_names(json.loads(data))
            if found is None:
                raise NotAnAnswer("The endpoint does not list models.", hint=CHECK_URL)
            names.extend(found)
        except GptCodeError:
            raise
        except TimeoutError as error:
            raise ModelTimeout(
                f"The endpoint did not list its models within {seconds:.0f} s."
            ) from error
        except ValueError as error:
            raise NotAnAnswer("The endpoint does not list models.", hint=CHECK_URL) from error
        # As for an answer: whatever the client raises ends here, translated.
        except Exception as error:
            raise translate(error, self._secrets) from error

    def close(self) -> None:
        """End every answer and the thread; may be called twice."""
        client, self._client = self._client, None
        self._loop.close(None if client is None else client.close)

    async def _answer(self, request: ModelRequest, put: Callable[[Batch], None]) -> None:
        """Ask, and again in another way where the endpoint refuses a part of the request."""
        url, model = self._endpoint.url, request.model
        known = before = self._capabilities.get(url, model)
        without_pictures = False
        for attempt in range(MAX_TRIES):
            asked = Asked(
                request, known, self._endpoint.options, newest=self._endpoint.is_openai,
                without_pictures=without_pictures,
            )  # fmt: skip
            self._on_sent.set(_telling(put, asked.unseen))
            try:
                await self._attempt(asked, put)
            except ModelError as error:
                if isinstance(error, ContextOverflow) and (window := window_in(error.said)):
                    self._capabilities.learn(url, model, context_window=window)
                other = None if asked.spoke else adapted(known, error.said, asked.fields)
                takes_amiss = other is None and not asked.spoke and _is_of_a_picture(error, asked)
                if attempt == MAX_TRIES - 1 or (other is None and not takes_amiss):
                    raise
                without_pictures = without_pictures or takes_amiss
                known = other or known
            else:
                break
        learnt = known.differences(before) | asked.learnt
        if asked.calls_are_broken is not None:
            self._broken[model] = self._broken.get(model, 0) + 1 if asked.calls_are_broken else 0
            if self._broken[model] >= MOST_BROKEN:
                learnt["tools"] = False
        if learnt:
            self._capabilities.learn(url, model, **learnt)

    async def _attempt(self, asked: Asked, out: Callable[[Batch], None]) -> None:
        reader = AnswerReader(self._secrets, opened=asked.opened)

        def put(batch: Batch) -> None:
            out(asked.take(batch))

        try:
            async with self._timed(reader, asked) as moved, self._open(asked.body) as response:
                async for data in response.iter_bytes():
                    batch = reader.feed(data)
                    if batch:
                        put(batch)
                        moved()
                    if reader.done:
                        break
            put(reader.end())
            if reader.is_stream:
                asked.learnt["streams"] = True
            if reader.began_thinking is not None:
                asked.learnt["opens_thinking"] = reader.began_thinking
        # Whatever the client and the layers below it raise ends here, translated.
        except Exception as error:
            out(asked.rest())
            if isinstance(error, GptCodeError):
                raise
            raise self._translated(error, reader) from error

    def _translated(self, error: Exception, reader: AnswerReader) -> ModelError:
        if not reader.spoke:
            return translate(error, self._secrets)
        why = quote(root_message(error), self._secrets)
        return AnswerCut(f"The answer broke off: {why}", hint=CUT_HINT)

    @asynccontextmanager
    async def _timed(self, reader: AnswerReader, asked: Asked) -> AsyncIterator[Callable[[], None]]:
        """Hold the block to the deadlines; what it yields is called when the answer moved on."""
        now, limits = asyncio.get_running_loop().time, self._deadlines
        end = now() + limits.total
        # A whole answer comes as late as its last piece would.
        first = limits.idle if asked.is_streamed else limits.total

        def moved() -> None:
            wait = limits.grace if reader.finished else limits.idle
            timer.reschedule(min(now() + wait, end))

        try:
            async with asyncio.timeout(first) as timer:
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
        return openai.AsyncOpenAI(base_url=endpoint.url, **common)

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


def _telling(put: Callable[[Batch], None], unseen: int) -> Callable[[RequestSent], None]:
    return lambda sent: put([sent.model_copy(update={"unseen": unseen})])


def _is_of_a_picture(error: ModelError, asked: Asked) -> bool:
    """Whether the same request without its pictures may be taken."""
    refused = isinstance(error, ModelBadRequest) and is_about_a_picture(error.said)
    return asked.shows and refused


def _cancel(answer: "Future[None]") -> None:
    answer.cancel()
