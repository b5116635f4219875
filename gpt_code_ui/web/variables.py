"""The kernel's variables, and the rows of one that is a table, as they are at this moment.

What a kernel answers was made beside the person's code: it is checked like any other body.
"""

from flask import Blueprint, Response, request
from pydantic import ValidationError

from gpt_code_ui.conversations import Conversations
from gpt_code_ui.errors import Conflict, GptCodeError, InvalidValue, KernelError, NotFound
from gpt_code_ui.protocol import ErrorBody, Query, QueryAnswered, TableRows, Variables
from gpt_code_ui.turns import new_id
from gpt_code_ui.web.body import answer, query_number

ALL = "/conversations/<conversation_id>/variables"
MOST_ROWS = 1000
LONGEST = 2000
ERRORS: dict[str, type[GptCodeError]] = {
    kind.code: kind for kind in (NotFound, InvalidValue, Conflict)
}


class KernelVariables:
    """The views below ``/variables``."""

    def __init__(self, conversations: Conversations) -> None:
        self._all = conversations

    def blueprint(self) -> Blueprint:
        """Every route of this module."""
        blueprint = Blueprint("variables", __name__, url_prefix="/api")
        blueprint.add_url_rule(ALL, "list", self.list, methods=["GET"])
        # A name has no slash in it, but whatever is in the address is answered in our shape.
        blueprint.add_url_rule(f"{ALL}/<path:name>/rows", "rows", self.rows, methods=["GET"])
        return blueprint

    def list(self, conversation_id: str) -> Response:
        """Name, type, shape, memory and first values of each; 409 while a cell runs."""
        answered = self._all.query(conversation_id, Query(query_id=new_id(), what="variables"))
        try:
            return answer(Variables.model_validate(content_of(answered)))
        except ValidationError as error:
            raise unreadable() from error

    def rows(self, conversation_id: str, name: str) -> Response:
        """Rows from ``offset`` on, ``limit`` at most, in an order and of a filter."""
        asked = request.args
        query = Query(
            query_id=new_id(), what="rows", name=name,
            offset=query_number("offset", asked.get("offset")) or 0,
            limit=limit_of(asked.get("limit")),
            column=query_number("column", asked.get("column")) or 0,
            sort=short("sort", asked.get("sort")), filter=short("filter", asked.get("filter")),
        )  # fmt: skip
        content = content_of(self._all.query(conversation_id, query))
        if (state := content.pop("state", None)) != "idle":
            raise NotFound(
                f"There is no variable {name}.",
                hint="This kernel's variables cannot be looked at."
                if state == "unsupported"
                else "No kernel runs in this conversation: run a cell first.",
            )
        try:
            return answer(TableRows.model_validate({"name": name, **content}))
        except ValidationError as error:
            raise unreadable() from error


def limit_of(value: str | None) -> int:
    """How many rows are wanted."""
    limit = query_number("limit", value)
    return 100 if limit is None else min(limit, MOST_ROWS)


def short(name: str, value: str | None) -> str | None:
    """A text from the query. Raises InvalidValue for one that is too long."""
    if value is not None and len(value) > LONGEST:
        raise InvalidValue(f"{name}: it is longer than {LONGEST} characters.")
    return value or None


def content_of(answered: QueryAnswered) -> dict[str, object]:
    """What was found. Raises what the kernel or its manager refused it with."""
    if answered.error is None and answered.content is not None:
        return dict(answered.content)
    body = answered.error or ErrorBody(code="", message="The kernel gave no answer.")
    raise ERRORS.get(body.code, KernelError)(body.message, hint=body.hint)


def unreadable() -> KernelError:
    """The kernel's answer is not of the form that was agreed."""
    return KernelError("The kernel gave no answer that can be read.")
