"""The files a notebook is exported to: which there are, and what each is made by."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gpt_code_ui.notebook.html import html_page
from gpt_code_ui.notebook.markdown import markdown_text
from gpt_code_ui.notebook.percent import percent_script, script_ending


@dataclass(frozen=True)
class Rendered:
    """A file to be: its text, the ending of its name, its media type."""

    text: str
    ending: str
    media_type: str


def _ipynb(notebook: dict[str, Any], title: str) -> Rendered:
    return Rendered(ipynb_text(notebook), ".ipynb", "application/x-ipynb+json")


def _script(notebook: dict[str, Any], title: str) -> Rendered:
    return Rendered(percent_script(notebook), script_ending(notebook), "text/x-python")


def _markdown(notebook: dict[str, Any], title: str) -> Rendered:
    return Rendered(markdown_text(notebook, title), ".md", "text/markdown")


def _html(notebook: dict[str, Any], title: str) -> Rendered:
    return Rendered(html_page(notebook, title), ".html", "text/html")


FORMATS: dict[str, Callable[[dict[str, Any], str], Rendered]] = {
    "ipynb": _ipynb,
    "py": _script,
    "md": _markdown,
    "html": _html,
}


def render(notebook: dict[str, Any], format: str, title: str) -> Rendered:
    """The notebook in one of ``FORMATS``. Raises KeyError for another."""
    return FORMATS[format](notebook, title)


def ipynb_text(notebook: dict[str, Any]) -> str:
    """The notebook as Jupyter itself writes it, but for the order of names."""
    text = json.dumps(notebook, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    # Code may print half of a surrogate pair, which no file in UTF-8 can hold.
    return text.encode("utf-8", "replace").decode()
