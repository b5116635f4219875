"""What a cell gave, beside its events: all it printed, and its HTML as a document apart."""

import os
from typing import BinaryIO

from flask import Blueprint, Response, g, request

from gpt_code_ui.conversations import Conversations
from gpt_code_ui.errors import Forbidden, NotFound
from gpt_code_ui.protocol import DisplayDataOutput, ExecuteResultOutput
from gpt_code_ui.web.body import query_number
from gpt_code_ui.web.download import FileBody
from gpt_code_ui.web.headers import FILE_POLICY, FRAME_POLICY, RUN_POLICY

CELL = "/conversations/<conversation_id>/cells/<cell_id>"
HEAD = """<!doctype html><meta charset="utf-8"><style>
:root{color-scheme:light dark}body{margin:0;font:13px/1.45 system-ui,sans-serif}
table{border-collapse:collapse}th,td{padding:.2em .6em}
th,td{text-align:right;border-bottom:1px solid #8884}
</style>
"""
# A frame without an origin can say one thing to the page: how tall it is. The page believes it
# within bounds, and only from the frame it made.
TELL_HEIGHT = """<script>
new ResizeObserver(() => parent.postMessage(
  {frameHeight: Math.ceil(document.documentElement.getBoundingClientRect().height)}, "*"
)).observe(document.documentElement);
</script>
"""


class Outputs:
    """The views below a cell."""

    def __init__(self, conversations: Conversations) -> None:
        self._all = conversations

    def blueprint(self) -> Blueprint:
        """Every route of this module."""
        blueprint = Blueprint("outputs", __name__, url_prefix="/api")
        blueprint.add_url_rule(f"{CELL}/output", "text", self.text, methods=["GET"])
        blueprint.add_url_rule(f"{CELL}/frame/<int:number>", "frame", self.frame, methods=["GET"])
        return blueprint

    def text(self, conversation_id: str, cell_id: str) -> Response:
        """All the cell printed, from byte ``offset`` on; empty when it printed nothing."""
        offset = query_number("offset", request.args.get("offset")) or 0
        path = self._all.output_file(conversation_id, cell_id)
        if path is None:
            self._all.cell(conversation_id, cell_id)
            return _text(Response(b""))
        file: BinaryIO = path.open("rb")
        length = max(os.fstat(file.fileno()).st_size - offset, 0)
        file.seek(offset)
        response = Response(FileBody(file, length))
        response.headers["Content-Length"] = str(length)
        if request.method == "HEAD":
            file.close()
        return _text(response)

    def frame(self, conversation_id: str, cell_id: str, number: int) -> Response:
        """The HTML of one output, for a frame without our origin; ``run`` lets its scripts run."""
        destination = request.headers.get("Sec-Fetch-Dest")
        if destination != "iframe" and not (destination is None and g.identity == "token"):
            raise Forbidden("This is shown inside the page only.")
        html = self._html(conversation_id, cell_id, number)
        run = "run" in request.args
        text = HEAD + TELL_HEIGHT * run + html
        response = Response(text.encode("utf-8", "replace"), mimetype="text/html")
        response.headers["Content-Security-Policy"] = RUN_POLICY if run else FRAME_POLICY
        return response

    def _html(self, conversation_id: str, cell_id: str, number: int) -> str:
        outputs = self._all.cell(conversation_id, cell_id).outputs
        if number >= len(outputs):
            raise NotFound(f"The cell has no output number {number}.")
        output = outputs[number].output
        html = None
        if isinstance(output, DisplayDataOutput | ExecuteResultOutput):
            html = output.data.get("text/html")
        if html is None:
            raise NotFound("This output is not HTML.")
        return html if isinstance(html, str) else "".join(map(str, html))


def _text(response: Response) -> Response:
    response.mimetype = "text/plain"
    response.headers["Content-Security-Policy"] = FILE_POLICY
    return response
