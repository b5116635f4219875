"""A notebook as one HTML file that needs nothing else: no script, nothing remote, light and dark.

What came out of the kernel is hostile: HTML passes an allow-list, SVG and pictures stand as images,
charts that want a script are told by name. The file's own policy lets nothing load at all.
"""

import base64
import hashlib
import re
from html import escape
from typing import Any
from urllib.parse import unquote

from gpt_code_ui.notebook.ansi import ansi_html
from gpt_code_ui.notebook.parts import (
    PICTURES,
    interactive_name,
    language_of,
    note_of_cell,
    ours_of,
    overwritten,
    pretty_json,
    text_of,
)
from gpt_code_ui.notebook.style import STYLE

Json = dict[str, Any]
BASE64 = re.compile(r"[A-Za-z0-9+/=]*")
# Of what a table, a list or a report needs; nothing that loads, runs, posts or covers the page.
TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "col", "colgroup", "dd", "del",
    "details", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6",
    "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "s", "samp", "small", "span",
    "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt",
    "u", "ul", "var",
}  # fmt: skip
ATTRIBUTES = {
    "a": {"href"}, "img": {"src", "alt", "width", "height"}, "ol": {"start"},
    "td": {"colspan", "rowspan", "align"}, "th": {"colspan", "rowspan", "align", "scope"},
    "details": {"open"},
}  # fmt: skip
TINY = re.compile(r"<(?:img|table|td|li|p|[^>]+>[^<\s])")


def html_page(notebook: Json, title: str) -> str:
    """The whole file."""
    page = _Page(notebook)
    body = "\n".join(page.cell(cell) for cell in notebook["cells"])
    style = STYLE + page.code_style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html>\n<html lang="">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n<main>\n"
        f"<header><h1>{escape(title)}</h1>{_about(notebook)}</header>\n"
        f"{body}\n</main>\n</body>\n</html>\n"
    )


def _about(notebook: Json) -> str:
    """Which model answered, and what it used."""
    ours = notebook["metadata"].get("gptcode") or {}
    turns = ours.get("turns") or ()
    models = dict.fromkeys(str(turn["model"]) for turn in turns if turn.get("model"))
    days = [str(turn["started_at"])[:10] for turn in turns if turn.get("started_at")]
    usage = ours.get("usage") or {}
    told = [", ".join(models), days[0] if days else ""]
    if usage:
        told.append(f"{usage.get('input_tokens', 0) + usage.get('output_tokens', 0):,} tokens")
    said = " · ".join(escape(one) for one in told if one)
    return f'<p class="about">{said}</p>' if said else ""


