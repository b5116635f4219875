"""What went wrong at a model endpoint, said in our words: one table, no vendor's package.

An error is judged first by what the endpoint says (code, type, message), because many servers say
the same with different statuses, then by the name of the vendor's exception class. Nothing that
leaves here holds a key.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gpt_code_ui.errors import (
    AnswerCut,
    AnswerTooLong,
    ContentFiltered,
    ContextOverflow,
    ModelBadRequest,
    ModelError,
    ModelOverloaded,
    ModelRateLimited,
    ModelRefusedKey,
    ModelTimeout,
    ModelUnreachable,
    NoCredit,
    NotAnAnswer,
    ToolsUnsupported,
    UnknownModel,
)
from gpt_code_ui.retry_after import asked_to_wait, wait_in_words

QUOTE_CHARACTERS = 400
SAID_CHARACTERS = 20_000
SHORTEST_SECRET = 8

# The classes of the openai package and of the layers below it; the nearest in an exception's
# ancestry decides.
BY_CLASS: Mapping[str, type[ModelError]] = {
    "OpenAIError": ModelError,
    "APIError": ModelError,
    "APIStatusError": ModelBadRequest,
    "APIResponseValidationError": NotAnAnswer,
    "APIConnectionError": ModelUnreachable,
    "APITimeoutError": ModelTimeout,
    "BadRequestError": ModelBadRequest,
    "UnprocessableEntityError": ModelBadRequest,
    "AuthenticationError": ModelRefusedKey,
    "OAuthError": ModelRefusedKey,
    "SubjectTokenProviderError": ModelRefusedKey,
    "PermissionDeniedError": ModelRefusedKey,
    "NotFoundError": UnknownModel,
    "ConflictError": ModelOverloaded,
    "RateLimitError": ModelRateLimited,
    "InternalServerError": ModelOverloaded,
    "LengthFinishReasonError": AnswerTooLong,
    "ContentFilterFinishReasonError": ContentFiltered,
    "InvalidWebhookSignatureError": ModelError,
    "ComputerUseError": ModelError,
    "MissingStreamClassError": NotAnAnswer,
    "_TransientTokenExchangeError": ModelUnreachable,
    "WebSocketConnectionClosedError": ModelUnreachable,
    "WebSocketQueueFullError": ModelUnreachable,
    "TimeoutException": ModelTimeout,
    "TransportError": ModelUnreachable,
    "BrokenResourceError": ModelUnreachable,
    "ClosedResourceError": ModelUnreachable,
    "EndOfStream": ModelUnreachable,
    "OSError": ModelUnreachable,
}

BY_STATUS: Mapping[int, type[ModelError]] = {
    402: NoCredit,
    405: NotAnAnswer,
    408: ModelTimeout,
    413: ContextOverflow,
    429: ModelRateLimited,
}

# Where servers put their words.
_MESSAGES = ("message", "detail", "msg", "error_message", "error")

# Searched in "<status> <code> <type> <message>"; the first that fits decides.
SIGNS: Sequence[tuple[str, type[ModelError]]] = (
    # LiteLLM without a database, asked with a key that it does not know.
    (r"no_db_connection", ModelRefusedKey),
    (
        r"insufficient[_ ](quota|balance|funds|credit)|credit balance|exceeded your current quota"
        r"|billing_(hard_limit|not_active)",
        NoCredit,
    ),
    (
        r"context_length_exceeded|(maximum|max|available) context|context (length|window|size)"
        r"|(prompt|input|request) is too (long|large)|too many (input )?tokens"
        r"|exceed_context_size|model length|max_model_len|number of tokens allowed|max_new_tokens",
        ContextOverflow,
    ),
    (
        r"content_filter|content management policy|content_policy|responsibleai|safety system",
        ContentFiltered,
    ),
    (
        r"model_not_found|deploymentnotfound|model .{0,200}(not found|does not exist|not exist)"
        r"|(no such|unknown|invalid) model",
        UnknownModel,
    ),
    (
        r"(tools?|function.?call(ing|s)?|tool.?cho?ice)\b.{0,60}"
        r"(not supported|unsupported|not enabled|requires? --)"
        r"|(not|n't) (support|allow).{0,40}(tool|function)|unsupported.{0,30}\btools?\b"
        r"|no endpoints found that support tool",
        ToolsUnsupported,
    ),
    # Groq could not read the call that its model wrote: another try may come out right.
    (r"tool_use_failed", ModelOverloaded),
    (r"loading (the )?model|model is (currently |still )?loading", ModelOverloaded),
    (
        r"rate[_ ]limit|too many requests|overloaded_error|slow down|resource[_ ]exhausted"
        r"|throttl",
        ModelRateLimited,
    ),
    (
        r"(invalid|incorrect|wrong|missing|expired).?api[-_ ]?key|api[-_ ]?key.{0,20}"
        r"(not valid|is invalid|invalid|expired)|not authenticated|authentication[_ ]error"
        r"|no auth credentials|invalid (authentication|credentials)",
        ModelRefusedKey,
    ),
)

WORDS: Mapping[type[ModelError], tuple[str, str | None]] = {
    NoCredit: (
        "The account behind the API key has no credit left",
        "Add credit with the provider, or choose another model.",
    ),
    ContextOverflow: (
        "The conversation is longer than the model can read",
        "Start a new conversation, or choose a model with a larger context window.",
    ),
    ContentFiltered: (
        "The endpoint's content filter refused the request",
        "Rephrase the question, or choose another model.",
    ),
    UnknownModel: (
        "The endpoint does not know this model",
        "Choose another model, or check its name and the base URL.",
    ),
    ToolsUnsupported: (
        "This model cannot call tools, so it cannot run code",
        "Choose a model that supports tool calling.",
    ),
    ModelRateLimited: ("The endpoint takes no more requests now", "Wait a little and ask again."),
    ModelRefusedKey: ("The endpoint does not accept the API key", "Check the API key."),
    ModelUnreachable: (
        "No connection to the model's endpoint",
        "Check that the address is right, that the server runs, and the network or proxy.",
    ),
    ModelTimeout: ("The endpoint did not answer in time", "Ask again, or choose another model."),
    ModelOverloaded: ("The endpoint failed on its side", "Ask again in a moment."),
    AnswerCut: ("The answer broke off", "Ask again. Code that was cut was not run."),
    AnswerTooLong: ("The answer is too long", "Ask for a smaller step."),
    NotAnAnswer: (
        "What answered is not a Chat Completions endpoint",
        "Check the base URL; it usually ends in /v1.",
    ),
    ModelBadRequest: ("The endpoint refused the request", None),
    ModelError: ("The model gave no usable answer", None),
}


@dataclass(frozen=True)
class Report:
    """What an endpoint said about a failure, as far as it said anything."""

    status: int | None = None
    code: str = ""
    kind: str = ""
    message: str = ""
    retry_after: float | None = None
    whole: str = ""
    classes: Sequence[str] = field(default_factory=tuple)

    @property
    def signs(self) -> str:
        """Everything that can tell what is meant, for the table of signs."""
        return f"{self.status or ''} {self.code} {self.kind} {self.message}"


def translate(
    error: Exception, secrets: Sequence[str], otherwise: type[ModelError] = ModelError
) -> ModelError:
    """Our error for an exception of the vendor's client, or of what lies below it."""
    response = getattr(error, "response", None)
    headers: Mapping[str, str] = getattr(response, "headers", None) or {}
    status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    report = read_body(getattr(error, "body", None), status=status)
    if status is not None and 300 <= status < 400:
        return redirected(headers.get("location", "another address"), secrets)
    return from_report(
        Report(
            status=status,
            code=report.code,
            kind=report.kind,
            message=report.message or ("" if status else root_message(error)),
            retry_after=asked_to_wait(headers, report.whole or report.message),
            whole=report.whole,
            classes=[one.__name__ for one in type(error).__mro__],
        ),
        secrets,
        otherwise,
    )


