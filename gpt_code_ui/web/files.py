"""Files of a conversation, in and out as streams: never whole in memory, never opened as more.

Everything that goes out is an attachment without rights of its own; a range is served as asked.
"""

import unicodedata
from collections.abc import Iterator

from flask import Blueprint, Response, request

from gpt_code_ui.conversations import Conversations
from gpt_code_ui.errors import BadRequest, NotFound
from gpt_code_ui.protocol import FileChanges
from gpt_code_ui.web.body import answer
from gpt_code_ui.web.download import as_attachment, file_response
from gpt_code_ui.workspace import Workspace

CHUNK = 1024 * 1024
FOLDER = "/conversations/<conversation_id>/files"


class Files:
    """The views below ``/files``."""

    def __init__(self, conversations: Conversations) -> None:
        self._all = conversations

    def blueprint(self) -> Blueprint:
        """Every route of this module."""
        blueprint = Blueprint("files", __name__, url_prefix="/api")
        one = f"{FOLDER}/<path:path>"
        for method, rule, view in (
            ("GET", FOLDER, self.list),
            ("GET", one, self.get),
            ("PUT", one, self.put),
            ("DELETE", one, self.delete),
        ):
            blueprint.add_url_rule(rule, view.__name__, view, methods=[method])
        return blueprint

    def list(self, conversation_id: str) -> Response:
        """The files, or with ``?zip`` all of them in one archive."""
        workspace = self._all.workspace(conversation_id)
        if "zip" not in request.args:
            files, complete = workspace.listing()
            return answer({"files": files, "complete": complete})
        chunks = () if request.method == "HEAD" else workspace.zip_stream()
        return as_attachment(Response(chunks, mimetype="application/zip"), "files.zip")

    def get(self, conversation_id: str, path: str) -> Response:
        """A file, or the range of it that is asked for; with ``?preview`` what is in it."""
        if "preview" in request.args:
            return answer(self._all.profile(conversation_id, path))
        file, entry = self._all.workspace(conversation_id).open(path)
        try:
            response = file_response(file, entry)
        except BaseException:
            file.close()
            raise
        if request.method == "HEAD":
            file.close()
        return response

    def put(self, conversation_id: str, path: str) -> Response:
        """The body is the file; it appears under its name when it is whole."""
        workspace = self._all.workspace(conversation_id)
        replace = request.args.get("replace", "").lower() in ("1", "true", "yes")
        replaced = replace and _exists(workspace, path)
        entry = workspace.save(path, _body(), size=request.content_length, replace=replace)
        changes = FileChanges(changed=[entry.path]) if replaced else FileChanges(added=[entry.path])
        self._all.files_changed(conversation_id, changes)
        told: dict[str, object] = {"path": entry.path, "size": entry.size}
        if entry.path != unicodedata.normalize("NFC", path):
            told["renamed"] = True
        return answer(told, 201)

    def delete(self, conversation_id: str, path: str) -> Response:
        """Take a file away."""
        self._all.workspace(conversation_id).delete(path)
        self._all.files_changed(conversation_id, FileChanges(removed=[path]))
        return answer({"path": path, "deleted": True})


def _body() -> Iterator[bytes]:
    """The request's body, a chunk at a time. Raises BadRequest when it does not come whole."""
    request.max_content_length = None
    try:
        while chunk := request.stream.read(CHUNK):
            yield chunk
    # A body in pieces whose sizes are wrong or missing is a ValueError of the server's.
    except (OSError, ValueError) as error:
        raise BadRequest("The upload broke off.", hint="Nothing was kept. Try again.") from error


def _exists(workspace: Workspace, path: str) -> bool:
    try:
        workspace.open(path)[0].close()
    except NotFound:
        return False
    return True
