"""The real client against a scripted server, over real HTTP."""

import hashlib
import http.server
import socket
import threading
import time
from collections.abc import Iterator, Sequence

import pytest

from gpt_code_ui.answer import EXECUTE_CODE
from gpt_code_ui.errors import (
    AnswerCut,
    GptCodeError,
    ModelError,
    ModelRefusedKey,
    ModelTimeout,
    ModelUnreachable,
    NotAnAnswer,
    UsageError,
)
from gpt_code_ui.openai_model import Deadlines, Endpoint, OpenAIModel, secrets_of
from gpt_code_ui.ports import Stop
from gpt_code_ui.protocol import (
    FinishChunk,
    ModelChunk,
    ModelRequest,
    RequestSent,
    TextChunk,
    ToolCallChunk,
    UsageChunk,
    UserMessage,
)
from tests.scripted_openai import (
    DONE,
    Answer,
    Cut,
    Reply,
    ScriptedOpenAI,
    Step,
    answer,
    call_chunks,
    chunk,
    comments,
    error,
    plain,
    text_chunks,
    usage,
)

KEY = "sk-test-0123456789"
REQUEST = ModelRequest(
    turn_id="t",
    model="gpt-x",
    system="Be brief.",
    messages=[UserMessage(text="你好 😀")],
    tools=[EXECUTE_CODE],
)
PATIENT = Deadlines()
QUICK = Deadlines(connect=2, idle=0.3, total=5, grace=0.2)


@pytest.fixture
def server() -> Iterator[ScriptedOpenAI]:
    with ScriptedOpenAI() as one:
        yield one


@pytest.fixture
def models() -> Iterator[list[OpenAIModel]]:
    """Models put in here are closed after the test."""
    made: list[OpenAIModel] = []
    yield made
    for model in made:
        model.close()


class Asked:
    """One answer, taken to its end."""

    def __init__(self, model: OpenAIModel, stop: Stop | None = None) -> None:
        self.chunks: list[ModelChunk] = []
        self.error: GptCodeError | None = None
        try:
            for one in model.stream(REQUEST, stop or Stop()):
                self.chunks.append(one)
        except GptCodeError as error:
            self.error = error

    @property
    def text(self) -> str:
        return "".join(one.text for one in self.chunks if isinstance(one, TextChunk))

    @property
    def sent(self) -> list[RequestSent]:
        return [one for one in self.chunks if isinstance(one, RequestSent)]


def ask(
    server: ScriptedOpenAI,
    models: list[OpenAIModel],
    *answers: Answer,
    key: str | None = KEY,
    deadlines: Deadlines = PATIENT,
    stop: Stop | None = None,
) -> Asked:
    server.script(*answers)
    model = OpenAIModel(Endpoint(key, server.url), deadlines)
    models.append(model)
    return Asked(model, stop)


def test_text_call_and_usage(server: ScriptedOpenAI, models: list[OpenAIModel]) -> None:
    asked = ask(server, models, answer("Hello", "print(1)"))
    assert asked.error is None
    assert asked.text == "Hello"
    calls = [one for one in asked.chunks if isinstance(one, ToolCallChunk)]
    assert (calls[0].index, calls[0].id, calls[0].name) == (0, "call_0", "execute_code")
    assert "".join(one.arguments for one in calls) == '{"code": "print(1)"}'
    assert asked.chunks[-2:] == [
        FinishChunk(reason="tool_calls"),
        UsageChunk(input_tokens=10, output_tokens=5),
    ]


def test_the_request_is_shown_as_it_was_sent(
    server: ScriptedOpenAI, models: list[OpenAIModel]
) -> None:
    asked = ask(server, models, answer("ok"))
    request = server.wait_for(1)
    assert asked.chunks[0] == RequestSent(
        url=f"{server.url}/chat/completions", body=request.body.decode()
    )
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in asked.sent[0].body
    told = set(request.headers)
    assert not told & {"x-stainless-os", "x-stainless-arch", "x-stainless-runtime-version"}
    assert request.json["messages"][1] == {"role": "user", "content": "你好 😀"}
    assert request.json["stream"] is True


def test_a_key_inside_the_conversation_is_not_kept(server: ScriptedOpenAI) -> None:
    server.script(answer("ok"))
    model = OpenAIModel(Endpoint(KEY, server.url))
    request = REQUEST.model_copy(update={"system": f"The key is {KEY}."})
    sent = next(iter(model.stream(request, Stop())))
    model.close()
    assert isinstance(sent, RequestSent)
    assert "The key is [redacted]." in sent.body


def test_nothing_is_sent_without_a_key_but_the_request(
    server: ScriptedOpenAI, models: list[OpenAIModel]
) -> None:
    asked = ask(server, models, answer("ok"), key=None)
    assert asked.text == "ok"
    assert "authorization" not in server.requests[0].headers