def from_report(
    report: Report, secrets: Sequence[str], otherwise: type[ModelError] = ModelError
) -> ModelError:
    """Our error for what an endpoint reported; ``otherwise`` where nothing tells."""
    kind = _kind(report, otherwise)
    words, hint = WORDS[kind]
    quoted = quote(report.message, secrets)
    status = f" ({report.status})" if report.status else ""
    message = f"{words}{status}: {quoted}" if quoted else f"{words}{status}."
    if "CERTIFICATE_VERIFY" in report.message:
        hint = "If a proxy inspects the traffic, name its certificates in SSL_CERT_FILE."
    wait = report.retry_after
    if wait is None:
        wait = asked_to_wait({}, report.whole or report.message)
    if wait and kind.retryable:
        hint = f"Ask again in {wait_in_words(wait)}."
    error = kind(message, hint=hint, retry_after=wait)
    error.said = redact(f"{report.signs} {report.whole}", secrets)[:SAID_CHARACTERS]
    return error


def _kind(report: Report, otherwise: type[ModelError]) -> type[ModelError]:
    for pattern, kind in SIGNS:
        if re.search(pattern, report.signs, re.IGNORECASE):
            return kind
    if report.status is not None and report.status in BY_STATUS:
        return BY_STATUS[report.status]
    for name in report.classes:
        if name in BY_CLASS:
            kind = BY_CLASS[name]
            says_nothing = kind is UnknownModel and not report.message
            return NotAnAnswer if says_nothing else kind
    return otherwise


