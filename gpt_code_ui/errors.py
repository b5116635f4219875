"""Every error the product raises on purpose, as one tree.

    GptCodeError                      500 internal
    ├── UsageError                    400 usage            (the command line: exit code 2)
    ├── BadRequest                    400 malformed
    ├── Unauthenticated               401 unauthenticated
    ├── Forbidden                     403 forbidden
    ├── NotFound                      404 not_found
    ├── Conflict                      409 busy
    │   ├── ConsentNeeded             409 consent_needed
    │   └── ChangedLater              409 changed_later
    ├── BodyTooLarge                  413 too_large
    ├── WrongMediaType                415 not_json
    ├── InvalidValue                  422 invalid
    │   └── NotKept                   422 not_kept
    ├── NoRoom                        507 no_room
    ├── TurnLimit                     422 turn_limit           (ends a turn with status "limit")
    ├── ToolFailed                    502 tool_failed          (a tool beside ``execute_code``)
    ├── ModelError                    502 model_error
    │   ├── NoModel                   422 no_model
    │   ├── ModelRefusedKey           502 model_auth
    │   ├── NoCredit                  502 model_no_credit
    │   ├── UnknownModel              502 model_unknown
    │   ├── ModelRateLimited          502 model_rate_limited   retryable
    │   ├── ModelUnreachable          502 model_unreachable    retryable
    │   ├── ModelTimeout              502 model_timeout        retryable
    │   ├── ModelOverloaded           502 model_overloaded     retryable
    │   ├── ContentFiltered           502 model_filtered
    │   ├── ContextOverflow           502 model_context
    │   ├── ModelBadRequest           502 model_bad_request
    │   │   └── ToolsUnsupported      502 model_no_tools
    │   ├── AnswerCut                 502 model_cut            retryable
    │   ├── AnswerTooLong             502 model_too_long
    │   └── NotAnAnswer               502 model_not_an_answer
    ├── KernelError                   503 kernel_error
    │   ├── KernelStartFailed         503 kernel_start_failed
    │   └── ManagerUnavailable        503 kernel_manager_down  retryable
    ├── NetworkError                  502 network_error        (what a kernel's request comes to)
    │   └── NetworkRefused            403 network_refused
    ├── BusError                      503 bus_error
    │   ├── QueueFull                 503 queue_full           retryable
    │   └── MessageTooLarge           413 message_too_large
    └── StoreError                    500 store_error
        └── StoreFull                 507 store_full

``message`` says what happened, ``hint`` what to do about it; a foreign exception is translated
once, at the seam where it enters, with ``raise ... from``.
"""

from typing import ClassVar

from gpt_code_ui.protocol import ErrorBody


class GptCodeError(Exception):
    """The root. ``status`` is the HTTP status, ``code`` the stable name clients may test."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    retryable: ClassVar[bool] = False
    hint: str | None = None

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if hint is not None:
            self.hint = hint

    def body(self) -> ErrorBody:
        """The error as it travels: the inside of ``{"error": ...}`` and of ``turn_finished``."""
        return ErrorBody(
            code=self.code, message=self.message, hint=self.hint, retryable=self.retryable
        )


class UsageError(GptCodeError):
    """A flag, setting or start-up condition the person has to mend."""

    status, code = 400, "usage"


class BadRequest(GptCodeError):
    """The request could not be read at all."""

    status, code = 400, "malformed"


class Unauthenticated(GptCodeError):
    """Nobody we know."""

    status, code = 401, "unauthenticated"


class Forbidden(GptCodeError):
    """Known or not, it may not be done from there."""

    status, code = 403, "forbidden"


class NotFound(GptCodeError):
    """No such conversation, cell, turn or file."""

    status, code = 404, "not_found"


class Conflict(GptCodeError):
    """Something is running that has to end first."""

    status, code = 409, "busy"


class ConsentNeeded(Conflict):
    """It would run in a folder of the person's own, and is asked about first."""

    code = "consent_needed"


class ChangedLater(Conflict):
    """A file was changed again after the cell whose changes are to be reverted."""

    code = "changed_later"


class BodyTooLarge(GptCodeError):
    """The body is over the limit of this endpoint."""

    status, code = 413, "too_large"