def test_two_keys_in_one_process(server: ScriptedOpenAI, models: list[OpenAIModel]) -> None:
    keys = ["sk-one-11111111", "sk-two-22222222"]
    pair = [OpenAIModel(Endpoint(key, server.url)) for key in keys]
    models.extend(pair)
    server.script(*[answer("ok")] * 6)
    for model in pair * 3:
        assert Asked(model).text == "ok"
    sent = [request.headers["authorization"] for request in server.requests]
    assert sent == [f"Bearer {key}" for key in keys * 3]


def test_answers_at_the_same_time(server: ScriptedOpenAI, models: list[OpenAIModel]) -> None:
    gate = threading.Event()
    late = Reply([gate, *text_chunks("late"), chunk(finish="stop"), DONE])
    server.script(late, answer("early"))
    model = OpenAIModel(Endpoint(KEY, server.url))
    models.append(model)
    slow: list[Asked] = []
    thread = threading.Thread(target=lambda: slow.append(Asked(model)))
    thread.start()
    server.wait_for(1)
    assert Asked(model).text == "early"
    gate.set()
    thread.join(10)
    assert slow[0].text == "late"
    assert [len(one.sent) for one in slow] == [1]


def test_chunks_arrive_one_by_one(server: ScriptedOpenAI, models: list[OpenAIModel]) -> None:
    gate = threading.Event()
    server.script(Reply([*text_chunks("ab"), gate, *text_chunks("cd"), chunk(finish="stop")]))
    model = OpenAIModel(Endpoint(KEY, server.url))
    models.append(model)
    seen: list[str] = []
    for one in model.stream(REQUEST, Stop()):
        if isinstance(one, TextChunk):
            seen.append(one.text)
            gate.set()
    assert seen == ["ab", "cd"]


def test_azure(server: ScriptedOpenAI, models: list[OpenAIModel]) -> None:
    server.script(answer("ok"), answer("ok"))
    base = f"http://127.0.0.1:{server.port}"
    endpoint = Endpoint(KEY, base, api_type="azure", api_version="2024-10-21")
    models.append(OpenAIModel(endpoint))
    asked = Asked(models[0])
    assert asked.text == "ok"
    request = server.requests[0]
    path = "/openai/deployments/gpt-x/chat/completions?api-version=2024-10-21"
    assert request.path == path
    assert request.headers["api-key"] == KEY
    assert asked.sent[0].url == base + path


def test_extra_headers(server: ScriptedOpenAI, models: list[OpenAIModel]) -> None:
    server.script(error(400, "bad token hidden-value-1"))
    headers = {"X-Title": "GPT-Code UI", "X-Proxy-Token": "Basic hidden-value-1"}
    models.append(OpenAIModel(Endpoint(KEY, server.url, extra_headers=headers)))
    asked = Asked(models[0])
    assert server.requests[0].headers["x-title"] == "GPT-Code UI"
    assert asked.error is not None
    assert "hidden-value-1" not in asked.error.message


def test_secrets_are_known() -> None:
    endpoint = Endpoint(
        KEY, "https://me:hunter22@host/v1", extra_headers={"X-Title": "t", "api-key": "a b"}
    )
    assert secrets_of(endpoint) == [KEY, "a b", "b", "me", "hunter22"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (error(401, f"Incorrect API key provided: {KEY}"), "model_auth"),
        (error(404, "The model `gpt-x` does not exist", code="model_not_found"), "model_unknown"),
        (error(429, "slow down"), "model_rate_limited"),
        (error(429, "You exceeded your quota", code="insufficient_quota"), "model_no_credit"),
        (error(400, "too long", code="context_length_exceeded"), "model_context"),
        (error(500, "oops"), "model_overloaded"),
        (plain("<html>busy</html>", status=503, content_type="text/html"), "model_overloaded"),
        (plain("<html>hi</html>", content_type="text/html"), "model_not_an_answer"),
        (plain("{}"), "model_not_an_answer"),
        (plain("", content_type="text/plain"), "model_not_an_answer"),
        (Reply([Cut("reset")]), "model_unreachable"),
        (Reply([*text_chunks("He"), Cut("close")]), "model_cut"),
        (Reply([*text_chunks("He"), Cut("reset")]), "model_cut"),
        (Reply([*text_chunks("He"), DONE]), "model_cut"),
        (Reply([*text_chunks("He")]), "model_cut"),
        (Reply([*text_chunks("He"), b"data: {oops\n\n"]), "model_not_an_answer"),
        (Reply([*text_chunks("He"), {"error": {"message": "x"}}]), "model_cut"),
    ],
)
def test_failures(
    server: ScriptedOpenAI, models: list[OpenAIModel], reply: Reply, code: str
) -> None:
    asked = ask(server, models, reply)
    assert asked.error is not None
    assert asked.error.code == code
    assert KEY not in asked.error.message
    assert len(server.requests) == 1


