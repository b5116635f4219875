"""Write the settings table of README.md from gpt_code_ui/settings.py.

``python -m scripts.gen_docs`` writes it, ``--check`` exits 1 if it is stale. The Chinese README has
its own words; that its rows are the same ones is held by tests/test_docs.py.
"""

import sys
from pathlib import Path

from gpt_code_ui.settings import SETTINGS, Setting

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- settings: begin -->\n", "<!-- settings: end -->\n"


def names(row: Setting) -> tuple[str, str]:
    """The first two cells of a row: flag and environment variables."""
    if row.flag is None:
        flag = f"`{row.metavar}`" if row.metavar else ""
    else:
        flag = f"`{row.flag} {row.metavar}`" if row.metavar else f"`{row.flag}`"
    return flag, ", ".join(f"`{name}`" for name in row.env)


def default(row: Setting) -> str:
    """The default where there is a plain one to show."""
    plain = isinstance(row.default, str | int) and not isinstance(row.default, bool)
    return f" (default: {row.default})" if plain else ""


def table() -> str:
    """The table, markers not included."""
    lines = ["| Flag | Environment, `.env` | What it does |", "|---|---|---|"]
    for row in SETTINGS:
        flag, variables = names(row)
        lines.append(f"| {flag} | {variables} | {row.help}{default(row)} |")
    return "\n".join(lines) + "\n"


def render(text: str) -> str:
    """The README with the table as it should be."""
    head, rest = text.split(BEGIN)
    return head + BEGIN + table() + END + rest.split(END)[1]


def main() -> int:
    """Write or check."""
    text = README.read_text(encoding="utf-8")
    wanted = render(text)
    if "--check" in sys.argv[1:]:
        if text == wanted:
            return 0
        print("the settings table of README.md is stale: run 'make types'", file=sys.stderr)
        return 1
    README.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
