"""Notebooks through the door: a conversation out in each format, anyone's notebook in, and kept.

What comes in may be larger than other bodies, for figures stand inside a notebook; one is read at a
time, so that its size is paid for once.
"""

import json
import threading
from typing import NoReturn

from flask import Blueprint, Response, request

from gpt_code_ui.conversations import Conversations
from gpt_code_ui.errors import BadRequest, BodyTooLarge, InvalidValue
from gpt_code_ui.notebook import FORMATS
from gpt_code_ui.notebook_file import stem_from
from gpt_code_ui.web.body import Body, answer, check_tree, read_body
from gpt_code_ui.web.download import as_attachment

ONE = "/conversations/<conversation_id>"
IMPORT_LIMIT = 256 * 1024 * 1024


class Keep(Body):
    keep: bool


class Notebooks:
    """The views. Each calls one method and answers."""

    def __init__(self, conversations: Conversations) -> None:
        self._all = conversations
        self._reading = threading.Lock()

    def blueprint(self) -> Blueprint:
        """Every route of this module."""
        blueprint = Blueprint("notebooks", __name__, url_prefix="/api")
        for method, rule, view in (
            ("GET", f"{ONE}/notebook", self.export),
            ("POST", f"{ONE}/notebook", self.keep),
            ("POST", "/conversations/import", self.take),
        ):
            blueprint.add_url_rule(rule, view.__name__, view, methods=[method])
        return blueprint

    def export(self, conversation_id: str) -> Response:
        """The conversation as a file: ``format`` is ipynb, py, md or html."""
        format = request.args.get("format", "ipynb")
        if format not in FORMATS:
            raise InvalidValue(
                f"format: {format!r} is not known.", hint=f"Use one of {', '.join(FORMATS)}."
            )
        title, made = self._all.export(conversation_id, format)
        content = made.text.encode("utf-8", "replace")
        response = Response(content, content_type=f"{made.media_type}; charset=utf-8")
        return as_attachment(response, f"{stem_from(title)}{made.ending}")

    def keep(self, conversation_id: str) -> Response:
        """Keep a notebook in the workspace up to date, or stop doing so."""
        if read_body(Keep).keep:
            return answer({"notebook": self._all.keep_notebook(conversation_id)})
        self._all.drop_notebook(conversation_id)
        return answer({"notebook": ""})

    def take(self) -> Response:
        """A notebook as a new conversation: the file itself, or ``{"notebook", "title"?}``."""
        with self._reading:
            value = _parsed(_read())
            notebook: object = value
            title: object = request.args.get("title")
            if "notebook" in value and "nbformat" not in value:
                notebook = value["notebook"]
                title = value.get("title") or title
            if title is not None and not isinstance(title, str):
                raise InvalidValue("title: has to be text.")
            name = request.args.get("name") or "notebook.ipynb"
            made = self._all.import_notebook(notebook, name[:200], title and title[:500])
        return answer(made, 201)


def _read() -> bytes:
    request.max_content_length = IMPORT_LIMIT
    if (request.content_length or 0) > IMPORT_LIMIT:
        _refuse_size()
    pieces, size = [], 0
    try:
        while piece := request.stream.read(1024 * 1024):
            size += len(piece)
            if size > IMPORT_LIMIT:
                _refuse_size()
            pieces.append(piece)
    # A body in pieces whose sizes are wrong or missing is a ValueError of the server's.
    except (OSError, ValueError) as error:
        raise BadRequest("The notebook broke off on its way.", hint="Try again.") from error
    if not pieces:
        raise BadRequest("The body is empty.", hint="Send a notebook.")
    return b"".join(pieces)


def _refuse_size() -> NoReturn:
    raise BodyTooLarge(f"The notebook is over {IMPORT_LIMIT // 1024**2} MiB.")


def _parsed(raw: bytes) -> dict[str, object]:
    """The JSON object. Python writes NaN into notebooks, which is no JSON: it is taken for null."""
    try:
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=lambda _: None)
    except RecursionError as error:
        raise InvalidValue("The notebook is nested too deeply.") from error
    except ValueError as error:
        raise InvalidValue(f"This is no notebook: it is not valid JSON ({error}).") from error
    if not isinstance(value, dict):
        raise InvalidValue("This is no notebook: it is no JSON object.")
    check_tree(value)
    return value
