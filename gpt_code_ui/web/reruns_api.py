"""Cells edited, deleted and reverted, branches, and everything run again."""

from flask import Blueprint, Response, request

from gpt_code_ui.conversations import Conversations
from gpt_code_ui.web.body import Body, answer, read_body

ONE = "/conversations/<conversation_id>"
CELL = f"{ONE}/cells/<cell_id>"


class Edit(Body):
    code: str


class Revert(Body):
    force: bool = False


class Fork(Body):
    before_turn: str


class RerunsApi:
    """The views. Each calls one method and answers."""

    def __init__(self, conversations: Conversations) -> None:
        self._all = conversations.reruns

    def blueprint(self) -> Blueprint:
        """Every route of this module."""
        blueprint = Blueprint("reruns", __name__, url_prefix="/api")
        for method, rule, view in (
            ("PUT", CELL, self.edit),
            ("DELETE", CELL, self.delete),
            ("POST", f"{CELL}/revert", self.revert),
            ("POST", f"{ONE}/fork", self.fork),
            ("POST", f"{ONE}/replay", self.replay),
            ("DELETE", f"{ONE}/replay", self.stop_replay),
        ):
            blueprint.add_url_rule(rule, view.__name__, view, methods=[method])
        return blueprint

    def edit(self, conversation_id: str, cell_id: str) -> Response:
        """Edit a cell and run it again."""
        self._all.edit(conversation_id, cell_id, read_body(Edit).code)
        return answer({"cell_id": cell_id}, 202)

    def delete(self, conversation_id: str, cell_id: str) -> Response:
        """Take a cell away."""
        self._all.delete(conversation_id, cell_id)
        return answer({"cell_id": cell_id, "deleted": True})

    def revert(self, conversation_id: str, cell_id: str) -> Response:
        """Undo its changes to files; a body is needed only to force it."""
        force = bool(request.content_length) and read_body(Revert).force
        done = self._all.revert(conversation_id, cell_id, force=force)
        return answer({"revert_id": done.revert_id, "files": done.files, "not_kept": done.left})

    def fork(self, conversation_id: str) -> Response:
        """A branch, up to a turn."""
        return answer(self._all.fork(conversation_id, read_body(Fork).before_turn), 201)

    def replay(self, conversation_id: str) -> Response:
        """Begin a proof."""
        return answer({"replay_id": self._all.prove(conversation_id)}, 202)

    def stop_replay(self, conversation_id: str) -> Response:
        """End the replay that runs."""
        self._all.stop(conversation_id)
        return answer({"id": conversation_id}, 202)