def redirected(location: str, secrets: Sequence[str]) -> ModelError:
    """A redirect is not followed: the conversation would go to a host nobody chose."""
    return NotAnAnswer(
        "The endpoint redirects to another address, and that is not followed.",
        hint=f"If that is meant, set the base URL to it: {quote(location, secrets)}",
    )


def read_body(body: object, *, status: int | None = None) -> Report:
    """The report in an error body, in any of the shapes that servers use."""
    if isinstance(body, str):
        looks_like_a_page = body.lstrip().startswith("<")
        return Report(status=status, message="" if looks_like_a_page else body)
    if isinstance(body, list) and body:
        return read_body(body[0], status=status)  # Gemini wraps its errors
    if not isinstance(body, dict):
        return Report(status=status)
    inner = body.get("error") or body.get("errors") or body
    if isinstance(inner, list) and inner:
        inner = inner[0]
    whole = json.dumps(body, ensure_ascii=False, default=str)
    if not isinstance(inner, dict):
        return Report(status=status, message=str(inner), whole=whole)
    message = next((inner[name] for name in _MESSAGES if inner.get(name)), "")
    code = inner.get("code") or inner.get("status")
    if status is None and isinstance(code, int) and 400 <= code < 600:
        status = code
    return Report(status, _text(code), _text(inner.get("type")), _text(message), whole=whole)


def _text(value: Any) -> str:
    """A field as text; of FastAPI's list of complaints the first."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = next((value[name] for name in _MESSAGES if value.get(name)), value)
    return "" if value is None else str(value)


def root_message(error: BaseException) -> str:
    """The innermost message of a chain: where a connection failed is said at its root."""
    messages = [str(one) for one in _chain(error) if str(one)]
    return messages[-1] if messages else type(error).__name__


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def quote(message: str, secrets: Sequence[str]) -> str:
    """A foreign message as one short line without keys."""
    line = " ".join(redact(message, secrets).split())
    line = re.sub(r"(?i)\b(bearer\s+|sk-)[A-Za-z0-9_\-.*]{4,}", r"\1…", line)
    return line if len(line) <= QUOTE_CHARACTERS else line[:QUOTE_CHARACTERS] + "…"


def redact(text: str, secrets: Sequence[str]) -> str:
    """``text`` without the secrets; what is shorter than 8 characters is no secret."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, "[redacted]")
    return text
