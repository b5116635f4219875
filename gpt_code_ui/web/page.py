"""The built page: the shell with a fresh nonce in every response, and its assets.

Only what lies in the bundle's folder has an address, so an unknown path stays behind the door.
"""

import secrets
from pathlib import Path

from flask import Blueprint, Response, send_from_directory

from gpt_code_ui.errors import NotFound
from gpt_code_ui.web.headers import NONCE_PLACEHOLDER, page_policy

STATIC = Path(__file__).parent / "static"
INDEX = "index.html"
HASHED = "assets"
FOREVER = "public, max-age=31536000, immutable"


class Page:
    """The shell and what it loads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def blueprint(self) -> Blueprint:
        """Every route of this module: the top level of the folder as it is now."""
        blueprint = Blueprint("page", __name__)
        blueprint.add_url_rule("/", "shell", self.shell, methods=["GET"])
        entries = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
        for entry in entries:
            if entry.name == INDEX or entry.name.startswith("."):
                continue
            rule = f"/{entry.name}/<path:rest>" if entry.is_dir() else f"/{entry.name}"
            blueprint.add_url_rule(
                rule, "asset", self.asset, methods=["GET"], defaults={"top": entry.name}
            )
        return blueprint

    def shell(self) -> Response:
        """The page itself; never cached, for its nonce is good once."""
        try:
            text = (self._folder / INDEX).read_text("utf-8")
        except FileNotFoundError as error:
            raise NotFound("The page is not built.", hint="Run make page.") from error
        nonce = secrets.token_urlsafe(16)
        response = Response(text.replace(NONCE_PLACEHOLDER, nonce), mimetype="text/html")
        response.headers["Content-Security-Policy"] = page_policy(nonce)
        return response

    def asset(self, top: str, rest: str = "") -> Response:
        """A file of the bundle; one with its hash in its name is kept for ever."""
        base, name = (self._folder / top, rest) if rest else (self._folder, top)
        response = send_from_directory(base, name)
        response.headers["Cache-Control"] = FOREVER if top == HASHED else "no-cache"
        response.headers["Content-Security-Policy"] = page_policy()
        return response


def bundle_is_there(folder: Path = STATIC) -> bool:
    """Whether the page was built."""
    return (folder / INDEX).is_file()
