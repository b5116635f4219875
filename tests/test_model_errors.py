"""Every failure of an endpoint becomes one of our errors, and none shows a key."""

import json
import sys

import httpx2
import openai
import pytest

from gpt_code_ui import errors
from gpt_code_ui.model_errors import (
    BY_CLASS,
    WORDS,
    Report,
    from_report,
    quote,
    read_body,
    redact,
    redirected,
    translate,
)

REQUEST = httpx2.Request("POST", "http://127.0.0.1/v1/chat/completions")


def status_error(
    status: int, body: object, *, headers: dict[str, str] | None = None
) -> openai.APIStatusError:
    client = openai.OpenAI(api_key="k", base_url="http://127.0.0.1")
    response = httpx2.Response(status, headers=headers, request=REQUEST)
    return client._make_status_error(f"Error code: {status}", body=body, response=response)


def below(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(below(one) for one in kind.__subclasses__()))


def exception_classes() -> list[type[Exception]]:
    """What the installed package exports, what its modules of errors hold, and all below these."""
    found = [getattr(openai, name) for name in dir(openai) if not name.startswith("_")]
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "openai":
            found += [one for one in vars(module).values() if isinstance(one, type)]
    own = {
        one
        for one in found
        if isinstance(one, type)
        and issubclass(one, Exception)
        and one.__module__.partition(".")[0] == "openai"
    }
    return sorted(own.union(below(openai.OpenAIError)), key=lambda one: one.__name__)


@pytest.mark.parametrize("kind", exception_classes())
def test_every_class_of_the_client_is_mapped(kind: type[Exception]) -> None:
    assert len(exception_classes()) > 15
    assert any(one.__name__ in BY_CLASS for one in kind.__mro__)
    bare = kind.__new__(kind)
    ours = translate(bare, [])
    assert isinstance(ours, errors.ModelError)


@pytest.mark.parametrize("kind", sorted({*BY_CLASS.values()}, key=lambda one: one.code))
def test_every_kind_has_words(kind: type[errors.ModelError]) -> None:
    assert WORDS[kind][0]


CASES: list[tuple[int, object, type[errors.ModelError]]] = [
    (401, {"error": {"message": "Incorrect API key provided: sk-ab"}}, errors.ModelRefusedKey),
    (403, {"error": {"message": "Country not supported"}}, errors.ModelRefusedKey),
    (402, {"error": {"message": "Insufficient Balance"}}, errors.NoCredit),
    (402, {}, errors.NoCredit),
    (
        429,
        {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}},
        errors.NoCredit,
    ),
    (
        429,
        {"error": {"message": "Rate limit reached. Visit /account/billing to raise it"}},
        errors.ModelRateLimited,
    ),
    (429, None, errors.ModelRateLimited),
    (404, {"error": {"message": "The model `x` does not exist", "code": "model_not_found"}},
     errors.UnknownModel),
    (404, {"error": {"message": 'model "x" not found, try pulling it first'}}, errors.UnknownModel),
    (404, {"error": {"code": "DeploymentNotFound", "message": "No."}}, errors.UnknownModel),
    (404, "<html>nginx</html>", errors.NotAnAnswer),
    (404, None, errors.NotAnAnswer),
    (405, {"detail": "Method Not Allowed"}, errors.NotAnAnswer),
    (400, {"error": {"message": "too long", "code": "context_length_exceeded"}},
     errors.ContextOverflow),
    (400, {"error": {"message": "This model's maximum context length is 8192 tokens."}},
     errors.ContextOverflow),
    (500, {"error": {"message": "the request exceeds the available context size"}},
     errors.ContextOverflow),
    (413, None, errors.ContextOverflow),
    (400, {"error": {"message": "no", "code": "content_filter"}}, errors.ContentFiltered),
    (400, {"error": {"message": "registry/library/gemma does not support tools"}},
     errors.ToolsUnsupported),
    (400, {"object": "error", "message":
     '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'},
     errors.ToolsUnsupported),
    (404, {"error": {"message": "No endpoints found that support tool use."}},
     errors.ToolsUnsupported),
    (400, {"error": {"message": "Unsupported parameter: 'tools'"}}, errors.ToolsUnsupported),
    (400, {"error": {"message": "temperature must be 1"}}, errors.ModelBadRequest),
    (422, {"detail": [{"loc": ["body"], "msg": "field required"}]}, errors.ModelBadRequest),
    (408, None, errors.ModelTimeout),
    (409, None, errors.ModelOverloaded),
    (418, "I am a teapot", errors.ModelBadRequest),
    (500, {"error": "internal"}, errors.ModelOverloaded),
    (502, "<html><h1>Bad Gateway</h1></html>", errors.ModelOverloaded),
    (529, {"error": {"type": "overloaded_error", "message": "Overloaded"}},
     errors.ModelRateLimited),
    (400, [{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}],
     errors.ModelRefusedKey),
    (400, {"error": {"code": "content_filter", "message": "The response was filtered",
                     "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
     errors.ContentFiltered),
    (400, {"errors": [{"message": "invalid model name"}]}, errors.UnknownModel),
    (422, {"detail": [{"msg": "context window of 100 tokens"}]}, errors.ContextOverflow),
    (503, {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}},
     errors.ModelOverloaded),
    (503, "upstream connect error", errors.ModelOverloaded),
]  # fmt: skip