class _Page:
    """Turns cells into HTML with the libraries loaded once."""

    def __init__(self, notebook: Json) -> None:
        from markdown_it import MarkdownIt
        from pygments.formatters import HtmlFormatter

        self._language = language_of(notebook)
        self._formatter = HtmlFormatter(nowrap=True, classprefix="h-")
        self._dark = HtmlFormatter(nowrap=True, classprefix="h-", style="github-dark")
        self._lexer = _lexer(self._language, notebook)
        self._markdown = MarkdownIt("commonmark", {"html": True, "highlight": self._highlighted})
        self._markdown.enable(["table", "strikethrough"])
        self._figures = 0

    def code_style(self) -> str:
        """The colours of code, in both lights."""
        light = "\n".join(self._formatter.get_token_style_defs(".code"))
        dark = "\n".join(self._dark.get_token_style_defs(".code"))
        return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"

    def cell(self, cell: Json) -> str:
        """One cell with its outputs."""
        source = text_of(cell["source"])
        if cell["cell_type"] == "markdown":
            role = escape(str(ours_of(cell).get("role") or "text"))
            return f'<section class="text {role}">{self._prose(source, cell)}</section>'
        if cell["cell_type"] == "raw":
            return f'<section class="text"><pre>{escape(source)}</pre></section>'
        count = cell.get("execution_count")
        label = "" if count is None else f'<span class="count">[{int(count)}]</span>'
        outputs = "\n".join(self._output(output) for output in cell["outputs"])
        note = note_of_cell(cell)
        said = f'<p class="note">{escape(note)}</p>' if note else ""
        code = self._code(source)
        return f'<section class="cell">{label}{code}\n{outputs}{said}</section>'

    # --- text and code

    def _prose(self, source: str, cell: Json) -> str:
        for name, bundle in (cell.get("attachments") or {}).items():
            for kind, content in bundle.items():
                source = source.replace(f"attachment:{name}", _data_url(kind, text_of(content)))
                quoted = unquote(name)
                source = source.replace(f"attachment:{quoted}", _data_url(kind, text_of(content)))
        return clean(str(self._markdown.render(source)), classes=True)

    def _code(self, source: str) -> str:
        from pygments import highlight

        shown = highlight(source, self._lexer, self._formatter) if source.strip() else ""
        return f'<pre class="code" tabindex="0">{shown}</pre>'

    def _highlighted(self, code: str, language: str, attributes: str) -> str:
        from pygments import highlight

        lexer = _lexer(language) if language else None
        return str(highlight(code, lexer, self._formatter)) if lexer else ""

    # --- outputs

    def _output(self, output: Json) -> str:
        match output["output_type"]:
            case "stream":
                kind = "stderr" if output["name"] == "stderr" else "stdout"
                return _printed(text_of(output["text"]), kind)
            case "error":
                return _printed("\n".join(output["traceback"]), "error")
            case _:
                return f'<div class="out">{self._rich(output["data"])}</div>'

    def _rich(self, data: Json) -> str:
        """The best of a bundle that needs no script."""
        if picture := self._picture(data):
            return picture
        if "text/html" in data:
            shown = clean(text_of(data["text/html"]))
            if TINY.search(shown):
                return f'<div class="frame" tabindex="0">{shown}</div>'
        if "text/markdown" in data:
            return clean(str(self._markdown.render(text_of(data["text/markdown"]))), classes=True)
        plain = text_of(data.get("text/plain") or data.get("text/latex") or "")
        if "application/json" in data:
            plain = pretty_json(data["application/json"])
        if "text/latex" in data:
            plain = text_of(data["text/latex"])
        name = interactive_name(data) or ("HTML with scripts" if "text/html" in data else None)
        note = f"{name}: it needs a script and is not shown here; open the notebook to see it"
        said = f'<p class="note">{escape(note)}</p>' if name else ""
        return said + (_printed(plain, "stdout") if plain.strip() else "")

    def _picture(self, data: Json) -> str:
        kind = next((one for one in PICTURES if one in data), None)
        if kind is not None:
            url = _data_url(kind, text_of(data[kind]))
        elif "image/svg+xml" in data:
            svg = text_of(data["image/svg+xml"]).encode("utf-8", "replace")
            url = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
        else:
            return ""
        self._figures += 1
        return f'<img alt="Figure {self._figures}" src="{url}">'


def _printed(text: str, kind: str) -> str:
    shown = ansi_html(overwritten(text).rstrip("\n"))
    return f'<pre class="out {kind}" tabindex="0">{shown}</pre>' if shown else ""


def clean(html: str, *, classes: bool = False) -> str:
    """HTML with nothing in it that runs, loads or leaves. ``classes`` only where they are ours."""
    import nh3

    attributes = {tag: set(names) for tag, names in ATTRIBUTES.items()}
    if classes:
        attributes |= {"span": {"class"}, "code": {"class"}}
    cleaned = nh3.clean(
        html,
        tags=TAGS,
        attributes=attributes,
        url_schemes={"http", "https", "mailto", "data"},
        attribute_filter=_filter,
        link_rel="noopener noreferrer",
        clean_content_tags={"script", "style", "iframe", "object", "template", "noscript"},
    )
    return str(cleaned)


def _filter(tag: str, attribute: str, value: str) -> str | None:
    """A picture is inside the file or not there; a link leads to a page, never to data."""
    if tag == "img" and attribute == "src":
        return value if value.startswith("data:image/") else None
    if attribute == "href" and value.strip().lower().startswith("data:"):
        return None
    if attribute == "class" and not value.startswith(("h-", "language-")):
        return None
    return value


def _data_url(kind: str, content: str) -> str:
    """Binary content as it stands in an address; empty if it is no base64."""
    packed = "".join(content.split())
    good = BASE64.fullmatch(packed) and re.fullmatch(r"image/[a-z0-9.+-]+", kind)
    return f"data:{kind};base64,{packed}" if good else ""


def _lexer(name: str, notebook: Json | None = None) -> Any:
    from pygments.lexers import get_lexer_by_name
    from pygments.lexers.special import TextLexer
    from pygments.util import ClassNotFound

    info = (notebook["metadata"].get("language_info") or {}) if notebook else {}
    for candidate in (info.get("pygments_lexer"), name):
        if isinstance(candidate, str):
            try:
                return get_lexer_by_name(candidate)
            except ClassNotFound:
                continue
    return TextLexer()
