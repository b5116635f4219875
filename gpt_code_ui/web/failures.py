"""One error shape on every endpoint: ``{"error": {"code", "message", "hint"?, "retryable"}}``.

An exception that is not ours tells the client nothing but that it happened; the log has the rest.
"""

import logging

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestedRangeNotSatisfiable

from gpt_code_ui.errors import GptCodeError
from gpt_code_ui.protocol import ErrorBody
from gpt_code_ui.web.body import BODY_LIMIT, answer

log = logging.getLogger(__name__)

_KNOWN = {
    400: ("malformed", "The request cannot be read."),
    404: ("not_found", "There is nothing at this address."),
    405: ("method_not_allowed", "This address does not know that method."),
    413: ("too_large", f"The body is over {BODY_LIMIT} bytes."),
    416: ("range", "The file does not have that range."),
}


def register(app: Flask) -> None:
    """Give every failure of ``app`` the one shape."""
    app.register_error_handler(GptCodeError, _ours)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _unexpected)


def _ours(error: GptCodeError) -> Response:
    if error.status >= 500:
        log.warning("%s %s: %s", request.method, request.path, error.message)
    return _shape(error.body(), error.status)


def _of_http(error: HTTPException) -> Response:
    status = error.code or 500
    code, message = _KNOWN.get(status, ("http", error.name))
    response = _shape(ErrorBody(code=code, message=message), status)
    if isinstance(error, RequestedRangeNotSatisfiable):
        response.headers["Content-Range"] = f"bytes */{error.length}"
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _unexpected(error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    body = GptCodeError("Something went wrong inside.", hint="The log has the details.").body()
    return _shape(body, 500)


def _shape(body: ErrorBody, status: int) -> Response:
    response = answer({"error": body}, status)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
