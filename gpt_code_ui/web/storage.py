"""Where everything lies and what it takes of the disk; deleted conversations removed for good."""

from flask import Blueprint, Response

from gpt_code_ui.storage import Storage
from gpt_code_ui.web.body import answer


class StorageApi:
    """The views over the data folder."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def blueprint(self) -> Blueprint:
        """Every route of this module."""
        blueprint = Blueprint("storage", __name__, url_prefix="/api")
        blueprint.add_url_rule("/disk", "use", self.use, methods=["GET"])
        one = "/conversations/<conversation_id>/forever"
        blueprint.add_url_rule(one, "remove", self.remove, methods=["DELETE"])
        return blueprint

    def use(self) -> Response:
        """The data folder, what is free, and each conversation's bytes, deleted ones as well."""
        return answer(self._storage.use())

    def remove(self, conversation_id: str) -> Response:
        """A conversation that was deleted; 409 for any other and while something of it runs."""
        self._storage.remove(conversation_id)
        return answer({"id": conversation_id, "removed": True})