@pytest.mark.parametrize(("status", "body", "kind"), CASES)
def test_what_the_endpoint_says_decides(
    status: int, body: object, kind: type[errors.ModelError]
) -> None:
    ours = translate(status_error(status, body), [])
    assert type(ours) is kind
    assert "<" not in ours.message
    assert f"({status})" in ours.message


def test_a_rate_limit_says_how_long() -> None:
    ours = translate(status_error(429, None, headers={"retry-after": "7"}), [])
    assert isinstance(ours, errors.ModelRateLimited)
    assert ours.retry_after == 7.0
    assert ours.hint == "Ask again in 7 s."


def test_a_redirect_is_named() -> None:
    moved = status_error(307, None, headers={"location": "http://elsewhere/v1"})
    ours = translate(moved, [])
    assert ours.body() == redirected("http://elsewhere/v1", []).body()
    assert "http://elsewhere/v1" in (ours.hint or "")


def test_a_connection_error_names_its_root() -> None:
    error = openai.APIConnectionError(request=REQUEST)
    error.__cause__ = ConnectionRefusedError(111, "Connection refused")
    ours = translate(error, [])
    assert isinstance(ours, errors.ModelUnreachable)
    assert ours.message.endswith("[Errno 111] Connection refused")


def test_a_certificate_error_names_the_setting() -> None:
    error = openai.APIConnectionError(request=REQUEST)
    error.__cause__ = OSError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate")
    assert "SSL_CERT_FILE" in (translate(error, []).hint or "")


def test_no_key_in_any_message() -> None:
    key = "my-own-secret-0123"
    body = {"error": {"message": f"Bad key {key}, Bearer abcdef0123, sk-proj-abcdef and ok"}}
    ours = translate(status_error(401, body), [key])
    assert ours.message.endswith("Bad key [redacted], Bearer …, sk-… and ok")


def test_redaction_leaves_short_values_alone() -> None:
    assert redact("none of this", ["none", ""]) == "none of this"


def test_a_long_message_is_cut_to_a_line() -> None:
    assert quote("a\nb " * 500, []) == ("a b " * 100)[:400] + "…"


def test_in_a_stream_the_code_may_be_a_status() -> None:
    body = {"error": {"message": "Provider failed", "code": 502}}
    report = read_body(body)
    assert report == Report(502, "502", "", "Provider failed", whole=json.dumps(body))
    assert type(from_report(report, [], errors.AnswerCut)) is errors.AnswerCut
