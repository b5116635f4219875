"""What comes in and goes out as JSON: read within limits, checked, named when wrong."""

import json
from collections.abc import Mapping
from typing import NoReturn, TypeVar

from flask import Response, request
from pydantic import BaseModel, ConfigDict, ValidationError

from gpt_code_ui.errors import BadRequest, BodyTooLarge, InvalidValue

BODY_LIMIT = 8 * 1024 * 1024
DEPTH_LIMIT = 64


class Body(BaseModel):
    """The base of all request bodies: what is not known is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


B = TypeVar("B", bound=Body)


def read_body(kind: type[B]) -> B:
    """The request's JSON body. Raises BadRequest, BodyTooLarge, InvalidValue."""
    value = _parse(_read())
    if not isinstance(value, dict):
        raise InvalidValue("The body has to be a JSON object.")
    check_tree(value)
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "body"
        raise InvalidValue(f"{where}: {first['msg']}.") from error


def _read() -> bytes:
    raw = request.get_data(cache=False)
    if len(raw) > BODY_LIMIT:
        raise BodyTooLarge(f"The body is over {BODY_LIMIT} bytes.")
    if not raw:
        raise BadRequest("The body is empty.", hint="Send a JSON object.")
    return raw


def _parse(raw: bytes) -> object:
    try:
        value: object = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise BadRequest("The body is not UTF-8.") from error
    except RecursionError as error:
        raise InvalidValue("The body is nested too deeply.") from error
    except ValueError as error:
        raise BadRequest(f"The body is not valid JSON: {error}.") from error
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON value")


def check_tree(value: object) -> None:
    """Bound the depth, and refuse text that no UTF-8 can hold."""
    pending = [(value, 1)]
    while pending:
        one, depth = pending.pop()
        if depth > DEPTH_LIMIT:
            raise InvalidValue(f"The body is nested deeper than {DEPTH_LIMIT} levels.")
        if isinstance(one, dict):
            pending += [(item, depth + 1) for pair in one.items() for item in pair]
        elif isinstance(one, list):
            pending += [(item, depth + 1) for item in one]
        elif isinstance(one, str) and not one.isascii():
            _check_text(one)


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidValue("The body has half a surrogate pair in a text.") from error


def query_number(name: str, value: str | None) -> int | None:
    """A number from the query or a header. Raises InvalidValue naming it."""
    if value is None:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= 18):
        raise InvalidValue(f"{name}: has to be a number, 0 or more.")
    return int(value)


def answer(value: BaseModel | Mapping[str, object], status: int = 200) -> Response:
    """A JSON response; in a value of the protocol, what is None is left out."""
    if isinstance(value, BaseModel):
        text = value.model_dump_json(exclude_none=True)
    else:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return Response(text, status, mimetype="application/json")


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    raise TypeError(f"{type(value).__name__} is no JSON value")