def test_a_cut_at_every_offset_is_a_cut(server: ScriptedOpenAI, models: list[OpenAIModel]) -> None:
    steps = [*text_chunks("Hi"), *call_chunks("print(1)"), chunk(finish="tool_calls")]
    for how in (Cut("close"), Cut("reset"), DONE, b""):
        for kept in range(1, len(steps)):
            asked = ask(server, models, Reply([*steps[:kept], how]))
            assert isinstance(asked.error, AnswerCut | ModelUnreachable), (how, kept, asked.error)


def test_a_server_that_refuses_to_count_is_asked_without(
    server: ScriptedOpenAI, models: list[OpenAIModel]
) -> None:
    refusal = error(400, "Unrecognized request argument supplied: stream_options")
    asked = ask(server, models, refusal, answer("ok"), answer("again"))
    assert asked.error is None
    assert asked.text == "ok"
    assert [sent.body for sent in asked.sent] == [one.body.decode() for one in server.requests]
    assert Asked(models[0]).text == "again"
    asks = ["stream_options" in request.json for request in server.requests]
    assert asks == [True, False, False]


def test_a_redirect_is_not_followed(server: ScriptedOpenAI, models: list[OpenAIModel]) -> None:
    with ScriptedOpenAI() as canary:
        moved = Reply([], 307, {"Location": f"{canary.url}/chat/completions"})
        asked = ask(server, models, moved)
        assert isinstance(asked.error, NotAnAnswer)
        assert canary.url in (asked.error.hint or "")
        assert canary.requests == []


# --- deadlines ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        lambda gate: Reply(before_headers=[gate]),
        lambda gate: Reply([gate]),
        lambda gate: Reply(comments()),
        lambda gate: Reply([*text_chunks("He"), gate]),
    ],
    ids=["before headers", "after headers", "comments", "in the middle"],
)
def test_silence_ends_at_the_idle_deadline(
    server: ScriptedOpenAI, models: list[OpenAIModel], reply: object
) -> None:
    assert callable(reply)
    began = time.monotonic()
    asked = ask(server, models, reply(threading.Event()), deadlines=QUICK)
    assert isinstance(asked.error, ModelTimeout)
    assert asked.error.message == "The endpoint sent nothing for 0 s."
    assert time.monotonic() - began < 4


def test_an_answer_without_end_ends_at_the_total_deadline(
    server: ScriptedOpenAI, models: list[OpenAIModel]
) -> None:
    def drip() -> Iterator[Step]:
        pause = threading.Event()
        while not pause.wait(0.05):
            yield chunk({"content": "x"})

    asked = ask(server, models, Reply(drip()), deadlines=Deadlines(idle=5, total=0.4))
    assert isinstance(asked.error, ModelTimeout)
    assert asked.error.message == "The answer did not end within 0 s."
    assert asked.text.startswith("xx")


def test_a_stream_left_open_after_its_end_is_an_end(
    server: ScriptedOpenAI, models: list[OpenAIModel]
) -> None:
    steps = [*text_chunks("ok"), chunk(finish="stop"), usage(), threading.Event()]
    asked = ask(server, models, Reply(steps), deadlines=Deadlines(grace=0.1))
    assert asked.error is None
    assert asked.chunks[-1] == UsageChunk(input_tokens=10, output_tokens=5)


def test_nobody_listens(models: list[OpenAIModel]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    models.append(OpenAIModel(Endpoint(KEY, f"http://127.0.0.1:{port}/v1")))
    asked = Asked(models[0])
    assert isinstance(asked.error, ModelUnreachable)
    assert len(asked.sent) == 1


def test_a_server_without_tls(server: ScriptedOpenAI, models: list[OpenAIModel]) -> None:
    models.append(OpenAIModel(Endpoint(KEY, server.url.replace("http:", "https:"))))
    assert isinstance(Asked(models[0]).error, ModelUnreachable)


@pytest.mark.parametrize(
    ("endpoint", "kind"),
    [
        (Endpoint(KEY, "localhost:8000/v1"), UsageError),
        (Endpoint(KEY, None, api_type="azure"), UsageError),
        (Endpoint("sk-\u201cquoted\u201d", "http://127.0.0.1:9/v1"), ModelRefusedKey),
        (Endpoint("sk-line\n", "http://127.0.0.1:9/v1"), ModelRefusedKey),
        (Endpoint(KEY, "http://127.0.0.1:9", api_type="azure"), ModelError),
    ],
)
def test_settings_that_cannot_work(
    models: list[OpenAIModel], endpoint: Endpoint, kind: type[GptCodeError]
) -> None:
    models.append(OpenAIModel(endpoint))
    asked = Asked(models[0])
    assert type(asked.error) is kind
    assert asked.sent == []


# --- stop --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "steps",
    [[], text_chunks("Hello"), call_chunks("print(1)")],
    ids=["first token", "text", "code"],
)
def test_stop_ends_a_silent_answer_at_once(
    server: ScriptedOpenAI, models: list[OpenAIModel], steps: Sequence[Step]
) -> None:
    stop = Stop()
    gate = threading.Event()
    asked_at: list[float] = []

    def press() -> None:
        asked_at.append(time.monotonic())
        stop.request()

    asked = ask(server, models, Reply([*steps, press, gate, *text_chunks("late")]), stop=stop)
    assert asked.error is None
    assert time.monotonic() - asked_at[0] < 1
    assert asked.text in ("", "Hello", "Hell")
    server.script(answer("again"))
    assert Asked(models[0]).text == "again"