class WrongMediaType(GptCodeError):
    """The body has to be JSON and is not declared as JSON."""

    status, code = 415, "not_json"


class InvalidValue(GptCodeError):
    """Read well, but a value is not one we can use."""

    status, code = 422, "invalid"


class NotKept(InvalidValue):
    """An earlier version of a file was not kept and cannot be had back."""

    code = "not_kept"


class NoRoom(GptCodeError):
    """The disk would not hold it; nothing was written."""

    status, code = 507, "no_room"


class TurnLimit(GptCodeError):
    """The turn reached one of its limits; the conversation stays usable."""

    status, code = 422, "turn_limit"


class ToolFailed(GptCodeError):
    """A tool beside ``execute_code`` gave an error, in words for the model."""

    status, code = 502, "tool_failed"


class ModelError(GptCodeError):
    """The model did not give a usable answer.

    ``said``: the endpoint's whole words, if any. ``retry_after``: seconds, where it gave them.
    """

    status, code = 502, "model_error"
    said: str = ""

    def __init__(
        self, message: str, *, hint: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class NoModel(ModelError):
    """No model is configured."""

    status, code = 422, "no_model"


class ModelRefusedKey(ModelError):
    """The endpoint does not accept the key."""

    code = "model_auth"


class NoCredit(ModelError):
    """The account behind the key is out of credit or quota."""

    code = "model_no_credit"


class UnknownModel(ModelError):
    """The endpoint knows no model of this name."""

    code = "model_unknown"


class ModelRateLimited(ModelError):
    """Too many requests."""

    code, retryable = "model_rate_limited", True


class ModelUnreachable(ModelError):
    """No connection to the endpoint, or it broke before an answer began."""

    code, retryable = "model_unreachable", True


class ModelTimeout(ModelError):
    """The endpoint was silent for too long."""

    code, retryable = "model_timeout", True


class ModelOverloaded(ModelError):
    """The endpoint failed on its side (5xx)."""

    code, retryable = "model_overloaded", True


class ContentFiltered(ModelError):
    """The endpoint's filter stopped the request or the answer."""

    code = "model_filtered"


class ContextOverflow(ModelError):
    """The conversation is longer than the model's window."""

    code = "model_context"


class ModelBadRequest(ModelError):
    """The endpoint refused the request for another reason."""

    code = "model_bad_request"


class ToolsUnsupported(ModelBadRequest):
    """The model, or the server it runs on, takes no function tools."""

    code = "model_no_tools"


class AnswerCut(ModelError):
    """The stream ended without a finish reason: what came is kept, code in it is not run."""

    code, retryable = "model_cut", True


class AnswerTooLong(ModelError):
    """The model ran into its own output limit: what came is kept, code in it is not run."""

    code = "model_too_long"


class NotAnAnswer(ModelError):
    """Something answered that does not speak the Chat Completions protocol."""

    code = "model_not_an_answer"


class KernelError(GptCodeError):
    """The kernel could not do what was asked."""

    status, code = 503, "kernel_error"


class KernelStartFailed(KernelError):
    """The kernel did not come up; the message has the reason, the hint the mend."""

    code = "kernel_start_failed"


class IpykernelMissing(KernelStartFailed):
    """The interpreter has no ipykernel; the hint is the one command that mends it."""

    code = "ipykernel_missing"


class ManagerUnavailable(KernelError):
    """The kernel manager is away; the supervisor is bringing it back."""

    code, retryable = "kernel_manager_down", True


class NetworkError(GptCodeError):
    """A host that code asked for cannot be reached; the message follows its name."""

    status, code = 502, "network_error"


class NetworkRefused(NetworkError):
    """A host that code may not reach."""

    status, code = 403, "network_refused"


class BusError(GptCodeError):
    """The queue between the two processes failed."""

    status, code = 503, "bus_error"


class QueueFull(BusError):
    """The peer does not take messages fast enough, or is away."""

    code, retryable = "queue_full", True


class MessageTooLarge(BusError):
    """A single message is over the packet limit."""

    status, code = 413, "message_too_large"


class StoreError(GptCodeError):
    """The event log could not be read or written."""

    code = "store_error"


class StoreFull(StoreError):
    """The disk under the event log is full."""

    status, code = 507, "store_full"
