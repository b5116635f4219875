"""Settings, models, providers, MCP servers: shown without secrets, changed, tested.

Keys, and the values of environments and headers, only come in.
"""

from typing import Any

from flask import Blueprint, Response, request
from pydantic import Field

from gpt_code_ui.containment import Containment
from gpt_code_ui.conversations import Conversations
from gpt_code_ui.mcp.servers import McpServers
from gpt_code_ui.models import Models
from gpt_code_ui.page_choices import PageChoices
from gpt_code_ui.setting_types import Approve
from gpt_code_ui.settings import SETTINGS, Settings
from gpt_code_ui.web.body import Body, answer, read_body


class ProviderRow(Body):
    """``key``: a text sets it, an empty one forgets it, none keeps it. A row may come back as it
    was shown: ``source`` and ``key_in`` are not looked at."""

    id: str = Field(max_length=40)
    name: str | None = None
    kind: str | None = None
    base_url: str | None = None
    api_version: str | None = None
    models: list[str | dict[str, str]] | None = None
    extra_headers: dict[str, str] | None = None
    key: str | None = Field(default=None, max_length=4000)
    source: str | None = Field(default=None, exclude=True)
    key_in: str | None = Field(default=None, exclude=True)


class SettingsChange(Body):
    """What is left out stays; ``providers`` and ``mcp_servers`` take the place of all that the page
    added before. ``mcp_servers`` may be a list of rows or ``{"mcpServers": {...}}``."""

    providers: list[ProviderRow] | None = Field(default=None, max_length=50)
    default_model: str | None = Field(default=None, min_length=1, max_length=200)
    vision_model: str | None = Field(default=None, min_length=1, max_length=200)
    approve: Approve | None = None
    mcp_servers: list[dict[str, Any]] | dict[str, Any] | None = None
    sandbox_consent: bool | None = None


class Test(Body):
    model: str = Field(min_length=1, max_length=200)


class Check(Body):
    name: str = Field(min_length=1, max_length=40)


# What a row has beside what can be set.
SHOWN_ONLY = ("source", "state", "problem", "tools")


class SettingsApi:
    """The views. Without ``models``, for which nothing can be set, they only show."""

    def __init__(
        self, conversations: Conversations, settings: Settings, models: Models | None,
        choices: PageChoices, mcp: McpServers | None = None,
        containment: Containment | None = None,
    ) -> None:  # fmt: skip
        self._all = conversations
        self._settings = settings
        self._models = models
        self._choices = choices
        self._mcp = mcp
        self._containment = containment

    def blueprint(self) -> Blueprint:
        """Every route of this module."""
        blueprint = Blueprint("settings", __name__, url_prefix="/api")
        blueprint.add_url_rule("/models", "models", self.models, methods=["GET"])
        blueprint.add_url_rule("/settings", "show", self.show, methods=["GET"])
        if self._models is not None:
            blueprint.add_url_rule("/settings", "change", self.change, methods=["PATCH"])
            blueprint.add_url_rule("/models/test", "test", self.test, methods=["POST"])
        if self._mcp is not None:
            blueprint.add_url_rule("/mcp/check", "check", self.check, methods=["POST"])
        return blueprint

    def models(self) -> Response:
        problems = None
        if request.args.get("refresh") and self._models is not None:
            problems = self._models.refresh()
        models, default = self._all.models()
        # Here None is news: the endpoint has not shown yet what the model can do.
        shown: dict[str, object] = {
            "models": [one.model_dump() for one in models], "default": default,
        }  # fmt: skip
        return answer(shown if problems is None else shown | {"problems": problems})

    def show(self) -> Response:
        rows = [
            {
                "name": row.name,
                "value": _plain(row.shown(getattr(self._settings, row.name))),
                "help": row.help,
                "flag": row.flag,
                "env": list(row.env),
                "secret": row.secret,
            }
            for row in SETTINGS
        ]
        return answer({"settings": rows} | self._shown())

    def change(self) -> Response:
        assert self._models is not None
        change = read_body(SettingsChange)
        if change.providers is not None:
            self._models.change([row.model_dump(exclude_none=True) for row in change.providers])
        if "default_model" in change.model_fields_set:
            self._models.choose_default(change.default_model)
        if "vision_model" in change.model_fields_set:
            self._models.choose_vision(change.vision_model)
        if change.approve is not None:
            self._choices.choose_approve(change.approve)
        if change.mcp_servers is not None and self._mcp is not None:
            self._mcp.change(_settable(change.mcp_servers))
        if change.sandbox_consent is not None and self._containment is not None:
            self._containment.agree(change.sandbox_consent)
        return answer(self._shown())

    def test(self) -> Response:
        assert self._models is not None
        return answer(self._models.test(read_body(Test).model))

    def check(self) -> Response:
        assert self._mcp is not None
        return answer(self._mcp.check(read_body(Check).name))

    def _shown(self) -> dict[str, Any]:
        return {"approve": self._choices.approve()} | self._providers() | self._sandbox()

    def _providers(self) -> dict[str, Any]:
        servers = {} if self._mcp is None else {"mcp_servers": self._mcp.shown()}
        if self._models is None:
            return servers
        return servers | {
            "providers": self._models.book.shown(),
            "local_servers": self._models.local_servers(),
            "default_model": self._models.default(),
            "vision_model": self._models.vision_model(),
        }

    def _sandbox(self) -> dict[str, Any]:
        return {} if self._containment is None else {"sandbox": self._containment.shown()}


def _settable(value: list[dict[str, Any]] | dict[str, Any]) -> object:
    """Rows as they may come back: without what is only shown."""
    if isinstance(value, dict):
        return value
    return [{k: v for k, v in row.items() if k not in SHOWN_ONLY} for row in value]


def _plain(value: object) -> object:
    if isinstance(value, str | int | float | bool | None):
        return value
    return str(value) if not isinstance(value, tuple) else [str(item) for item in value]
