"""POST to ask, GET to look: the JSON endpoints, as one table of routes over Conversations."""

from collections.abc import Callable
from typing import Literal

from flask import Blueprint, Response, request
from pydantic import Field

from gpt_code_ui import __version__
from gpt_code_ui.conversations import Conversations
from gpt_code_ui.protocol import Attachment, ConversationSummary
from gpt_code_ui.web.body import Body, answer, read_body
from gpt_code_ui.web.guard import Guard

ONE = "/conversations/<conversation_id>"


class Redeem(Body):
    code: str


class NewConversation(Body):
    title: str | None = Field(default=None, max_length=500)
    model: str | None = Field(default=None, min_length=1, max_length=200)
    network: bool | None = None


class Environment(Body):
    """What to run in; empty, or null, is the default."""

    kernel: str | None = Field(default=None, max_length=200)
    python: str | None = Field(default=None, max_length=4096)


class Created(NewConversation, Environment):
    pass


class Change(NewConversation, Environment):
    pinned: bool | None = None
    rules: str | None = Field(default=None, max_length=20_000)
    allowed: list[str] | None = Field(default=None, max_length=1000)


class Ask(Body):
    prompt: str
    model: str | None = Field(default=None, min_length=1, max_length=200)
    attachments: list[Attachment] = Field(default_factory=list, max_length=1000)


class RunCell(Body):
    code: str
    after_cell: str | None = None


class Approval(Body):
    run: bool
    code: str | None = None
    remember: bool = False


class Packages(Body):
    packages: list[str] = Field(max_length=50)


class Input(Body):
    text: str


class KernelAction(Body):
    action: Literal["interrupt", "restart", "restore", "install"]
    consent: bool = False


class Api:
    """The views. Each reads its body, calls one method and answers."""

    def __init__(
        self,
        conversations: Conversations,
        guard: Guard,
        health: Callable[[], str],
    ) -> None:
        self._all = conversations
        self._guard = guard
        self._health = health

    def blueprint(self) -> Blueprint:
        """Every route of this module."""
        blueprint = Blueprint("api", __name__, url_prefix="/api")
        for method, rule, view in (
            ("GET", "/health", self.health),
            ("POST", "/session", self.begin_session),
            ("POST", "/session/code", self.fresh_code),
            ("GET", "/kernels", self.kernels),
            ("POST", "/conversations", self.create),
            ("GET", "/conversations", self.list),
            ("GET", ONE, self.transcript),
            ("PATCH", ONE, self.update),
            ("DELETE", ONE, self.delete),
            ("POST", f"{ONE}/restore", self.restore),
            ("POST", f"{ONE}/turns", self.ask),
            ("POST", f"{ONE}/turns/<turn_id>/retry", self.retry),
            ("GET", f"{ONE}/turns/<turn_id>/requests", self.requests),
            ("POST", f"{ONE}/cells", self.run_cell),
            ("POST", f"{ONE}/cells/<cell_id>/approval", self.decide),
            ("POST", f"{ONE}/cells/<cell_id>/input", self.reply_input),
            ("POST", f"{ONE}/packages", self.install),
            ("POST", f"{ONE}/stop", self.stop),
            ("POST", f"{ONE}/kernel", self.kernel),
        ):
            blueprint.add_url_rule(rule, view.__name__, view, methods=[method])
        return blueprint

    # --- the server ----------------------------------------------------------------------------

    def health(self) -> Response:
        return answer({"status": "ok", "version": __version__, "kernel_manager": self._health()})

    def begin_session(self) -> Response:
        response = answer({"status": "ok"})
        self._guard.redeem(read_body(Redeem).code, response)
        return response

    def fresh_code(self) -> Response:
        return answer({"code": self._guard.new_code()})

    def kernels(self) -> Response:
        return answer({"kernels": self._all.kernels()})

    # --- conversations -------------------------------------------------------------------------

    def create(self) -> Response:
        body = read_body(Created)
        made = self._all.create(
            title=body.title, model=body.model, network=body.network, kernel=body.kernel or "",
            python=body.python or "",
        )  # fmt: skip
        return answer(made, 201)

    def list(self) -> Response:
        found = self._all.list(request.args.get("q") or None)
        return answer({"conversations": found})

    def transcript(self, conversation_id: str) -> Response:
        return answer(self._all.transcript(conversation_id))

    def update(self, conversation_id: str) -> Response:
        body = read_body(Change)
        if body.model_fields_set & {"kernel", "python"}:
            self._all.choose_environment(conversation_id, body.kernel or "", body.python or "")
        return answer(
            self._all.update(
                conversation_id,
                title=body.title,
                model=body.model,
                pinned=body.pinned,
                rules=body.rules,
                allowed=body.allowed,
                network=body.network,
            )
        )

    def delete(self, conversation_id: str) -> Response:
        self._all.delete(conversation_id)
        return answer({"id": conversation_id, "deleted": True})

    def restore(self, conversation_id: str) -> Response:
        summary: ConversationSummary = self._all.restore(conversation_id)
        return answer(summary)

    # --- turns and cells -----------------------------------------------------------------------

    def ask(self, conversation_id: str) -> Response:
        body = read_body(Ask)
        turn_id = self._all.ask(conversation_id, body.prompt, body.model, body.attachments)
        return answer({"turn_id": turn_id}, 202)

    def retry(self, conversation_id: str, turn_id: str) -> Response:
        return answer({"turn_id": self._all.retry(conversation_id, turn_id)}, 202)

    def requests(self, conversation_id: str, turn_id: str) -> Response:
        return answer({"requests": self._all.requests(conversation_id, turn_id)})

    def run_cell(self, conversation_id: str) -> Response:
        body = read_body(RunCell)
        cell_id = self._all.run_cell(conversation_id, body.code, body.after_cell)
        return answer({"cell_id": cell_id}, 202)

    def decide(self, conversation_id: str, cell_id: str) -> Response:
        body = read_body(Approval)
        self._all.decide(
            conversation_id, cell_id, run=body.run, code=body.code, remember=body.remember
        )
        return answer({"cell_id": cell_id}, 202)

    def reply_input(self, conversation_id: str, cell_id: str) -> Response:
        self._all.reply_input(conversation_id, cell_id, read_body(Input).text)
        return answer({"cell_id": cell_id}, 202)

    def install(self, conversation_id: str) -> Response:
        cell_id = self._all.install(conversation_id, read_body(Packages).packages)
        return answer({"cell_id": cell_id}, 202)

    def stop(self, conversation_id: str) -> Response:
        self._all.stop(conversation_id)
        return answer({"id": conversation_id}, 202)

    def kernel(self, conversation_id: str) -> Response:
        body = read_body(KernelAction)
        if body.action == "install":
            mended = self._all.mend_environment(conversation_id)
            return answer({"action": body.action, **mended._asdict()})
        self._all.kernel(conversation_id, body.action, consent=body.consent)
        return answer({"action": body.action}, 202)
