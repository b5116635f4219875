"""The HTTP surface: a Flask application over Conversations, behind one guard.

Every response has the security headers, every failure the one error shape, and every route that
the guard does not know as open asks who is there.
"""

from collections.abc import Callable
from pathlib import Path

from flask import Flask

from gpt_code_ui.containment import Containment
from gpt_code_ui.conversations import Conversations
from gpt_code_ui.mcp.servers import McpServers
from gpt_code_ui.models import Models
from gpt_code_ui.page_choices import PageChoices
from gpt_code_ui.settings import Settings
from gpt_code_ui.web import failures
from gpt_code_ui.web.api import Api
from gpt_code_ui.web.files import Files
from gpt_code_ui.web.guard import Guard
from gpt_code_ui.web.headers import add_headers
from gpt_code_ui.web.notebooks import Notebooks
from gpt_code_ui.web.outputs import Outputs
from gpt_code_ui.web.page import STATIC, Page
from gpt_code_ui.web.reruns_api import RerunsApi
from gpt_code_ui.web.settings_api import SettingsApi
from gpt_code_ui.web.storage import StorageApi
from gpt_code_ui.web.stream import Streams
from gpt_code_ui.web.variables import KernelVariables


def create_app(
    conversations: Conversations,
    settings: Settings,
    guard: Guard,
    health: Callable[[], str],
    *,
    models: Models | None = None,
    choices: PageChoices | None = None,
    mcp: McpServers | None = None,
    containment: Containment | None = None,
    static: Path = STATIC,
) -> Flask:
    """The application. ``health`` says how the kernel manager is; ``models`` and ``mcp`` can be
    changed.
    """
    app = Flask(__name__, static_folder=None, template_folder=None)
    # Only a development front end sends preflights that are answered.
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = settings.dev_origin is not None
    app.url_map.merge_slashes = False
    app.before_request(guard.check)
    app.after_request(add_headers)
    failures.register(app)
    app.register_blueprint(Page(static).blueprint())
    app.register_blueprint(Api(conversations, guard, health).blueprint())
    shown = SettingsApi(
        conversations, settings, models, choices or PageChoices(settings), mcp, containment
    )
    app.register_blueprint(shown.blueprint())
    app.register_blueprint(Streams(conversations).blueprint())
    app.register_blueprint(Files(conversations).blueprint())
    app.register_blueprint(Outputs(conversations).blueprint())
    app.register_blueprint(Notebooks(conversations).blueprint())
    app.register_blueprint(RerunsApi(conversations).blueprint())
    app.register_blueprint(KernelVariables(conversations).blueprint())
    app.register_blueprint(StorageApi(conversations.storage).blueprint())
    if settings.dev_origin is not None:
        _allow_origin(app, settings.dev_origin)
    return app


def _allow_origin(app: Flask, origin: str) -> None:
    """Let a front end that is served from elsewhere talk to us while it is developed."""
    from flask_cors import CORS

    CORS(app, origins=[origin], supports_credentials=True)