def test_stop_before_the_start_sends_nothing_to_the_caller(
    server: ScriptedOpenAI, models: list[OpenAIModel]
) -> None:
    stop = Stop()
    stop.request()
    assert ask(server, models, stop=stop).chunks == []


def test_leaving_the_stream_ends_the_request(
    server: ScriptedOpenAI, models: list[OpenAIModel]
) -> None:
    gone = threading.Event()

    def until_gone() -> Iterator[Step]:
        try:
            yield from comments()
        finally:
            gone.set()

    server.script(Reply(text_chunks("Hi")), Reply(until_gone()))
    model = OpenAIModel(Endpoint(KEY, server.url))
    models.append(model)
    assert isinstance(Asked(model).error, AnswerCut)
    stream = model.stream(REQUEST, Stop())
    assert isinstance(next(iter(stream)), RequestSent)
    server.wait_for(2)
    stream.close()  # type: ignore[attr-defined]
    assert gone.wait(10)


def test_close_ends_what_runs(server: ScriptedOpenAI) -> None:
    server.script(Reply([threading.Event()]))
    model = OpenAIModel(Endpoint(KEY, server.url))
    asked: list[Asked] = []
    thread = threading.Thread(target=lambda: asked.append(Asked(model)))
    thread.start()
    server.wait_for(1)
    model.close()
    model.close()
    thread.join(10)
    assert isinstance(asked[0].error, AnswerCut)
    assert not [one for one in threading.enumerate() if one.name == "openai-model"]


# --- the person's own proxy --------------------------------------------------------------------


class Proxy:
    """A forward proxy for plain HTTP: answers by itself and remembers what it was asked."""

    def __init__(self) -> None:
        asked = self.asked = list[str]()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked.append(f"{self.command} {self.path}")
                self.rfile.read(int(self.headers["Content-Length"]))
                body = b'data: {"choices":[{"delta":{"content":"proxied"},'
                body += b'"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = True

            def do_CONNECT(self) -> None:
                asked.append(f"{self.command} {self.path}")
                self.send_error(403, "not to there")

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    one = Proxy()
    yield one
    one.close()


def test_the_proxy_of_the_environment_is_used(
    proxy: Proxy, models: list[OpenAIModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    models.append(OpenAIModel(Endpoint(KEY, "http://models.example/v1")))
    models.append(OpenAIModel(Endpoint(KEY, "https://models.example/v1")))
    assert Asked(models[0]).text == "proxied"
    refused = Asked(models[1]).error
    assert isinstance(refused, ModelUnreachable)
    assert "403" in refused.message
    assert proxy.asked == [
        "POST http://models.example/v1/chat/completions",
        "CONNECT models.example:443",
    ]


def test_no_proxy_is_honoured(
    proxy: Proxy,
    server: ScriptedOpenAI,
    models: list[OpenAIModel],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert ask(server, models, answer("direct")).text == "direct"
    assert proxy.asked == []


def test_a_missing_certificate_file_is_an_error_of_ours(
    models: list[OpenAIModel], monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", f"{tmp_path}/none.pem")
    models.append(OpenAIModel(Endpoint(KEY, "https://127.0.0.1:9/v1")))
    assert isinstance(Asked(models[0]).error, ModelError)


def test_the_fingerprint_of_the_body_is_stable(server: ScriptedOpenAI) -> None:
    """The same request is the same bytes: prompt caches of providers depend on it."""
    server.script(answer("a"), answer("b"))
    model = OpenAIModel(Endpoint(KEY, server.url))
    assert Asked(model).text + Asked(model).text == "ab"
    model.close()
    digests = {hashlib.sha256(request.body).hexdigest() for request in server.requests}
    assert len(digests) == 1
